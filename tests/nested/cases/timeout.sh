# --timeout ends a guest that spins, sleeps, or spins on all its CPUs.
# each: spinning hang
# each: sleeping idle
test="coffer.test=$1"
start_coffer run -k $KERNELS/cloud -i $INITRDS/cloud -c 2 --timeout 14 \
	-a "console=ttyS0 $append $test" --status-file "$CASE_DIR/status"
wait_coffer
expect_line '^user space reached'
expect_status 124
expect_line 'timeout' "$err"
expect_json how timeout "$CASE_DIR/status"
