/*
 * devices/virtio/scsi.h - the virtio SCSI host (virtio 1.2, 5.6 "SCSI Host
 * Device"): one target with disks as its logical units.
 *
 * Queue 0 takes task management, queue 1 buffers for events, the others
 * requests. Everything happens in the device's thread; a request keeps its
 * chain until its I/O is done, and neither an abort nor a reset is answered
 * before no I/O can touch the guest's memory any more.
 */
#ifndef DEVICES_VIRTIO_SCSI_H
#define DEVICES_VIRTIO_SCSI_H

#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct io_thread;
struct scsi; /* opaque */
struct scsi_disk_counters;
struct scsi_disk_params;
struct scsi_engine;
struct virtio_dev;

enum {
	SCSI_LUNS_MAX = 64,   /* logical units of one device */
	SCSI_LUN_MAX = 255,   /* highest number */
	SCSI_QUEUES_MAX = 64, /* request queues */
	SCSI_QUEUE_SIZE = 256 /* entries of each */
};

struct scsi_lun_params {
	unsigned int lun; /* 0..SCSI_LUN_MAX */
	/* backend: one of the engine's; serial NULL: "<name>-lun<n>" */
	const struct scsi_disk_params *disk;
};

struct scsi_params {
	const char *name;	    /* "scsi0", borrowed */
	struct io_thread *thread;   /* borrowed, not yet started */
	struct scsi_engine *engine; /* borrowed; attached by scsi_create() */
	unsigned int n_queues;	    /* 1..SCSI_QUEUES_MAX */
	const struct scsi_lun_params *luns;
	unsigned int n_luns; /* 1..SCSI_LUNS_MAX */
};

struct scsi_counters {
	uint64_t requests;
	uint64_t bad_chains; /* too short to be a request or to be answered */
	uint64_t aborted;    /* by task management */
	uint64_t events;     /* delivered */
	uint64_t events_missed;
};

/*
 * -EINVAL      out of range; -EEXIST: two units have the same number
 * -ENOMEM, or what the engine says
 */
int scsi_create(const struct scsi_params *p, struct scsi **ret,
		struct err *err);
/* The thread has stopped. The engine is destroyed first. NULL is fine. */
void scsi_destroy(struct scsi *s);
DEFINE_CLEANUP(struct scsi, scsi_destroy)

/* For virtio_pci_create(). */
struct virtio_dev *scsi_virtio_dev(struct scsi *s);

/*
 * The file behind unit @lun has @bytes now: a unit attention, and an event for
 * a driver that wants them. In the device's thread. -ENOENT: no such unit.
 */
int scsi_resize(struct scsi *s, unsigned int lun, uint64_t bytes);

/* The same, later, from any thread; of several sizes of a unit the last. */
int scsi_post_resize(struct scsi *s, unsigned int lun, uint64_t bytes);

/* Any thread. -ENOENT: no such unit. */
int scsi_lun_counters(const struct scsi *s, unsigned int lun,
		      struct scsi_disk_counters *ret);
void scsi_counters(const struct scsi *s, struct scsi_counters *ret);

#endif
