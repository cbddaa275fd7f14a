/*
 * devices/virtio/scsi_align.h - a layer over a backend with O_DIRECT, which
 * wants addresses, offsets and lengths aligned: what is not goes through a
 * buffer of ours.
 *
 * Where the file wants more than the guest's blocks (4096 bytes against 512),
 * a write of part of a unit reads the unit first. It does so alone: no other
 * write, and nothing that zeroes, is in progress meanwhile, or it would be
 * undone.
 */
#ifndef DEVICES_VIRTIO_SCSI_ALIGN_H
#define DEVICES_VIRTIO_SCSI_ALIGN_H

#include <stdbool.h>

#include "vmm/base/own.h"

struct err;
struct scsi_align; /* opaque */
struct scsi_backend;
struct scsi_file;

enum {
	SCSI_ALIGN_BUFFERS = 4,	       /* of one file; more requests wait */
	SCSI_ALIGN_BYTES = 128 * 1024, /* each; only touched when used */
};

/* Does I/O on @f need the layer at all? */
bool scsi_align_needed(const struct scsi_file *f);

/* @inner is borrowed. -ENOMEM. */
int scsi_align_create(const struct scsi_file *f, struct scsi_backend *inner,
		      struct scsi_align **ret, struct err *err);
/* Nothing is in progress in @inner any more. NULL is fine. */
void scsi_align_destroy(struct scsi_align *a);
DEFINE_CLEANUP(struct scsi_align, scsi_align_destroy)

struct scsi_backend *scsi_align_backend(struct scsi_align *a);

#endif
