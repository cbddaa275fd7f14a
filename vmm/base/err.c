/* vmm/base/err.c - formats an error message into a fixed buffer. */
#include "vmm/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A message is one line whatever went into it: file names are hostile. */
static void one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

__attribute__((format(printf, 2, 0))) static void
format(struct err *e, const char *fmt, va_list ap)
{
	int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);

	if (n >= (int)sizeof(e->msg))
		memcpy(e->msg + sizeof(e->msg) - 4, "...", 4);
	one_line(e->msg);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	e->kind = code == -EACCES || code == -EPERM ? ERR_PERM : ERR_UNSET;
	va_start(ap, fmt);
	format(e, fmt, ap);
	va_end(ap);
	return code;
}

int err_set_kind(struct err *e, enum err_kind kind, int code, const char *fmt,
		 ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	e->kind = kind;
	va_start(ap, fmt);
	format(e, fmt, ap);
	va_end(ap);
	return code;
}

int err_set_open(struct err *err, const char *what, const char *path, int e)
{
	if (e == EACCES || e == EPERM)
		return err_set_kind(err, ERR_PERM, -e,
				    "%s '%s': no permission to read it", what,
				    path);
	if (e == ENOENT)
		return err_set_kind(err, ERR_INPUT, -e,
				    "%s '%s' does not exist", what, path);
	return err_set_kind(err, ERR_INPUT, -e, "%s '%s': %s", what, path,
			    strerror(e));
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	va_list ap;
	size_t n;

	if (!e)
		return 0;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	format(e, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	if (snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", old) >=
	    (int)(sizeof(e->msg) - n))
		memcpy(e->msg + sizeof(e->msg) - 4, "...", 4);
	return e->code;
}

void err_default_kind(struct err *e, enum err_kind kind)
{
	if (e && e->kind == ERR_UNSET)
		e->kind = kind;
}
