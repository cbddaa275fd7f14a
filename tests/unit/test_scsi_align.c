/* tests/unit/test_scsi_align.c - misaligned requests over an aligned file. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/scsi_align.h"
#include "devices/virtio/scsi_file.h"
#include "tests/fake/fake_scsi.h"
#include "vmm/base/own.h"

#define BS UINT64_C(512)    /* the guest's blocks */
#define UNIT UINT64_C(4096) /* the file's */
#define BYTES UINT64_C(0x100000)

struct fixture {
	struct fake_scsi *fake;
	struct scsi_align *align;
	struct scsi_backend *b;
};

/* A request with memory at address 8 (mod 4096) if @odd. */
struct request {
	struct scsi_io io;
	struct iovec iov[3];
	uint8_t *mem, *p;
	uint64_t off, len;
	int result;
	unsigned int done;
};

static int build(void **state, uint32_t mem_align, uint32_t off_align)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct scsi_file file = {
		.block_size = BS,
		.direct = true,
		.mem_align = mem_align,
		.off_align = off_align,
	};

	assert_non_null(f);
	f->fake = fake_scsi_create(BYTES);
	f->fake->mem_align = mem_align;
	f->fake->off_align = off_align;
	f->fake->hold = true;
	assert_true(scsi_align_needed(&file));
	assert_int_equal(scsi_align_create(&file, fake_scsi_backend(f->fake, 0),
					   &f->align, NULL),
			 0);
	f->b = scsi_align_backend(f->align);
	*state = f;
	return 0;
}

/* A 4Kn disk under a file system, and one with blocks like the guest's. */
static int setup_4k(void **state)
{
	return build(state, 512, UNIT);
}

static int setup_512(void **state)
{
	return build(state, 512, 512);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->fake->n_pending, 0);
	scsi_align_destroy(f->align);
	fake_scsi_destroy(f->fake);
	free(f);
	return 0;
}

static void done(struct scsi_io *io, int result)
{
	struct request *r = container_of(io, struct request, io);

	r->done++;
	r->result = result;
}

static void make(struct request *r, enum scsi_io_op op, uint64_t off,
		 uint64_t len, bool odd)
{
	memset(r, 0, sizeof(*r));
	r->off = off;
	r->len = len;
	if (op == SCSI_IO_READ || op == SCSI_IO_WRITE) {
		size_t third = (size_t)len / 3 / BS * BS;

		r->mem = aligned_alloc(UNIT, (size_t)(len + 2 * UNIT - 1) /
						     UNIT * UNIT);
		assert_non_null(r->mem);
		r->p = r->mem + (odd ? 8 : 0);
		r->iov[0] = (struct iovec){r->p, third};
		r->iov[1] = (struct iovec){r->p + third, third};
		r->iov[2] = (struct iovec){r->p + 2 * third,
					   (size_t)len - 2 * third};
	}
	r->io = (struct scsi_io){
		.op = op,
		.off = off,
		.len = len,
		.iov = r->iov,
		.n_iov = 3,
		.done = done,
	};
}

static void start(struct fixture *f, struct request *r)
{
	f->b->ops->submit(f->b, &r->io);
}

static void fill(uint8_t *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 13 + i / BS * 5 + seed);
}

static void what_is_aligned_passes_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct request w, r;

	make(&w, SCSI_IO_WRITE, UNIT, 3 * UNIT, false);
	for (unsigned int i = 0; i < 3; i++)
		w.iov[i] = (struct iovec){w.p + i * UNIT, UNIT};
	fill(w.p, 3 * UNIT, 1);
	w.io.fua = true;
	start(f, &w);
	assert_int_equal(f->fake->last.n_iov, 3);
	assert_true(f->fake->last.fua);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(w.done, 1);
	make(&r, SCSI_IO_READ, UNIT, UNIT, false);
	r.iov[0] = (struct iovec){r.p, UNIT};
	r.io.n_iov = 1;
	start(f, &r);
	fake_scsi_finish(f->fake, 0, 0);
	assert_memory_equal(r.p, w.p, UNIT);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 1);
	free(w.mem);
	free(r.mem);
	make(&r, SCSI_IO_FLUSH, 0, 0, false);
	start(f, &r);
	fake_scsi_finish(f->fake, 0, -EIO);
	assert_int_equal(r.result, -EIO);
}

