#!/usr/bin/env bash
# Real systemd in a namespace, without a virtual machine: boots a small Debian under systemd-nspawn with a control group
# hierarchy of its own. Needs root. Devices, MemoryMax, CPUQuota and TasksMax are not to be had this way.
#
#   nspawn.sh root               makes artifacts/systemd/root once (mmdebstrap) and prints its path
#   nspawn.sh boot DIR           boots it in the foreground; changes go to memory, DIR only names what was booted
#   nspawn.sh exec DIR COMMAND…  runs a command in what was booted over DIR
#   nspawn.sh copy DIR FILE TO   copies a file into it
#   nspawn.sh stop DIR           ends it and unmounts
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
root=$here/artifacts/systemd/root
suite=trixie
packages=systemd,systemd-sysv,udev,dbus,procps,adduser,libturbojpeg0,libssl3t64,libstdc++6,ca-certificates

make_root() {
  [ -e "$root/etc/os-release" ] && { echo "$root"; return; }
  mkdir -p "$(dirname "$root")"
  # Under a temporary name, so that half a root is never taken for a whole one.
  rm -rf "$root.new"
  mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt='APT::Install-Recommends "false"' "$suite" "$root.new" >&2
  mv "$root.new" "$root"
  echo "$root"
}

# The container's PID 1: the child of systemd-nspawn whose root is this overlay.
leader() {
  local nspawn child
  for nspawn in $(pgrep -f "^systemd-nspawn .*-D $1/merged( |\$)" || true); do
    child=$(pgrep -P "$nspawn" | head -n 1)
    [ -n "$child" ] && { echo "$child"; return; }
  done
  return 1
}

boot() {
  local dir=$1 lower; lower=$(make_root)
  mkdir -p "$dir/changes" "$dir/merged"
  # The overlay lives and dies with the mount namespace.
  exec unshare --mount --propagation private bash -c '
    set -e
    mount -t tmpfs tmpfs "$1/changes"
    mkdir "$1/changes/upper" "$1/changes/work"
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/changes/upper,workdir=$1/changes/work" "$1/merged"
    umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_SECCOMP=0
    exec systemd-nspawn --register=no --keep-unit --quiet --kill-signal=SIGRTMIN+4 --console=pipe -b -M "dunlin-$$" -D "$1/merged"' nspawn "$dir" "$lower"
}

verb=${1:-}
[ $# -gt 0 ] && shift
case "$verb" in
  root) make_root ;;
  boot) boot "$(realpath -m "$1")" ;;
  exec)
    dir=$(realpath -m "$1"); shift
    exec nsenter --target "$(leader "$dir")" --all --wdns=/ "$@" ;;
  copy)
    dir=$(realpath -m "$1")
    exec nsenter --target "$(leader "$dir")" --all --wdns=/ sh -c 'cat > "$1"' copy "$3" < "$2" ;;
  stop)
    dir=$(realpath -m "$1")
    pid=$(leader "$dir") || exit 0
    kill -s RTMIN+4 "$pid" ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
