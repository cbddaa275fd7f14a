# The ways to back guest RAM.
# release:
# each: hugepages ,hugepages=2M
# each: prefault ,prefault
# each: shared ,shared
# each: all ,hugepages=2M,prefault,shared
huge() { awk '/^HugePages_Free/ { print $2 }' /proc/meminfo; }

before=0
case $1 in
*hugepages*)
	echo 128 >/proc/sys/vm/nr_hugepages
	before=$(huge)
	[ "$before" = 128 ] || fail "no huge pages to test with: $before"
	;;
esac
test="coffer.test=idle"
start_guest cloud -m "256M$1" --stop-timeout 0
wait_for 60 '^fact end'
in_use=$((before - $(huge)))
# RAM is the monitor's, a child of coffer.
monitor=$(awk -v p="$coffer_pid" '/^Pid:/ { pid = $2 }
	/^PPid:/ && $2 == p { print pid }' /proc/[0-9]*/status 2>/dev/null)
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$monitor/status")
case $1 in
*hugepages*prefault*) [ $in_use = 128 ] || fail "$in_use huge pages in use" ;;
*hugepages*) [ $in_use -gt 10 ] || fail "$in_use huge pages in use" ;;
*prefault*) [ "$rss" -ge 262144 ] || fail "only $rss KiB are resident" ;;
esac
kill -TERM "$coffer_pid"
wait_coffer
expect_status 0
expect_clean_log
[ "$(huge)" = "$before" ] || fail "huge pages are not given back"
echo 0 >/proc/sys/vm/nr_hugepages
