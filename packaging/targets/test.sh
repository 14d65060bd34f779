target_test() { # installs what tests need, runs all of them, sums them up
  need systemd mosquitto mosquitto-clients libturbojpeg0 ffmpeg skopeo docker-registry nginx-light apache2-utils e2fsprogs openssl strace dataset-fashion-mnist python3-onnx \
    python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gcc libc6-dev faketime
  compile build Agent.sln
  # What whole processes do is tested with the agent that is shipped, compiled ahead of time.
  target_publish linux-x64
  end_compiler
  local log; log=$(mktemp)
  local status=0
  DOTNET_TieredPGO=0 DUNLIN_AGENT=$PWD/artifacts/agent/linux-x64/dunlin-agent \
    dotnet test --solution Agent.sln -c Release --no-build --max-parallel-test-modules 2 "$@" 2>&1 | tee "$log" || status=$?
  awk '/^[^ ]/{failed = /^failed /} failed' "$log" # again, where the end of a long log shows them
  awk '/^  *succeeded: /{p+=$2} /^  *failed: /{f+=$2} /^  *skipped: /{s+=$2} END{printf "%d passed, %d failed, %d skipped\n", p, f, s}' "$log"
  rm -f "$log"
  return $status
}
