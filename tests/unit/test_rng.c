/* tests/unit/test_rng.c - random bytes, at a rate told by a clock of ours. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/rng.h"
#include "tests/fake/fake_driver.h"
#include "vmm/base/err.h"
#include "vmm/base/io_thread.h"

enum { RATE = 1000, BURST = 2 * RNG_REQUEST_MAX };
#define MS UINT64_C(1000000)

struct fixture {
	struct io_thread *thread;
	struct rng *r;
	struct fake_driver *d;
	uint64_t now_ns;
	unsigned int fills;
	uint64_t waits_before;
	int failure;
};

static uint64_t now_ns(void *arg)
{
	return ((struct fixture *)arg)->now_ns;
}

static int fill(void *arg, void *buf, size_t len)
{
	struct fixture *f = arg;

	assert_true(len && len <= RNG_REQUEST_MAX);
	if (f->failure)
		return f->failure;
	memset(buf, (int)++f->fills, len);
	return 0;
}

static const struct rng_source_ops source = {.now_ns = now_ns, .fill = fill};

static int build(void **state, const struct rng_source_ops *s)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct rng_params p = {
		.name = "rng0", .rate = RATE, .burst = BURST, .source = s};

	assert_non_null(f);
	f->now_ns = 5000 * MS;
	assert_int_equal(io_thread_create("rng", &f->thread, NULL), 0);
	p.thread = f->thread;
	p.source_arg = f;
	assert_int_equal(rng_create(&p, &f->r, NULL), 0);
	f->d = fake_driver_create(rng_virtio_dev(f->r), NULL);
	fake_driver_activate(f->d);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return build(state, &source);
}

static int setup_kernel(void **state)
{
	return build(state, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_driver_destroy(f->d);
	rng_destroy(f->r);
	io_thread_destroy(f->thread);
	free(f);
	return 0;
}

static struct rng_counters counted(struct fixture *f)
{
	struct rng_counters c;

	rng_counters(f->r, &c);
	return c;
}

static void ask(struct fixture *f, size_t len)
{
	assert_true(fake_driver_offer(f->d, 0, NULL, 0, len) >= 0);
	assert_int_equal(fake_driver_kick(f->d, 0), 0);
}

static bool is_answered(struct fixture *f)
{
	return fake_ring_n_used(fake_driver_ring(f->d, 0));
}

static uint32_t take(struct fixture *f, uint8_t *buf, size_t cap)
{
	struct fake_used u;

	assert_true(fake_driver_take(f->d, 0, &u, buf, cap));
	return u.written;
}

static void a_request_is_filled(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[64] = {0}, want[64];

	memset(want, 1, sizeof(want));
	ask(f, 64);
	assert_int_equal(take(f, buf, sizeof(buf)), 64);
	assert_memory_equal(buf, want, 64);
	assert_int_equal(counted(f).requests, 1);
	assert_int_equal(counted(f).bytes, 64);
}

static void a_large_request_gets_a_part(void **state)
{
	struct fixture *f = *state;
	uint8_t *buf = calloc(1, 1 << 20);

	assert_non_null(buf);
	ask(f, 1 << 20);
	assert_int_equal(take(f, buf, 1 << 20), RNG_REQUEST_MAX);
	assert_int_equal(buf[RNG_REQUEST_MAX - 1], 1);
	assert_int_equal(buf[RNG_REQUEST_MAX], 0);
	free(buf);
}

/* Has the timer found that it is still too early? */
static bool has_waited_again(void *arg)
{
	struct fixture *f = arg;

	return counted(f).waits > f->waits_before;
}

static void wait_in_vain(struct fixture *f)
{
	f->waits_before = counted(f).waits;
	assert_true(fake_driver_pump(f->d, has_waited_again, f));
}

static void after_the_burst_requests_wait_for_their_time(void **state)
{
	struct fixture *f = *state;

	ask(f, RNG_REQUEST_MAX);
	ask(f, RNG_REQUEST_MAX);
	ask(f, 500);
	ask(f, 500);
	take(f, NULL, 0);
	take(f, NULL, 0);
	assert_false(is_answered(f));
	assert_int_equal(counted(f).waits, 1);
	f->now_ns += 499 * MS; /* at 1000 bytes a second: one too few */
	wait_in_vain(f);
	assert_false(is_answered(f));
}

static void a_request_that_waited_is_answered(void **state)
{
	struct fixture *f = *state;

	ask(f, RNG_REQUEST_MAX);
	ask(f, RNG_REQUEST_MAX);
	take(f, NULL, 0);
	take(f, NULL, 0);
	ask(f, 5);
	assert_false(is_answered(f));
	f->now_ns += 5 * MS;
	assert_true(fake_driver_wait(f->d, 0));
	assert_int_equal(take(f, NULL, 0), 5);
	assert_int_equal(counted(f).bytes, BURST + 5);
}

static void the_bucket_holds_no_more_than_the_burst(void **state)
{
	struct fixture *f = *state;

	static const uint64_t pauses[] = {1500 * MS, UINT64_C(3600000) * MS};

	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		f->now_ns += pauses[i];
		for (int j = 0; j < 3; j++)
			ask(f, RNG_REQUEST_MAX);
		take(f, NULL, 0);
		take(f, NULL, 0);
		assert_false(is_answered(f));
		assert_true(fake_driver_reset(f->d));
		fake_driver_activate(f->d);
	}
}