static void a_misaligned_address_is_copied(void **state)
{
	struct fixture *f = *state;
	struct request w, r;

	/* more than one buffer full */
	make(&w, SCSI_IO_WRITE, 8 * UNIT, 80 * UNIT, true);
	fill(w.p, 80 * UNIT, 3);
	w.io.fua = true;
	start(f, &w);
	assert_true(f->fake->last.fua);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.result, 0);
	assert_memory_equal(f->fake->data[0] + 8 * UNIT, w.p, 80 * UNIT);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 0);
	make(&r, SCSI_IO_READ, 8 * UNIT, 80 * UNIT, true);
	start(f, &r);
	fake_scsi_finish_all(f->fake);
	assert_memory_equal(r.p, w.p, 80 * UNIT);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 3);
	free(w.mem);
	free(r.mem);
}

static void part_of_a_unit_is_read_around(void **state)
{
	struct fixture *f = *state;
	struct request r;

	fill(f->fake->data[0], BYTES, 7);
	make(&r, SCSI_IO_READ, UNIT - BS, 2 * BS, false);
	start(f, &r);
	assert_int_equal(f->fake->last.off, 0);
	assert_int_equal(f->fake->last.len, 2 * UNIT);
	fake_scsi_finish_all(f->fake);
	assert_memory_equal(r.p, f->fake->data[0] + UNIT - BS, 2 * BS);
	free(r.mem);
}

static void part_of_a_unit_is_written_around(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) uint8_t *model = malloc(BYTES);
	struct request w;

	assert_non_null(model);
	fill(f->fake->data[0], BYTES, 7);
	memcpy(model, f->fake->data[0], BYTES);
	make(&w, SCSI_IO_WRITE, UNIT - BS, 40 * UNIT, true);
	fill(w.p, 40 * UNIT, 99);
	memcpy(model + w.off, w.p, 40 * UNIT);
	start(f, &w);
	assert_int_equal(f->fake->last.op, SCSI_IO_READ);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(w.result, 0);
	assert_memory_equal(f->fake->data[0], model, BYTES);
	free(w.mem);
}

static void an_error_in_any_step_ends_the_request(void **state)
{
	struct fixture *f = *state;
	struct request w;

	for (unsigned int step = 0; step < 4; step++) {
		make(&w, SCSI_IO_WRITE, BS, 40 * UNIT, true);
		memset(w.p, 0, 40 * UNIT);
		start(f, &w);
		for (unsigned int i = 0; i < step; i++)
			fake_scsi_finish(f->fake, 0, 0);
		fake_scsi_finish(f->fake, 0, -EIO);
		assert_int_equal(w.done, 1);
		assert_int_equal(w.result, -EIO);
		assert_int_equal(f->fake->n_pending, 0);
		free(w.mem);
	}
}

