target_camera_test() { # runs the V4L2 camera against the kernel's vivid in an emulated machine (minutes)
  case $PWD/ in /tmp/*|/run/*) echo "camera-test: the emulated machine has a /tmp and a /run of its own, and does not see $PWD; clone elsewhere" >&2; return 1 ;; esac
  need qemu-system-x86 busybox-static kmod cpio v4l-utils
  compile build tests/Runtime.Tests
  local script=artifacts/camera-test.sh
  cat > "$script" << END
export DUNLIN_CAMERA=/dev/video0 DOTNET_ROOT=$(dirname "$(realpath "$(command -v dotnet)")")
cd $PWD
artifacts/bin/Runtime.Tests/release/Dunlin.Runtime.Tests -noColor -class '*VividTests' $*
END
  packaging/camera-vm.sh "$script"
}
