# A stock kernel in memory under a key of its own, on a simulated kernel with
# MKTME: the key is made, put on every byte, and gone before the guest is
# loaded, in this order, and no KeyID stays.
# limit: 200
trace=$CASE_DIR/trace
memory=$((256 << 20))
wrap="coffer sim --mktme-profile 2019-07 --keyids 3 --mktme-syscall 1000"
wrap="$wrap --mktme-poison --trace $trace --"
run_guest cloud -m 256M --protect mktme --mktme type=cpu,syscall=1000

expect_status 0
expect_line '^user space reached'
expect_line 'encrypted against physical attack; not protected from the host' "$err"

# line_of REGEX: the number of the only line of the trace that matches.
line_of() {
	[ "$(grep -c -- "$1" "$trace")" = 1 ] ||
		fail "$(grep -c -- "$1" "$trace") lines match '$1': $(cat "$trace")"
	grep -n -- "$1" "$trace" | sed 's/:.*//'
}

added=$(line_of '"call": "add_key", "result": 0')
encrypted=$(line_of '"call": "encrypt_mprotect", "result": 0')
gone=$(line_of '"command": "INVALIDATE"')
loaded=$(line_of '"call": "KVM_CREATE_VCPU"')
[ "$added" -lt "$encrypted" ] && [ "$encrypted" -lt "$gone" ] &&
	[ "$encrypted" -lt "$loaded" ] || fail "not in this order: $(cat "$trace")"
bytes=$(sed -n "${encrypted}s/.*\"len\": \([0-9]*\).*/\1/p" "$trace")
[ "$bytes" = "$memory" ] || fail "$bytes bytes are encrypted, not $memory"
[ "$(grep -c '"call": "request_key"' "$trace")" = 0 ] || fail "request_key"
tail -n 1 "$trace" | grep -q '"call": "end", "result": 0}' ||
	fail "a KeyID is still in use: $(tail -n 1 "$trace")"
