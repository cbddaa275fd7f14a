/*
 * tests/fuzz/fuzz_net_ctrl.c - a driver that does anything with a network
 * device: commands, headers, buffers of any shape, broken rings, resets, while
 * frames come, the backend is full, fails or hangs up.
 *
 * The first two bytes choose pairs, backend and features; then come steps.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_hdr.h"
#include "tests/fake/fake_driver.h"
#include "tests/fake/fake_net_backend.h"
#include "tests/fuzz/fuzz_input.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/io_thread.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	STEPS = 500,
	BUFS = 8,
	BYTES_MAX = 70000,
	OFFLOADS = (1 << 7) - 1,
	RAM = 16 << 20,
};

struct world {
	struct io_thread *thread;
	struct fake_net *far;
	struct net *net;
	struct virtio_dev *dev;
	struct fake_driver *d;
	bool broken; /* a ring, by us: the device may need a reset */
	uint8_t bytes[BYTES_MAX];
	struct fuzz_input in;
};

/* --- what must hold ----------------------------------------------------- */

/* What the device says of a frame it gave to the driver. */
static void check_received(struct world *w, const uint8_t *hdr, uint32_t len)
{
	uint32_t offloads = fake_net_log(w->far)->offloads;
	uint8_t copy[NET_HDR_LEN];

	assert(len >= NET_HDR_LEN);
	assert(load_le16(hdr + NET_HDR_NUM_BUFFERS) >= 1);
	if (!virtio_has(w->dev, VIRTIO_NET_F_MRG_RXBUF))
		assert(load_le16(hdr + NET_HDR_NUM_BUFFERS) == 1);
	/* offloads may have been taken back since: then only the base holds */
	memcpy(copy, hdr, sizeof(copy));
	if (offloads == net_hdr_guest_offloads(w->dev->features))
		assert(!net_hdr_check_received(copy, offloads));
}

static void collect(struct world *w)
{
	unsigned int more = 0;

	for (unsigned int q = 0; q < w->dev->n_queues; q++) {
		uint8_t buf[NET_HDR_LEN];
		struct fake_used u;

		if (q % 2 && q + 1 < w->dev->n_queues)
			continue;
		while (fake_driver_take(w->d, q, &u, buf, sizeof(buf))) {
			assert(u.written <= u.in_len);
			if (more)
				more--;
			else if (u.written && q % 2 == 0 &&
				 q + 1 < w->dev->n_queues &&
				 (q != 2 ||
				  virtio_has(w->dev, VIRTIO_NET_F_MQ))) {
				check_received(w, buf, u.written);
				more = load_le16(buf + NET_HDR_NUM_BUFFERS) -
				       1u;
			}
		}
		assert(w->broken || !more);
		more = 0;
	}
	for (unsigned int q = 1; q < w->dev->n_queues; q += 2) {
		struct fake_used u;

		while (fake_driver_take(w->d, q, &u, NULL, 0))
			assert(!u.written);
	}
}

static void check(struct world *w)
{
	struct fake_virtio_host *h = fake_driver_host(w->d);
	struct net_counters c;
	uint64_t sent = 0;

	for (unsigned int i = 0; 2 * i + 1 < w->dev->n_queues; i++)
		sent += fake_net_n_sent(w->far, i);
	net_counters(w->net, &c);
	assert(c.tx_frames == sent);
	assert(w->broken || !h->needs_reset);
	if (!w->broken)
		collect(w);
}

/* --- steps -------------------------------------------------------------- */

static unsigned int any_queue(struct world *w)
{
	return fuzz_u8(&w->in) % w->dev->n_queues;
}

