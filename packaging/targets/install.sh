target_install() { # installs dunlin-agent, dunlin-fleet and dunlin-optimizer on this workstation, into /usr/local or the folder named
  need libturbojpeg0
  local prefix=${1:-/usr/local} project program
  for project in Agent Fleet Optimizer; do
    program=dunlin-${project,,}
    rm -rf "$prefix/lib/dunlin/$program"
    # Restored as in every build: the lock file knows the native compiler, which is not used here.
    dotnet restore "src/$project" -v q
    compile publish "src/$project" --no-restore --use-current-runtime --self-contained false -p:PublishAot=false -o "$prefix/lib/dunlin/$program"
    mkdir -p "$prefix/bin"
    ln -sfn "../lib/dunlin/$program/$program" "$prefix/bin/$program"
  done
  install_torch "$prefix/lib/dunlin/torch"
  chmod -R a+rX "$prefix/lib/dunlin"
  for program in "$prefix"/bin/dunlin-{agent,fleet,optimizer}; do "$program" --version; done
}

# Half a gigabyte: the NuGet folder of whoever installs, where training would find it otherwise, may be closed to whoever trains.
install_torch() {
  local package
  rm -rf "$1"; mkdir -p "$1"
  for package in Pkglibtorch-cpu-linux-x64 PkgTorchSharp; do
    cp "$(dotnet msbuild src/Optimizer -getProperty:$package)"/runtimes/linux-x64/native/* "$1/"
  done
}
