/* tests/unit/test_scsi_engine.c - both engines on real files. */
#include "tests/unit/scsi_engine_fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* cmocka cannot skip in a setup function: each case builds its own. */
#define BOTH(body)                                                             \
	static void body##_uring(void **state)                                 \
	{                                                                      \
		build(state, SCSI_ENGINE_URING, 0);                            \
		body(*state);                                                  \
		teardown(state);                                               \
	}                                                                      \
	static void body##_threads(void **state)                               \
	{                                                                      \
		build(state, SCSI_ENGINE_THREADS, 0);                          \
		body(*state);                                                  \
		teardown(state);                                               \
	}

static void data_goes_to_its_file_and_comes_back(struct fixture *f)
{
	static uint8_t in[FILES][8 * BS], out[FILES][8 * BS];
	struct request r[FILES];

	for (unsigned int i = 0; i < FILES; i++) {
		fill(out[i], sizeof(out[i]), i);
		submit(f, i, &r[i], SCSI_IO_WRITE, 3 * BS * i, out[i],
		       sizeof(out[i]));
		r[i].io.fua = i == 1;
	}
	finish(f, r, FILES);
	for (unsigned int i = 0; i < FILES; i++) {
		assert_int_equal(r[i].result, 0);
		assert_int_equal(
			pread(f->files[i].fd, in[i], sizeof(in[i]), 3 * BS * i),
			sizeof(in[i]));
		assert_memory_equal(in[i], out[i], sizeof(in[i]));
		memset(in[i], 0, sizeof(in[i]));
		submit(f, i, &r[i], SCSI_IO_READ, 3 * BS * i, in[i],
		       sizeof(in[i]));
	}
	finish(f, r, FILES);
	for (unsigned int i = 0; i < FILES; i++)
		assert_memory_equal(in[i], out[i], sizeof(in[i]));
}
BOTH(data_goes_to_its_file_and_comes_back)

static void flush_discard_and_zero_work(struct fixture *f)
{
	static uint8_t b[64 * BS], zero[64 * BS];
	int r;

	memset(b, 0xff, sizeof(b));
	assert_int_equal(one(f, 0, SCSI_IO_WRITE, 0, b, sizeof(b)), 0);
	assert_int_equal(one(f, 0, SCSI_IO_FLUSH, 0, NULL, 0), 0);
	r = one(f, 0, SCSI_IO_DISCARD, BS, NULL, 16 * BS);
	assert_true(!r || r == -EOPNOTSUPP);
	assert_int_equal(pread(f->files[0].fd, b, sizeof(b), 0), sizeof(b));
	assert_int_equal(b[BS - 1], 0xff);
	assert_int_equal(b[17 * BS], 0xff);
	if (!r)
		assert_memory_equal(b + BS, zero, 16 * BS);
	r = one(f, 0, SCSI_IO_ZERO, 32 * BS, NULL, BS);
	assert_true(!r || r == -EOPNOTSUPP); /* tmpfs cannot */
	assert_int_equal(pread(f->files[0].fd, b, sizeof(b), 0), sizeof(b));
	assert_int_equal(b[33 * BS], 0xff);
	if (!r)
		assert_memory_equal(b + 32 * BS, zero, BS);
	/* the size is as it was */
	assert_int_equal(one(f, 0, SCSI_IO_READ, BYTES - BS, b, BS), 0);
}
BOTH(flush_discard_and_zero_work)

enum { MANY = 1000 };

