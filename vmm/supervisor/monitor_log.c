/* vmm/supervisor/monitor_log.c - hostile lines to standard error. */
#include "vmm/supervisor/monitor_log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/monitor/monitor_proto.h"

enum { READS_AT_ONCE = 16, LAST_READS = 64 };

struct monitor_log {
	struct loop_source *source;
	int fd;
	uint64_t total;
	size_t len;
	char line[MONITOR_LOG_LINE];
};

static bool too_much(const struct monitor_log *l)
{
	return l->total > MONITOR_LOG_MAX && log_get_level() < LOG_DEBUG;
}

/* Its own messages say who speaks; what a library prints does not. */
static void put_line(struct monitor_log *l)
{
	static const char ours[] = "coffer: ";
	char text[MONITOR_LOG_LINE + 32];
	int n;

	l->line[l->len] = 0;
	l->len = 0;
	monitor_text_clean(l->line);
	if (!l->line[0])
		return;
	n = snprintf(text, sizeof(text), "%s%s\n",
		     strncmp(l->line, ours, sizeof(ours) - 1) != 0
			     ? "coffer: monitor: "
			     : "",
		     l->line);
	ssize_t unused = write(STDERR_FILENO, text, (size_t)n);

	(void)unused;
}

static void take(struct monitor_log *l, const char *buf, size_t n)
{
	bool before = too_much(l);

	l->total += n;
	if (too_much(l)) {
		if (!before)
			log_warn("the monitor says too much; it is not "
				 "listened to any more");
		l->len = 0;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (buf[i] != '\n')
			l->line[l->len++] = (char)(buf[i] ? buf[i] : '?');
		if (buf[i] == '\n' || l->len == sizeof(l->line) - 1)
			put_line(l);
	}
}

/* False: there is nothing left to read, now (or for good: *gone). */
static bool read_some(struct monitor_log *l, bool *gone)
{
	char buf[1024];
	ssize_t n = read(l->fd, buf, sizeof(buf));

	if (n > 0)
		take(l, buf, (size_t)n);
	*gone = !n;
	return n > 0;
}

static void on_readable(void *arg, int fd, uint32_t events)
{
	struct monitor_log *l = arg;
	bool gone = false;

	(void)fd;
	(void)events;
	for (int i = 0; i < READS_AT_ONCE && read_some(l, &gone); i++)
		;
	if (gone) {
		loop_remove(l->source);
		l->source = NULL;
	}
}

int monitor_log_create(struct loop *loop, int fd, struct monitor_log **ret,
		       struct err *err)
{
	AUTO(monitor_log_destroyp)
	struct monitor_log *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(err, -ENOMEM, "out of memory");
	l->fd = fd;
	r = loop_add_fd(loop, fd, EPOLLIN, on_readable, l, &l->source);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "event loop: %s",
				    strerror(-r));
	*ret = TAKE(l);
	return 0;
}

void monitor_log_destroy(struct monitor_log *l)
{
	bool gone;

	if (!l)
		return;
	for (int i = 0; i < LAST_READS && l->source && read_some(l, &gone); i++)
		;
	if (l->len)
		put_line(l);
	loop_remove(l->source);
	free(l);
}
