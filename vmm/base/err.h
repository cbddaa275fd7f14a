/* vmm/base/err.h - the message that goes with a negative errno. */
#ifndef VMM_BASE_ERR_H
#define VMM_BASE_ERR_H

#include <stdarg.h>

/*
 * Whose fault a failed start is. The command line turns it into the exit
 * status (coffer(1), EXIT STATUS); components set it only where they know.
 */
enum err_kind {
	ERR_UNSET = 0, /* the caller decides by what it was doing */
	ERR_USAGE,     /* 64: an option, or a combination of options */
	ERR_INPUT,     /* 66: a file is missing or not what it claims */
	ERR_HOST,      /* 69: the host lacks something */
	ERR_INTERNAL,  /* 70: our bug */
	ERR_PERM,      /* 77: permission */
	ERR_BUSY,      /* 75: used up now; the same may work later */
};

enum { ERR_MSG_MAX = 512 }; /* bytes, with the terminating zero */

/* Caller-owned, fixed size: usable without malloc and under seccomp. */
struct err {
	int code; /* negative errno, 0 when unset */
	enum err_kind kind;
	char msg[ERR_MSG_MAX]; /* one line, no newline; cut with "..." */
};

/*
 * Record @code (a negative errno) and a message; return @code, so that
 * set-up functions can `return err_set(err, -EINVAL, "...")`. @e may be NULL.
 * The kind is set from @code only for -EACCES and -EPERM (ERR_PERM).
 */
int err_set(struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, with the kind. */
int err_set_kind(struct err *e, enum err_kind kind, int code, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));
/*
 * Why file @path, which is the operator's @what ("kernel"), cannot be opened:
 * @e is the errno of open(2). ERR_PERM or ERR_INPUT; returns -@e.
 */
int err_set_open(struct err *err, const char *what, const char *path, int e);
/* Put "text: " before the message that is there; return e->code (or 0). */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Set the kind where no component has set it. */
void err_default_kind(struct err *e, enum err_kind kind);

#endif
