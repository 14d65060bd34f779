target_publish() { # compiles dunlin-agent natively (linux-x64 and linux-arm64, or those named) into artifacts/agent/RID
  local rid linker
  [ $# -gt 0 ] || set -- linux-x64 linux-arm64
  for rid in "$@"; do
    case $rid in
      linux-x64) linker=gcc; need gcc binutils zlib1g-dev libc6-dev ;;
      *) linker=clang; need clang llvm gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu libc6-dev-arm64-cross ;;
    esac
    rm -rf "artifacts/agent/$rid"
    compile publish src/Agent -r "$rid" -p:CppCompilerAndLinker=$linker -o "artifacts/agent/$rid"
    [ -x "artifacts/agent/$rid/dunlin-agent" ] || { echo "publish: artifacts/agent/$rid/dunlin-agent was not made" >&2; return 1; }
  done
}
