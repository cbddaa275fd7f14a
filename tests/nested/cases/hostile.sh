# Guests that attack from inside, on a KVM that is like real ones, against a
# monitor that an ordinary user has started; its memory stays within bounds.
# each: attack_ports 0
# each: attack_mmio 0
# each: attack_virtio 0
# each: attack_cpu 0
# each: attack_int 0
# each: attack_triple 80
# release:
# limit: 200
BOUND_KIB=4096 # private memory beyond the guest's RAM; a promise
elf=/nested/payloads/${NESTED_CASE#*.}.elf
[ -e "$elf" ] || skip "no payload ${elf##*/}: build all"
truncate -s 1M "$CASE_DIR/disk"
chown -R 1000:1000 "$CASE_DIR"
chown 0:1000 /dev/kvm
chmod 660 /dev/kvm
wrap="host-tool as 1000"
start_coffer run -k "$elf" -m 16M --console none --debug-exit --timeout 150 -c 2 --rng \
	-d "$CASE_DIR/disk" --vsock cid=9,path="$CASE_DIR/vsock" \
	--status-file "$CASE_DIR/status"

# private PID: KiB, without the mapping that is the guest's RAM. Pages of
# programs and libraries do not count: nobody else in this machine has them.
private() {
	awk '/^[0-9a-f]+-[0-9a-f]+ / { ram = 0 }
		/^Size:/ && $2 == 16384 { ram = 1 }
		/^Anonymous:/ && !ram { sum += $2 }
		END { print sum + 0 }' "/proc/$1/smaps" 2>/dev/null
}
peak=0 looks=0
while [ -d "/proc/$coffer_pid" ] && ! [ -e "$CASE_DIR/status" ]; do
	monitor=$(pidof coffer-monitor)
	here=$(private "$coffer_pid")
	there=$(private "${monitor:-none}")
	sum=$((${here:-0} + ${there:-0}))
	if [ "$sum" -gt $peak ]; then peak=$sum; fi
	[ "${there:-0}" -gt 0 ] && looks=$((looks + 1))
	usleep 150000 # looking is work, too, and there is one CPU
done
wait_coffer
expect_status "$1"
echo "private memory at most $peak KiB in $looks looks"
# A triple fault ends a release before anybody can look.
[ $looks -gt 0 ] || [ "$1" = 80 ] || fail "the monitor was never seen"
is_sanitized || [ $peak -le $BOUND_KIB ] ||
	fail "more than $BOUND_KIB KiB"
