/* devices/virtio/net_hdr.c - features, offloads, and what headers may say. */
#include "devices/virtio/net_hdr.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/bits.h"

/* USO4 and USO6 are one feature of the host (virtio 1.2, 5.1.3). */
static const struct {
	uint32_t offload;
	uint8_t guest, host;
} bits[] = {
	{NET_OFFLOAD_CSUM, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_CSUM},
	{NET_OFFLOAD_TSO4, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4},
	{NET_OFFLOAD_TSO6, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6},
	{NET_OFFLOAD_ECN, VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_HOST_ECN},
	{NET_OFFLOAD_UFO, VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_HOST_UFO},
	{NET_OFFLOAD_USO4, VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_HOST_USO},
	{NET_OFFLOAD_USO6, VIRTIO_NET_F_GUEST_USO6, VIRTIO_NET_F_HOST_USO},
};

enum {
	TSO = NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6,
	USO = NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6,
};

static uint32_t consistent(uint32_t o)
{
	if (!(o & NET_OFFLOAD_CSUM))
		return 0;
	if (!(o & TSO))
		o &= ~(uint32_t)NET_OFFLOAD_ECN;
	if ((o & USO) != USO)
		o &= ~(uint32_t)USO;
	return o;
}

uint64_t net_hdr_features(uint32_t offloads)
{
	uint64_t f = 0;

	offloads = consistent(offloads);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (offloads & bits[i].offload)
			f |= BIT64(bits[i].guest) | BIT64(bits[i].host);
	if (offloads)
		f |= BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	return f;
}

uint32_t net_hdr_guest_offloads(uint64_t features)
{
	uint32_t o = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (features & BIT64(bits[i].guest))
			o |= bits[i].offload;
	return consistent(o);
}

uint32_t net_hdr_host_offloads(uint64_t features)
{
	uint32_t o = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (features & BIT64(bits[i].host))
			o |= bits[i].offload;
	return consistent(o);
}

uint64_t net_hdr_switchable(uint64_t features)
{
	uint64_t f = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		f |= features & BIT64(bits[i].guest);
	return f;
}

static int check_gso(uint8_t gso, uint32_t offloads)
{
	bool ecn = gso & VIRTIO_NET_HDR_GSO_ECN;
	uint32_t need;

	switch (gso & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return ecn ? -EPROTO : 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		need = NET_OFFLOAD_TSO4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		need = NET_OFFLOAD_TSO6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP:
		need = NET_OFFLOAD_UFO;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		need = USO;
		break;
	default:
		return -EPROTO;
	}
	if (ecn && need & ~(uint32_t)TSO)
		return -EPROTO;
	if (ecn)
		need |= NET_OFFLOAD_ECN;
	return (offloads & need) == need ? 0 : -EPROTO;
}

static int check(uint8_t *hdr, uint32_t offloads, uint8_t known)
{
	int r = check_gso(hdr[NET_HDR_GSO_TYPE], offloads);

	if (r < 0)
		return r;
	if (hdr[NET_HDR_FLAGS] & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
	    !(offloads & NET_OFFLOAD_CSUM))
		return -EPROTO;
	/* a device ignores what it does not know (5.1.6.2.2) */
	hdr[NET_HDR_FLAGS] &= known;
	memset(hdr + NET_HDR_NUM_BUFFERS, 0, 2);
	return 0;
}

int net_hdr_check_sent(uint8_t hdr[static NET_HDR_LEN], uint32_t offloads)
{
	return check(hdr, offloads, VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

int net_hdr_check_received(uint8_t hdr[static NET_HDR_LEN], uint32_t offloads)
{
	/* without GUEST_CSUM all flags are zero (5.1.6.4.1) */
	if (!(offloads & NET_OFFLOAD_CSUM))
		return check(hdr, offloads, 0);
	return check(hdr, offloads,
		     VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID);
}
