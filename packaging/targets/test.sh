target_test() { # installs what tests need, runs all of them, sums them up
  need systemd mosquitto mosquitto-clients libturbojpeg0 ffmpeg skopeo docker-registry nginx-light apache2-utils e2fsprogs openssl strace dataset-fashion-mnist python3-onnx \
    python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gcc libc6-dev faketime procps
  compile build Agent.sln
  # What whole processes do is tested with the agent that is shipped, compiled ahead of time.
  target_publish linux-x64
  end_compiler
  export DOTNET_TieredPGO=0 DUNLIN_AGENT=$PWD/artifacts/agent/linux-x64/dunlin-agent
  local logs status=0 began=$SECONDS
  logs=$(mktemp -d)
  test_projects | xargs -P 2 -I{} bash -c 'run_tests "$@"' _ {} "$logs" "$@" || status=1
  sum_tests $((SECONDS - began)) "$logs"/*
  rm -rf "$logs"
  return $status
}

# Those that take longest first: else one core waits for the other at the end.
test_projects() { { printf '%s\n' Optimizer Agent EndToEnd; ls tests | sed -n 's/\.Tests$//p'; } | awk '!seen[$0]++'; }

# Two run at once, and their lines mix; each log is whole.
run_tests() {
  set -o pipefail
  local project=$1 log=$2/$1 status=0
  "artifacts/bin/$project.Tests/release/Dunlin.$project.Tests" -noColor -noLogo "${@:3}" 2>&1 | tee "$log" || status=$?
  # One that dies sums nothing up.
  grep -q '^=== TEST EXECUTION SUMMARY' "$log" || echo "   Dunlin.$project.Tests died with $status. Total: 0, Errors: 1" | tee -a "$log"
  return $status
}
export -f run_tests

# SECONDS LOG…: the failures again, where the end of a long log shows them, what was not run and why, and how long it took.
sum_tests() {
  local seconds=$1
  shift
  awk '/^ ? ? ? ?[^ ]/{failed = /\[FAIL\]$|^    \[.* Failure |Tests died with /} failed' "$@"
  awk 'skipped{sub(/^ +/, "skipped: "); print} {skipped = /^    [^ ].* \[SKIP\]$/}' "$@" | sort | uniq -c | sort -rn
  echo "The tests took $((seconds / 60)) min $((seconds % 60)) s."
  awk '/ Total: [0-9]+, Errors: /{gsub(",", ""); for (i = 2; i < NF; i++) n[$i] += $(i + 1)}
    END{printf "%d passed, %d failed, %d skipped\n", n["Total:"] - n["Failed:"] - n["Skipped:"] - n["Run:"], n["Failed:"] + n["Errors:"], n["Skipped:"]}' "$@"
}
