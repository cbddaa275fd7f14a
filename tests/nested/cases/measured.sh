# A direct boot by its launch plan, as a guest of SEV sees it: all RAM that is
# not in the plan is noise, and the kernel finds the C-bit by itself.
# limit: 300
# release: cloud-1-128M generic-4-1024M
# each: cloud-1-128M cloud 1 128M 8192
# each: cloud-2-512M cloud 2 512M 16384
# each: generic-4-1024M generic 4 1024M 32768
cpus=$2 memory=$3 slabs=$4
append= # the stock command line, which has the kernel test its ciphers
[ "$memory" = 512M ] || append=cryptomgr.notests
run_guest "$1" -c "$cpus" -m "$memory" --sev emulate-cbit

expect_status 0
expect_line '^user space reached'
expect_line 'Memory Encryption Features active: AMD SEV'
expect_line "software IO TLB: mapped .*\\($((slabs / 512))MB\\)"
expect_line "^fact cmdline swiotlb=$slabs console=ttyS0 "
expect_fact cpus_online "$cpus"
expect_fact end 1
# It found its tables, and none that are not there.
refuse_line '(MPTABLE|Intel MultiProcessor Specification)'
expect_clean_log
