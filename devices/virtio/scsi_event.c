/* devices/virtio/scsi_event.c - the event queue (virtio 1.2, 5.6.6.3). */
#include <errno.h>
#include <string.h>

#include "devices/virtio/scsi_disk_impl.h"
#include "devices/virtio/scsi_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum {
	VIRTIO_SCSI_T_NO_EVENT = 0,
	VIRTIO_SCSI_T_PARAM_CHANGE = 3,

	/* Event: what, LUN, reason */
	EVENT_LEN = 16,
	EVENT_LUN = 4,
	EVENT_REASON = 12,
};
#define VIRTIO_SCSI_T_EVENTS_MISSED UINT32_C(0x80000000)

/* One of those that are due; a unit that changed twice has one event. */
static void fill_event(struct scsi *s, uint8_t *b)
{
	uint32_t what = VIRTIO_SCSI_T_NO_EVENT;

	memset(b, 0, EVENT_LEN);
	if (s->changed) {
		unsigned int i = (unsigned int)__builtin_ctzll(s->changed);

		s->changed &= s->changed - 1;
		what = VIRTIO_SCSI_T_PARAM_CHANGE;
		b[EVENT_LUN] = 1; /* as in REPORT LUNS from here on */
		b[EVENT_LUN + 3] = (uint8_t)s->luns[i].number;
		/* ASC in the low byte, ASCQ in the next */
		b[EVENT_REASON] = (uint8_t)(SCSI_CAPACITY_CHANGED >> 8);
		b[EVENT_REASON + 1] = (uint8_t)SCSI_CAPACITY_CHANGED;
	}
	if (s->events_missed)
		what |= VIRTIO_SCSI_T_EVENTS_MISSED;
	s->events_missed = false;
	store_le32(b, what);
}

/*
 * Buffers stay in the ring until there is an event for them, and an event that
 * finds none waits for the driver's next kick. What gets lost is only what the
 * driver has left no room for.
 */
int scsi_event_kick(struct scsi *s)
{
	struct virtq *vq = scsi_virtq(s, SCSI_Q_EVENT);
	struct virtq_chain *c = &s->event_chain;
	uint8_t b[EVENT_LEN];
	int r = 0;

	for (unsigned int n = 0; s->active && n < SCSI_CTL_QUEUE_SIZE &&
				 (s->changed || s->events_missed);
	     n++) {
		r = virtq_pop(vq, c);
		if (r <= 0)
			break;
		fill_event(s, b);
		if (virtq_chain_write(c, 0, b, sizeof(b)) < 0) {
			s->events_missed = true;
			scsi_count(&s->c.events_missed, 1);
			virtq_push(vq, c, 0);
			continue;
		}
		scsi_count(&s->c.events, 1);
		virtq_push(vq, c, sizeof(b));
	}
	virtq_flush(vq);
	return r < 0 ? r : 0;
}

void scsi_event_drop(struct scsi *s)
{
	s->changed = 0;
	s->events_missed = false;
}

int scsi_resize(struct scsi *s, unsigned int lun, uint64_t bytes)
{
	struct virtio_host *h = s->dev.host;

	for (unsigned int i = 0; i < s->n_luns; i++) {
		if (s->luns[i].number != lun)
			continue;
		if (!scsi_disk_resize(s->luns[i].disk, bytes) || !s->active ||
		    !virtio_has(&s->dev, VIRTIO_SCSI_F_CHANGE))
			return 0;
		s->changed |= BIT64(i);
		if (scsi_event_kick(s) < 0)
			h->ops->needs_reset(h);
		return 0;
	}
	return -ENOENT;
}

void scsi_event_resized(void *arg)
{
	struct scsi *s = arg;

	for (unsigned int i = 0; i < s->n_luns; i++) {
		uint64_t bytes = atomic_exchange(&s->luns[i].new_bytes, 0);

		if (bytes)
			scsi_resize(s, s->luns[i].number, bytes);
	}
}

int scsi_post_resize(struct scsi *s, unsigned int lun, uint64_t bytes)
{
	for (unsigned int i = 0; i < s->n_luns; i++) {
		if (s->luns[i].number != lun)
			continue;
		atomic_store(&s->luns[i].new_bytes, bytes);
		io_thread_post(s->dev.thread, &s->resized);
		return 0;
	}
	return -ENOENT;
}
