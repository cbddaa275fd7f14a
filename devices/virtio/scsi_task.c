/* devices/virtio/scsi_task.c - what all commands share: steps and ends. */
#include "devices/virtio/scsi_disk_impl.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/base/checked.h"

/* --- how a task ends ------------------------------------------------------ */

static void scratch_release(struct scsi_disk *d, struct scsi_task *t);

void scsi_task_finish(struct scsi_task *t, enum scsi_status status)
{
	struct scsi_disk *d = t->disk;

	t->status = status;
	if (t->scratch)
		scratch_release(d, t);
	t->done(t);
}

void scsi_task_good(struct scsi_task *t)
{
	scsi_task_finish(t, SCSI_GOOD);
}

void scsi_task_check(struct scsi_task *t, uint32_t code)
{
	t->sense.code = code;
	if (code >> 16 == 0x5) /* ILLEGAL REQUEST */
		scsi_count(&t->disk->c.refused, 1);
	scsi_task_finish(t, SCSI_CHECK_CONDITION);
}

static void refuse_field(struct scsi_task *t, uint32_t code, bool in_list,
			 uint16_t field)
{
	t->sense.has_field = true;
	t->sense.in_list = in_list;
	t->sense.field = field;
	scsi_task_check(t, code);
}

void scsi_task_bad_cdb(struct scsi_task *t, uint16_t field)
{
	refuse_field(t, SCSI_INVALID_FIELD_IN_CDB, false, field);
}

void scsi_task_bad_list(struct scsi_task *t, uint16_t field)
{
	refuse_field(t, SCSI_INVALID_FIELD_IN_LIST, true, field);
}

/*
 * What may pass with time is BUSY, which makes the guest try again; the rest
 * becomes sense data that file systems understand.
 */
void scsi_task_host_error(struct scsi_task *t, int result)
{
	scsi_count(&t->disk->c.errors, 1);
	switch (-result) {
	case EAGAIN:
	case EBUSY:
	case ECANCELED:
	case ENOBUFS:
	case ENOMEM:
		scsi_task_finish(t, SCSI_BUSY);
		break;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		scsi_task_check(t, SCSI_SPACE_ALLOC_FAILED);
		break;
	case EROFS:
	case EPERM:
	case EACCES:
		scsi_task_check(t, SCSI_WRITE_PROTECTED);
		break;
	case EIO:
	case EILSEQ:
	case ENODATA:
	case EREMOTEIO:
	case EUCLEAN:
	case EBADMSG:
		scsi_task_check(t, t->io.op == SCSI_IO_READ ? SCSI_READ_ERROR
							    : SCSI_WRITE_ERROR);
		break;
	default:
		scsi_task_check(t, SCSI_TARGET_FAILURE);
	}
}

static void flushed(struct scsi_task *t, int result)
{
	if (result < 0)
		scsi_task_host_error(t, result);
	else
		scsi_task_good(t);
}

void scsi_task_flush(struct scsi_task *t)
{
	scsi_count(&t->disk->c.host_syncs, 1);
	scsi_task_io(t, SCSI_IO_FLUSH, 0, 0, 0, flushed);
}

void scsi_task_changed(struct scsi_task *t)
{
	if (t->disk->facts.wce)
		scsi_task_good(t);
	else
		scsi_task_flush(t);
}

/* --- what a task needs ---------------------------------------------------- */

bool scsi_task_in_range(struct scsi_task *t, uint64_t lba, uint64_t blocks)
{
	if (range_within(lba, blocks, t->disk->facts.blocks))
		return true;
	scsi_task_check(t, SCSI_LBA_OUT_OF_RANGE);
	return false;
}

static void io_done(struct scsi_io *io, int result)
{
	struct scsi_task *t = container_of(io, struct scsi_task, io);

	if (t->stop)
		scsi_task_finish(t, SCSI_BUSY);
	else
		t->step(t, result);
}

void scsi_task_io(struct scsi_task *t, enum scsi_io_op op, uint64_t off,
		  uint64_t len, unsigned int n_iov,
		  void (*step)(struct scsi_task *t, int result))
{
	struct scsi_backend *b = t->disk->backend;

	t->step = step;
	t->io.op = op;
	t->io.fua = op == SCSI_IO_WRITE && (t->cdb.fua || !t->disk->facts.wce);
	t->io.off = off;
	t->io.len = len;
	t->io.iov = t->iov;
	t->io.n_iov = n_iov;
	t->io.done = io_done;
	b->ops->submit(b, &t->io);
}

int scsi_task_iov(struct scsi_task *t, unsigned int n)
{
	unsigned int cap = t->iov_cap ? t->iov_cap : 8;
	struct iovec *iov;

	if (n <= t->iov_cap)
		return 0;
	while (cap < n)
		cap *= 2;
	iov = realloc(t->iov, cap * sizeof(*iov));
	if (!iov)
		return -ENOMEM;
	t->iov = iov;
	t->iov_cap = cap;
	return 0;
}

void scsi_task_free(struct scsi_task *t)
{
	free(t->iov);
	t->iov = NULL;
	t->iov_cap = 0;
}

static uint8_t *scratch_take(struct scsi_disk *d)
{
	for (size_t i = 0; i < SCSI_SCRATCHES; i++) {
		if (d->scratch_used[i])
			continue;
		if (!d->scratch[i])
			d->scratch[i] =
				aligned_alloc(4096, 2ul * SCSI_SCRATCH_HALF);
		d->scratch_used[i] = d->scratch[i] != NULL;
		return d->scratch[i];
	}
	return NULL;
}

static bool scratch_any_used(const struct scsi_disk *d)
{
	for (size_t i = 0; i < SCSI_SCRATCHES; i++)
		if (d->scratch_used[i])
			return true;
	return false;
}

/* To those who wait, in order, and not one inside another. */
static void scratch_hand_out(struct scsi_disk *d)
{
	struct scsi_task *t;

	if (d->handing_out)
		return;
	d->handing_out = true;
	while ((t = d->waiting)) {
		t->scratch = scratch_take(d);
		/* with no memory there is one only if somebody ends */
		if (!t->scratch && scratch_any_used(d))
			break;
		d->waiting = t->next;
		if (!t->scratch || t->stop)
			scsi_task_finish(t, SCSI_BUSY);
		else
			t->step(t, 0);
	}
	d->handing_out = false;
}

static void scratch_release(struct scsi_disk *d, struct scsi_task *t)
{
	for (size_t i = 0; i < SCSI_SCRATCHES; i++)
		if (d->scratch[i] == t->scratch)
			d->scratch_used[i] = false;
	t->scratch = NULL;
	scratch_hand_out(d);
}

void scsi_task_scratch(struct scsi_task *t,
		       void (*step)(struct scsi_task *t, int result))
{
	struct scsi_disk *d = t->disk;

	t->step = step;
	t->next = NULL;
	if (d->waiting)
		d->last_waiting->next = t;
	else
		d->waiting = t;
	d->last_waiting = t;
	scratch_hand_out(d);
}
