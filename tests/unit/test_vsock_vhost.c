/* tests/unit/test_vsock_vhost.c - what the kernel is told, in which order. The
 * kernel is a list of calls that may fail. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/vsock.h"
#include "devices/virtio/vsock_vhost.h"
#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_ram.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/io_thread.h"
#include "vmm/base/own.h"

/* Last: it has macros with the names of our constants. */
#include <linux/vhost.h>

enum { CID = 42, CALLS_MAX = 64, SIZE = 128 };

struct call {
	unsigned long req;
	union {
		uint64_t u64;
		int number;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct vhost_vring_file file;
		/* struct vhost_memory, whose last member has no size */
		struct {
			uint32_t nregions, padding;
			struct vhost_memory_region region[2];
		} mem;
	} arg;
};

/* ioctl() has no argument of ours, so there is one kernel at a time. */
static struct kernel {
	struct call calls[CALLS_MAX];
	unsigned int n;
	unsigned long fail_req;
	int fail_code;
	uint64_t features;
} kernel;

struct fixture {
	struct io_thread *thread;
	struct fake_ram *ram;
	struct vsock_vhost *v;
	struct virtio_dev *dev;
	struct virtio_host host;
	struct virtq_layout layout;
	int kick, call;
	unsigned int needs_reset, resets_done;
	int hand_over; /* what queue_to_kernel() answers */
};

static int kernel_ioctl(int fd, unsigned long req, void *arg)
{
	struct call *c = &kernel.calls[kernel.n];

	assert_true(fd >= 0);
	assert_true(kernel.n < CALLS_MAX);
	*c = (struct call){.req = req};
	kernel.n++;
	if (req == kernel.fail_req)
		return kernel.fail_code;
	if (req == VHOST_GET_FEATURES) {
		*(uint64_t *)arg = kernel.features;
	} else if (req == VHOST_SET_MEM_TABLE) {
		const struct vhost_memory *m = arg;

		assert_true(m->nregions <= 2);
		memcpy(&c->arg, m,
		       sizeof(*m) + m->nregions * sizeof(m->regions[0]));
	} else if (arg) {
		memcpy(&c->arg, arg, _IOC_SIZE(req));
	}
	return 0;
}

/* The @n-th call of @req since kernel.n was reset, or NULL. */
static const struct call *nth(unsigned long req, unsigned int n)
{
	for (unsigned int i = 0; i < kernel.n; i++)
		if (kernel.calls[i].req == req && !n--)
			return &kernel.calls[i];
	return NULL;
}

static void needs_reset(struct virtio_host *h)
{
	container_of(h, struct fixture, host)->needs_reset++;
}

static void reset_done(struct virtio_host *h)
{
	container_of(h, struct fixture, host)->resets_done++;
}

static int queue_to_kernel(struct virtio_host *h, unsigned int queue,
			   struct virtio_kernel_queue *ret)
{
	struct fixture *f = container_of(h, struct fixture, host);

	assert_true(queue < 2);
	*ret = (struct virtio_kernel_queue){
		.layout = f->layout,
		.kick_fd = f->kick,
		.call_fd = queue ? -1 : f->call,
	};
	return f->hand_over;
}

static const struct virtio_host_ops host_ops = {
	.reset_done = reset_done,
	.needs_reset = needs_reset,
	.queue_to_kernel = queue_to_kernel,
};
static const struct virtio_host_ops poor_ops = {
	.reset_done = reset_done,
	.needs_reset = needs_reset,
};

static int make(struct fixture *f, uint64_t cid, struct err *err)
{
	struct vsock_vhost_params p = {
		.name = "vsock0",
		.guest_cid = cid,
		.thread = f->thread,
		.vhost_fd = open("/dev/null", O_RDWR | O_CLOEXEC),
		.mem = fake_ram_mem(f->ram),
		.view = fake_ram_view(f->ram),
		.ioctl = kernel_ioctl,
	};
	int r = vsock_vhost_create(&p, &f->v, err);

	if (r < 0) {
		assert_int_equal(close(p.vhost_fd), 0); /* still ours */
		return r;
	}
	f->dev = vsock_vhost_virtio_dev(f->v);
	f->dev->host = &f->host;
	f->dev->features = f->dev->offered | BIT64(VIRTIO_F_VERSION_1) |
			   BIT64(VIRTIO_F_ACCESS_PLATFORM) |
			   BIT64(VIRTIO_F_INDIRECT_DESC);
	return 0;
}

