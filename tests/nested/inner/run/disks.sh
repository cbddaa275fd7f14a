# disk LUN: its device file.
disk() {
	for b in /sys/bus/scsi/devices/*:0:0:"$1"/block/*; do
		echo "/dev/${b##*/}"
	done
}

drop_caches() {
	echo 3 >/proc/sys/vm/drop_caches
}

# record I: 12 KiB that no other record has.
record() {
	seq "$1"00000 "$1"01754 | head -c 12288
}

# have_disk LUN: it may come later, and under another name than before.
have_disk() {
	[ -b "$(disk "$1")" ]
}
