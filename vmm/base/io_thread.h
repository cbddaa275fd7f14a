/*
 * vmm/base/io_thread.h - a thread that runs an event loop: where a device
 * works. Everything a device does to its queues happens in its thread, so a
 * device needs no locks; others ask by posting.
 */
#ifndef VMM_BASE_IO_THREAD_H
#define VMM_BASE_IO_THREAD_H

#include <stdbool.h>

#include "vmm/base/own.h"

struct err;
struct io_thread; /* opaque */
struct loop;

/*
 * A call to be made in the thread. Embedded in whoever posts it, and posted
 * again only after @fn has begun. @fn may post it anew.
 */
struct io_call {
	void (*fn)(void *arg);
	void *arg;
	struct io_call *next; /* the thread's, while pending */
	bool pending;
};

/* @name: at most 15 bytes, as `ps -L` shows it. Not yet running. */
int io_thread_create(const char *name, struct io_thread **ret, struct err *err);
/* Stops and joins first if it runs; posted calls are dropped. NULL is fine. */
void io_thread_destroy(struct io_thread *t);
DEFINE_CLEANUP(struct io_thread, io_thread_destroy)

/* Its loop: add sources before io_thread_start() or in the thread itself. */
struct loop *io_thread_loop(struct io_thread *t);

/* All signals are blocked in it. */
int io_thread_start(struct io_thread *t, struct err *err);
/* End the loop after the callback that runs now, and join. Idempotent. */
void io_thread_stop(struct io_thread *t);

/*
 * Make @call->fn(@call->arg) in the thread, once, in the order of posting.
 * A call that is pending already stays so. Any thread; never blocks.
 */
void io_thread_post(struct io_thread *t, struct io_call *call);

/* Is the caller this thread? True as well while it does not run. */
bool io_thread_is_self(const struct io_thread *t);

#endif
