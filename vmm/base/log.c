/* vmm/base/log.c - one line per message, one write(2) per line. */
#include "vmm/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 768 }; /* bytes; longer lines are cut */

static enum log_level log_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	log_level = level;
}

enum log_level log_get_level(void)
{
	return log_level;
}

__attribute__((format(printf, 2, 0))) static void
emit(const char *tag, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t n;

	n = (size_t)snprintf(line, sizeof(line), "coffer: %s", tag);
	vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	n = strlen(line);
	line[n++] = '\n';
	/* A reader that went away is no reason to stop a guest. */
	ssize_t unused = write(STDERR_FILENO, line, n);

	(void)unused;
}

#define LOG_DEFINE(name, level, tag)                                           \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		if (log_level < (level))                                       \
			return;                                                \
		va_start(ap, fmt);                                             \
		emit(tag, fmt, ap);                                            \
		va_end(ap);                                                    \
	}

LOG_DEFINE(log_error, LOG_QUIET, "")
LOG_DEFINE(log_warn, LOG_QUIET, "warning: ")
LOG_DEFINE(log_info, LOG_INFO, "")
LOG_DEFINE(log_debug, LOG_DEBUG, "debug: ")
