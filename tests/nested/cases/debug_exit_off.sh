# Without --debug-exit the port does nothing.
test="coffer.test=debug-exit=7"
start_guest cloud --stop-timeout 0
wait_for 50 '^still running'
kill -TERM "$coffer_pid"
wait_coffer
expect_status 0
