/*
 * vmm/supervisor/control_calls.h - what clients have asked of a guest, until it
 * is answered. Part of control.
 */
#ifndef VMM_SUPERVISOR_CONTROL_CALLS_H
#define VMM_SUPERVISOR_CONTROL_CALLS_H

#include "vmm/supervisor/api_vm.h"
#include "vmm/supervisor/supervisor.h"

struct control_calls {
	struct supervisor *supervisor; /* borrowed */
	struct api_call *waiting;      /* for a state, in the order of coming */
	struct api_call *launching;    /* SECRET or FINISH, to be answered */
	struct api_call *attesting;    /* ATTEST, the same */
};

/* Do it, or ask the monitor for it; @call may be done when this returns. */
void control_calls_start(struct control_calls *c, struct api_call *call);
/* Nobody waits for it any longer. */
void control_calls_cancel(struct control_calls *c, struct api_call *call);

/* What happens; calls that this answers, or that it makes hopeless, are done.
 */
void control_calls_state(struct control_calls *c, enum supervisor_state s);
void control_calls_launch_answer(struct control_calls *c, int r,
				 const struct err *err);
void control_calls_attestation(struct control_calls *c,
			       const struct monitor_msg_attestation *m);

#endif
