target_publish() { # compiles dunlin-agent natively (linux-x64 and linux-arm64, or those named) into artifacts/agent/RID
  need clang llvm binutils zlib1g-dev libc6-dev gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu libc6-dev-arm64-cross
  local rid
  [ $# -gt 0 ] || set -- linux-x64 linux-arm64
  for rid in "$@"; do
    rm -rf "artifacts/agent/$rid"
    dotnet publish src/Agent -c Release -r "$rid" -v q -o "artifacts/agent/$rid"
    [ -x "artifacts/agent/$rid/dunlin-agent" ] || { echo "publish: artifacts/agent/$rid/dunlin-agent was not made" >&2; return 1; }
  done
}
