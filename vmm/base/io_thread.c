/* vmm/base/io_thread.c - an event loop with a mailbox. */
#include "vmm/base/io_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/base/thread_start.h"

struct io_thread {
	char name[16];
	struct loop *loop;
	struct loop_source *wake;
	pthread_t thread;
	atomic_bool running;
	pthread_mutex_t lock; /* the list, and `pending` of every call on it */
	struct io_call *head, **tail;
};

static struct io_call *take(struct io_thread *t)
{
	struct io_call *c;

	pthread_mutex_lock(&t->lock);
	c = t->head;
	if (c) {
		t->head = c->next;
		if (!t->head)
			t->tail = &t->head;
		c->pending = false;
	}
	pthread_mutex_unlock(&t->lock);
	return c;
}

/* One that posts itself again gets its turn after the descriptors. */
static void on_wake(void *arg)
{
	struct io_thread *t = arg;
	struct io_call *last, *c;
	bool more;

	pthread_mutex_lock(&t->lock);
	last = t->head ? container_of(t->tail, struct io_call, next) : NULL;
	pthread_mutex_unlock(&t->lock);
	while (last && (c = take(t))) {
		bool done = c == last;

		c->fn(c->arg);
		if (done)
			break;
	}
	pthread_mutex_lock(&t->lock);
	more = t->head != NULL;
	pthread_mutex_unlock(&t->lock);
	if (more)
		loop_wake(t->wake);
}

void io_thread_post(struct io_thread *t, struct io_call *call)
{
	bool first = false;

	pthread_mutex_lock(&t->lock);
	if (!call->pending) {
		call->pending = true;
		call->next = NULL;
		first = !t->head;
		*t->tail = call;
		t->tail = &call->next;
	}
	pthread_mutex_unlock(&t->lock);
	if (first)
		loop_wake(t->wake);
}

int io_thread_create(const char *name, struct io_thread **ret, struct err *err)
{
	AUTO(io_thread_destroyp) struct io_thread *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(err, -ENOMEM, "out of memory");
	snprintf(t->name, sizeof(t->name), "%s", name);
	pthread_mutex_init(&t->lock, NULL);
	t->tail = &t->head;
	r = loop_create(&t->loop, err);
	if (r < 0)
		return r;
	r = loop_add_wake(t->loop, on_wake, t, &t->wake);
	if (r < 0)
		return err_set(err, r, "%s: event loop: %s", name,
			       strerror(-r));
	*ret = TAKE(t);
	return 0;
}

void io_thread_destroy(struct io_thread *t)
{
	if (!t)
		return;
	io_thread_stop(t);
	loop_destroy(t->loop);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct loop *io_thread_loop(struct io_thread *t)
{
	return t->loop;
}

static void *thread_main(void *arg)
{
	struct io_thread *t = arg;

	/* from outside it would go through /proc, which may not be there */
	pthread_setname_np(pthread_self(), t->name);
	thread_start(THREAD_IO);
	loop_run(t->loop);
	return NULL;
}

int io_thread_start(struct io_thread *t, struct err *err)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return err_set_kind(err, ERR_HOST, -r, "thread '%s': %s",
				    t->name, strerror(r));
	thread_start_created();
	atomic_store(&t->running, true);
	return 0;
}

void io_thread_stop(struct io_thread *t)
{
	if (!atomic_load(&t->running))
		return;
	loop_quit(t->loop);
	pthread_join(t->thread, NULL);
	atomic_store(&t->running, false);
}

bool io_thread_is_self(const struct io_thread *t)
{
	return !atomic_load(&t->running) ||
	       pthread_equal(t->thread, pthread_self());
}
