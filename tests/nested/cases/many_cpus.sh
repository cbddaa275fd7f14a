# More CPUs than the host has. (All 64 start in the payload test kvm.smp, which
# is quick; here each costs an emulated second.)
# limit: 240
test=coffer.facts=machine
start_guest cloud -c 16 -m 1G --timeout 200
wait_coffer
expect_status 0
expect_fact cpus_online 16
expect_fact cores 16
expect_clean_log
