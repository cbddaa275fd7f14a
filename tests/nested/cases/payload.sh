# Payload guests on a KVM that is like real ones. Those that attack are in
# hostile.sh, with the release there; with sanitizers they run on this machine's KVM.
# each: exit_42 42
# each: memory 16
# each: scan 0
# each: move_windows 0
# each: smp 3 -c 3
# each: not_emulated 80
# each: smi 80
elf=/nested/payloads/${NESTED_CASE#*.}.elf expected=$1
[ -e "$elf" ] || skip "no payload ${elf##*/}: build all"
shift
run_coffer run -k "$elf" -m 16M --debug-exit --timeout 60 "$@"
expect_status "$expected"
