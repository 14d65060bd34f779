target_camera_test() { # runs the V4L2 camera against the kernel's vivid in an emulated machine (minutes)
  case $PWD/ in /tmp/*|/run/*) echo "camera-test: the emulated machine has a /tmp and a /run of its own, and does not see $PWD; clone elsewhere" >&2; return 1 ;; esac
  case $PWD in *[[:space:]]*) echo "camera-test: '$PWD' has blanks, and the machine is told of its script on a kernel's command line; clone elsewhere" >&2; return 1 ;; esac
  need qemu-system-x86 busybox-static kmod cpio v4l-utils
  compile build tests/Runtime.Tests
  local script=artifacts/camera-test.sh
  printf 'export DUNLIN_CAMERA=/dev/video0 DOTNET_ROOT=%q\ncd %q\n' "$(dirname "$(realpath "$(command -v dotnet)")")" "$PWD" > "$script"
  printf '%q ' artifacts/bin/Runtime.Tests/release/Dunlin.Runtime.Tests -noColor -class '*VividTests' "$@" >> "$script"
  packaging/camera-vm.sh "$script"
}
