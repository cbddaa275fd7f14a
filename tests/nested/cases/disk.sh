# Disks: a file system that survives remounting and fsck and is byte for byte
# on the host; read-only; direct; LUNs with gaps; two queues; every flush of
# the guest is one of the host. All the while the monitor is in its jail.
# each: plain
# each: swiotlb
# each: cbit
# release: swiotlb cbit
# limit: 300
. /nested/devices.sh
modules=$disk_modules
. /nested/jail.sh
cd /disk/case || exit 1
truncate -s 24M fs
dd if=/dev/urandom of=ro bs=1M count=2 2>/dev/null
truncate -s 5M direct
truncate -s 3M far

start_devices disk.sh -c 2 -d fs,queues=2 -d ro,ro,lun=3 \
	-d direct,direct,serial=coffer-7,lun=7 -d far,lun=100
wait_for 100 '^fact luns'
expect_jailed 0
wait_devices
expect_fact luns "lun 0 lun 3 lun 7 lun 100"
expect_fact queues 2
expect_fact queues_used 2
expect_fact ro 1
same_bytes 0 fs
same_bytes 3 ro
same_bytes 7 direct
same_bytes 100 far

# The driver flushes once more when the machine goes down.
flushes=$(counter scsi0.lun0 flushes)
[ "$flushes" -ge "$(fact flushes)" ] && [ "$(fact flushes)" -gt 0 ] ||
	fail "$flushes flushes arrived of $(fact flushes)"
expect_counter scsi0.lun0 host_syncs -eq "$flushes"
expect_counter scsi0.lun0 discards -gt 0
expect_counter scsi0.lun3 writes -eq 0
for lun in 0 3 7 100; do
	expect_counter "scsi0.lun$lun" errors -eq 0
done
expect_counter scsi0 bad_chains -eq 0
[ -d "/proc/$monitor" ] && fail "the monitor is still there"
[ "$(du -k fs | cut -f 1)" -lt 16384 ] || fail "what is free takes space"
