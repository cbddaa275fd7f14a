# As many CPUs as a machine can have.
# limit: 600
start_guest cloud -c 64 -m 1G --timeout 560
wait_coffer
expect_status 0
expect_fact cpus_online 64
expect_fact cores 64
expect_clean_log
