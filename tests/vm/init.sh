#!/bin/busybox sh
# The first process of the virtual machine. Its root is the host's own file system, read-only;
# the kernel's command line gives VM_* as environment.
PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
for module in /modules/*.ko; do
    insmod "$module"
done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 host /host ||
    poweroff -f
for folder in proc sys; do
    mount --move /$folder /host/$folder
done
mount -t devtmpfs dev /host/dev
# What is written in there is gone with the machine.
mount -t tmpfs run /host/run
mount -t tmpfs lib /host/var/lib
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
export TMPDIR=/run PYTHONDONTWRITEBYTECODE=1
exec switch_root /host "$VM_ROOT/tests/vm/guest.sh"
