/*
 * vmm/base/loop.h - the event loop of the main thread: descriptors, one-shot
 * timers, signals.
 *
 * Sources are added, changed and removed by the loop's own thread (or before
 * loop_run()). Only loop_quit() and loop_wake() are for other threads.
 */
#ifndef VMM_BASE_LOOP_H
#define VMM_BASE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct loop;	    /* opaque */
struct loop_source; /* opaque; a descriptor, a timer, or a wake-up */

/* @events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR as epoll_ctl(2). */
typedef void (*loop_fd_fn)(void *arg, int fd, uint32_t events);
typedef void (*loop_fn)(void *arg);
typedef void (*loop_signal_fn)(void *arg, int signo);

int loop_create(struct loop **ret, struct err *err);
/* Removes what is left; descriptors given to loop_add_fd() stay open. */
void loop_destroy(struct loop *l);
DEFINE_CLEANUP(struct loop, loop_destroy)

/*
 * Call @fn when @fd (borrowed, non-blocking) has one of @events. A regular
 * file, which epoll refuses, is -EPERM.
 */
int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn,
		void *arg, struct loop_source **ret);
int loop_set_events(struct loop_source *s, uint32_t events);

/* A timer, not yet set. */
int loop_add_timer(struct loop *l, loop_fn fn, void *arg,
		   struct loop_source **ret);
/* Fire once, @ms from now (0: cancel). Any thread. */
void loop_set_timer(struct loop_source *s, uint64_t ms);

/* @fn runs in the loop after loop_wake(), once for any number of wakes. */
int loop_add_wake(struct loop *l, loop_fn fn, void *arg,
		  struct loop_source **ret);
/* Any thread, and signal-safe. */
void loop_wake(struct loop_source *s);

/*
 * Signals of @set are blocked in the calling thread and in those it creates
 * from now on, and arrive as calls of @fn. Once per loop; the old mask comes
 * back with loop_destroy().
 */
int loop_add_signals(struct loop *l, const sigset_t *set, loop_signal_fn fn,
		     void *arg);

/* Remove a source; also from inside its own callback. NULL is fine. */
void loop_remove(struct loop_source *s);

/*
 * Dispatch what is ready, once, after waiting at most @timeout_ms for it (0:
 * not at all, -1: without limit). Returns the number of events; 0 also when a
 * signal interrupted it.
 */
int loop_step(struct loop *l, int timeout_ms);
/* Until loop_quit(). Negative errno only when epoll itself fails. */
int loop_run(struct loop *l);
/*
 * For a loop inside another one: a descriptor that is readable when
 * loop_step() has something to do; and whether loop_quit() was called, which
 * this forgets, as loop_run() does when it returns.
 */
int loop_fd(const struct loop *l);
bool loop_take_quit(struct loop *l);
/* Any thread, before or during loop_run(). */
void loop_quit(struct loop *l);

#endif
