/* devices/virtio/scsi_impl.h - inside the SCSI host; for scsi*.c only. */
#ifndef DEVICES_VIRTIO_SCSI_IMPL_H
#define DEVICES_VIRTIO_SCSI_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices/virtio/scsi.h"
#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/virtq.h"
#include "vmm/base/io_thread.h"

/* Queues (virtio 1.2, 5.6.2) */
enum { SCSI_Q_CONTROL = 0, SCSI_Q_EVENT = 1, SCSI_Q_REQUEST = 2 };

/* Feature bits (virtio 1.2, 5.6.3); INOUT and T10_PI are not offered. */
enum { VIRTIO_SCSI_F_HOTPLUG = 1, VIRTIO_SCSI_F_CHANGE = 2 };

/* Response codes (virtio 1.2, 5.6.6.1 and 5.6.6.2) */
enum {
	VIRTIO_SCSI_S_OK = 0, /* of task management: FUNCTION COMPLETE */
	VIRTIO_SCSI_S_OVERRUN = 1,
	VIRTIO_SCSI_S_ABORTED = 2,
	VIRTIO_SCSI_S_BAD_TARGET = 3,
	VIRTIO_SCSI_S_RESET = 4,
	VIRTIO_SCSI_S_FAILURE = 9,
	VIRTIO_SCSI_S_FUNCTION_SUCCEEDED = 10,
	VIRTIO_SCSI_S_FUNCTION_REJECTED = 11,
	VIRTIO_SCSI_S_INCORRECT_LUN = 12,
};

enum {
	SCSI_CTL_QUEUE_SIZE = 64,
	SCSI_TMFS = 32, /* task management functions in progress */
	SCSI_LUN_BYTES = 8,
	/* Our limits for what the driver may set in the configuration. */
	SCSI_SENSE_SIZE_MAX = 255,
	SCSI_CDB_SIZE_MAX = 255,
	SCSI_SENSE_SIZE = 96, /* the defaults of the specification */
	SCSI_CDB_SIZE = 32,
};

/* What the eight bytes of a LUN field address. */
enum scsi_address {
	SCSI_ADDRESS_BAD,	 /* nothing that exists, not even a target */
	SCSI_ADDRESS_UNIT,	 /* a unit that exists */
	SCSI_ADDRESS_NO_UNIT,	 /* our target, no such unit */
	SCSI_ADDRESS_WELL_KNOWN, /* the REPORT LUNS well-known unit */
};

struct scsi_lun {
	unsigned int number;
	struct scsi_disk *disk;
	_Atomic uint64_t new_bytes; /* by scsi_post_resize(); 0: none */
};

struct scsi_queue;

/* A slot for a request. */
struct scsi_req {
	struct scsi_task task;
	struct virtq_chain chain;
	struct scsi_queue *queue;
	struct scsi_req *next_free;
	unsigned int lun; /* index of the unit whose disk has the task */
	uint64_t tag;
	bool busy;
	bool dropped;	   /* its queue was reset: nobody waits for it */
	uint8_t verdict;   /* response that task management wants, or 0 */
	uint32_t tmf_mask; /* functions that wait for its end */
};

/* A request queue. */
struct scsi_queue {
	struct scsi *s;
	unsigned int index; /* among the request queues */
	struct scsi_req *slots, *free;
	unsigned int fresh; /* slots[fresh..] were never used */
	unsigned int in_flight;
	bool starved;	/* of slots: when one is free, look for chains */
	bool dirty;	/* pushed to since the last flush */
	bool resetting; /* queue_reset_done() is due */
	struct io_call again;
};

/* A task management function that waits for requests to end. */
struct scsi_tmf {
	struct virtq_chain chain;
	bool busy;
	unsigned int waits_for;
};

struct scsi {
	struct virtio_dev dev;
	char *name;
	struct scsi_engine *engine;
	bool active, resetting;
	unsigned int in_flight; /* of all queues */

	/* Written by vCPU threads (config_write), latched by activate(). */
	atomic_uint sense_size, cdb_size;
	unsigned int sense_len, cdb_len;

	struct scsi_tmf tmfs[SCSI_TMFS];
	bool ctl_starved; /* of those: there may be more chains */
	bool ctl_dirty;
	struct io_call ctl_again;

	struct virtq_chain event_chain;
	struct io_call resized;
	uint64_t changed; /* units whose capacity event is due: by index */
	bool events_missed;

	struct scsi_counters c;
	unsigned int n_luns;
	struct scsi_lun luns[SCSI_LUNS_MAX]; /* by number */
	unsigned int n_queues;
	struct scsi_queue queues[];
};

/* Queue @i of the device, by the numbers above. */
static inline struct virtq *scsi_virtq(struct scsi *s, unsigned int i)
{
	return s->dev.q[i];
}

/*
 * *ret: index in s->luns for SCSI_ADDRESS_UNIT; the number that was meant for
 * SCSI_ADDRESS_NO_UNIT, UINT_MAX if it is none.
 */
enum scsi_address scsi_address(const struct scsi *s, const uint8_t *lun,
			       unsigned int *ret);

/* scsi_req.c */
int scsi_req_kick(struct scsi_queue *q);
/* Let requests of a queue that is being reset end unanswered. */
void scsi_req_drop(struct scsi_queue *q);
/* After completions: flush, go on with what waited, answer resets. */
void scsi_req_batch_done(struct scsi *s);
/* The slots, in a call per busy one of unit @lun (UINT_MAX: of all). */
void scsi_req_each(struct scsi *s, unsigned int lun,
		   void (*fn)(struct scsi_req *req, void *arg), void *arg);

/* scsi_ctl.c */
int scsi_ctl_kick(struct scsi *s);
void scsi_ctl_drop(struct scsi *s);
/* @req has ended; functions that waited for it go on. */
void scsi_ctl_req_done(struct scsi *s, uint32_t tmf_mask);
void scsi_ctl_flush(struct scsi *s);

/* scsi_event.c */
int scsi_event_kick(struct scsi *s);
void scsi_event_drop(struct scsi *s);
/* An io_call: sizes of scsi_post_resize(). */
void scsi_event_resized(void *arg);

#endif