/* A chain of up to BUFS buffers; the first readable one has bytes of ours. */
static void offer(struct world *w)
{
	unsigned int q = any_queue(w);
	uint8_t shape = fuzz_u8(&w->in), n = shape % BUFS + 1;
	uint8_t n_out = (uint8_t)(fuzz_u8(&w->in) % (n + 1));
	struct fake_buf b[BUFS] = {0};
	size_t at = 0;

	for (uint8_t i = 0; i < n; i++) {
		uint32_t len = fuzz_u8(&w->in);

		if (shape & 0x40)
			len *= 37;
		else if (i == 0 && shape & 0x20)
			len *= 257;
		if (len > BYTES_MAX)
			len = BYTES_MAX;
		b[i] = (struct fake_buf){i < n_out ? w->bytes : NULL, len,
					 i >= n_out};
	}
	if (n_out)
		for (at = 0; at < 24 && at < b[0].len; at++)
			w->bytes[at] = fuzz_u8(&w->in);
	(void)fake_driver_add(w->d, q, b, n, shape & 0x80);
	memset(w->bytes, 0, 24);
}

/* A command that is nearly right. */
static void command(struct world *w)
{
	static const uint8_t classes[] = {0, 1, 4, 5};
	uint8_t cmd[64] = {classes[fuzz_u8(&w->in) % sizeof(classes)]};
	uint8_t len = fuzz_u8(&w->in) % sizeof(cmd);
	unsigned int q =
		virtio_has(w->dev, VIRTIO_NET_F_MQ) ? w->dev->n_queues - 1 : 2;

	cmd[1] = fuzz_u8(&w->in) % 8;
	for (uint8_t i = 2; i < len; i++)
		cmd[i] = fuzz_u8(&w->in);
	(void)fake_driver_offer(w->d, q, cmd, len, 1);
	(void)fake_driver_kick(w->d, q);
}

/* A frame with its header, in two buffers. */
static void transmit(struct world *w)
{
	unsigned int pair = fuzz_u8(&w->in) % ((w->dev->n_queues - 1) / 2);
	uint8_t hdr[NET_HDR_LEN];
	struct fake_buf b[2] = {FAKE_OUT(hdr, NET_HDR_LEN),
				FAKE_OUT(w->bytes, fuzz_u16(&w->in))};

	for (size_t i = 0; i < sizeof(hdr); i++)
		hdr[i] = fuzz_u8(&w->in);
	(void)fake_driver_add(w->d, 2 * pair + 1, b, 2, true);
	(void)fake_driver_kick(w->d, 2 * pair + 1);
}

/* A frame for the guest, from a host that keeps to its rules. */
static void arrive(struct world *w)
{
	unsigned int q = fuzz_u8(&w->in) % ((w->dev->n_queues - 1) / 2);
	uint8_t hdr[NET_HDR_LEN] = {0};
	size_t len = fuzz_u16(&w->in);

	hdr[0] = fuzz_u8(&w->in);
	hdr[1] = fuzz_u8(&w->in);
	for (size_t i = 0; i < 6; i++)
		w->bytes[i] = fuzz_u8(&w->in);
	fake_net_push(w->far, q, hdr, w->bytes, len);
	memset(w->bytes, 0, 6);
}

static void break_ring(struct world *w)
{
	struct fake_ring *r = fake_driver_ring(w->d, any_queue(w));

	w->broken = true;
	switch (fuzz_u8(&w->in) % 3) {
	case 0:
		fake_ring_set_avail_idx(r, fuzz_u16(&w->in));
		break;
	case 1:
		fake_ring_publish(r, fuzz_u16(&w->in));
		break;
	default:
		fake_ring_set_desc(r, 0, fuzz_u8(&w->in) % 64, fuzz_u32(&w->in),
				   fuzz_u32(&w->in), fuzz_u8(&w->in) & 7,
				   fuzz_u8(&w->in));
	}
}

static void reset(struct world *w)
{
	bool done = fake_driver_reset(w->d);

	assert(done);
	w->broken = false;
	fake_driver_host(w->d)->needs_reset = 0;
	fake_driver_activate(w->d);
}

static void reset_queue(struct world *w)
{
	unsigned int q = any_queue(w);
	bool done = fake_driver_queue_reset(w->d, q);

	assert(done);
	fake_driver_queue_enable(w->d, q);
}

