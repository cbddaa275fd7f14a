/* devices/virtio/scsi_io.h - what engines share; for scsi_*.c only. */
#ifndef DEVICES_VIRTIO_SCSI_IO_H
#define DEVICES_VIRTIO_SCSI_IO_H

#include <stddef.h>

#include "devices/virtio/scsi_backend.h"

/* First in, first out, linked through scsi_io.next. {NULL, NULL} is empty. */
struct scsi_io_list {
	struct scsi_io *head, *tail;
};

static inline void scsi_io_append(struct scsi_io_list *l, struct scsi_io *io)
{
	io->next = NULL;
	if (l->head)
		l->tail->next = io;
	else
		l->head = io;
	l->tail = io;
}

static inline struct scsi_io *scsi_io_take(struct scsi_io_list *l)
{
	struct scsi_io *io = l->head;

	if (io)
		l->head = io->next;
	return io;
}

/* Move all of @from to the end of @to. */
static inline void scsi_io_splice(struct scsi_io_list *to,
				  struct scsi_io_list *from)
{
	if (!from->head)
		return;
	if (to->head)
		to->tail->next = from->head;
	else
		to->head = from->head;
	to->tail = from->tail;
	from->head = NULL;
}

/* The first @n bytes of @io, a READ or WRITE of more than @n, are done. */
void scsi_io_advance(struct scsi_io *io, uint64_t n);
/*
 * Copy between @buf and @len bytes at @off of the memory of @io, to the memory
 * with @to_io.
 */
void scsi_io_copy(const struct scsi_io *io, uint64_t off, void *buf, size_t len,
		  bool to_io);
/* The mode for fallocate(2) of a DISCARD or ZERO. */
int scsi_io_falloc_mode(const struct scsi_io *io);
/* The result of that: every way to say "not here" is -EOPNOTSUPP. */
int scsi_io_falloc_result(int result);

#endif
