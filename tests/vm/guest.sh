#!/bin/sh
# What the virtual machine does once it has the host's files: its modules, its checks, its end.
ip link set lo up 2>/dev/null || busybox ip link set lo up
for module in i2c-dev "i2c-stub chip_addr=0x44,0x76,0x77" bmp280-i2c \
    hci_vhci bnep rfcomm algif_hash algif_skcipher cmac ecb; do
    # shellcheck disable=SC2086 # the options are words of their own
    modprobe -d "$VM_DEBIAN" $module || echo "modprobe $module: $?"
done
# The kernel would look for more of them in the host's /lib/modules, where they are not, and
# whoever asked would wait.
echo >/proc/sys/kernel/modprobe
cd "$VM_ROOT" || exit
PYTHONPATH="$VM_ROOT" "$VM_PYTHON" -m tests.vm.guest
echo "the checks ended with status $?"
busybox poweroff -f
