/* vmm/base/loop.c - epoll, timerfd, eventfd, signalfd behind one kind of
 * source. */
#include "vmm/base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "vmm/base/err.h"

enum { LOOP_BATCH = 16 }; /* events taken from the kernel at once */

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_WAKE, SOURCE_SIGNALS };

struct loop_source {
	struct loop *loop;
	enum source_kind kind;
	int fd;	   /* borrowed for SOURCE_FD, own otherwise */
	bool dead; /* removed, freed when the batch is done */
	union {
		loop_fd_fn on_fd;
		loop_fn on_call;
		loop_signal_fn on_signal;
	} fn;
	void *arg;
	struct loop_source *next, *prev;
};

struct loop {
	int epoll_fd;
	bool quit;
	bool any_dead; /* removed sources wait for collect() */
	struct loop_source *quit_source;
	struct loop_source *head; /* all sources, the dead too */
	bool mask_changed;
	sigset_t old_mask;
};

static int add(struct loop *l, enum source_kind kind, int fd, uint32_t events,
	       struct loop_source **ret)
{
	struct loop_source *s = calloc(1, sizeof(*s));
	struct epoll_event ev = {.events = events};
	int r;

	if (!s)
		return -ENOMEM;
	ev.data.ptr = s;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		r = -errno;
		free(s);
		return r;
	}
	s->loop = l;
	s->kind = kind;
	s->fd = fd;
	s->next = l->head;
	if (l->head)
		l->head->prev = s;
	l->head = s;
	*ret = s;
	return 0;
}

/* Add a source over a descriptor of our own, which is closed on failure. */
static int add_own(struct loop *l, enum source_kind kind, int fd,
		   struct loop_source **ret)
{
	int r;

	if (fd < 0)
		return -errno;
	r = add(l, kind, fd, EPOLLIN, ret);
	if (r < 0)
		close(fd);
	return r;
}

int loop_add_fd(struct loop *l, int fd, uint32_t events, loop_fd_fn fn,
		void *arg, struct loop_source **ret)
{
	int r = add(l, SOURCE_FD, fd, events, ret);

	if (r < 0)
		return r;
	(*ret)->fn.on_fd = fn;
	(*ret)->arg = arg;
	return 0;
}

int loop_set_events(struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	if (epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev) < 0)
		return -errno;
	return 0;
}

int loop_add_timer(struct loop *l, loop_fn fn, void *arg,
		   struct loop_source **ret)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = add_own(l, SOURCE_TIMER, fd, ret);

	if (r < 0)
		return r;
	(*ret)->fn.on_call = fn;
	(*ret)->arg = arg;
	return 0;
}

void loop_set_timer(struct loop_source *s, uint64_t ms)
{
	struct itimerspec t = {
		.it_value.tv_sec = (time_t)(ms / 1000),
		.it_value.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	timerfd_settime(s->fd, 0, &t, NULL);
}

int loop_add_wake(struct loop *l, loop_fn fn, void *arg,
		  struct loop_source **ret)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct loop_source *s = NULL;
	int r = add_own(l, SOURCE_WAKE, fd, &s);

	if (r < 0 || !s)
		return r;
	s->fn.on_call = fn;
	s->arg = arg;
	*ret = s;
	return 0;
}

void loop_wake(struct loop_source *s)
{
	uint64_t one = 1;
	/* EAGAIN means that it is awake already. */
	ssize_t unused = write(s->fd, &one, sizeof(one));

	(void)unused;
}

int loop_add_signals(struct loop *l, const sigset_t *set, loop_signal_fn fn,
		     void *arg)
{
	struct loop_source *s = NULL;
	int r;

	r = add_own(l, SOURCE_SIGNALS,
		    signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK), &s);
	if (r < 0 || !s)
		return r;
	s->fn.on_signal = fn;
	s->arg = arg;
	pthread_sigmask(SIG_BLOCK, set, &l->old_mask);
	l->mask_changed = true;
	return 0;
}

void loop_remove(struct loop_source *s)
{
	if (!s || s->dead)
		return;
	/* The batch in hand may still name it: freed by collect(). */
	s->dead = true;
	s->loop->any_dead = true;
	epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	if (s->kind != SOURCE_FD)
		close(s->fd);
}

static void collect(struct loop *l)
{
	struct loop_source *s = l->head, *next;

	if (!l->any_dead) /* there may be thousands that live */
		return;
	l->any_dead = false;
	for (; s; s = next) {
		next = s->next;
		if (!s->dead)
			continue;
		if (s->prev)
			s->prev->next = s->next;
		else
			l->head = s->next;
		if (s->next)
			s->next->prev = s->prev;
		free(s);
	}
}

static void dispatch_signals(struct loop_source *s)
{
	struct signalfd_siginfo si;

	while (!s->dead && read(s->fd, &si, sizeof(si)) == sizeof(si))
		s->fn.on_signal(s->arg, (int)si.ssi_signo);
}

static void dispatch(struct loop_source *s, uint32_t events)
{
	uint64_t count;

	switch (s->kind) {
	case SOURCE_FD:
		s->fn.on_fd(s->arg, s->fd, events);
		break;
	case SOURCE_TIMER:
	case SOURCE_WAKE:
		/* A timer that was set anew since it fired reads EAGAIN. */
		if (read(s->fd, &count, sizeof(count)) == sizeof(count))
			s->fn.on_call(s->arg);
		break;
	case SOURCE_SIGNALS:
		dispatch_signals(s);
		break;
	}
}

int loop_step(struct loop *l, int timeout_ms)
{
	struct epoll_event ev[LOOP_BATCH];
	int n = epoll_wait(l->epoll_fd, ev, LOOP_BATCH, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct loop_source *s = ev[i].data.ptr;

		if (!s->dead)
			dispatch(s, ev[i].events);
	}
	collect(l);
	return n;
}

int loop_run(struct loop *l)
{
	while (!loop_take_quit(l)) {
		int r = loop_step(l, -1);

		if (r < 0)
			return r;
	}
	return 0;
}

int loop_fd(const struct loop *l)
{
	return l->epoll_fd;
}

bool loop_take_quit(struct loop *l)
{
	bool quit = l->quit;

	l->quit = false;
	return quit;
}

static void on_quit(void *arg)
{
	struct loop *l = arg;

	l->quit = true;
}

void loop_quit(struct loop *l)
{
	loop_wake(l->quit_source);
}

int loop_create(struct loop **ret, struct err *err)
{
	AUTO(loop_destroyp) struct loop *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(err, -ENOMEM, "out of memory");
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return err_set(err, -errno, "epoll_create1: %s",
			       strerror(errno));
	r = loop_add_wake(l, on_quit, l, &l->quit_source);
	if (r < 0)
		return err_set(err, r, "event loop: %s", strerror(-r));
	*ret = TAKE(l);
	return 0;
}

void loop_destroy(struct loop *l)
{
	if (!l)
		return;
	for (struct loop_source *s = l->head; s; s = s->next)
		loop_remove(s);
	collect(l);
	fd_closep(&l->epoll_fd);
	if (l->mask_changed)
		pthread_sigmask(SIG_SETMASK, &l->old_mask, NULL);
	free(l);
}
