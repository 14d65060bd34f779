#!/usr/bin/env bash
# A root for arm64 programs under qemu, for correctness only: its timings mean nothing.
#   root                              makes artifacts/arm64/root of the cross packages and of Debian's arm64 packages
#   run AGENT IMAGES ARGUMENT…        runs AGENT/dunlin-agent in it: folder IMAGES is /images, demo/bundle is /bundle
# run needs no root: since Linux 6.7 binfmt_misc belongs to the user namespace, so nothing is registered outside.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/artifacts/arm64 root=$PWD/artifacts/arm64/root

make_root() {
  local apt=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= -o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt/cache") ssl=libssl3t64 package
  rm -rf "$work"
  mkdir -p "$work"/{apt/lists/partial,apt/cache/archives/partial,debs,unpacked} "$root"/{lib,proc,dev,tmp,etc,usr,agent,images,bundle}
  : > "$work/apt/status"
  apt-get "${apt[@]}" update
  # As Debian 12 calls it.
  apt-cache "${apt[@]}" show "$ssl" > /dev/null 2>&1 || ssl=libssl3
  (cd "$work/debs" && apt-get "${apt[@]}" download libturbojpeg0 "$ssl" zlib1g)
  for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
  cp -a /usr/aarch64-linux-gnu/lib/*.so* "$root/lib/"
  find "$work/unpacked" -path '*/aarch64-linux-gnu/lib*.so*' -exec cp -a {} "$root/lib/" \;
  ln -s ../lib "$root/usr/lib"
  echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
  # libonnxruntime crashes in a constructor where this is an x86's or empty. The values are a Cortex-A72's.
  printf '%s\n' 'processor	: 0' 'Features	: fp asimd evtstrm crc32 cpuid' 'CPU implementer	: 0x41' 'CPU architecture: 8' 'CPU variant	: 0x0' 'CPU part	: 0xd08' 'CPU revision	: 3' '' > "$work/cpuinfo"
}

run_inside() {
  local agent=$1 images=$2
  shift 2
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || {
    echo "arm64.sh: a user namespace gets no binfmt_misc of its own under Linux $(uname -r): that takes 6.7 or newer, with binfmt_misc built in or loaded (modprobe binfmt_misc)" >&2
    exit 1
  }
  # Flag F: the kernel holds qemu open, so that the root need not have it; children find it without any environment.
  cat /usr/lib/binfmt.d/qemu-aarch64.conf > /proc/sys/fs/binfmt_misc/register
  mount --rbind /proc "$root/proc"
  mount --bind "$work/cpuinfo" "$root/proc/cpuinfo"
  mount --rbind /dev "$root/dev"
  mount --bind "$agent" "$root/agent"
  mount --bind "$images" "$root/images"
  mount --bind demo/bundle "$root/bundle"
  exec env -i QEMU_CPU=cortex-a72 /usr/sbin/chroot "$root" /agent/dunlin-agent "$@"
}

case ${1:-} in
  root) make_root ;;
  run) shift; exec python3 packaging/arm64-files.py unshare --user --map-root-user --mount packaging/arm64.sh inside "$@" ;;
  inside) shift; run_inside "$@" ;;
  *) echo "usage: packaging/arm64.sh root | run AGENT IMAGES ARGUMENT…" >&2; exit 2 ;;
esac
