# The guest's own exit status.
# release:
# each: 7 7
# each: 200 63
value=${NESTED_CASE#*.}
test="coffer.test=debug-exit=$value"
run_guest cloud --debug-exit --status-file "$CASE_DIR/status"
expect_line '^user space reached'
expect_status "$1"
expect_json how debug-exit "$CASE_DIR/status"
expect_json value "$value" "$CASE_DIR/status"
