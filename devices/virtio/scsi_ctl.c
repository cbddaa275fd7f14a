/* devices/virtio/scsi_ctl.c - the control queue (virtio 1.2, 5.6.6.2). */
#include <limits.h>
#include <string.h>

#include "devices/virtio/scsi_disk_impl.h"
#include "devices/virtio/scsi_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum {
	VIRTIO_SCSI_T_TMF = 0,
	VIRTIO_SCSI_T_AN_QUERY = 1,
	VIRTIO_SCSI_T_AN_SUBSCRIBE = 2,

	VIRTIO_SCSI_T_TMF_ABORT_TASK = 0,
	VIRTIO_SCSI_T_TMF_ABORT_TASK_SET = 1,
	VIRTIO_SCSI_T_TMF_CLEAR_ACA = 2,
	VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET = 3,
	VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET = 4,
	VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET = 5,
	VIRTIO_SCSI_T_TMF_QUERY_TASK = 6,
	VIRTIO_SCSI_T_TMF_QUERY_TASK_SET = 7,

	/* Requests: type, then subtype, LUN, tag; or LUN, events */
	TMF_LEN = 24,
	TMF_SUBTYPE = 4,
	TMF_LUN = 8,
	TMF_TAG = 16,
	AN_LEN = 16,
	AN_LUN = 4,
	AN_RESP_LEN = 5,
};

static void respond(struct scsi *s, const struct virtq_chain *c,
		    const uint8_t *resp, size_t len)
{
	/* whoever calls has seen that it fits */
	virtq_chain_write(c, 0, resp, len);
	virtq_push(scsi_virtq(s, SCSI_Q_CONTROL), c, (uint32_t)len);
	s->ctl_dirty = true;
}

static void tmf_end(struct scsi *s, struct scsi_tmf *f, uint8_t response)
{
	f->busy = false;
	respond(s, &f->chain, &response, 1);
}

/* --- waiting for requests to end ------------------------------------------ */

/* Which requests a function is about, and what becomes of them. */
struct match {
	struct scsi *s;
	struct scsi_tmf *f;
	bool by_tag;
	uint64_t tag;
	uint8_t verdict; /* 0: just look */
	unsigned int found;
};

static void match_one(struct scsi_req *req, void *arg)
{
	struct match *m = arg;

	if (req->dropped || (m->by_tag && req->tag != m->tag))
		return;
	m->found++;
	if (!m->verdict)
		return;
	/* a reset outweighs an abort that came before */
	if (req->verdict != VIRTIO_SCSI_S_RESET)
		req->verdict = m->verdict;
	req->task.stop = true;
	req->tmf_mask |= BIT32(m->f - m->s->tmfs);
	m->f->waits_for++;
	scsi_count(&m->s->c.aborted, 1);
}

static unsigned int match_all(struct match *m, unsigned int lun)
{
	scsi_req_each(m->s, lun, match_one, m);
	return m->found;
}

/*
 * SAM-5, 7: the answer to an abort or a reset says that the tasks are gone, so
 * it comes after the last of them.
 */
static void abort_and_wait(struct match *m, unsigned int lun)
{
	if (!match_all(m, lun))
		tmf_end(m->s, m->f, VIRTIO_SCSI_S_OK);
}

void scsi_ctl_req_done(struct scsi *s, uint32_t tmf_mask)
{
	for (unsigned int i = 0; i < SCSI_TMFS; i++) {
		struct scsi_tmf *f = &s->tmfs[i];

		if ((tmf_mask & BIT32(i)) && f->busy && !--f->waits_for)
			tmf_end(s, f, VIRTIO_SCSI_S_OK);
	}
}

/* --- functions ------------------------------------------------------------ */

static void nexus_reset(struct match *m)
{
	struct scsi *s = m->s;

	for (unsigned int i = 0; i < s->n_luns; i++)
		scsi_disk_reset(s->luns[i].disk, SCSI_NEXUS_LOSS);
	m->verdict = VIRTIO_SCSI_S_RESET;
	abort_and_wait(m, UINT_MAX);
}

static void unit_function(struct match *m, uint32_t subtype, unsigned int lun)
{
	struct scsi *s = m->s;

	switch (subtype) {
	case VIRTIO_SCSI_T_TMF_ABORT_TASK:
		m->by_tag = true;
		/* fall through */
	case VIRTIO_SCSI_T_TMF_ABORT_TASK_SET:
	case VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET:
		m->verdict = VIRTIO_SCSI_S_ABORTED;
		abort_and_wait(m, lun);
		break;
	case VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET:
		scsi_disk_reset(s->luns[lun].disk, SCSI_LUN_WAS_RESET);
		m->verdict = VIRTIO_SCSI_S_RESET;
		abort_and_wait(m, lun);
		break;
	case VIRTIO_SCSI_T_TMF_QUERY_TASK:
		m->by_tag = true;
		/* fall through */
	case VIRTIO_SCSI_T_TMF_QUERY_TASK_SET:
		tmf_end(s, m->f,
			match_all(m, lun) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED
					  : VIRTIO_SCSI_S_OK);
		break;
	default: /* CLEAR ACA: there is none, and NORMACA says so */
		tmf_end(s, m->f, VIRTIO_SCSI_S_FUNCTION_REJECTED);
	}
}

