# --console file=PATH, and no terminal or standard stream at all.
start_coffer run -k $KERNELS/cloud -i $INITRDS/cloud --timeout 100 \
	-a "console=ttyS0 $append" --console "file=$CASE_DIR/console.log"
wait_coffer
expect_status 0
expect_line '^user space reached' "$CASE_DIR/console.log"
expect_line '^fact end' "$CASE_DIR/console.log"
[ -s "$out" ] && fail "the console is on standard output as well"

coffer run -k $KERNELS/cloud -i $INITRDS/cloud --timeout 100 \
	-a "console=ttyS0 $append" --console "file=$CASE_DIR/second.log" \
	<&- >&- 2>&-
status=$?
expect_status 0
expect_line '^fact end' "$CASE_DIR/second.log"

run_guest cloud --console "file=$CASE_DIR/no/such/directory"
expect_status 66
expect_line 'no/such/directory' "$err"