static void any_number_of_requests_may_be_submitted(struct fixture *f)
{
	static struct request r[MANY];
	static uint8_t b[MANY][BS];

	for (unsigned int i = 0; i < MANY; i++) {
		fill(b[i], BS, i);
		submit(f, i % FILES, &r[i], SCSI_IO_WRITE, i / FILES * BS, b[i],
		       BS);
	}
	finish(f, r, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		submit(f, i % FILES, &r[i],
		       i % 10 ? SCSI_IO_READ : SCSI_IO_FLUSH, i / FILES * BS,
		       memset(b[i], 0, BS), BS);
	finish(f, r, MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		uint8_t want[BS];

		assert_int_equal(r[i].result, 0);
		fill(want, BS, i);
		if (i % 10)
			assert_memory_equal(b[i], want, BS);
	}
}
BOTH(any_number_of_requests_may_be_submitted)

static void a_file_that_became_shorter_is_an_io_error(struct fixture *f)
{
	uint8_t b[4 * BS];

	assert_int_equal(ftruncate(f->files[0].fd, 10 * BS), 0);
	assert_int_equal(one(f, 0, SCSI_IO_READ, 8 * BS, b, 4 * BS), -EIO);
	assert_int_equal(one(f, 0, SCSI_IO_READ, 20 * BS, b, BS), -EIO);
	assert_int_equal(one(f, 0, SCSI_IO_READ, 6 * BS, b, 4 * BS), 0);
}
BOTH(a_file_that_became_shorter_is_an_io_error)

/* A limit on the size cuts a write short: the rest is tried, and refused. */
static void a_short_transfer_is_continued(struct fixture *f)
{
	struct rlimit old, limit;
	uint8_t b[8 * BS], in[4 * BS];
	int r;

	fill(b, sizeof(b), 1);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){BYTES - 3 * BS, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = one(f, 0, SCSI_IO_WRITE, BYTES - 7 * BS, b, sizeof(b));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(pread(f->files[0].fd, in, sizeof(in), BYTES - 7 * BS),
			 sizeof(in));
	assert_memory_equal(in, b, sizeof(in));
}
BOTH(a_short_transfer_is_continued)

static void an_error_is_for_its_request_alone(struct fixture *f)
{
	uint8_t b[2][BS];
	struct request r[3];

	submit(f, 0, &r[0], SCSI_IO_READ, 0, b[0], BS);
	submit(f, 0, &r[1], SCSI_IO_READ, UINT64_C(1) << 63, b[0], BS);
	submit(f, 0, &r[2], SCSI_IO_READ, 0, b[1], BS);
	finish(f, r, 3);
	assert_int_equal(r[0].result, 0);
	assert_true(r[1].result < 0);
	assert_int_equal(r[2].result, 0);
}
BOTH(an_error_is_for_its_request_alone)

/* done() may submit the next step; it starts without another commit(). */
struct chain {
	struct request r;
	struct fixture *f;
	unsigned int left;
	uint8_t b[BS];
};

static void chain_next(struct scsi_io *io, int result)
{
	struct chain *c = container_of(io, struct chain, r.io);

	assert_int_equal(result, 0);
	if (!--c->left)
		return;
	submit(c->f, 0, &c->r, c->left % 3 ? SCSI_IO_WRITE : SCSI_IO_FLUSH,
	       c->left * BS, c->b, BS);
	c->r.io.done = chain_next;
}

static void a_completion_may_submit(struct fixture *f)
{
	struct chain c = {.f = f, .left = 50};
	uint64_t end = now_ms() + WAIT_MS;

	submit(f, 0, &c.r, SCSI_IO_READ, 0, c.b, BS);
	c.r.io.done = chain_next;
	f->e->ops->commit(f->e);
	while (c.left && now_ms() < end)
		loop_step(f->loop, 100);
	assert_int_equal(c.left, 0);
}
BOTH(a_completion_may_submit)

static void it_may_end_with_requests_in_flight(struct fixture *f)
{
	static struct request r[128];
	static uint8_t b[128][BS];

	for (unsigned int i = 0; i < 64; i++)
		submit(f, i % FILES, &r[i],
		       i % 2 ? SCSI_IO_READ : SCSI_IO_FLUSH, 0, b[i], BS);
	f->e->ops->commit(f->e);
	for (unsigned int i = 64; i < 128; i++) /* these are not committed */
		submit(f, i % FILES, &r[i], SCSI_IO_WRITE, 0, b[i], BS);
}
BOTH(it_may_end_with_requests_in_flight)

static void direct_io_takes_any_address(void **state)
{
	static const enum scsi_engine_kind kinds[] = {SCSI_ENGINE_AUTO,
						      SCSI_ENGINE_THREADS};
	static uint8_t out[300 * BS + 1], in[300 * BS + 1];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct fixture *f;

		build(state, kinds[i], O_DIRECT);
		f = *state;
		assert_true(f->files[0].direct);
		fill(out + 1, 300 * BS, 4);
		assert_int_equal(
			one(f, 0, SCSI_IO_WRITE, 3 * BS, out + 1, 300 * BS), 0);
		assert_int_equal(
			one(f, 0, SCSI_IO_READ, 3 * BS, in + 1, 300 * BS), 0);
		assert_memory_equal(in + 1, out + 1, 300 * BS);
		teardown(state);
	}
}

#define TEST_BOTH(fn)                                                          \
	cmocka_unit_test(fn##_uring), cmocka_unit_test(fn##_threads)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(data_goes_to_its_file_and_comes_back),
		TEST_BOTH(flush_discard_and_zero_work),
		TEST_BOTH(any_number_of_requests_may_be_submitted),
		TEST_BOTH(a_file_that_became_shorter_is_an_io_error),
		TEST_BOTH(a_short_transfer_is_continued),
		TEST_BOTH(an_error_is_for_its_request_alone),
		TEST_BOTH(a_completion_may_submit),
		TEST_BOTH(it_may_end_with_requests_in_flight),
		cmocka_unit_test(direct_io_takes_any_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
