target_build() { # compiles everything
  dotnet build Agent.sln -v q "$@"
}

# Installs the Debian packages that are missing among the arguments.
need() {
  local missing=() package
  for package in "$@"; do dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

target_test() { # installs what tests need, runs all of them, sums them up
  need systemd mosquitto mosquitto-clients libturbojpeg0 ffmpeg skopeo docker-registry nginx-light apache2-utils e2fsprogs openssl strace dataset-fashion-mnist python3-onnx \
    python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gcc libc6-dev faketime
  dotnet build Agent.sln -v q
  local log; log=$(mktemp)
  local status=0
  dotnet test --solution Agent.sln --no-build --max-parallel-test-modules 1 "$@" 2>&1 | tee "$log" || status=$?
  awk '/^[^ ]/{failed = /^failed /} failed' "$log" # again, where the end of a long log shows them
  awk '/^  *succeeded: /{p+=$2} /^  *failed: /{f+=$2} /^  *skipped: /{s+=$2} END{printf "%d passed, %d failed, %d skipped\n", p, f, s}' "$log"
  rm -f "$log"
  return $status
}
