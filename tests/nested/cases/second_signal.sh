# Who asks twice does not wait.
test="coffer.test=idle"
start_guest cloud --stop-timeout 600 --status-file "$CASE_DIR/status"
wait_for 50 '^fact end'
kill -TERM "$coffer_pid"
usleep 200000
kill -TERM "$coffer_pid"
wait_coffer
expect_status 0
expect_json how stopped "$CASE_DIR/status"