static int setup(void **state)
{
	static struct fixture f;

	kernel = (struct kernel){.features = UINT64_MAX};
	f = (struct fixture){.host = {&host_ops}};
	assert_int_equal(io_thread_create("vsock", &f.thread, NULL), 0);
	f.ram = fake_ram_create(0, false);
	f.kick = eventfd(0, EFD_CLOEXEC);
	f.call = eventfd(0, EFD_CLOEXEC);
	f.layout = (struct virtq_layout){
		.size = SIZE,
		.desc = fake_ram_alloc(f.ram, 16 * SIZE),
		.driver = fake_ram_alloc(f.ram, 6 + 2 * SIZE),
		.device = fake_ram_alloc(f.ram, 6 + 8 * SIZE),
	};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vsock_vhost_destroy(f->v);
	io_thread_destroy(f->thread);
	fake_ram_destroy(f->ram);
	close(f->kick);
	close(f->call);
	return 0;
}

static uint64_t hva(struct fixture *f, gpa_t gpa)
{
	return (uintptr_t)guest_mem_ptr(fake_ram_mem(f->ram), gpa, 1);
}

/* --- creating ---------------------------------------------------------------
 */

static void the_kernel_learns_owner_cid_and_memory(void **state)
{
	struct fixture *f = *state;
	const struct call *c;

	assert_int_equal(make(f, CID, NULL), 0);
	assert_int_equal(kernel.calls[0].req, VHOST_SET_OWNER);
	assert_true(nth(VHOST_VSOCK_SET_GUEST_CID, 0)->arg.u64 == CID);
	c = nth(VHOST_SET_MEM_TABLE, 0);
	assert_int_equal(c->arg.mem.nregions, 1);
	assert_true(c->arg.mem.region[0].guest_phys_addr == 0);
	assert_true(c->arg.mem.region[0].memory_size == FAKE_RAM_BYTES);
	assert_true(c->arg.mem.region[0].userspace_addr == hva(f, 0));
	assert_null(nth(VHOST_VSOCK_SET_RUNNING, 0));
}

static void a_reserved_cid_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(make(f, 2, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(make(f, UINT32_MAX, &err), -EINVAL);
	assert_int_equal(kernel.n, 0);
}

static void a_cid_in_use_is_named(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	kernel.fail_req = VHOST_VSOCK_SET_GUEST_CID;
	kernel.fail_code = -EADDRINUSE;
	assert_int_equal(make(f, CID, &err), -EADDRINUSE);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.msg, "42"));
}

static void every_refusal_of_the_kernel_is_reported(void **state)
{
	const unsigned long reqs[] = {VHOST_SET_OWNER, VHOST_GET_FEATURES,
				      VHOST_VSOCK_SET_GUEST_CID,
				      VHOST_SET_MEM_TABLE};
	struct fixture *f = *state;

	kernel.fail_code = -EBUSY;
	for (size_t i = 0; i < ARRAY_SIZE(reqs); i++) {
		struct err err = {0};

		kernel.fail_req = reqs[i];
		assert_int_equal(make(f, CID, &err), -EBUSY);
		assert_non_null(strstr(err.msg, "vhost-vsock"));
		assert_int_equal(err.kind, ERR_HOST);
	}
}

static void a_kernel_without_a_ring_feature_is_not_used(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	kernel.features = ~BIT64(VIRTIO_F_EVENT_IDX);
	assert_int_equal(make(f, CID, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "path=SOCKET"));
}

/* --- running ----------------------------------------------------------------
 */

static void activating_hands_both_queues_over(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, CID, NULL), 0);
	kernel.n = 0;
	f->dev->ops->activate(f->dev);
	assert_int_equal(f->needs_reset, 0);
	/* the kernel is not told to ask for every address */
	assert_true(
		nth(VHOST_SET_FEATURES, 0)->arg.u64 ==
		(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_INDIRECT_DESC)));
	for (unsigned int i = 0; i < 2; i++) {
		const struct vhost_vring_addr *a =
			&nth(VHOST_SET_VRING_ADDR, i)->arg.addr;

		assert_int_equal(a->index, i);
		assert_true(a->desc_user_addr == hva(f, f->layout.desc));
		assert_true(a->avail_user_addr == hva(f, f->layout.driver));
		assert_true(a->used_user_addr == hva(f, f->layout.device));
		assert_int_equal(nth(VHOST_SET_VRING_NUM, i)->arg.state.num,
				 SIZE);
		assert_int_equal(nth(VHOST_SET_VRING_BASE, i)->arg.state.num,
				 0);
		assert_int_equal(nth(VHOST_SET_VRING_KICK, i)->arg.file.fd,
				 f->kick);
		assert_int_equal(nth(VHOST_SET_VRING_CALL, i)->arg.file.fd,
				 i ? -1 : f->call);
		assert_int_equal(nth(VHOST_SET_VRING_CALL, i)->arg.file.index,
				 i);
	}
	assert_int_equal(kernel.calls[kernel.n - 1].req,
			 VHOST_VSOCK_SET_RUNNING);
	assert_int_equal(kernel.calls[kernel.n - 1].arg.number, 1);
}

