/*
 * devices/virtio/net_passt.h - frames over a connected stream socket, each
 * after its length as a big-endian 32-bit number: what passt(1) and QEMU's
 * `-netdev stream` speak. No header, so no offloads.
 */
#ifndef DEVICES_VIRTIO_NET_PASST_H
#define DEVICES_VIRTIO_NET_PASST_H

struct err;
struct net_backend;

/*
 * @fd: non-blocking, connected; taken over on success. -ENOMEM.
 * Whoever has a duplicate of it, for the guest after a restart, finds the
 * beginning of a frame there, unless the far end was in the middle of one.
 */
int net_passt_create(int fd, struct net_backend **ret, struct err *err);

#endif
