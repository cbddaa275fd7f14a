# --timeout ends a guest that spins on one of its CPUs, and one that sleeps.
start_one() { # NAME ACTION
	out=$CASE_DIR/$1 err=$CASE_DIR/$1.err
	start_coffer run -k $KERNELS/cloud -i $INITRDS/cloud -c 2 --timeout 18 \
		-a "console=ttyS0 $append coffer.test=$2" \
		--status-file "$CASE_DIR/$1.status"
}

ended() { # NAME
	out=$CASE_DIR/$1 err=$CASE_DIR/$1.err
	wait_coffer
	expect_line '^user space reached'
	expect_status 124
	expect_line 'timeout' "$err"
	expect_json how timeout "$CASE_DIR/$1.status"
}

start_one sleeping idle
sleeping=$coffer_pid
start_one spinning hang
ended spinning
coffer_pid=$sleeping
ended sleeping
