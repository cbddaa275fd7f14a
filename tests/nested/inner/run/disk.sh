# Four disks of one controller: a file system on LUN 0, read-only LUN 3,
# direct I/O on LUN 7, and LUN 100.
. /tests/lib.sh
. /tests/disks.sh

until_true 20 have_disk 100
for d in /sys/class/scsi_disk/*; do
	echo "lun ${d##*:}"
done | sort -k 2 -n | tr '\n' ' ' | sed 's/^/fact luns /; s/ *$/\n/'
a=$(disk 0) ro=$(disk 3) direct=$(disk 7) far=$(disk 100)
echo "fact queues $(ls "/sys/block/${a##*/}/mq" | wc -l)"

step "file system"
# A file system, each half of it written by another CPU and so queue.
try /tools/mke2fs -q -t ext4 "$a"
try mount -t ext4 "$a" /mnt
for cpu in 0 1; do
	mkdir /mnt/$cpu
	taskset $((1 << cpu)) dd if=/dev/urandom of=/mnt/$cpu/big bs=64k \
		count=64 conv=fsync 2>/dev/null &
done
wait
for i in $(seq 50); do
	head -c $((i * 37)) /mnt/0/big >/mnt/1/small$i
done
(cd /mnt && find . -type f -exec sha256sum {} +) >/tmp/sums
step remount
sync
try umount /mnt
drop_caches
try mount -t ext4 "$a" /mnt
(cd /mnt && sha256sum -c /tmp/sums) >/tmp/checked || problem "contents differ"
[ "$(wc -l </tmp/checked)" = 52 ] || problem "files are missing"
try fstrim /mnt
try umount /mnt
try /tools/e2fsck -f -n "$a"

step refusals
# Refused in the kernel, and, when asked past it, by the disk.
echo "fact ro $(cat "/sys/block/${ro##*/}/ro")"
must_fail dd if=/dev/zero of="$ro" bs=512 count=1 conv=notrunc
sg_raw -R -s 512 -i /dev/zero "$ro" 2a 00 00 00 00 00 00 00 01 00 \
	>/tmp/said 2>&1
grep -qi 'Data Protect' /tmp/said || problem "written: $(cat /tmp/said)"

step "odd places"
# Sizes and places that no page matches.
for at in 1 9 100 1001 8191; do
	dd if=/dev/urandom of=/tmp/odd bs=512 count=$((at % 7 + 1)) 2>/dev/null
	try dd if=/tmp/odd of="$direct" bs=512 seek=$at oflag=direct conv=notrunc
	dd if="$direct" bs=512 skip=$at count=$((at % 7 + 1)) iflag=direct \
		2>/dev/null | cmp - /tmp/odd || problem "at $at: it differs"
done
try dd if=/dev/urandom of="$far" bs=1M count=2 oflag=direct
sync

step sums
drop_caches
for l in 0 3 7 100; do
	echo "fact sha.$l $(sha "$(disk $l)")"
done
grep 'virtio[0-9]*-request' /proc/interrupts |
	awk '{ if ($2 + $3 > 0) n++ } END { print "fact queues_used " n }'
# Flush requests, of which the kernel keeps count: the 16th number.
echo "fact flushes $(awk '{ print $16 }' "/sys/block/${a##*/}/stat")"
done_well
