# A panic is a crash where the pvpanic driver is loaded. Without it the kernel
# hangs, or reboots when panic= says so.
# each: reported 80 panic coffer.load=pvpanic_pci
# each: reboot 0 reboot panic=1
# each: early 0 reboot panic=-1 rdinit=/nothing
expected=$1 how=$2
shift 2
test="coffer.test=panic $*"
run_guest cloud --status-file "$CASE_DIR/status"
expect_line 'Kernel panic - not syncing'
expect_status "$expected"
expect_json how "$how" "$CASE_DIR/status"
