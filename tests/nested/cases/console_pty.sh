# The pseudo terminal whose name is printed leads to the guest.
test="coffer.test=echo"
start_guest cloud --console pty --timeout 100
wait_for 30 '/dev/pts/' "$err"
pts=$(grep -oE '/dev/pts/[0-9]+' "$err" | head -n 1)
cat "$pts" >"$out" &
reader=$!
wait_for 60 'waiting for a line'
echo "hello over there" >"$pts"
wait_coffer
kill $reader 2>/dev/null
expect_status 0
expect_line "got 'hello over there'"