static void far_side(struct world *w)
{
	unsigned int q = fuzz_u8(&w->in) % ((w->dev->n_queues - 1) / 2);
	uint8_t room = fuzz_u8(&w->in);

	switch (fuzz_u8(&w->in) % 8) {
	case 0:
		fake_net_hang_up(w->far, q);
		break;
	case 1:
		fake_net_fail(w->far, q, -EBADFD);
		break;
	case 2:
		fake_net_lose(w->far, q);
		break;
	case 3:
		fake_net_set_rest(w->far, q);
		break;
	case 4:
		fake_net_refuse(w->far, room & 1 ? -EINVAL : 0);
		break;
	default:
		fake_net_set_room(w->far, q, room > 200 ? SIZE_MAX : room % 8);
	}
}

static void config(struct world *w)
{
	uint32_t off = fuzz_u8(&w->in) % w->dev->config_len;
	size_t len = fuzz_u8(&w->in) % 8 + 1;
	uint8_t buf[8];

	if (off + len <= w->dev->config_len)
		w->dev->ops->config_read(w->dev, off, buf, len);
}

static void step(struct world *w)
{
	switch (fuzz_u8(&w->in) % 12) {
	case 0:
	case 1:
		offer(w);
		break;
	case 2:
		command(w);
		break;
	case 3:
		transmit(w);
		break;
	case 4:
	case 5:
		arrive(w);
		break;
	case 6:
		(void)fake_driver_kick(w->d, any_queue(w));
		break;
	case 7:
		far_side(w);
		break;
	case 8:
		net_set_link(w->net, fuzz_u8(&w->in) & 1);
		break;
	case 9:
		break_ring(w);
		break;
	case 10:
		if (fuzz_u8(&w->in) & 1)
			reset(w);
		else
			reset_queue(w);
		break;
	default:
		config(w);
	}
	fake_driver_settle(w->d);
	check(w);
}

/* --- a run -------------------------------------------------------------- */

static void build(struct world *w)
{
	uint8_t how = fuzz_u8(&w->in), refuse = fuzz_u8(&w->in);
	struct fake_driver_opts o = {.ram_bytes = RAM, .queue_size = 64};
	struct net_params p = {.name = "net0", .mac = {2, 0, 0, 0, 0, 1}};
	int r = io_thread_create("net", &w->thread, NULL);

	assert(!r);
	w->far = fake_net_create(how % 4 + 1, how & 4 ? OFFLOADS : 0);
	p.thread = w->thread;
	p.backend = fake_net_backend(w->far);
	p.mtu = how & 8 ? 1400 : 0;
	r = net_create(&p, &w->net, NULL);
	assert(!r);
	w->dev = net_virtio_dev(w->net);
	if (refuse & 1)
		o.refuse |= BIT64(VIRTIO_NET_F_MRG_RXBUF);
	if (refuse & 2)
		o.refuse |= BIT64(VIRTIO_NET_F_MQ);
	if (refuse & 4)
		o.refuse |= BIT64(VIRTIO_NET_F_GUEST_CSUM);
	if (refuse & 8)
		o.refuse |= BIT64(VIRTIO_NET_F_CSUM);
	if (refuse & 16)
		o.refuse |= BIT64(VIRTIO_NET_F_CTRL_RX);
	if (refuse & 32)
		o.refuse |= BIT64(VIRTIO_F_EVENT_IDX);
	if (refuse & 64)
		o.refuse |= BIT64(VIRTIO_NET_F_STATUS);
	w->d = fake_driver_create(w->dev, &o);
	fake_driver_activate(w->d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = calloc(1, sizeof(*w));

	assert(w);
	w->in = (struct fuzz_input){data, size};
	build(w);
	for (int i = 0; i < STEPS && fuzz_more(&w->in); i++)
		step(w);
	fake_driver_destroy(w->d);
	net_destroy(w->net);
	io_thread_destroy(w->thread);
	free(w);
	return 0;
}
