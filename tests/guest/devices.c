/*
 * tests/guest/devices.c - uses each device there is as a driver should, as far
 * as that makes the host do something: interrupts by MSI-X, random bytes past
 * the rate limit, a sector, a frame there and back, a vsock connection to the
 * host and its end. Ends with the number of devices.
 */
#include "mem/mem_map.h"
#include "tests/guest/fault.h"
#include "tests/guest/virtio.h"

enum {
	RING = 8,
	VECTOR = 0x50,
	PAGE = 4096,
	RX = 0,
	TX = 1,
	NET_HDR = 12,
	NET_CTRL = 4, /* with two pairs (virtio 1.2, 5.1.2) */
	NET_F_CSUM_TSO = 1 << 0 | 1 << 1 | 1 << 7 | 1 << 11,
	NET_F_CTRL_MQ = 1 << 17 | 1 << 22,
	VSOCK_HDR = 44,
	RNG_ROUNDS = 20,
};

#define RINGS 0x400000u /* a page each for descriptors, avail, used */
#define BUFFERS 0x500000u

struct queue {
	const struct virtio_fn *f;
	unsigned int index;
	uint64_t desc, avail, used;
	uint16_t sent, seen;
};

static void clear(uint64_t at, unsigned int n)
{
	for (unsigned int i = 0; i < n; i += 8)
		mmio_write64(at + i, 0);
}

static void set_up(const struct virtio_fn *f, unsigned int i, struct queue *q)
{
	uint64_t at = RINGS + i * 4 * PAGE;

	*q = (struct queue){f, i, at, at + PAGE, at + 2ul * PAGE, 0, 0};
	clear(at, 3ul * PAGE);
	virtio_queue(f, i, RING, q->desc, q->avail, q->used);
	mmio_write16(f->common + Q_VECTOR, 0);
}

/* A masked vector, unmasked when something waits, and then used. */
static void set_vector(const struct virtio_fn *f, int masked)
{
	unsigned int cap = pci_read32(f->devfn, 0x34) & 0xfc;
	uint64_t table;

	while ((pci_read32(f->devfn, cap) & 0xff) != 0x11)
		cap = pci_read32(f->devfn, cap) >> 8 & 0xfc;
	table = f->bar + (pci_read32(f->devfn, cap + 4) & ~7u);
	mmio_write32(table, (uint32_t)MEM_LAPIC_BASE);
	mmio_write32(table + 4, 0);
	mmio_write32(table + 8, VECTOR);
	mmio_write32(table + 12, (uint32_t)masked);
	pci_write32(f->devfn, cap, 0x80000000); /* enable */
	/* is one pending? */
	mmio_read64(f->bar + (pci_read32(f->devfn, cap + 8) & ~7u));
}

/* Offer one chain, which begins with descriptor @head. */
static void offer(struct queue *q, unsigned int head)
{
	mmio_write16(q->avail + 4 + 2ul * (q->sent % RING), (uint16_t)head);
	__asm__ volatile("mfence" ::: "memory");
	mmio_write16(q->avail + 2, ++q->sent);
	__asm__ volatile("mfence" ::: "memory");
	virtio_kick(q->f, q->index);
}

static void desc(struct queue *q, uint64_t i, uint64_t at, uint32_t len,
		 unsigned int flags)
{
	mmio_write64(q->desc + 16 * i, at);
	mmio_write32(q->desc + 16 * i + 8, len);
	mmio_write16(q->desc + 16 * i + 12, (uint16_t)flags);
	mmio_write16(q->desc + 16 * i + 14, (uint16_t)(i + 1));
}

static void wait_used(struct queue *q)
{
	for (unsigned int i = 0; mmio_read16(q->used + 2) == q->seen; i++) {
		CHECK(i < POLLS);
		__asm__ volatile("pause");
	}
	q->seen++;
}

static void rng(const struct virtio_fn *f)
{
	struct queue q;

	virtio_negotiate(f, 0);
	set_up(f, 0, &q);
	set_vector(f, 1);
	virtio_go(f);
	desc(&q, 0, BUFFERS, 64, WRITE);
	offer(&q, 0);
	wait_used(&q);
	set_vector(f, 0);
	/* more than the device gives in a moment */
	for (unsigned int i = 0; i < RNG_ROUNDS; i++) {
		for (unsigned int k = 0; k < RING; k++) {
			desc(&q, k, BUFFERS, 0x10000, WRITE);
			offer(&q, k);
		}
		for (unsigned int k = 0; k < RING; k++)
			wait_used(&q);
	}
	__asm__ volatile("sti");
	for (unsigned int i = 0; !n_interrupts; i++) {
		CHECK(i < POLLS);
		__asm__ volatile("pause");
	}
	__asm__ volatile("cli");
	virtio_reset(f);
}

