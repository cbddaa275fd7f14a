# A disk becomes longer; what is behind its old end is then its, too.
. /tests/lib.sh
. /tests/disks.sh

size_of() { # LUN: bytes
	echo $(($(cat "/sys/block/$(basename "$(disk "$1")")/size") * 512))
}

has_size() {
	[ "$(size_of "$1")" = "$2" ]
}

until_true 20 have_disk 5
echo "fact before $(size_of 5)"
until_true 60 has_size 5 25165824
echo "fact after $(size_of 5)"
echo "fact after.0 $(size_of 0)"
try dd if=/dev/urandom of="$(disk 5)" bs=1M seek=20 count=4 conv=fsync
drop_caches
echo "fact sha.5 $(sha "$(disk 5)")"
done_well