/* Read, change, write back: whoever writes in between would be undone. */
static void a_partial_write_is_alone(void **state)
{
	struct fixture *f = *state;
	struct request whole, part, zero, read;

	make(&whole, SCSI_IO_WRITE, 0, UNIT, true);
	memset(whole.p, 1, UNIT);
	make(&part, SCSI_IO_WRITE, 0, BS, false);
	memset(part.p, 2, BS);
	make(&zero, SCSI_IO_ZERO, BS, BS, false);
	make(&read, SCSI_IO_READ, 0, UNIT, true);
	start(f, &whole);
	start(f, &part); /* waits for the first */
	start(f, &zero); /* waits behind it */
	start(f, &read); /* waits for nobody */
	assert_int_equal(f->fake->n_pending, 2);
	fake_scsi_finish(f->fake, 1, 0);
	assert_int_equal(read.done, 1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(whole.done, 1);
	assert_int_equal(f->fake->n_pending, 1); /* the read of the part */
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(f->fake->n_pending, 1); /* its write */
	assert_int_equal(zero.done, 0);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(part.done, 1);
	assert_int_equal(f->fake->last.op, SCSI_IO_ZERO);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(zero.done, 1);
	assert_int_equal(f->fake->data[0][0], 2);
	assert_int_equal(f->fake->data[0][BS], 0);
	assert_int_equal(f->fake->data[0][2 * BS], 1);
	free(whole.mem);
	free(part.mem);
	free(read.mem);
}

static void buffers_are_few_and_everybody_gets_one(void **state)
{
	struct fixture *f = *state;
	struct request r[12];

	fill(f->fake->data[0], BYTES, 1);
	for (unsigned int i = 0; i < 12; i++) {
		make(&r[i], SCSI_IO_READ, i * UNIT, UNIT, true);
		start(f, &r[i]);
	}
	assert_int_equal(f->fake->n_pending, SCSI_ALIGN_BUFFERS);
	fake_scsi_finish_all(f->fake);
	for (unsigned int i = 0; i < 12; i++) {
		assert_int_equal(r[i].done, 1);
		assert_memory_equal(r[i].p, f->fake->data[0] + i * UNIT, UNIT);
		free(r[i].mem);
	}
}

/* --- at random ------------------------------------------------------------ */

enum { IN_FLIGHT = 16, ROUNDS = 400, SLICE = BYTES / BS / IN_FLIGHT };

static uint32_t next(uint32_t *s)
{
	*s = *s * 1664525 + 1013904223;
	return *s >> 8;
}

static bool all_done(const struct request *r)
{
	for (unsigned int i = 0; i < IN_FLIGHT; i++)
		if (!r[i].done)
			return false;
	return true;
}

/*
 * Requests that share units but no blocks, all in flight, completed in any
 * order: each must read what was there before, and the file must be what the
 * writes make of it.
 */
static void requests_beside_each_other_do_not_disturb_each_other(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) uint8_t *model = calloc(1, BYTES);
	struct request r[IN_FLIGHT];
	uint32_t seed = 1;

	assert_non_null(model);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		uint64_t block = next(&seed) % 8;

		for (unsigned int i = 0; i < IN_FLIGHT; i++) {
			static const enum scsi_io_op ops[] = {
				SCSI_IO_WRITE, SCSI_IO_WRITE, SCSI_IO_READ,
				SCSI_IO_DISCARD};
			enum scsi_io_op op = ops[next(&seed) % 4];
			uint64_t n = 1 + next(&seed) % 40;

			make(&r[i], op, block * BS, n * BS, next(&seed) & 1);
			block += n;
			if (r[i].mem)
				fill(r[i].p, n * BS, next(&seed));
			start(f, &r[i]);
		}
		while (f->fake->n_pending)
			fake_scsi_finish(f->fake,
					 next(&seed) % f->fake->n_pending, 0);
		assert_true(all_done(r));
		for (unsigned int i = 0; i < IN_FLIGHT; i++) {
			uint8_t *m = model + r[i].off;

			if (r[i].io.op == SCSI_IO_READ)
				assert_memory_equal(r[i].p, m, r[i].len);
			else if (r[i].io.op == SCSI_IO_WRITE)
				memcpy(m, r[i].p, r[i].len);
			else
				memset(m, 0, r[i].len);
			free(r[i].mem);
		}
		assert_memory_equal(f->fake->data[0], model, BYTES);
	}
}

#define TEST_4K(fn) cmocka_unit_test_setup_teardown(fn, setup_4k, teardown)
#define TEST_512(fn) cmocka_unit_test_setup_teardown(fn, setup_512, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_4K(what_is_aligned_passes_as_it_is),
		TEST_4K(a_misaligned_address_is_copied),
		TEST_512(a_misaligned_address_is_copied),
		TEST_4K(part_of_a_unit_is_read_around),
		TEST_4K(part_of_a_unit_is_written_around),
		TEST_4K(an_error_in_any_step_ends_the_request),
		TEST_4K(a_partial_write_is_alone),
		TEST_512(buffers_are_few_and_everybody_gets_one),
		TEST_4K(requests_beside_each_other_do_not_disturb_each_other),
		TEST_512(requests_beside_each_other_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
