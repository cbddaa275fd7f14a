# Without --debug-exit the port does nothing.
test="coffer.test=debug-exit=7"
start_coffer run -k $KERNELS/cloud -i $INITRDS/cloud --timeout 15 \
	-a "console=ttyS0 $append $test"
wait_coffer
expect_line '^fact end'
expect_status 124
