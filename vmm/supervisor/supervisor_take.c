/*
 * vmm/supervisor/supervisor_take.c - what a monitor says becomes a state, a
 * result, or news for the watchers. Every message has been checked
 * (monitor_msg_check), and is nevertheless no more than a claim.
 */
#include "vmm/supervisor/supervisor_impl.h"

#include <string.h>

#include "vmm/base/log.h"
#include "vmm/config.h"
#include "vmm/timing.h"

static void take_state(struct supervisor *s, uint32_t state)
{
	if (!s->ready || s->state == SUPERVISOR_STOPPING)
		return;
	if (state == MONITOR_STATE_RUNNING)
		supervisor_set_state(s, SUPERVISOR_RUNNING);
	else if (state == MONITOR_STATE_PAUSED)
		supervisor_set_state(s, SUPERVISOR_PAUSED);
	else
		supervisor_set_state(s, SUPERVISOR_LAUNCH);
}

static void take_launch_info(struct supervisor *s,
			     const struct launch_info *info)
{
	if (s->state == SUPERVISOR_STARTING && info->state == LAUNCH_MEASURED)
		supervisor_set_state(s, SUPERVISOR_LAUNCH);
	if (s->p.ledger)
		*s->p.ledger = info->ledger;
	SUPERVISOR_TELL(s, launch_info, info);
}

static void take_launch_answer(struct supervisor *s,
			       const struct monitor_msg_launch_answer *m)
{
	struct err err = {.code = m->code, .kind = (enum err_kind)m->kind};

	memcpy(err.msg, m->msg, sizeof(err.msg));
	monitor_text_clean(err.msg);
	SUPERVISOR_TELL(s, launch_answer, m->code, &err);
}

static void take_attestation(struct supervisor *s,
			     const struct monitor_msg_attestation *m)
{
	struct monitor_msg_attestation clean = *m;

	monitor_text_clean(clean.msg);
	SUPERVISOR_TELL(s, attestation, &clean);
}

static void take_event(struct supervisor *s, const struct monitor_msg_event *m)
{
	if (m->kind == MONITOR_EVENT_CRASH_KERNEL)
		log_debug("the guest panicked and runs a crash kernel");
	else
		log_debug("the guest's driver of %s broke it", m->device);
	SUPERVISOR_TELL(s, event, (enum monitor_event)m->kind, m->device);
}

static void take_result(struct supervisor *s,
			const struct monitor_msg_result *m)
{
	s->has_result = true;
	s->result.how = (enum run_how)m->how;
	s->result.value = m->value;
	memcpy(s->result.why, m->why, sizeof(s->result.why));
	monitor_text_clean(s->result.why);
}

static void take_error(struct supervisor *s, const struct monitor_msg_error *m)
{
	s->has_error = true;
	s->error.kind = (enum err_kind)m->kind;
	s->error.code = m->code;
	memcpy(s->error.msg, m->msg, sizeof(s->error.msg));
	monitor_text_clean(s->error.msg);
}

/* The key has done its work. A second such message changes nothing. */
static void take_encrypted(struct supervisor *s,
			   const struct monitor_msg_encrypted *m)
{
	if (!s->key.broker)
		return;
	key_broker_encrypted(s->key.broker);
	log_info("guest memory: %s%s",
		 mktme_protects(&s->p.config->devices.mktme),
		 m->verified ? "" : " (this kernel does not print KeyIDs)");
}

void supervisor_take(struct supervisor *s, const struct monitor_msg *m)
{
	switch (m->type) {
	case MONITOR_MSG_ENCRYPTED:
		take_encrypted(s, &m->encrypted);
		break;
	case MONITOR_MSG_READY:
		s->ready = true;
		break;
	case MONITOR_MSG_STATE:
		take_state(s, m->state.state);
		break;
	case MONITOR_MSG_TIMING:
		timing_merge(s->p.timing, m->timing.at, MONITOR_TIMINGS_MAX);
		break;
	case MONITOR_MSG_EVENT:
		take_event(s, &m->event);
		break;
	case MONITOR_MSG_COUNTERS:
		supervisor_take_counters(s, &m->counters);
		break;
	case MONITOR_MSG_LAUNCH_INFO:
		take_launch_info(s, &m->launch_info);
		break;
	case MONITOR_MSG_LAUNCH_ANSWER:
		take_launch_answer(s, &m->launch_answer);
		break;
	case MONITOR_MSG_ATTESTATION:
		take_attestation(s, &m->attestation);
		break;
	case MONITOR_MSG_TRAP:
		supervisor_take_trap(s, &m->trap);
		break;
	case MONITOR_MSG_RESULT:
		take_result(s, &m->result);
		break;
	case MONITOR_MSG_ERROR:
		take_error(s, &m->error);
		break;
	default:
		break;
	}
}
