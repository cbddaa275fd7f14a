# --timeout ends a guest one of whose CPUs spins, while the other sleeps.
test=coffer.test=hang
start_guest cloud -c 2 --timeout 12 --status-file "$CASE_DIR/status"
wait_coffer
expect_line '^user space reached'
expect_status 124
expect_line 'timeout' "$err"
expect_json how timeout "$CASE_DIR/status"
