# What sg3-utils get from a disk is what they get from Debian's QEMU's scsi-hd,
# but for what is listed here.
# limit: 300
# needs: qemu
. /nested/devices.sh
modules=$disk_modules
cd /disk/case || exit 1
truncate -s 32M a b
truncate -s 256K ours theirs

run_devices sg.sh -d a,serial=serial-1 -d ours
qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 512 -nodefaults \
	-no-user-config -display none -no-reboot -serial stdio \
	-kernel $KERNELS/cloud -initrd $INITRDS/devices \
	-append "console=ttyS0 $append coffer.test=sg.sh coffer.load=$modules" \
	-drive file=b,format=raw,if=none,id=b,discard=unmap \
	-drive file=theirs,format=raw,if=none,id=theirs \
	-device virtio-scsi-pci -device scsi-hd,drive=b,serial=serial-1,lun=0 \
	-device scsi-hd,drive=theirs,lun=1 \
	>$CASE_DIR/qemu.log 2>&1 </dev/null || fail "QEMU ended with $?"

said() {
	tr -d '\0' <"$1" | sed -n '/^sg begin/,/^sg end/p'
}

# Lines of either that may differ.
{
	# who it is
	echo 'COFFER|QEMU|Product (identification|revision level)'
	echo 'designator type:'
	# a later revision of the standards, and no parallel bus
	echo 'version=0x0[56]|length=(36|96) |Sync=[01]|SPI: Clocking'
	# limits of our own, and the host's 4 KiB blocks
	echo 'Maximum (transfer length|unmap LBA count|write same length): '
	echo 'Optimal transfer length granularity: |Unmap granularity align'
	echo 'Logical blocks per physical block exponent='
	# not a rotating disk, and reads zeros where it is unmapped
	echo 'Medium rotation rate|Non-rotating medium|LBPRZ|lbprz='
	# QEMU does not tell which commands it has
	echo '^.(Report supported operation codes:|Opcode  Service|\(hex\))'
	echo '^.-*$|^. [0-9a-f][0-9a-f]  .* [0-9]+  *0,0 |of sg_opcodes'
	# a control page, forced unit access, no cylinders
	echo 'Mode data length=|>> (Rigid|Flexible) disk|>> Control'
	echo '^\+  (Opcode=0x|Command_name: |Command is |Usage data: )'
	echo '^\+  (No command duration|Multiple Logical Units)'
	echo '^- [01]0     |^.+ 00     0a 0a 02 10 00 00 00 00  00 00 00 00$'
	# QEMU takes reservations, and reserves nothing
	echo 'of sg_raw .* (16|17|56|57)( 00)+$'
	# QEMU "verifies" what does not exist, and "formats"
	echo 'VERIFY\(10\): LBA out|failed near lba=|sg_verify failed:'
	echo 'of sg_verify --lba=100000000|of sg_raw .* 04 00 00 00 00 00$'
	echo '^.(SCSI Status: |Sense Information|Fixed format, current)'
	echo '^.Additional sense: Invalid command operation code'
} >$CASE_DIR/may_differ
said ours >$CASE_DIR/ours
said theirs >$CASE_DIR/theirs
[ "$(wc -l <$CASE_DIR/theirs)" -gt 200 ] || fail "QEMU's guest says little"
diff -U 0 $CASE_DIR/theirs $CASE_DIR/ours | sed 1,2d | grep '^[-+]' |
	grep -vE -f $CASE_DIR/may_differ >$CASE_DIR/differs.log &&
	fail "the disk is not like scsi-hd"

expect_line '^status 0 of sg_opcodes' $CASE_DIR/ours
# What is refused is said to be: RESERVE, RELEASE, GET LBA STATUS.
[ "$(grep -c 'Command is NOT supported' $CASE_DIR/ours)" = 5 ] &&
	[ "$(grep -c 'Command is supported' $CASE_DIR/ours)" = 1 ] ||
	fail "REPORT SUPPORTED OPERATION CODES says something else"
for opcode in 16 17 56 57; do
	grep -q "^status 9 of sg_raw /dev/lun0 $opcode" $CASE_DIR/ours ||
		fail "command 0x$opcode is not refused"
done
expect_line '^ 42  *10 .*Unmap' $CASE_DIR/ours
expect_line 'VERIFY\(10\): LBA out of range' $CASE_DIR/ours
expect_line 'lbpme=1, lbprz=1' $CASE_DIR/ours
grep -q '^status 9 of sg_raw /dev/lun0 04' $CASE_DIR/ours ||
	fail "FORMAT UNIT is not refused"
