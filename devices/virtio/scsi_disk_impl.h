/* devices/virtio/scsi_disk_impl.h - inside a disk; for scsi_disk*.c only. */
#ifndef DEVICES_VIRTIO_SCSI_DISK_IMPL_H
#define DEVICES_VIRTIO_SCSI_DISK_IMPL_H

#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/scsi_pages.h"

enum {
	/* For commands in several steps: two halves, disk and guest. */
	SCSI_SCRATCH_HALF = 64 * 1024,
	SCSI_SCRATCHES = 4,
};

struct scsi_disk {
	struct scsi_backend *backend;
	struct scsi_facts facts;
	char serial[SCSI_SERIAL_MAX + 1];
	/* Unit attention (SAM-5, 5.14): what the guest has to be told. */
	uint32_t attention;
	bool capacity_changed;

	uint8_t *scratch[SCSI_SCRATCHES];
	bool scratch_used[SCSI_SCRATCHES];
	struct scsi_task *waiting, *last_waiting; /* for a scratch */
	bool handing_out;

	struct scsi_disk_counters c;
};

/* Only the device's thread writes a counter; any thread may read it. */
static inline void scsi_count(uint64_t *c, uint64_t n)
{
	__atomic_store_n(c, __atomic_load_n(c, __ATOMIC_RELAXED) + n,
			 __ATOMIC_RELAXED);
}

/* The end of a task, one way or another; it is the device's again after. */
void scsi_task_finish(struct scsi_task *t, enum scsi_status status);
void scsi_task_good(struct scsi_task *t);
void scsi_task_check(struct scsi_task *t, uint32_t code);
void scsi_task_bad_cdb(struct scsi_task *t, uint16_t field);
void scsi_task_bad_list(struct scsi_task *t, uint16_t field);
/* The host failed with @result, a negative errno. */
void scsi_task_host_error(struct scsi_task *t, int result);
/* Flush, then the end. */
void scsi_task_flush(struct scsi_task *t);
/* The medium has changed: make it durable first if the cache is off. */
void scsi_task_changed(struct scsi_task *t);

/* Do all of [lba, lba + blocks) exist? Else the task is at its end. */
bool scsi_task_in_range(struct scsi_task *t, uint64_t lba, uint64_t blocks);

/*
 * Submit one I/O of @t; @step goes on with its result. For READ and WRITE,
 * t->iov[0..n_iov) is set.
 */
void scsi_task_io(struct scsi_task *t, enum scsi_io_op op, uint64_t off,
		  uint64_t len, unsigned int n_iov,
		  void (*step)(struct scsi_task *t, int result));
/* Make room for @n entries in t->iov. -ENOMEM. */
int scsi_task_iov(struct scsi_task *t, unsigned int n);
/*
 * Go on in @step(t, 0) with t->scratch, now or when one is free. It goes back
 * at the end of the task.
 */
void scsi_task_scratch(struct scsi_task *t,
		       void (*step)(struct scsi_task *t, int result));

/* Commands in several steps (scsi_disk_bulk.c) */
void scsi_disk_verify(struct scsi_task *t);
void scsi_disk_write_same(struct scsi_task *t);
void scsi_disk_unmap(struct scsi_task *t);

#endif