static void short_moments_add_up(void **state)
{
	struct fixture *f = *state;

	ask(f, RNG_REQUEST_MAX);
	ask(f, RNG_REQUEST_MAX);
	take(f, NULL, 0);
	take(f, NULL, 0);
	/* each is worth a tenth of a byte */
	ask(f, 1);
	for (int i = 0; i < 9; i++) {
		f->now_ns += MS / 10;
		wait_in_vain(f);
	}
	f->now_ns += MS / 10;
	assert_true(fake_driver_wait(f->d, 0));
	assert_int_equal(take(f, NULL, 0), 1);
}

static void a_source_that_fails_is_asked_again(void **state)
{
	struct fixture *f = *state;

	f->failure = -EAGAIN;
	ask(f, 16);
	assert_false(is_answered(f));
	f->failure = 0;
	assert_true(fake_driver_wait(f->d, 0));
	assert_int_equal(take(f, NULL, 0), 16);
}

static void bad_chains_come_back_empty(void **state)
{
	struct fake_buf nothing = FAKE_IN(0);
	struct fixture *f = *state;

	fake_driver_offer(f->d, 0, "readable", 8, 16);
	fake_driver_offer(f->d, 0, "readable", 8, 0);
	fake_driver_add(f->d, 0, &nothing, 1, false);
	ask(f, 16);
	assert_int_equal(take(f, NULL, 0), 0);
	assert_int_equal(take(f, NULL, 0), 0);
	assert_int_equal(take(f, NULL, 0), 0);
	assert_int_equal(take(f, NULL, 0), 16);
	assert_int_equal(counted(f).bad_chains, 3);
}

static void a_ring_full_of_bad_chains_does_not_hold_the_thread(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 50; i++)
		fake_driver_offer(f->d, 0, "x", 1, 0);
	assert_int_equal(fake_driver_kick(f->d, 0), 0);
	assert_true(counted(f).bad_chains < 50);
	assert_true(fake_driver_wait_n(f->d, 0, 50));
}

static void a_broken_ring_needs_a_reset(void **state)
{
	struct fixture *f = *state;

	fake_ring_publish(fake_driver_ring(f->d, 0), 0xffff);
	assert_int_equal(fake_driver_kick(f->d, 0), -EPROTO);
	assert_true(fake_driver_reset(f->d));
	fake_driver_activate(f->d);
	ask(f, 16);
	assert_int_equal(take(f, NULL, 0), 16);
}

static bool is_broken(void *arg)
{
	return ((struct fake_virtio_host *)arg)->needs_reset;
}

static void a_ring_that_breaks_while_waiting_needs_a_reset(void **state)
{
	struct fixture *f = *state;

	f->failure = -EAGAIN;
	ask(f, 16);
	fake_ring_publish(fake_driver_ring(f->d, 0), 0xffff);
	f->failure = 0;
	assert_true(fake_driver_pump(f->d, is_broken, fake_driver_host(f->d)));
}

static void a_reset_forgets_the_request_that_waits(void **state)
{
	struct fixture *f = *state;

	f->failure = -EAGAIN;
	ask(f, 16);
	assert_true(fake_driver_reset(f->d));
	f->failure = 0;
	fake_driver_activate(f->d);
	assert_false(is_answered(f));
	ask(f, 8);
	assert_int_equal(take(f, NULL, 0), 8);
	assert_int_equal(f->fills, 1);
}

static void a_reset_queue_forgets_it_too(void **state)
{
	struct fixture *f = *state;

	f->failure = -EAGAIN;
	ask(f, 16);
	assert_true(fake_driver_queue_reset(f->d, 0));
	f->failure = 0;
	fake_driver_queue_enable(f->d, 0);
	ask(f, 8);
	assert_int_equal(take(f, NULL, 0), 8);
}

static void the_kernel_gives_different_bytes(void **state)
{
	struct fixture *f = *state;
	uint8_t a[64] = {0}, b[64] = {0};

	ask(f, 64);
	ask(f, 64);
	assert_int_equal(take(f, a, sizeof(a)), 64);
	assert_int_equal(take(f, b, sizeof(b)), 64);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void a_burst_below_one_request_is_refused(void **state)
{
	struct rng_params p = {.name = "rng0", .burst = RNG_REQUEST_MAX - 1};
	struct rng *r = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(rng_create(&p, &r, &err), -EINVAL);
	assert_null(r);
	assert_non_null(strstr(err.msg, "1023"));
}

int main(void)
{
#define CASE(fn, s) cmocka_unit_test_setup_teardown(fn, s, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_request_is_filled, setup),
		CASE(a_large_request_gets_a_part, setup),
		CASE(after_the_burst_requests_wait_for_their_time, setup),
		CASE(a_request_that_waited_is_answered, setup),
		CASE(the_bucket_holds_no_more_than_the_burst, setup),
		CASE(short_moments_add_up, setup),
		CASE(a_source_that_fails_is_asked_again, setup),
		CASE(bad_chains_come_back_empty, setup),
		CASE(a_ring_full_of_bad_chains_does_not_hold_the_thread, setup),
		CASE(a_broken_ring_needs_a_reset, setup),
		CASE(a_ring_that_breaks_while_waiting_needs_a_reset, setup),
		CASE(a_reset_forgets_the_request_that_waits, setup),
		CASE(a_reset_queue_forgets_it_too, setup),
		CASE(the_kernel_gives_different_bytes, setup_kernel),
		cmocka_unit_test(a_burst_below_one_request_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
