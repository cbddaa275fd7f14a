# The ways to back guest RAM.
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
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$coffer_pid/status")
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
