# The monitor while its guest works on disks, started by somebody who may open
# /dev/kvm and nothing else. disk.plain is the same for root.
# each: user 1000
# release:
# limit: 300
. /nested/devices.sh
modules=$disk_modules
. /nested/jail.sh
cd /disk/case || exit 1
truncate -s 24M fs
dd if=/dev/urandom of=ro bs=1M count=2 2>/dev/null
truncate -s 5M direct
truncate -s 3M far
chown "$1:$1" fs ro direct far . "$CASE_DIR"
chown "0:$1" /dev/kvm
chmod 660 /dev/kvm
wrap="host-tool as $1"

start_devices disk.sh -c 2 -d fs,queues=2 -d ro,ro,lun=3 \
	-d direct,direct,serial=coffer-7,lun=7 -d far,lun=100
wait_for 100 '^fact luns'
expect_jailed "$1"
wait_devices
same_bytes 0 fs
same_bytes 3 ro
same_bytes 7 direct
same_bytes 100 far
expect_counter scsi0.lun0 errors -eq 0
[ -d "/proc/$monitor" ] && fail "the monitor is still there"
true
