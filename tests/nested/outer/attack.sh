# For cases with the monitor that turns on its host (tests/attack).
attack=/nested/attack

prepare_attacks() { # USER
	[ -x $attack/coffer-monitor ] || skip "no attacking monitor: build all"
	grep -q __asan_init $attack/coffer &&
		skip "a build with sanitizers has a longer list of calls"
	$attack/coffer-monitor list >"$CASE_DIR/list"
	wrap=
	if [ "$1" != 0 ]; then
		chown "0:$1" /dev/kvm
		chmod 660 /dev/kvm
		wrap="host-tool as $1"
	fi
	truncate -s 1M /tmp/image
	chmod 666 /tmp/image
}

# attempt NUMBER KIND [OPTION...]: what became of it, in the words of the table
# or by the number of the error. Nothing, when it did no harm and no good.
attempt() {
	number=$1 kind=$2
	shift 2
	ident=$(printf '%02x%02x0101-0101-0101-0101-010101010101' "$kind" "$number")
	# shellcheck disable=SC2086 # a list of words
	$wrap $attack/coffer run -k /nested/payloads/idle.elf -m 16M \
		--uuid "$ident" -d /tmp/image --timeout 30 --console none "$@" \
		>/dev/null 2>"$CASE_DIR/attack.log" </dev/null
	attack_status=$?
	if grep -q 'ATTACK .*: SUCCESS' "$CASE_DIR/attack.log"; then
		echo SUCCESS
	elif grep -q 'ATTACK .*: errno' "$CASE_DIR/attack.log"; then
		case $(sed -n 's/.*ATTACK .*: errno //p' "$CASE_DIR/attack.log") in
		1) echo EPERM ;;
		6) echo ENXIO ;;
		9) echo EBADF ;;
		13) echo EACCES ;;
		*) cat "$CASE_DIR/attack.log" ;;
		esac
	elif [ $attack_status != 70 ]; then
		echo "status $attack_status: $(cat "$CASE_DIR/attack.log")"
	elif grep -q 'made the system call' "$CASE_DIR/attack.log"; then
		echo trapped
	elif grep -q 'killed (SIGSYS)' "$CASE_DIR/attack.log"; then
		echo killed
	else
		cat "$CASE_DIR/attack.log"
	fi
}

number_of() { # the number of an attempt, by its name
	grep -nxF -- "$1" "$CASE_DIR/list" | sed 's/:.*//'
}
