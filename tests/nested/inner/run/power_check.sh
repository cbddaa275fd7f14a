# What is left on each disk: "fact records.LUN N", and whether the file system
# is sound once its journal is replayed.
. /tests/lib.sh
. /tests/disks.sh
until_true 20 have_disk 2
for lun in 0 1 2; do
	d=$(disk $lun) n=0
	if mount -t ext4 "$d" /mnt 2>/dev/null; then
		for i in $(seq 20); do
			record "$i" | cmp -s - "/mnt/$i" || break
			n=$i
		done
		umount /mnt
		/tools/e2fsck -f -n "$d" >/dev/null 2>&1 &&
			echo "fact sound.$lun 1"
	fi
	echo "fact records.$lun $n"
done
done_well
