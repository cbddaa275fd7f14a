# On a terminal: keys reach the guest unchanged, Ctrl-A x ends the run, and
# the terminal is afterwards as it was, whatever ended it.
# each: keys echo
# each: ctrl-a-x idle
# each: sigterm idle
# each: sighup idle
how=${NESTED_CASE#*.}
mkfifo "$CASE_DIR/keys"
host-tool pty "$CASE_DIR/pid" coffer run -k $KERNELS/cloud -i $INITRDS/cloud \
	--timeout 100 --stop-timeout 0 --status-file "$CASE_DIR/status" \
	-a "console=ttyS0 $append coffer.test=$1" \
	<"$CASE_DIR/keys" >"$out" 2>"$err" &
coffer_pid=$!
exec 4>"$CASE_DIR/keys"
case $how in
keys)
	wait_for 60 'waiting for a line'
	# Ctrl-C is the guest's; its shell's read ends with the line after it.
	printf 'hello\r' >&4
	wait_coffer
	expect_status 0
	expect_line "got 'hello'"
	;;
ctrl-a-x)
	wait_for 60 '^fact end'
	printf '\001x' >&4
	wait_coffer
	expect_status 0
	expect_json how stopped "$CASE_DIR/status"
	;;
sigterm)
	wait_for 60 '^fact end'
	kill -TERM "$(cat "$CASE_DIR/pid")"
	wait_coffer
	expect_status 0
	;;
sighup)
	wait_for 60 '^fact end'
	kill -HUP "$(cat "$CASE_DIR/pid")"
	wait_coffer
	expect_status 0
	;;
esac
exec 4>&-
expect_line '^pty: the terminal is as it was' "$err"
