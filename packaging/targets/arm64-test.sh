target_arm64_test() { # publishes for linux-arm64 and runs that under qemu (minutes; DUNLIN_ARM64 names a folder already published)
  need qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross util-linux ffmpeg libturbojpeg0 mosquitto python3 procps
  if [ -z "${DUNLIN_ARM64:-}" ]; then target_publish linux-arm64; DUNLIN_ARM64=$PWD/artifacts/agent/linux-arm64; fi
  packaging/arm64.sh root
  compile build tests/EndToEnd.Tests
  DUNLIN_ARM64=$DUNLIN_ARM64 dotnet run --project tests/EndToEnd.Tests -c Release --no-build -- -class '*Arm64Tests' "$@"
}
