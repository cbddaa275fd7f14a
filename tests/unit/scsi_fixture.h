/* tests/unit/scsi_fixture.h - a SCSI host, its driver, and a fake engine. */
#ifndef TESTS_UNIT_SCSI_FIXTURE_H
#define TESTS_UNIT_SCSI_FIXTURE_H

#include "tests/unit/unit.h"

#include "devices/virtio/scsi.h"
#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/virtio_dev.h"
#include "tests/fake/fake_driver.h"
#include "tests/fake/fake_scsi.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum {
	BLOCKS = 4096,
	QUEUES = 2,
	CTL = 0, /* queue numbers */
	EVT = 1,
	REQ = 2,
	HEAD = 19 + 32, /* request, with the default size of a CDB */
	RESP = 12 + 96, /* response, with the default size of sense */
	IN_MAX = 64 * 1024,
};

#define BS UINT64_C(512) /* bytes per block */

/* Response codes of the specification, written again on purpose. */
enum {
	S_OK = 0,
	S_OVERRUN = 1,
	S_ABORTED = 2,
	S_BAD_TARGET = 3,
	S_RESET = 4,
	S_FAILURE = 9,
	S_SUCCEEDED = 10,
	S_REJECTED = 11,
	S_INCORRECT_LUN = 12,
};

/* Units 0 and 5; files 0 and 1 of the fake. */
struct fixture {
	struct fake_scsi *fake;
	struct io_thread *thread;
	struct scsi *scsi;
	struct virtio_dev *dev;
	struct fake_driver *drv;
	uint8_t in[RESP + IN_MAX]; /* of the last answer */
	struct fake_used used;
};

/* A response, taken apart. */
struct response {
	uint32_t sense_len, residual, written;
	uint8_t status, response, key, asc, ascq;
	const uint8_t *data; /* data-in */
};

/* For cmocka. Activated, and the unit attention of power-on is over. */
int setup(void **state);
/* Not activated yet. */
int setup_inactive(void **state);
int teardown(void **state);

/* The header of a request to unit @lun. */
void make_request(uint8_t h[static HEAD], unsigned int lun, uint64_t tag,
		  const uint8_t *cdb);
/* Offer a request, without a kick. Returns the head of its chain. */
int offer(struct fixture *f, unsigned int q, unsigned int lun, uint64_t tag,
	  const uint8_t *cdb, const void *out, size_t out_len, size_t in_len);
/* Kick, and take the one answer that comes. */
struct response answer(struct fixture *f, unsigned int q);
/* Both, on the first request queue. */
struct response command(struct fixture *f, unsigned int lun, const uint8_t *cdb,
			const void *out, size_t out_len, size_t in_len);
/* Take an answer that must be there already. */
struct response take(struct fixture *f, unsigned int q);
bool has_answer(struct fixture *f, unsigned int q);

/* Task management: offered and kicked. The answer, or -1 if it is due. */
void tmf_offer(struct fixture *f, uint32_t subtype, const uint8_t *lun,
	       uint64_t tag);
int tmf_answer(struct fixture *f);
int tmf(struct fixture *f, uint32_t subtype, unsigned int lun, uint64_t tag);

#define CDB(...)                                                               \
	(const uint8_t[32])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define READ_10(lba, n) CDB(0x28, 0, 0, 0, 0, (uint8_t)(lba), 0, 0, n)
#define WRITE_10(lba, n) CDB(0x2a, 0, 0, 0, 0, (uint8_t)(lba), 0, 0, n)
#define TUR CDB(0x00)

#endif
