# Writes to LUN 0 and reads it back, past the cache, until LUN 1 says "stop", some
# times a second: the CPU it shares with the host is not to be its own.
. /tests/lib.sh
. /tests/disks.sh

# Watchdogs bark after twice this, and after this.
try sh -c 'echo 2 >/proc/sys/kernel/watchdog_thresh'
try sh -c 'echo 3 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout'
until_true 20 have_disk 1
a=$(disk 0) control=$(disk 1)
echo "fact busy 1"
n=0
until dd if="$control" bs=512 count=1 iflag=direct 2>/dev/null | grep -q stop; do
	at=$((n % 16 * 128)) # in blocks of 4 KiB
	dd if=/dev/urandom of=/tmp/data bs=64k count=8 2>/dev/null
	try dd if=/tmp/data of="$a" bs=4k seek=$at oflag=direct conv=notrunc
	dd if="$a" bs=4k skip=$at count=128 iflag=direct 2>/dev/null |
		cmp - /tmp/data || problem "round $n: it differs"
	n=$((n + 1))
	usleep 200000
done
sync
drop_caches
echo "fact rounds $n"
echo "fact sha.0 $(sha "$a")"
done_well
