# The outer machine is what the other cases rely on.
[ -c /dev/kvm ] || fail "no /dev/kvm"
[ -c /dev/net/tun ] || fail "no /dev/net/tun"
[ -c /dev/vhost-vsock ] || fail "no /dev/vhost-vsock"
grep -q ' /disk ext4 rw' /proc/mounts || fail "/disk is not a writable ext4"
dd if=/dev/zero of=/disk/case/direct bs=4096 count=4 oflag=direct conv=fsync \
	2>/dev/null || fail "no direct I/O on /disk"
ip route | grep -q '^default via' || fail "no default route"
coffer --version || fail "coffer does not start"

# A jail needs pivot_root, which an initramfs refuses.
mkdir "$CASE_DIR/new"
unshare -m sh -c "
	mount -t tmpfs tmp $CASE_DIR/new && mkdir $CASE_DIR/new/old &&
	pivot_root $CASE_DIR/new $CASE_DIR/new/old" || fail "no pivot_root"
