#!/usr/bin/env bash
# A virtual machine that has a camera: Debian's kernel with vivid, under software emulation, over this machine's file system, read-only.
#   packaging/camera-vm.sh SCRIPT    runs it there by bash, as root, with /dev/video0; ends as it ends
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/artifacts/camera-vm

# The kernel and its modules out of the package, which is not installed, and a first file system of busybox and the modules that are needed.
make_machine() {
  local package version module
  apt-get update -qq
  package=$(apt-cache depends linux-image-amd64 | grep -o 'linux-image-[0-9][^ ]*'); version=${package#linux-image-}
  rm -rf "$folder"; mkdir -p "$folder/new/first"/{bin,modules,proc,sys,dev,root}
  (cd "$folder/new" && apt-get download -qq -o APT::Sandbox::User=root "$package" && dpkg-deb -x "$package"_*.deb kernel && rm "$package"_*.deb)
  depmod -b "$folder/new/kernel" "$version"
  for module in virtio_pci 9pnet_virtio 9p vivid; do modprobe -d "$folder/new/kernel" -S "$version" --show-depends "$module"; done |
    awk '!seen[$2]++ {print $2}' | while read -r module; do
      cp "$module" "$folder/new/first/modules/"
      basename "$module" >> "$folder/new/first/modules/order"
    done
  cp /bin/busybox "$folder/new/first/bin/"
  cat > "$folder/new/first/init" << 'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read -r module; do
  options=; [ "$module" != vivid.ko ] || options="n_devs=1 node_types=0x1 input_types=0"
  insmod "/modules/$module" $options
done < /modules/order
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=524288,cache=loose host /root
for folder in proc sys dev; do mount --move "/$folder" "/root/$folder"; done
mkdir -p /root/dev/shm
for folder in tmp run dev/shm; do mount -t tmpfs tmpfs "/root/$folder"; done
ifconfig lo 127.0.0.1 up
chroot /root /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp \
  bash "$(sed 's/.*dunlin\.script=\([^ ]*\).*/\1/' /root/proc/cmdline)" 2>&1
echo "camera-vm: ended with $?"
poweroff -f
INIT
  chmod +x "$folder/new/first/init"
  (cd "$folder/new/first" && find . | cpio -o -H newc --quiet | gzip -1) > "$folder/new/first.gz"
  mv "$folder/new/kernel/boot/vmlinuz-$version" "$folder/new/vmlinuz"
  rm -rf "$folder/new/kernel" "$folder/new/first"
  mv "$folder/new"/* "$folder/"; rmdir "$folder/new"
}

# What is moved there last.
[ -e "$folder/vmlinuz" ] || make_machine
log=$(mktemp)
qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 -kernel "$folder/vmlinuz" -initrd "$folder/first.gz" \
  -append "console=ttyS0 quiet panic=-1 dunlin.script=$(realpath "$1")" -nographic -no-reboot -nodefaults -serial stdio \
  -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=host,mount_tag=host \
  < /dev/null | sed -u 's/\r//g' | tee "$log"
status=$(sed -n 's/^camera-vm: ended with \([0-9]*\)$/\1/p' "$log")
rm -f "$log"
exit "${status:-1}"
