/* devices/virtio/scsi_req.c - request queues (virtio 1.2, 5.6.6.1). */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "devices/virtio/scsi_disk_impl.h"
#include "devices/virtio/scsi_impl.h"
#include "vmm/base/bytes.h"

/*
 * Request: LUN, tag, task attribute, priority, CRN, then the CDB. Attributes
 * are not looked at: the control mode page says that we may reorder.
 */
enum {
	REQ_LUN = 0,
	REQ_TAG = 8,
	REQ_CDB = 19,
	/* Response: sense length, residual, qualifier, status, response */
	RESP_SENSE_LEN = 0,
	RESP_RESIDUAL = 4,
	RESP_STATUS = 10,
	RESP_RESPONSE = 11,
	RESP_SENSE = 12,
	/* Rounds of one kick, before others in the thread get their turn */
	KICK_ROUNDS = 4,
};

/* --- slots ---------------------------------------------------------------- */

static struct scsi_req *slot_get(struct scsi_queue *q)
{
	struct scsi_req *req = q->free;

	if (req) {
		q->free = req->next_free;
		return req;
	}
	if (q->fresh == SCSI_QUEUE_SIZE)
		return NULL;
	req = &q->slots[q->fresh++];
	virtq_chain_init(&req->chain);
	req->queue = q;
	return req;
}

static void slot_put(struct scsi_req *req)
{
	req->next_free = req->queue->free;
	req->queue->free = req;
}

void scsi_req_each(struct scsi *s, unsigned int lun,
		   void (*fn)(struct scsi_req *req, void *arg), void *arg)
{
	for (unsigned int i = 0; i < s->n_queues; i++) {
		struct scsi_queue *q = &s->queues[i];

		for (unsigned int j = 0; j < q->fresh && q->in_flight; j++)
			if (q->slots[j].busy &&
			    (lun == UINT_MAX || q->slots[j].lun == lun))
				fn(&q->slots[j], arg);
	}
}

/* --- the end of a request ------------------------------------------------- */

static struct virtq *virtq_of(struct scsi_queue *q)
{
	return scsi_virtq(q->s, SCSI_Q_REQUEST + q->index);
}

static uint8_t response_of(const struct scsi_req *req)
{
	const struct scsi_task *t = &req->task;

	if (req->verdict)
		return req->verdict;
	if (t->overrun)
		return VIRTIO_SCSI_S_OVERRUN;
	return t->bad_data ? VIRTIO_SCSI_S_FAILURE : VIRTIO_SCSI_S_OK;
}

/* Write the response and give the chain back. */
static void answer(struct scsi_req *req, uint8_t response)
{
	uint8_t buf[RESP_SENSE + SCSI_SENSE_SIZE_MAX];
	struct scsi *s = req->queue->s;
	struct scsi_task *t = &req->task;
	size_t len = RESP_SENSE + s->sense_len, sense_len = 0;
	uint64_t data = t->in_len ? t->in_len : t->out_len;
	uint64_t residual = data - t->moved;

	memset(buf, 0, len);
	if (response == VIRTIO_SCSI_S_OK && t->status == SCSI_CHECK_CONDITION) {
		uint8_t sense[SCSI_SENSE_FIXED_LEN];

		scsi_sense_fixed(&t->sense, sense);
		sense_len = sizeof(sense) < s->sense_len ? sizeof(sense)
							 : s->sense_len;
		memcpy(buf + RESP_SENSE, sense, sense_len);
	}
	store_le32(buf + RESP_SENSE_LEN, (uint32_t)sense_len);
	store_le32(buf + RESP_RESIDUAL,
		   residual > UINT32_MAX ? UINT32_MAX : (uint32_t)residual);
	if (response == VIRTIO_SCSI_S_OK)
		buf[RESP_STATUS] = (uint8_t)t->status;
	buf[RESP_RESPONSE] = response;
	/* it fits: begin() has seen to that */
	virtq_chain_write(&req->chain, 0, buf, len);
	if (t->in_len)
		len += t->moved;
	virtq_push(virtq_of(req->queue), &req->chain, (uint32_t)len);
	req->queue->dirty = true;
}

static void task_done(struct scsi_task *t)
{
	struct scsi_req *req = container_of(t, struct scsi_req, task);
	struct scsi_queue *q = req->queue;
	uint32_t tmf_mask = req->tmf_mask;

	req->busy = false;
	q->in_flight--;
	q->s->in_flight--;
	if (!req->dropped)
		answer(req, response_of(req));
	slot_put(req);
	if (tmf_mask)
		scsi_ctl_req_done(q->s, tmf_mask);
}

/* --- the beginning -------------------------------------------------------- */