static void a_reset_stops_the_kernel_and_takes_the_eventfds_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, CID, NULL), 0);
	f->dev->ops->activate(f->dev);
	kernel.n = 0;
	f->dev->ops->reset(f->dev);
	assert_int_equal(kernel.calls[0].req, VHOST_VSOCK_SET_RUNNING);
	assert_int_equal(kernel.calls[0].arg.number, 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(nth(VHOST_SET_VRING_KICK, i)->arg.file.fd, -1);
		assert_int_equal(nth(VHOST_SET_VRING_CALL, i)->arg.file.fd, -1);
	}
	assert_int_equal(f->resets_done, 1);
	f->dev->ops->activate(f->dev); /* and once more */
	assert_int_equal(f->needs_reset, 0);
}

static void a_start_that_fails_is_undone_and_reported(void **state)
{
	const unsigned long reqs[] = {
		VHOST_SET_FEATURES,   VHOST_SET_VRING_NUM,
		VHOST_SET_VRING_BASE, VHOST_SET_VRING_ADDR,
		VHOST_SET_VRING_CALL, VHOST_SET_VRING_KICK};
	struct fixture *f = *state;

	assert_int_equal(make(f, CID, NULL), 0);
	kernel.fail_code = -EFAULT;
	for (unsigned int i = 0; i < ARRAY_SIZE(reqs); i++) {
		kernel.n = 0;
		kernel.fail_req = reqs[i];
		f->dev->ops->activate(f->dev);
		assert_int_equal(f->needs_reset, i + 1);
		/* never started, and stopped to be sure */
		assert_int_equal(nth(VHOST_VSOCK_SET_RUNNING, 0)->arg.number,
				 0);
		assert_null(nth(VHOST_VSOCK_SET_RUNNING, 1));
	}
}

static void a_queue_the_driver_left_out_is_its_fault(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, CID, NULL), 0);
	f->hand_over = -EINVAL;
	f->dev->ops->activate(f->dev);
	assert_int_equal(f->needs_reset, 1);
	f->hand_over = 0;
	f->host.ops = &poor_ops; /* a transport that cannot */
	f->dev->ops->activate(f->dev);
	assert_int_equal(f->needs_reset, 2);
}

static void rings_outside_of_memory_are_not_given_to_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct virtq_layout good = f->layout;

	assert_int_equal(make(f, CID, NULL), 0);
	kernel.n = 0;
	f->layout.desc = FAKE_RAM_BYTES - 16;
	f->dev->ops->activate(f->dev);
	f->layout = good;
	f->layout.driver = FAKE_RAM_BYTES;
	f->dev->ops->activate(f->dev);
	f->layout = good;
	f->layout.device = UINT64_MAX - 3;
	f->dev->ops->activate(f->dev);
	assert_int_equal(f->needs_reset, 3);
	assert_null(nth(VHOST_SET_VRING_ADDR, 0));
}

static void the_configuration_is_the_cid(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[8];

	assert_int_equal(make(f, CID, NULL), 0);
	f->dev->ops->config_read(f->dev, 0, buf, 8);
	assert_true(load_le64(buf) == CID);
	f->dev->ops->config_read(f->dev, 6, buf, 2);
	assert_int_equal(load_le16(buf), 0);
	assert_int_equal(f->dev->ops->kick(f->dev, VSOCK_EVENTQ), 0);
}

static void without_a_fake_the_kernel_itself_is_asked(void **state)
{
	struct fixture *f = *state;
	struct vsock_vhost_params p = {
		.name = "vsock0",
		.guest_cid = CID,
		.thread = f->thread,
		.vhost_fd = f->kick, /* an eventfd knows no such request */
		.mem = fake_ram_mem(f->ram),
		.view = fake_ram_view(f->ram),
	};

	assert_int_equal(vsock_vhost_create(&p, &f->v, NULL), -ENOTTY);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_kernel_learns_owner_cid_and_memory),
		CASE(a_reserved_cid_is_refused),
		CASE(a_cid_in_use_is_named),
		CASE(every_refusal_of_the_kernel_is_reported),
		CASE(a_kernel_without_a_ring_feature_is_not_used),
		CASE(activating_hands_both_queues_over),
		CASE(a_reset_stops_the_kernel_and_takes_the_eventfds_back),
		CASE(a_start_that_fails_is_undone_and_reported),
		CASE(a_queue_the_driver_left_out_is_its_fault),
		CASE(rings_outside_of_memory_are_not_given_to_the_kernel),
		CASE(the_configuration_is_the_cid),
		CASE(without_a_fake_the_kernel_itself_is_asked),
	};

	return cmocka_run_group_tests_name("vsock_vhost", tests, NULL, NULL);
}
