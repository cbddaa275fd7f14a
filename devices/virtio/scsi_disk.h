/*
 * devices/virtio/scsi_disk.h - a logical unit: a direct-access block device
 * (SPC-4, SBC-3) over a backend.
 *
 * It acts on parsed requests and knows nothing of queues. All calls are for the
 * device's thread, except scsi_disk_counters().
 */
#ifndef DEVICES_VIRTIO_SCSI_DISK_H
#define DEVICES_VIRTIO_SCSI_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_cdb.h"
#include "devices/virtio/scsi_sense.h"
#include "vmm/base/own.h"

struct err;
struct scsi_disk; /* opaque */
struct virtq_chain;

enum {
	/* Most characters of a serial number: it is in two pages of bounded
	 * length, and in names that udev makes of it. */
	SCSI_SERIAL_MAX = 36,
	/* Ours, and reported in the block limits page: one command keeps its
	 * slot for a bounded time. */
	SCSI_XFER_BLOCKS_MAX = 0x10000,
	SCSI_SAME_BLOCKS_MAX = 0x80000,
	SCSI_UNMAP_BLOCKS_MAX = 0x800000,
	SCSI_UNMAP_DESCS_MAX = 255,
};

struct scsi_disk_params {
	struct scsi_backend *backend; /* borrowed */
	uint64_t bytes;
	uint32_t block_size;	      /* 512..4096, a power of two */
	uint32_t phys_block_size;     /* a power of two >= block_size */
	uint32_t discard_granularity; /* bytes */
	bool read_only;
	const char *serial; /* copied; 1..SCSI_SERIAL_MAX of ASCII 0x20..0x7e */
};

/* Totals since creation. */
struct scsi_disk_counters {
	uint64_t reads, read_bytes; /* READ commands that succeeded */
	uint64_t writes, write_bytes;
	uint64_t flushes;    /* flushes the guest asked for */
	uint64_t host_syncs; /* flushes the backend was asked for */
	uint64_t discards;   /* UNMAP, and WRITE SAME that unmaps */
	uint64_t zeroes;     /* other WRITE SAME */
	uint64_t errors;     /* commands the host failed */
	uint64_t refused;    /* commands answered with ILLEGAL REQUEST */
};

/*
 * A command in progress. Embedded in the device's request, zeroed once, and
 * reused; scsi_task_free() at the end.
 */
struct scsi_task {
	/* Set before scsi_disk_start(). */
	struct scsi_cdb cdb;
	const struct virtq_chain *chain; /* the data: stays until done() */
	uint64_t out_off, out_len;	 /* data-out in its readable part */
	uint64_t in_off, in_len;	 /* data-in in its writable part */
	void (*done)(struct scsi_task *t);

	/* Valid in done(). */
	enum scsi_status status;
	struct scsi_sense sense;
	uint64_t moved; /* bytes of data-in written, or data-out used */
	bool overrun;	/* the buffer is shorter than the command; not begun */
	bool bad_data;	/* the buffer has more pieces than one I/O can take */

	/*
	 * Set at any time: begin no further step. done() comes when the step
	 * that runs now has ended, with any status.
	 */
	bool stop;

	/* The disk's. */
	struct scsi_disk *disk;
	struct scsi_io io;
	struct iovec *iov;
	unsigned int iov_cap;
	uint8_t *scratch;
	struct scsi_task *next;
	void (*step)(struct scsi_task *t, int result);
	uint64_t pos; /* progress of a command in several steps: bytes */
	uint32_t index;
};

void scsi_task_free(struct scsi_task *t);

/* -EINVAL: a value of @p is out of range (the caller's mistake). -ENOMEM. */
int scsi_disk_create(const struct scsi_disk_params *p, struct scsi_disk **ret,
		     struct err *err);
/* No task is in progress. NULL is fine. */
void scsi_disk_destroy(struct scsi_disk *d);
DEFINE_CLEANUP(struct scsi_disk, scsi_disk_destroy)

/*
 * Begin @t; done() comes from inside or later, exactly once. What it submits
 * to the backend starts with the engine's next commit(). REPORT LUNS is the
 * device's and not for here.
 */
void scsi_disk_start(struct scsi_disk *d, struct scsi_task *t);

/*
 * Back to the state of power-on, and with unit attention @reason (0: none).
 * Tasks in progress are the caller's to stop.
 */
void scsi_disk_reset(struct scsi_disk *d, uint32_t reason);

/*
 * The file has @bytes now; bytes beyond the last whole block do not count.
 * Returns whether the capacity changed; the guest is told by a unit attention
 * then.
 */
bool scsi_disk_resize(struct scsi_disk *d, uint64_t bytes);

/* Any thread. */
void scsi_disk_counters(const struct scsi_disk *d,
			struct scsi_disk_counters *ret);

#endif
