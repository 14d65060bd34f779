target_build() { # compiles everything
  compile build Agent.sln "$@"
}
