# A stock kernel reaches user space with all its CPUs and memory, and its
# power-off ends the run. Every pair of kernel, CPUs and memory occurs.
# release: generic-1-512M generic-2-3584M generic-8-128M vmlinux-1-3584M vmlinux-8-512M
# each: cloud-1-128M cloud 1 128M
# each: cloud-2-512M cloud 2 512M
# each: cloud-8-3584M cloud 8 3584M
# each: generic-1-512M generic 1 512M
# each: generic-2-3584M generic 2 3584M
# each: generic-8-128M generic 8 128M
# each: vmlinux-1-3584M vmlinux 1 3584M
# each: vmlinux-2-128M vmlinux 2 128M
# each: vmlinux-8-512M vmlinux 8 512M
cpus=$2 memory=$3
# Two with the stock command line, which has the kernel test its ciphers.
case $1-$memory in
cloud-512M | generic-512M) append= ;;
esac
test=coffer.facts=machine
run_guest "$1" -c "$cpus" -m "$memory"

expect_status 0
expect_line '^user space reached'
expect_fact cpus_online "$cpus"
expect_fact cpus_present "$([ "$cpus" = 1 ] && echo 0 || echo 0-$((cpus - 1)))"
expect_fact cores "$cpus"
expect_fact packages 1
expect_fact hypervisor "$cpus"
expect_fact clocksource kvm-clock
expect_fact end 1

# All of it but the holes below 1 MiB and the kernel's own reservations.
want=$((${memory%M} * 1024)) got=$(fact ram_kib)
[ "$got" -le "$want" ] && [ "$got" -ge $((want - 1024)) ] ||
	fail "guest has $got KiB of RAM, not $want"
expect_clean_log