/* READ(10) of sector 0, twice: a unit attention comes first. */
static void scsi(const struct virtio_fn *f)
{
	struct queue q;

	virtio_negotiate(f, 0);
	set_up(f, 2, &q);
	set_vector(f, 0);
	virtio_go(f);
	for (unsigned int i = 0; i < 2; i++) {
		clear(BUFFERS, 256);
		mmio_write8(BUFFERS, 1); /* target 0, LUN 0 */
		mmio_write8(BUFFERS + 2, 0x40);
		mmio_write8(BUFFERS + 19, 0x28);
		mmio_write8(BUFFERS + 19 + 8, 1);
		desc(&q, 0, BUFFERS, 51, NEXT);
		desc(&q, 1, BUFFERS + PAGE, 108, NEXT | WRITE);
		desc(&q, 2, BUFFERS + 2 * PAGE, 512, WRITE);
		offer(&q, 0);
		wait_used(&q);
	}
	CHECK(mmio_read8(BUFFERS + PAGE + 10) == 0);
	virtio_reset(f);
}

/* Both pairs, where there are two: class 4, VIRTIO_NET_CTRL_MQ (5.1.6.5.6). */
static void use_pairs(const struct virtio_fn *f)
{
	struct queue c;

	if (mmio_read16(f->common + N_QUEUES) <= NET_CTRL)
		return;
	set_up(f, NET_CTRL, &c);
	virtio_go(f);
	mmio_write32(BUFFERS, 2 << 16 | 0 << 8 | 4);
	desc(&c, 0, BUFFERS, 2, NEXT);
	desc(&c, 1, BUFFERS + 2, 2, NEXT);
	desc(&c, 2, BUFFERS + 8, 1, WRITE);
	offer(&c, 0);
	wait_used(&c);
	CHECK(mmio_read8(BUFFERS + 8) == 0);
}

static void net(const struct virtio_fn *f)
{
	const uint64_t frame = BUFFERS + PAGE, back = BUFFERS + 2 * PAGE;
	struct queue rx, tx;

	virtio_negotiate(f, NET_F_CSUM_TSO | NET_F_CTRL_MQ);
	set_up(f, RX, &rx);
	set_up(f, TX, &tx);
	set_vector(f, 0);
	use_pairs(f);
	virtio_go(f);
	/* to everybody: what answers depends on the other end */
	clear(frame, 256);
	for (unsigned int i = 0; i < 6; i++)
		mmio_write8(frame + NET_HDR + i, 0xff);
	mmio_write8(frame + NET_HDR + 6, 2);
	mmio_write16(frame + NET_HDR + 12, 0x0608);
	desc(&rx, 0, back, 2 * PAGE, WRITE);
	offer(&rx, 0);
	desc(&tx, 0, frame, NET_HDR + 60, 0);
	offer(&tx, 0);
	wait_used(&tx);
	wait_used(&rx); /* of the echo, or of a host that has just come up */
	virtio_reset(f);
}

static void vsock_send(struct queue *tx, unsigned int op, unsigned int flags,
		       unsigned int len)
{
	const uint64_t p = BUFFERS;

	clear(p, 64);
	mmio_write64(p, 77);	    /* from: our CID */
	mmio_write64(p + 8, 2);	    /* to the host */
	mmio_write32(p + 16, 1234); /* from port */
	mmio_write32(p + 20, 1000); /* to port */
	mmio_write32(p + 24, len);
	mmio_write16(p + 28, 1); /* stream */
	mmio_write16(p + 30, (uint16_t)op);
	mmio_write32(p + 32, flags);
	mmio_write32(p + 36, 65536); /* our buffer */
	desc(tx, 0, p, VSOCK_HDR + len, 0);
	offer(tx, 0);
	wait_used(tx);
}

/* The next packet of the host's; returns what it is. */
static unsigned int vsock_receive(struct queue *rx)
{
	wait_used(rx);
	return mmio_read16(BUFFERS + PAGE * (rx->seen + 1u) + 30);
}

/* REQUEST, data there and back, SHUTDOWN of sending, RST. */
static void vsock(const struct virtio_fn *f)
{
	struct queue rx, tx;
	unsigned int op;

	virtio_negotiate(f, 0);
	set_up(f, RX, &rx);
	set_up(f, TX, &tx);
	set_vector(f, 0);
	virtio_go(f);
	for (unsigned int i = 0; i < RING; i++) {
		desc(&rx, i, BUFFERS + PAGE * (i + 2), PAGE, WRITE);
		offer(&rx, i);
	}
	vsock_send(&tx, 1, 0, 0);
	CHECK(vsock_receive(&rx) == 2); /* RESPONSE */
	vsock_send(&tx, 5, 0, 10);
	do {
		op = vsock_receive(&rx);
	} while (op == 6); /* credit */
	CHECK(op == 5);
	vsock_send(&tx, 4, 2, 0); /* we send no more */
	do {
		op = vsock_receive(&rx);
	} while (op == 6);
	CHECK(op == 4); /* nor does the host, which waits for our RST */
	vsock_send(&tx, 3, 0, 0);
	virtio_reset(f);
}

int payload_main(void)
{
	unsigned int found = 0;

	fault_init();
	for (unsigned int devfn = 0; devfn < 256; devfn += 8) {
		struct virtio_fn f;

		if (!virtio_open(devfn,
				 (uint32_t)MEM_PCI32_BASE + 0x2000000 +
					 0x100000 * devfn,
				 &f))
			continue;
		found++;
		if (f.id == VIRTIO_RNG)
			rng(&f);
		if (f.id == VIRTIO_SCSI)
			scsi(&f);
		if (f.id == VIRTIO_NET)
			net(&f);
		if (f.id == VIRTIO_VSOCK)
			vsock(&f);
	}
	return found ? 0 : 1;
}