/*
 * A request that was made before the function may still be in its ring: take
 * it out, or an abort would miss it and it would run later.
 */
static int take_in_requests(struct scsi *s)
{
	for (unsigned int i = 0; i < s->n_queues; i++) {
		int r = scsi_req_kick(&s->queues[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static void tmf(struct scsi *s, struct scsi_tmf *f, const uint8_t *b)
{
	struct match m = {.s = s, .f = f, .tag = load_le64(b + TMF_TAG)};
	uint32_t subtype = load_le32(b + TMF_SUBTYPE);
	unsigned int lun = 0;
	enum scsi_address a = scsi_address(s, b + TMF_LUN, &lun);

	f->busy = true;
	f->waits_for = 0;
	if (a == SCSI_ADDRESS_BAD)
		tmf_end(s, f, VIRTIO_SCSI_S_BAD_TARGET);
	else if (subtype == VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET)
		nexus_reset(&m);
	else if (a != SCSI_ADDRESS_UNIT)
		tmf_end(s, f, VIRTIO_SCSI_S_INCORRECT_LUN);
	else
		unit_function(&m, subtype, lun);
}

/* Asynchronous notifications are of media and multipath: we have none. */
static void notification(struct scsi *s, const struct virtq_chain *c,
			 const uint8_t *b)
{
	uint8_t resp[AN_RESP_LEN] = {0}; /* no event of those asked for */
	unsigned int lun;

	switch (scsi_address(s, b + AN_LUN, &lun)) {
	case SCSI_ADDRESS_BAD:
		resp[4] = VIRTIO_SCSI_S_BAD_TARGET;
		break;
	case SCSI_ADDRESS_NO_UNIT:
		resp[4] = VIRTIO_SCSI_S_INCORRECT_LUN;
		break;
	default:
		break;
	}
	respond(s, c, resp, sizeof(resp));
}

/* 0; or a request queue is broken. */
static int handle(struct scsi *s, struct scsi_tmf *f)
{
	struct virtq_chain *c = &f->chain;
	uint8_t b[TMF_LEN] = {0};
	size_t len = c->out_len < sizeof(b) ? (size_t)c->out_len : sizeof(b);
	uint32_t type;
	int r;

	virtq_chain_read(c, 0, b, len);
	type = load_le32(b);
	if (len == TMF_LEN && c->in_len && type == VIRTIO_SCSI_T_TMF) {
		r = take_in_requests(s);
		tmf(s, f, b);
		return r;
	}
	if (len >= AN_LEN && c->in_len >= AN_RESP_LEN &&
	    (type == VIRTIO_SCSI_T_AN_QUERY ||
	     type == VIRTIO_SCSI_T_AN_SUBSCRIBE)) {
		notification(s, c, b);
		return 0;
	}
	scsi_count(&s->c.bad_chains, 1);
	virtq_push(scsi_virtq(s, SCSI_Q_CONTROL), c, 0);
	s->ctl_dirty = true;
	return 0;
}

/* --- the queue ------------------------------------------------------------ */

static struct scsi_tmf *tmf_free(struct scsi *s)
{
	for (unsigned int i = 0; i < SCSI_TMFS; i++)
		if (!s->tmfs[i].busy)
			return &s->tmfs[i];
	return NULL;
}

/* Bounded: a driver may fill the queue as fast as we empty it. */
static int pop_some(struct scsi *s)
{
	struct virtq *vq = scsi_virtq(s, SCSI_Q_CONTROL);

	for (unsigned int n = 0; n < SCSI_CTL_QUEUE_SIZE; n++) {
		struct scsi_tmf *f = tmf_free(s);
		int r;

		if (!f) {
			s->ctl_starved = true;
			return 0;
		}
		r = virtq_pop(vq, &f->chain);
		if (r <= 0)
			return r;
		r = handle(s, f);
		if (r < 0)
			return r;
	}
	io_thread_post(s->dev.thread, &s->ctl_again);
	return 0;
}

void scsi_ctl_flush(struct scsi *s)
{
	if (!s->ctl_dirty)
		return;
	s->ctl_dirty = false;
	virtq_flush(scsi_virtq(s, SCSI_Q_CONTROL));
}

int scsi_ctl_kick(struct scsi *s)
{
	int r = 0;

	s->ctl_starved = false;
	if (s->active)
		r = pop_some(s);
	scsi_ctl_flush(s);
	return r;
}

static void forget_tmfs(struct scsi_req *req, void *arg)
{
	(void)arg;
	req->tmf_mask = 0;
}

void scsi_ctl_drop(struct scsi *s)
{
	scsi_req_each(s, UINT_MAX, forget_tmfs, NULL);
	for (unsigned int i = 0; i < SCSI_TMFS; i++)
		s->tmfs[i].busy = false;
	s->ctl_starved = false;
}
