/*
 * tests/fake/fake_scsi.h - an engine whose files are memory, and which does
 * what the test says: completes at once or when told, in any order, and fails.
 */
#ifndef TESTS_FAKE_FAKE_SCSI_H
#define TESTS_FAKE_FAKE_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/scsi_backend.h"

enum { FAKE_SCSI_FILES = 4, FAKE_SCSI_PENDING = 4096, FAKE_SCSI_OPS = 5 };

/* One request as it was submitted. */
struct fake_scsi_io {
	enum scsi_io_op op;
	unsigned int file;
	uint64_t off, len;
	bool fua;
	unsigned int n_iov;
};

struct fake_scsi_file {
	struct scsi_backend backend;
	struct fake_scsi *f;
};

struct fake_scsi {
	struct scsi_engine engine;
	struct fake_scsi_file files[FAKE_SCSI_FILES];
	uint8_t *data[FAKE_SCSI_FILES];
	uint64_t bytes;
	void (*batch_done)(void *arg);
	void *arg;
	/* How it behaves. */
	bool hold;		 /* complete by fake_scsi_finish() only */
	int fail[FAKE_SCSI_OPS]; /* by operation: result, if not 0 */
	/* Alignment that is asserted; 0: any. */
	uint32_t mem_align, off_align;
	/* What happened. */
	unsigned int n_ops[FAKE_SCSI_OPS], commits;
	struct fake_scsi_io last;

	struct scsi_io *pending[FAKE_SCSI_PENDING];
	unsigned int n_pending;
};

/* Files of @bytes zeros. Aborts the test when memory is gone. */
struct fake_scsi *fake_scsi_create(uint64_t bytes);
void fake_scsi_destroy(struct fake_scsi *f);
struct scsi_backend *fake_scsi_backend(struct fake_scsi *f, unsigned int i);

/*
 * Complete the pending request @i (0: the oldest), doing its work when
 * @result is 0; and the batch with it.
 */
void fake_scsi_finish(struct fake_scsi *f, unsigned int i, int result);
/* All that are pending, and what they submit in turn. */
void fake_scsi_finish_all(struct fake_scsi *f);

#endif
