# What sg3-utils say of LUN 0, from "begin" to "end" on LUN 1, which is quicker
# than a console.
. /tests/lib.sh
. /tests/disks.sh

# say COMMAND...: what it says, and its status.
say() {
	echo "\$ $*"
	"$@" 2>&1
	echo "status $? of $*"
}

until_true 20 have_disk 1
d=/dev/lun0 # sda or sdb, whichever came first
ln -s "$(disk 0)" $d
# Some content, and a piece of it given back, to be looked at afterwards.
seq 100000 | dd of="$d" bs=64k conv=fsync 2>/dev/null
{
	echo "sg begin"
	say sg_inq "$d"
	say sg_vpd -p sv "$d"
	say sg_vpd -p sn "$d"
	say sg_vpd -p di "$d"
	say sg_vpd -p bl "$d"
	say sg_vpd -p bdc "$d"
	say sg_vpd -p lbpv "$d"
	say sg_vpd -p 0xc0 "$d"
	say sg_vpd -a "$d"
	say sg_readcap "$d"
	say sg_readcap -l "$d"
	say sg_opcodes "$d"
	say sg_luns "$d"
	say sg_modes -a "$d"
	say sg_modes -p 8 "$d"
	say sg_modes -p 0x1c "$d"
	say sg_turs "$d"
	say sg_requests "$d"
	say sg_sync "$d"
	say sg_start --start "$d"
	say sg_verify --lba=8 --count=16 "$d"
	say sg_verify --lba=100000000 --count=1 "$d"
	say sg_unmap --lba=64 --num=64 --force "$d"
	say sg_unmap --lba=100000000 --num=8 --force "$d"
	say sg_write_same --lba=256 --num=128 --16 --in=/dev/zero --xferlen=512 "$d"
	say sg_write_same --lba=512 --num=64 --16 --unmap --in=/dev/zero --xferlen=512 "$d"
	say sg_persist --in --read-keys "$d"
	# no scsi-hd has it: the answer is the same
	say sg_get_lba_status --lba=0 "$d"
	# SPC-2's reservations: gone since SPC-3
	say sg_raw "$d" 16 00 00 00 00 00
	say sg_raw "$d" 17 00 00 00 00 00
	say sg_raw "$d" 56 00 00 00 00 00 00 00 00 00
	say sg_raw "$d" 57 00 00 00 00 00 00 00 00 00
	for opcode in 0x16 0x17 0x56 0x57 0x9e,0x12 0x28; do
		say sg_opcodes --opcode=$opcode "$d"
	done
	# READ(10) past the end; FORMAT UNIT; no such command
	say sg_raw -r 512 "$d" 28 00 7f ff ff ff 00 00 01 00
	say sg_raw "$d" 04 00 00 00 00 00
	say sg_raw "$d" 1f 00 00 00 00 00
	drop_caches
	for at in 0 64 128 256 384 512 576; do
		echo "sha $at $(dd if="$d" bs=512 skip=$at count=64 2>/dev/null | sha)"
	done
	echo "sg end"
} >/tmp/sg
try dd if=/tmp/sg of="$(disk 1)" bs=64k conv=fsync
done_well
