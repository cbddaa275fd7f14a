# Each entry of the lists of system calls that only this machine's KVM and its
# vhost-vsock make needed: without it the run ends, and the call is named.
# kvm.seccomp_needed takes away the others.
# limit: 300
# release:
. /nested/devices.sh
is_sanitized && skip "with sanitizers the lists are longer; the release is tested"
here=$(dirname "$(command -v coffer)")
[ -x "$here/seccomp_gen" ] || skip "no seccomp_gen: build all"
elf=/nested/payloads
truncate -s 1M "$CASE_DIR/image"
mkdir "$CASE_DIR/less"
cp "$here/coffer" "$CASE_DIR/less"
PATH=$CASE_DIR/less:$PATH

shared_pages() {
	run_coffer run -k $elf/dma_private.elf -m 16M,shared --debug-exit \
		--timeout 60 --rng -d "$CASE_DIR/image" --sev emulate-cbit
}

# Nobody listens: the guest says so, once the kernel has its queues.
vhost() {
	run_coffer run -k $elf/devices.elf -m 16M --debug-exit --timeout 60 \
		--vsock cid=77,vhost
}

cp "$here/coffer-monitor" "$CASE_DIR/less"
shared_pages
expect_status 0
vhost
[ "$status" -lt 64 ] || fail "vhost: status $status"

"$here/seccomp_gen" list | grep -E 'VHOST_|fixed, shared' >"$CASE_DIR/entries"
[ "$(wc -l <"$CASE_DIR/entries")" = 8 ] || fail "other entries than these"
while IFS="$(printf '\t')" read -r kind index call _ detail; do
	cp "$here/coffer-monitor" "$CASE_DIR/less"
	"$here/seccomp_gen" without "$kind" "$index" "$CASE_DIR/less/coffer-monitor" ||
		fail "$detail: it cannot be taken away"
	case $call in
	mmap) shared_pages ;;
	*) vhost ;;
	esac </dev/null
	[ "$status" = 70 ] || fail "$call $detail: not needed"
	expect_line "\\($kind\\) made the system call $call\\(" "$err"
	echo "needed: $kind $call $detail"
done <"$CASE_DIR/entries"
