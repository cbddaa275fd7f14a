# --on-reboot restart starts the machine again, until it is told to stop.
test="coffer.test=reboot"
start_guest cloud --on-reboot restart --timeout 100
wait_for 90 '^user space reached' "$out" 2
kill -TERM "$coffer_pid"
wait_coffer
expect_status 0
