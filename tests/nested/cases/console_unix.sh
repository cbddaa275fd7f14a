# A client of the console's socket talks to the guest, and its going away
# does not end anything.
test="coffer.test=echo"
start_guest cloud --console "unix=$CASE_DIR/console" --timeout 100
wait_for_path 30 "$CASE_DIR/console"
mkfifo "$CASE_DIR/keys"
host-tool unix "$CASE_DIR/console" <"$CASE_DIR/keys" >"$out" &
client=$!
exec 4>"$CASE_DIR/keys"
wait_for 60 'waiting for a line'
echo "hello over there" >&4
wait_coffer
expect_status 0
expect_line "got 'hello over there'"
exec 4>&-
wait $client
[ -e "$CASE_DIR/console" ] && fail "the socket is left behind"
true
