/*
 * vmm/supervisor/api_vm.h - what the control socket asks of a VM. The API
 * server calls it, the supervisor implements it; a test has a fake.
 *
 * Everything happens in the supervisor's one thread. Questions that a running
 * guest's process must answer are calls: they are started, and done later.
 */
#ifndef VMM_SUPERVISOR_API_VM_H
#define VMM_SUPERVISOR_API_VM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "crypto/sev_abi.h"
#include "vmm/counters.h"

struct err;
struct launch_info;
struct run_config;
struct run_result;

/* "starting", "waiting", ...: the word in every JSON. */
enum api_state {
	API_STATE_STARTING = 0, /* also between two starts */
	API_STATE_WAITING,	/* measured; the launch waits for its owner */
	API_STATE_RUNNING,
	API_STATE_PAUSED,
	API_STATE_STOPPING, /* the power button was pressed */
	API_STATE_ENDED,
	API_STATE_COUNT,
};

/* What is known without asking anybody. Pointers are borrowed. */
struct api_vm_info {
	enum api_state state;
	const struct run_config *config;
	const struct run_result *result; /* NULL until it has ended */
	pid_t monitor_pid;		 /* 0: there is none now */
	uint64_t uptime_ms;		 /* since the first start */
	uint64_t n_starts;		 /* 1, and one for each restart */
};

enum api_verb {
	API_VERB_COUNTERS = 0, /* fills counters */
	API_VERB_PAUSE,	       /* done when no vCPU runs any more */
	API_VERB_RESUME,       /* of a launch that waits: as FINISH */
	API_VERB_STOP,	       /* done when the power button is pressed */
	API_VERB_KILL,	       /* done when the end has begun */
	API_VERB_SECRET,       /* takes secret */
	API_VERB_FINISH,       /* done when the guest runs */
	API_VERB_ATTEST,       /* takes nonce, fills report */
	API_VERB_RESIZE,       /* takes lun, fills bytes */
};

enum {
	API_LUN_MAX = 255,
	API_SECRET_HEADER = 52, /* AMD SEV API 0.24, LAUNCH_SECRET */
	API_SECRET_MAX = 16384, /* bytes of payload */
};

/* A packet of `owner secret`, as bytes. */
struct api_secret {
	const uint8_t *header; /* API_SECRET_HEADER bytes; borrowed */
	const uint8_t *payload;
	size_t len;   /* of the payload, 1..API_SECRET_MAX */
	uint64_t gpa; /* 0: the area that the launch set aside */
};

/*
 * One call. It belongs to the server and lives until @done, or until cancel().
 */
struct api_call {
	enum api_verb verb;
	struct api_secret secret; /* valid while start() runs */
	unsigned int lun;	  /* of RESIZE */
	uint64_t bytes;		  /* the disk's, in RESIZE's answer */
	struct counters counters; /* the server frees them */
	uint8_t nonce[SEV_NONCE_LEN];
	uint8_t report[SEV_REPORT_LEN];
	uint64_t id;	       /* the VM's own use */
	struct api_call *next; /* the VM's own use */
	/*
	 * @r 0, or a negative errno with a message in @err:
	 * -EBUSY     not in this state (409)
	 * -EINVAL    an argument is wrong (400)
	 * -ENOTSUP   this guest has no such thing (404)
	 * -EAGAIN    not now; too much is under way (503)
	 * others     it was tried and failed (500)
	 */
	void (*done)(struct api_call *c, int r, const struct err *err);
};

struct api_vm;
struct api_vm_ops {
	void (*info)(struct api_vm *vm, struct api_vm_info *ret);
	/* NULL: the guest is not protected. Borrowed until the next call. */
	const struct launch_info *(*launch)(struct api_vm *vm);
	/* Begin @c; its done() is called before this returns or later. */
	void (*start)(struct api_vm *vm, struct api_call *c);
	/* Forget @c, which start() was given: done() must not be called. */
	void (*cancel)(struct api_vm *vm, struct api_call *c);
};

struct api_vm {
	const struct api_vm_ops *ops;
};

const char *api_state_name(enum api_state s);

#endif
