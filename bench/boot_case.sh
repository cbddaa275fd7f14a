# Measures one VMM after the other, RUNS times, in the outer machine; bench/boot
# reads the lines "sample VMM CMDLINE RUN WHAT NANOSECONDS".
# limit: 1800
RUNS=$1 MEMORY=$2 VMMS=$(echo "$3" | tr , ' ')
KERNEL=$KERNELS/cloud INITRD=/nested/initrds/bench
stamps=$CASE_DIR/stamps
lasterr=$CASE_DIR/stderr.log

# vmm NAME MARKER APPEND [--stop]: one run, its stamps in $stamps.
vmm() {
	name=$1 marker=$2 cmdline=$3 stop=${4-}
	machine=$name
	case $name in
	coffer)
		set -- coffer run -k "$KERNEL" -i "$INITRD" -a "$cmdline" \
			-m "${MEMORY}M" -c 1
		;;
	stage0)
		set -- coffer run --firmware stage0 -k "$KERNEL" -i "$INITRD" \
			-a "$cmdline" -m "${MEMORY}M" -c 1
		;;
	*)
		set -- qemu-system-x86_64 -M "$machine" -accel kvm -cpu host \
			-m "$MEMORY" -smp 1 -nodefaults -no-user-config \
			-display none -no-reboot -serial stdio \
			-kernel "$KERNEL" -initrd "$INITRD" -append "$cmdline"
		;;
	esac
	stamp "$marker" $stop -- "$@" >"$stamps" 2>"$lasterr" ||
		fail "$name does not get to '$marker'"
	[ "$stop" ] || grep -q '^status 0$' "$stamps" ||
		fail "$name: $(grep '^status' "$stamps")"
}

sample() { # VMM CMDLINE RUN WHAT STAMP
	echo "sample $1 $2 $3 $4 $(sed -n "s/^$5 //p" "$stamps")"
}

# Into the page cache, programs and all: files are not under test.
cat "$KERNEL" "$INITRD" >/dev/null
for v in $VMMS; do
	vmm "$v" "bench: init" "console=ttyS0 cryptomgr.notests"
done

run=1
while [ "$run" -le "$RUNS" ]; do
	for v in $VMMS; do
		progress "run $run of $RUNS: $v"
		# The first thing a Debian kernel can say, in the decompressor:
		# the same instruction in every machine. It costs the command
		# line two words, so it is a run of its own.
		vmm "$v" "KASLR disabled" \
			"console=ttyS0 earlyprintk=serial,ttyS0,115200 nokaslr" \
			--stop
		sample "$v" stock "$run" entry marker
		sample "$v" notests "$run" entry marker
		vmm "$v" "bench: init" "console=ttyS0"
		sample "$v" stock "$run" init marker
		sample "$v" stock "$run" exit exit
		vmm "$v" "bench: init" "console=ttyS0 cryptomgr.notests"
		sample "$v" notests "$run" init marker
		sample "$v" notests "$run" exit exit
	done
	run=$((run + 1))
done
