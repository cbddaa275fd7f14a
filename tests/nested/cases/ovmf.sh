# A UEFI firmware of Debian's starts a stock kernel that it gets from fw_cfg,
# and Linux finds the machine's ACPI and SMBIOS tables.
# each: cpus-1 1
# limit: 300
# needs: icount ovmf
code=/nested/firmware/OVMF_CODE_4M.fd
cpus=$1
cp /nested/firmware/OVMF_VARS_4M.fd "$CASE_DIR/vars.fd"
start_guest cloud --firmware "$code" --nvram "$CASE_DIR/vars.fd" \
	-c "$cpus" -m 512M -v --timeout 250
wait_coffer

expect_status 0
# The firmware's own screen is in front of it.
expect_line 'user space reached'
expect_fact cpus_online "$cpus"
expect_fact end 1