/* The end of a request that no disk has seen. */
static void end_at_once(struct scsi_req *req, uint8_t response)
{
	answer(req, response);
	slot_put(req);
}

static void end_with_sense(struct scsi_req *req, const struct scsi_sense *sense)
{
	req->task.status = SCSI_CHECK_CONDITION;
	req->task.sense = *sense;
	end_at_once(req, VIRTIO_SCSI_S_OK);
}

/* Answer @len bytes, cut to the allocation length. */
static void end_with_data(struct scsi_req *req, const uint8_t *buf, size_t len)
{
	struct scsi_task *t = &req->task;

	if (t->cdb.list_len > t->in_len) {
		end_at_once(req, VIRTIO_SCSI_S_OVERRUN);
		return;
	}
	if (len > t->cdb.list_len)
		len = t->cdb.list_len;
	virtq_chain_write(&req->chain, t->in_off, buf, len);
	t->moved = len;
	end_at_once(req, VIRTIO_SCSI_S_OK);
}

/* SPC-4, 6.33: SELECT REPORT 0 all but well-known, 1 well-known, 2 all. */
static void report_luns(struct scsi *s, struct scsi_req *req)
{
	uint8_t buf[8 + (SCSI_LUNS_MAX + 1) * SCSI_LUN_BYTES] = {0};
	uint8_t select = req->task.cdb.select;
	size_t n = 8;

	if (select > 0) {
		buf[n] = 0xc1;
		buf[n + 1] = 0x01;
		n += SCSI_LUN_BYTES;
	}
	for (unsigned int i = 0; i < s->n_luns && select != 1; i++) {
		/* peripheral device addressing: one byte of number */
		buf[n + 1] = (uint8_t)s->luns[i].number;
		n += SCSI_LUN_BYTES;
	}
	store_be32(buf, (uint32_t)(n - 8));
	end_with_data(req, buf, n);
}

/* What our target says for a unit that is not there, and for its own. */
static void no_disk(struct scsi_req *req, bool well_known, unsigned int number)
{
	struct scsi_sense sense = {.code = SCSI_LUN_NOT_SUPPORTED};
	uint8_t buf[SCSI_PAGES_MAX];
	int n;

	switch (req->task.cdb.op) {
	case SCSI_OP_INQUIRY:
		/* unit 0 is where a driver begins to look: there could be one,
		 * of unknown type (1f); a well-known unit has type 1e */
		n = scsi_pages_no_unit(&req->task.cdb, well_known || !number,
				       well_known ? 0x1e : 1 << 5 | 0x1f, buf,
				       &sense);
		if (n < 0)
			end_with_sense(req, &sense);
		else
			end_with_data(req, buf, (size_t)n);
		break;
	case SCSI_OP_REQUEST_SENSE:
		if (well_known)
			sense.code = SCSI_NO_SENSE;
		if (req->task.cdb.desc) {
			end_with_data(req, buf, scsi_sense_desc(&sense, buf));
			break;
		}
		scsi_sense_fixed(&sense, buf);
		end_with_data(req, buf, SCSI_SENSE_FIXED_LEN);
		break;
	case SCSI_OP_TEST_UNIT_READY:
		if (well_known) {
			end_at_once(req, VIRTIO_SCSI_S_OK);
			break;
		}
		/* fall through */
	default:
		if (well_known)
			sense.code = SCSI_INVALID_OPCODE;
		end_with_sense(req, &sense);
	}
}

/* The CDB is understood and the response fits: who does it? */
static void dispatch(struct scsi *s, struct scsi_req *req,
		     enum scsi_address address, unsigned int i)
{
	if (req->task.cdb.op == SCSI_OP_REPORT_LUNS) {
		report_luns(s, req);
		return;
	}
	if (address != SCSI_ADDRESS_UNIT) {
		no_disk(req, address == SCSI_ADDRESS_WELL_KNOWN, i);
		return;
	}
	req->lun = i;
	req->busy = true;
	req->queue->in_flight++;
	s->in_flight++;
	scsi_disk_start(s->luns[i].disk, &req->task);
}

static void slot_begin(struct scsi_req *req, size_t head, size_t resp)
{
	struct scsi_task *t = &req->task;

	t->chain = &req->chain;
	t->out_off = head;
	t->out_len = req->chain.out_len - head;
	t->in_off = resp;
	t->in_len = req->chain.in_len - resp;
	t->done = task_done;
	t->status = SCSI_GOOD;
	t->moved = 0;
	t->overrun = t->bad_data = t->stop = false;
	req->dropped = false;
	req->verdict = 0;
	req->tmf_mask = 0;
}

