# Every way in which Linux resets a PC ends the run with status 0, except a
# triple fault, which is what a crashed kernel does too.
# release:
# each: default 0 reboot
# each: acpi 0 reboot reboot=acpi
# each: pci 0 reboot reboot=pci
# each: keyboard 0 reboot reboot=kbd
# each: triple 80 triple-fault reboot=triple
test="coffer.test=reboot ${3-}"
run_guest cloud --status-file "$CASE_DIR/status"
expect_line '^user space reached'
expect_status "$1"
expect_json how "$2" "$CASE_DIR/status"
expect_json exit_status "$1" "$CASE_DIR/status"
