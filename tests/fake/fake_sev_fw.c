/* tests/fake/fake_sev_fw.c */
#include "tests/fake/fake_sev_fw.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/sev_status.h"
#include "vmm/base/own.h"

static int wrong_state(struct sev_fw_call *c)
{
	c->status = SEV_STATUS_INVALID_GUEST_STATE;
	return -EIO;
}

static int step(struct fake_sev_fw *f, struct sev_fw_call *c,
		enum sev_guest_state from, enum sev_guest_state to)
{
	if (f->state != from)
		return wrong_state(c);
	f->state = to;
	return 0;
}

static int answer(struct fake_sev_fw *f, struct sev_fw_call *c)
{
	switch (c->cmd) {
	case SEV_FW_START:
		f->policy = c->start.policy;
		c->start.handle = f->handle = 7;
		return step(f, c, SEV_GUEST_UNINIT, SEV_GUEST_LUPDATE);
	case SEV_FW_PIN:
		f->pinned += c->mem.len;
		return 0;
	case SEV_FW_UNPIN:
		f->pinned -= c->mem.len;
		return 0;
	case SEV_FW_UPDATE_DATA:
	case SEV_FW_UPDATE_VMSA:
		return step(f, c, SEV_GUEST_LUPDATE, SEV_GUEST_LUPDATE);
	case SEV_FW_MEASURE:
		memset(c->measure.out, 0x5a, sizeof(c->measure.out));
		return step(f, c, SEV_GUEST_LUPDATE, SEV_GUEST_LSECRET);
	case SEV_FW_SECRET:
		return step(f, c, SEV_GUEST_LSECRET, SEV_GUEST_LSECRET);
	case SEV_FW_FINISH:
		return step(f, c, SEV_GUEST_LSECRET, SEV_GUEST_RUNNING);
	case SEV_FW_GUEST_STATUS:
		c->guest.handle = f->handle;
		c->guest.policy = f->lie_policy ? f->lie_policy : f->policy;
		c->guest.state = f->lie_state ? f->lie_state : f->state;
		return 0;
	case SEV_FW_ATTESTATION:
		memset(c->attestation.out, 0xa5, sizeof(c->attestation.out));
		return 0;
	case SEV_FW_INIT:
	case SEV_FW_CMD_COUNT:
		break;
	}
	return 0;
}

static int issue(struct sev_fw *fw, struct sev_fw_call *c)
{
	struct fake_sev_fw *f = container_of(fw, struct fake_sev_fw, fw);
	int r;

	assert(c->cmd < SEV_FW_CMD_COUNT);
	if (++f->n[c->cmd] == f->fail_at && c->cmd == f->fail_cmd) {
		c->status = f->fail_status;
		r = f->fail_code;
	} else {
		r = answer(f, c);
	}
	if (f->n_calls < FAKE_SEV_FW_CALLS)
		f->call[f->n_calls++] = *c;
	return r;
}

void fake_sev_fw_init(struct fake_sev_fw *f)
{
	static const struct sev_fw_ops ops = {.issue = issue};

	memset(f, 0, sizeof(*f));
	f->fw.ops = &ops;
}
