#!/bin/sh
# The first process of the machine that loses its power. Its root is the host's own file system,
# read-only; the kernel's command line gives POWERCUT_* and SYNCHRONOUS as environment.
mount -t proc proc /proc
mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev

card=/dev/ubda
if [ -n "$POWERCUT_LIES_S" ]; then
    # It keeps what is written for TRUE_S seconds, then says yes and keeps nothing for LIES_S.
    for module in dm-mod dm-flakey; do
        insmod "/usr/lib/uml/modules/$(uname -r)/kernel/drivers/md/$module.ko"
    done
    sectors="$(cat /sys/block/ubda/size)"
    dmsetup create card --noudevsync \
        --table "0 $sectors flakey /dev/ubda 0 $POWERCUT_TRUE_S $POWERCUT_LIES_S 1 drop_writes"
    card=/dev/dm-0
fi

status=0
echo "@M"
mount -t ext4 "$card" "$POWERCUT_CARD" || echo "@X the card cannot be mounted"
# Started again as systemd would, where a card that lies may bring it down; otherwise that is all.
while "$POWERCUT_PYTHON" -B "$POWERCUT_GUEST" || status=$?; [ -n "$POWERCUT_LIES_S" ]; do
    echo "@F $status"
done
echo "@X the program ended with status $status"
exec sleep 3600 # Until the power is cut: a machine without a first process says much and ends.
