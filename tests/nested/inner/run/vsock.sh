# Streams to the host's port 1234 and from it to port 1000. coffer.size: bytes
# of each of the 64. coffer.churn: connections one after the other.
. /tests/lib.sh
parameter() { # NAME
	sed "s/.*coffer.$1=//; s/ .*//" /proc/cmdline
}
size=$(parameter size) churn=$(parameter churn)
host=vsock:2:1234
ulimit -n 4096

stream-tool serve vsock:4294967295:1000 &
step push
try stream-tool push $host 64 "$size"
step get
try stream-tool get $host 8 1000003
step stall
try stream-tool stall $host 3000000
step refused
try stream-tool refused vsock:2:1235
step churn
try stream-tool churn $host "$churn"
step "guest to host is done"

host_is_done vsock:2:1299
done_well
