/*
 * vmm/supervisor/api_server.h - the control socket: HTTP/1.1 and JSON, for the
 * user who started coffer and for root. docs/api.yaml describes it.
 *
 * One thread, no blocking: bounded in clients, in bytes of a request, in the
 * time a client may take, and in bytes that wait for a slow reader.
 */
#ifndef VMM_SUPERVISOR_API_SERVER_H
#define VMM_SUPERVISOR_API_SERVER_H

#include "vmm/base/own.h"

struct api_server; /* opaque */
struct api_vm;
struct err;
struct loop;

enum {
	API_CLIENTS_MAX = 32,	/* connections at a time; more get 503 */
	API_STREAMS_MAX = 8,	/* of them, readers of /v1/events */
	API_STREAM_MAX = 65536, /* bytes that wait for one such reader */
};

/* "started", "paused", ...: the word in the stream of events. */
enum api_event {
	API_EVENT_STARTED = 0, /* the first instruction is about to run */
	API_EVENT_PAUSED,
	API_EVENT_RESUMED,
	API_EVENT_STOPPING,	   /* the power button was pressed */
	API_EVENT_PANIC,	   /* or any other crash of the guest */
	API_EVENT_CRASH_KERNEL,	   /* it panicked and runs a crash kernel */
	API_EVENT_SHUTDOWN,	   /* the guest powered off */
	API_EVENT_RESET,	   /* the guest rebooted */
	API_EVENT_NEEDS_RESET,	   /* a driver broke its device; which */
	API_EVENT_LAUNCH_MEASURED, /* the launch waits for its owner */
	API_EVENT_LAUNCH_SECRET,   /* one more secret is in place */
	API_EVENT_LAUNCH_FINISHED,
	API_EVENT_ENDED, /* the last one; the detail says why */
	API_EVENT_COUNT,
};

/* Times in milliseconds; api_limits_init() has those of production. */
struct api_limits {
	unsigned int request_ms; /* from its first byte to its last */
	unsigned int idle_ms;	 /* between two requests */
	unsigned int reply_ms;	 /* for the client to take an answer */
	unsigned int call_ms;	 /* for the VM to answer */
};

void api_limits_init(struct api_limits *l);

/*
 * Serve the listening, non-blocking socket @fd.
 * @fd, @vm   borrowed
 * @limits    copied; NULL: those of production
 */
int api_server_create(int fd, struct api_vm *vm,
		      const struct api_limits *limits, struct api_server **ret,
		      struct err *err);
/* Sends what can be sent at once and drops all clients. NULL is fine. */
void api_server_destroy(struct api_server *s);
DEFINE_CLEANUP(struct api_server, api_server_destroy)

/*
 * loop_run(@l), serving clients meanwhile. @s NULL: loop_run() alone.
 */
int api_server_run(struct api_server *s, struct loop *l);

/*
 * Tell everybody who reads /v1/events, with the state that the VM has now.
 * @detail    one line, or NULL
 */
void api_server_event(struct api_server *s, enum api_event e,
		      const char *detail);

const char *api_event_name(enum api_event e);

#endif
