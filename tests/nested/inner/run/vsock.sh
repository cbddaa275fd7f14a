# Streams to the host's port 1234 and from it to port 1000. coffer.size: bytes
# of each of the 64.
. /tests/lib.sh
size=$(sed 's/.*coffer.size=//; s/ .*//' /proc/cmdline)
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
try stream-tool churn $host 2000
step "guest to host is done"

host_is_done vsock:2:1299
done_well
