# A guest that ignores the button is ended after --stop-timeout.
test="coffer.test=idle"
start_guest cloud --stop-timeout 2 --status-file "$CASE_DIR/status"
wait_for 50 '^fact end'
kill -TERM "$coffer_pid"
wait_coffer
expect_status 124
expect_line 'stop-timeout' "$err"
expect_json how timeout "$CASE_DIR/status"
