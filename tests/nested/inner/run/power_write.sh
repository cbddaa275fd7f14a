# Writes records, says of each when it is synced, and waits for the power cut.
. /tests/lib.sh
. /tests/disks.sh
until_true 20 have_disk 0
d=$(disk 0)
try /tools/mke2fs -q -t ext4 "$d"
try mount -t ext4 "$d" /mnt
for i in $(seq 20); do
	record "$i" | dd of="/mnt/$i" bs=4k conv=fsync 2>/dev/null ||
		problem "record $i"
	echo "synced $i"
done
while :; do sleep 3600; done
