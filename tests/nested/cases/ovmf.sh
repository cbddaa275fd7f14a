# Debian's UEFI firmware starts a disk by systemd-boot, with four CPUs, and, with
# one, a kernel that it gets from fw_cfg although there is that disk. Its variables
# are still there after a reboot, and in a later run with the same store.
# limit: 600
# release:
# needs: ovmf
vars=$CASE_DIR/vars.fd disk=/nested/firmware/disk
cp /nested/firmware/OVMF_VARS_4M.fd "$vars"

start_ovmf() { # OPTION...
	start_coffer run --firmware /nested/firmware/OVMF_CODE_4M.fd \
		--nvram "$vars" -m 512M --timeout 300 --status-file "$CASE_DIR/status" "$@"
}

# A store that cannot be written: this machine's own disk.
run_coffer run --firmware /nested/firmware/OVMF_CODE_4M.fd \
	--nvram /nested/firmware/OVMF_VARS_4M.fd
expect_status 66
expect_line "Read-only file system; the guest's variables are written there" "$err"

# Both could be started: the order is that of the options.
start_ovmf -d "$disk,ro,lun=1" -d "$disk,ro,lun=0" -c 4 --on-reboot restart
wait_coffer
expect_status 0
expect_line 'starting Boot.* from PciRoot\(0x0\)/Pci\(0x2,0x0\)/Scsi\(0x0,0x1\)'
refuse_line 'Scsi\(0x0,0x0\)'
# The firmware's own screen is in front of it.
[ "$(grep -c 'user space reached' "$out")" = 2 ] || fail "not started twice"
expect_line '^fact starts 1'
expect_fact starts 2
expect_line '^fact loader systemd-boot '
expect_fact cpus_online 4
expect_clean_log
grep -q 'start 2' "$vars" || fail "the store has no second variable"

test=coffer.test=efi.sh
start_ovmf -k "$KERNELS/cloud" -i /nested/firmware/initrd \
	-a "console=ttyS0 $append coffer.load=efivarfs $test" -d "$disk,ro"
wait_coffer
expect_status 0
expect_fact starts 3
expect_fact loader ""
expect_fact cpus_online 1
expect_clean_log
