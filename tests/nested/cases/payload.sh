# Payload guests on a KVM that is like real ones.
# each: exit_42 42
# each: memory 16
# each: scan 0
# each: move_windows 0
# each: smp 3 -c 3
# each: attack_ports 0
# each: attack_mmio 0 --rng --vsock cid=9,path=/tmp/case/vsock
# each: attack_virtio 0 --rng --vsock cid=9,path=/tmp/case/vsock
# each: attack_cpu 0 -c 2
# each: attack_int 0
# each: attack_triple 80 --rng -c 2
# each: not_emulated 80
# each: smi 80
elf=/nested/payloads/${NESTED_CASE#*.}.elf expected=$1
[ -e "$elf" ] || skip "no payload ${elf##*/}: build all"
shift
run_coffer run -k "$elf" -m 16M --debug-exit --timeout 60 "$@"
expect_status "$expected"
