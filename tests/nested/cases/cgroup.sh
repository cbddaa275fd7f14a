# The guest's process in a cgroup of its own: born there, limited to what the
# plan says, and gone at every end.
# each: root 0
# each: user 1000
# release:
# limit: 200
is_sanitized && skip "AddressSanitizer's memory is not in the plan: a release"
cg=/sys/fs/cgroup
guests=$cg/guests
status_file=$CASE_DIR/status
mkdir -p $guests/shell
echo '+memory +pids +cpu' >$cg/cgroup.subtree_control ||
	fail "the outer machine has no controllers"
run_as=
if [ "$1" != 0 ]; then
	chown "$1:$1" $guests $guests/cgroup.procs $guests/cgroup.subtree_control \
		$guests/shell $guests/shell/cgroup.procs $guests/shell/cgroup.subtree_control \
		"$CASE_DIR"
	chown "0:$1" /dev/kvm
	chmod 660 /dev/kvm
	run_as="host-tool as $1"
fi
# Who puts a process elsewhere must have a say where it comes from.
echo $$ >$guests/shell/cgroup.procs
wrap=$run_as

options="-m 96M,prefault -c 2 --debug-exit --rng"
payload() { # NAME [OPTION...]
	p=/nested/payloads/$1.elf
	shift
	# shellcheck disable=SC2086 # a list of words
	start_coffer run -k "$p" $options --status-file "$status_file" "$@"
}

leaf() {
	for d in $guests/coffer-*; do
		[ -d "$d" ] && echo "$d"
	done
}

no_leaf() {
	[ -z "$(leaf)" ] || fail "$1: left behind: $(leaf)"
}

wait_leaf() {
	i=0
	until [ -n "$(leaf)" ] && grep -q idle "$out"; do
		i=$((i + 1))
		[ $i -lt 200 ] && [ -d "/proc/$coffer_pid" ] || fail "no guest"
		usleep 50000
	done
	leaf=$(leaf)
}

# expect_in FILE VALUE
expect_in() {
	[ "$(cat "$leaf/$1")" = "$2" ] || fail "$1 is $(cat "$leaf/$1"), not $2"
}

# Limits, and who is in it.
payload idle --cgroup $guests,weight=321
wait_leaf
# shellcheck disable=SC2086
plan=$(coffer plan --json -k /nested/payloads/idle.elf $options |
	sed -n 's/.*"memory_max": \([0-9]*\).*/\1/p')
[ "$plan" -gt $((96 << 20)) ] || fail "the plan says '$plan'"
expect_in memory.max "$plan"
expect_in pids.max 66
expect_in cpu.weight 321
monitor=$(pidof coffer-monitor)
# KVM's own threads for this VM are there, too.
grep -qx "$monitor" "$leaf/cgroup.procs" || fail "the monitor is not in it"
grep -qx "$coffer_pid" "$leaf/cgroup.procs" && fail "coffer itself is in it"
[ "$(cat "$leaf/memory.current")" -gt $((96 << 20)) ] ||
	fail "guest RAM does not count: $(cat "$leaf/memory.current")"
[ "$(cat "$leaf/memory.current")" -lt "$plan" ] || fail "over its limit"

# The monitor is killed.
kill -9 "$monitor"
wait_coffer
expect_status 69
expect_line 'SIGKILL' "$err"
no_leaf "the monitor was killed"

# The guest ends.
payload exit_42 --cgroup $guests
wait_coffer
expect_status 42
no_leaf "the guest has ended"

# The start fails, in the monitor and before it.
start_coffer run -k /nested/lib.sh $options --cgroup $guests
wait_coffer
expect_status 66
no_leaf "a file that is no kernel"
payload idle --cgroup $guests --vsock cid=9,path=/nonexistent/vsock
wait_coffer
[ "$status" -ge 64 ] || fail "status $status"
no_leaf "a socket that cannot be"

# coffer is killed: the next start removes what it left, and only that.
payload idle --cgroup $guests
wait_leaf
first=$leaf
kill -9 "$coffer_pid"
wait_coffer
i=0
while pidof coffer-monitor >/dev/null && [ $i -lt 100 ]; do
	i=$((i + 1))
	usleep 50000
done
[ -d "$first" ] || fail "this case is not what it was: nothing is left"
mkdir $guests/coffer-precious
payload exit_42 --cgroup $guests
wait_coffer
expect_status 42
no_leaf_but=$(leaf)
[ "$no_leaf_but" = $guests/coffer-precious ] || fail "now there is: $no_leaf_but"
rmdir $guests/coffer-precious

# Two guests side by side; the second does not take the first's.
payload idle --cgroup $guests
wait_leaf
first=$leaf
# shellcheck disable=SC2086
host-tool exec $run_as coffer run -k /nested/payloads/exit_42.elf $options \
	--console none --cgroup $guests 2>"$CASE_DIR/second.log" </dev/null
[ $? = 42 ] || fail "the second: $(cat "$CASE_DIR/second.log")"
[ -d "$first" ] || fail "the second took the first's"

# More than its limit: the kernel ends it, and coffer says what that may be.
if [ "$1" = 0 ]; then
	echo 16M >"$first/memory.max"
	wait_coffer
	expect_status 69
	expect_line 'its cgroup has reached memory.max' "$err"
else
	kill -9 "$(pidof coffer-monitor)"
	wait_coffer
fi
no_leaf "out of memory"

# auto: we stand in our own way, move, and come back.
mkdir $guests/alone
[ "$1" = 0 ] || chown "$1:$1" $guests/alone $guests/alone/cgroup.procs \
	$guests/alone/cgroup.subtree_control
cat >"$CASE_DIR/alone" <<END
echo 0 >$guests/alone/cgroup.procs
exec "\$@"
END
wrap="$run_as sh $CASE_DIR/alone"
payload idle --cgroup auto --stop-timeout 0
i=0
until grep -q idle "$out"; do
	i=$((i + 1))
	[ $i -lt 200 ] && [ -d "/proc/$coffer_pid" ] || fail "no guest"
	usleep 50000
done
grep -q "alone/coffer-" "/proc/$(pidof coffer-monitor)/cgroup" || fail "not in it"
grep -q "alone/coffer-" "/proc/$coffer_pid/cgroup" || fail "coffer did not move"
kill "$coffer_pid"
wait_coffer
[ -z "$(find $guests/alone -mindepth 1 -type d)" ] || fail "auto left something"
[ -z "$(cat $guests/alone/cgroup.subtree_control)" ] || fail "auto left controllers"
wrap=$run_as
payload idle --cgroup auto # the shell is there, too
wait_coffer
expect_status 69
expect_line 'processes of its own.*systemd-run' "$err"

# Refused: not delegated, not version 2, no controllers.
mkdir -p $cg/others/empty
payload idle --cgroup /tmp
wait_coffer
expect_status 69
expect_line '/tmp: this is no directory of cgroup v2' "$err"
payload idle --cgroup /nonexistent
wait_coffer
expect_status 69
expect_line '/nonexistent' "$err"
payload idle --cgroup $cg/others/empty
wait_coffer
[ "$status" = 69 ] || [ "$status" = 77 ] || fail "status $status"
expect_line "others/empty: the controller 'memory' is not delegated" "$err"
if [ "$1" != 0 ]; then
	payload idle --cgroup $cg/others
	wait_coffer
	expect_status 77
	expect_line 'others.*Permission denied' "$err"
fi

echo $$ >$cg/cgroup.procs
rmdir $cg/others/empty $cg/others $guests/alone $guests/shell $guests ||
	fail "something is left in $guests: $(find $guests -type d)"