static void begin(struct scsi *s, struct scsi_req *req)
{
	size_t head = REQ_CDB + s->cdb_len, resp = RESP_SENSE + s->sense_len;
	uint8_t h[REQ_CDB + SCSI_CDB_SIZE_MAX];
	enum scsi_address address;
	struct scsi_sense sense;
	unsigned int i = 0;

	scsi_count(&s->c.requests, 1);
	if (req->chain.in_len < resp ||
	    virtq_chain_read(&req->chain, 0, h, head) < 0) {
		scsi_count(&s->c.bad_chains, 1);
		virtq_push(virtq_of(req->queue), &req->chain, 0);
		req->queue->dirty = true;
		slot_put(req);
		return;
	}
	slot_begin(req, head, resp);
	req->tag = load_le64(h + REQ_TAG);
	address = scsi_address(s, h + REQ_LUN, &i);
	if (address == SCSI_ADDRESS_BAD) {
		end_at_once(req, VIRTIO_SCSI_S_BAD_TARGET);
	} else if (req->task.out_len && req->task.in_len) {
		/* needs VIRTIO_SCSI_F_INOUT */
		end_at_once(req, VIRTIO_SCSI_S_FAILURE);
	} else if (scsi_cdb_parse(h + REQ_CDB, s->cdb_len, &req->task.cdb,
				  &sense) < 0) {
		if (address == SCSI_ADDRESS_NO_UNIT)
			sense = (struct scsi_sense){
				.code = SCSI_LUN_NOT_SUPPORTED};
		end_with_sense(req, &sense);
	} else {
		dispatch(s, req, address, i);
	}
}

/* --- queues --------------------------------------------------------------- */

/* As many as there are, slots for them, and a bound. */
static int pop_some(struct scsi_queue *q)
{
	struct virtq *vq = virtq_of(q);

	q->starved = false;
	for (unsigned int n = 0; n < SCSI_QUEUE_SIZE; n++) {
		struct scsi_req *req = slot_get(q);
		int r;

		if (!req) {
			q->starved = true;
			return 0;
		}
		r = virtq_pop(vq, &req->chain);
		if (r <= 0) {
			slot_put(req);
			return r;
		}
		begin(q->s, req);
	}
	return 0;
}

static void flush_all(struct scsi *s)
{
	for (unsigned int i = 0; i < s->n_queues; i++) {
		struct scsi_queue *q = &s->queues[i];

		if (!q->dirty)
			continue;
		q->dirty = false;
		virtq_flush(virtq_of(q));
	}
	scsi_ctl_flush(s);
}

void scsi_req_drop(struct scsi_queue *q)
{
	q->starved = false;
	for (unsigned int i = 0; i < q->fresh; i++) {
		struct scsi_req *req = &q->slots[i];

		if (!req->busy)
			continue;
		req->dropped = true;
		req->task.stop = true;
	}
}

static void finish_resets(struct scsi *s)
{
	struct virtio_host *h = s->dev.host;

	for (unsigned int i = 0; i < s->n_queues; i++) {
		struct scsi_queue *q = &s->queues[i];

		if (!q->resetting || q->in_flight)
			continue;
		q->resetting = false;
		h->ops->queue_reset_done(h, SCSI_Q_REQUEST + i);
	}
	if (s->resetting && !s->in_flight) {
		s->resetting = false;
		h->ops->reset_done(h);
	}
}

void scsi_req_batch_done(struct scsi *s)
{
	flush_all(s);
	for (unsigned int i = 0; i < s->n_queues; i++) {
		struct scsi_queue *q = &s->queues[i];

		if (q->starved && q->in_flight < SCSI_QUEUE_SIZE)
			io_thread_post(s->dev.thread, &q->again);
	}
	if (s->ctl_starved)
		io_thread_post(s->dev.thread, &s->ctl_again);
	finish_resets(s);
}

int scsi_req_kick(struct scsi_queue *q)
{
	struct scsi *s = q->s;
	struct virtq *vq = virtq_of(q);

	if (!s->active)
		return 0;
	for (unsigned int round = 0; round < KICK_ROUNDS; round++) {
		int r;

		virtq_kicks_off(vq);
		r = pop_some(q);
		/* what is complete at once, of any queue, is so in commit() */
		s->engine->ops->commit(s->engine);
		scsi_req_batch_done(s);
		if (r < 0)
			return r;
		/* the next slot that is free goes on from here */
		if (q->starved && q->in_flight == SCSI_QUEUE_SIZE)
			return 0;
		if (!virtq_kicks_on(vq))
			return 0;
	}
	io_thread_post(s->dev.thread, &q->again);
	return 0;
}
