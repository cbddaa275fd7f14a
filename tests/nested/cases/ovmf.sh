# Debian's UEFI firmware starts a disk by systemd-boot, and a kernel that it gets
# from fw_cfg although there is that disk. Its variables are still there after a
# reboot, and in a later run with the same store.
# limit: 600
# needs: icount ovmf
vars=$CASE_DIR/vars.fd disk=/disk/case/image
cp /nested/firmware/OVMF_VARS_4M.fd "$vars"
cp /nested/firmware/disk "$disk"
truncate -s 1M /disk/case/empty

start_ovmf() { # OPTION...
	start_coffer run --firmware /nested/firmware/OVMF_CODE_4M.fd \
		--nvram "$vars" -m 512M --timeout 500 --status-file "$CASE_DIR/status" "$@"
}

# A store that cannot be written: this machine's own disk.
run_coffer run --firmware /nested/firmware/OVMF_CODE_4M.fd \
	--nvram /nested/firmware/OVMF_VARS_4M.fd
expect_status 66
expect_line "Read-only file system; the guest's variables are written there" "$err"

# LUN 0 has nothing to start: the order is that of the options.
start_ovmf -d "$disk,lun=1" -d /disk/case/empty,lun=0 --on-reboot restart
wait_coffer
expect_status 0
# The firmware's own screen is in front of it.
[ "$(grep -c 'user space reached' "$out")" = 2 ] || fail "not started twice"
expect_line '^fact starts 1'
expect_fact starts 2
expect_line '^fact loader systemd-boot '
expect_fact cpus_online 1
refuse_line '^problem: .* variable'
grep -q 'start 2' "$vars" || fail "the store has no second variable"

test=coffer.test=efi.sh
start_ovmf -k "$KERNELS/cloud" -i /nested/firmware/initrd \
	-a "console=ttyS0 $append coffer.load=efivarfs $test" -d "$disk" -c 1
wait_coffer
expect_status 0
expect_fact starts 3
expect_fact loader ""
expect_fact cpus_online 1
