# Somebody who has taken over the thread of a vCPU, or of a disk, gets as far
# on this kernel as docs/attacks.md says: nowhere. kvm.attack_* makes every
# attempt on whatever KVM there is; here are some, on an operator's kernel.
# each: root 0 1
# each: user 1000 5
# release:
# limit: 300
. /nested/attack.sh
prepare_attacks "$1"
tried=0 bad=0
check() { # NAME KIND EXPECTED
	[ "$3" ] || return
	tried=$((tried + 1))
	was=$(attempt "$(number_of "$1")" "$2")
	[ "$was" = "$3" ] && return
	echo "$1 in a thread of kind $2: $was, not $3"
	bad=$((bad + 1))
}
sed -n 's/^| \(.*\) |$/\1/p' $attack/table.md | sed 's/ *| */|/g' |
	grep -v '^attempt|' >"$CASE_DIR/table"
[ "$(wc -l <"$CASE_DIR/table")" = "$(wc -l <"$CASE_DIR/list")" ] ||
	fail "the table and the monitor have different attempts"
line=$2
while IFS='|' read -r name _ vcpu io _; do
	line=$((line + 1))
	[ $((line % 9)) = 0 ] || continue
	check "$name" 1 "$vcpu" </dev/null
	check "$name" 2 "$io" </dev/null
done <"$CASE_DIR/table"
echo "$tried attempts, $bad ended otherwise than the table says"
[ $tried -gt 15 ] && [ $bad = 0 ] || fail "attacks"
