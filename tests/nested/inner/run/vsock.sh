# Streams to the host's port 1234 and from it to port 1000. coffer.size: bytes
# of each of the 64.
. /tests/lib.sh
size=$(sed 's/.*coffer.size=//; s/ .*//' /proc/cmdline)
host=vsock:2:1234
ulimit -n 4096

stream-tool serve vsock:4294967295:1000 &
try stream-tool push $host 64 "$size"
try stream-tool get $host 8 1000003
try stream-tool stall $host 3000000
try stream-tool refused vsock:2:1235
try stream-tool churn $host 2000
echo "guest to host is done"

# The host's turn; it connects here when it has done all.
nc_done=/tmp/done
until [ -e $nc_done ]; do
	usleep 100000
	stream-tool refused vsock:2:1299 2>/dev/null || : >$nc_done
done
done_well
