# More than the host has: a message that says how to get it, and no start.
echo 0 >/proc/sys/vm/nr_hugepages
run_guest cloud -m 256M,hugepages=2M
expect_status 69
expect_line 'huge' "$err"
[ -s "$out" ] && fail "something ran"

run_guest cloud -m 400G,prefault
expect_status 69
[ -s "$out" ] && fail "something ran"
true
