# stage0 starts a stock kernel that it gets from fw_cfg, with all CPUs and the
# machine's ACPI tables, and says that nobody measured it.
# each: cpus-1 1 512M
# each: cpus-4 4 3072M
run_guest cloud --firmware stage0 -c "$1" -m "$2"

expect_status 0
expect_line '^stage0: memory is not encrypted; .* NOT VERIFIED'
expect_line '^user space reached'
expect_fact cpus_online "$1"
expect_fact end 1
expect_clean_log
