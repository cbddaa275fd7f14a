/* tests/unit/scsi_disk_fixture.h - one disk over a fake backend, one command at
 * a time. */
#ifndef TESTS_UNIT_SCSI_DISK_FIXTURE_H
#define TESTS_UNIT_SCSI_DISK_FIXTURE_H

#include "tests/unit/unit.h"

#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/virtq.h"
#include "tests/fake/fake_scsi.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum { BLOCKS = 8192, DATA_MAX = 2 << 20 };
#define BS UINT64_C(512) /* bytes per block */

struct fixture {
	struct fake_scsi *fake;
	struct scsi_disk *disk;
	struct scsi_task task;
	struct virtq_chain chain;
	struct iovec iov[2];
	/* data begins at byte 1, to see that offsets are honoured */
	uint8_t *out, *in;
	unsigned int done;
};

struct scsi_disk_params fixture_params(struct fixture *f);
/* For cmocka: a disk; read-only; with its unit attention of power-on. */
int setup(void **state);
int setup_read_only(void **state);
int setup_power_on(void **state);
int teardown(void **state);

/* Begin the command with buffers of these lengths; run: to its end. */
void begin(struct fixture *f, const uint8_t *cdb, size_t out, size_t in);
enum scsi_status run(struct fixture *f, const uint8_t *cdb, size_t out,
		     size_t in);

#define CDB(...)                                                               \
	(const uint8_t[32])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define RUN(f, out, in, ...) run(f, CDB(__VA_ARGS__), out, in)
#define GOOD(f, out, in, ...)                                                  \
	assert_int_equal(RUN(f, out, in, __VA_ARGS__), SCSI_GOOD)
#define SENSE(f, want, out, in, ...)                                           \
	do {                                                                   \
		assert_int_equal(RUN(f, out, in, __VA_ARGS__),                 \
				 SCSI_CHECK_CONDITION);                        \
		assert_int_equal((f)->task.sense.code, want);                  \
	} while (0)
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
/* UNMAP with a list of @n bytes */
#define UNMAP(n) 0x42, 0, 0, 0, 0, 0, 0, (uint8_t)((n) >> 8), (uint8_t)(n)

uint8_t *data_in(struct fixture *f);
uint8_t *data_out(struct fixture *f);
void fill(uint8_t *p, size_t n, unsigned int seed);
/* An UNMAP list of @n descriptors {LBA, blocks} in data-out; its length. */
size_t unmap_list(struct fixture *f, const uint64_t (*d)[2], size_t n);
struct scsi_disk_counters counters(struct fixture *f);

#endif
