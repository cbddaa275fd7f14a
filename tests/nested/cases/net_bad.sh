# Networks that coffer refuses.
. /nested/devices.sh
nobody=65534
host-tool tap tap0 0 1 || fail "no tap"
host-tool tap tap1 $nobody 2 || fail "no tap"
cd $CASE_DIR || exit 1

refused 69 "no tap 'none0'.*ip tuntap add" -n tap=none0
refused 69 "'dummy0' is not a tap" -n tap=dummy0
refused 64 'mac' -n tap=tap0,mac=53:00:00:00:00:01
refused 64 'mac' -n tap=tap0,mac=00:00:00:00:00:00
refused 64 'mac' -n tap=tap0,mac=52:54:00:00:00
refused 64 'mtu' -n tap=tap0,mtu=67
refused 69 'multi.queue' -n tap=tap0,queues=2
refused 64 'fd=77 is not open' -n fd=77
refused 69 'start passt first' -n passt=$CASE_DIR/none
refused 64 'path is 2.. bytes' -n "passt=/$(printf '%0200d' 0)"
refused 64 'publish' -n user -p 70000:80
refused 64 'publish' -n tap=tap0 -p 8080:80

# A port that is taken: passt says it, and is gone.
stream-tool serve tcp:0.0.0.0:8080 >served.log &
wait_for 10 serving served.log
refused 69 '8080' -n user -p 127.0.0.1:8080:80
# A tap that is in use, and one that is somebody else's.
start_guest cloud -n tap=tap0 --console none
usleep 500000
first=$coffer_pid
out=$CASE_DIR/out2 err=$CASE_DIR/err2
refused 69 'tap0.*(use|busy)' -n tap=tap0
kill -9 "$first"
wait "$first"
chmod 666 /dev/kvm /dev/net/tun
chown $nobody $CASE_DIR
wrap="host-tool as $nobody"
refused 77 'tap0' -n tap=tap0
ps | grep '[p]asst' && fail "passt is left behind"
ip link delete tap0
ip link delete tap1
