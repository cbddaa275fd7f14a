/*
 * vmm/bundle/bundle_fit.h - the tree of a FIT image, node by node: nothing of
 * what it means, all of what its form must be.
 */
#ifndef VMM_BUNDLE_BUNDLE_FIT_H
#define VMM_BUNDLE_BUNDLE_FIT_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	FIT_NAME_MAX =
		63, /* bytes of a node's name; the specification has 31 */
	FIT_PROPS_MAX = 12,
};

/* A node of a tree that fit_check() has passed. */
struct fit_node {
	const void *fdt;
	int off;
	char path[4 * (FIT_NAME_MAX + 1)]; /* for messages */
};

struct fit_prop {
	const char *data; /* NULL: it is not there */
	size_t len;
};

/*
 * Is @data (@len bytes) one whole tree, and nothing else? Blocks lie inside it
 * and do not overlap, nodes are nested, names end.
 * -EBADMSG with ERR_INPUT
 */
int fit_check(const void *data, size_t len, struct err *err);
struct fit_node fit_root(const void *data);

/*
 * The properties of @n, in the order of @names, which ends with NULL and has at
 * most FIT_PROPS_MAX. -EBADMSG: another property, or one twice.
 */
int fit_props(const struct fit_node *n, const char *const *names,
	      struct fit_prop *ret, struct err *err);

/*
 * The child nodes of @n. More than @max, a name twice, or one with other
 * characters than the specification has: -EBADMSG.
 */
int fit_children(const struct fit_node *n, struct fit_node *ret, size_t max,
		 size_t *ret_n, struct err *err);
/* The last part of its path. */
const char *fit_name(const struct fit_node *n);

/*
 * Values. -EBADMSG: not there, or not of that form; @name is for the message.
 * A text ends with its only zero and has no control characters.
 */
int fit_text(const struct fit_node *n, const char *name, struct fit_prop p,
	     size_t max, const char **ret, struct err *err);
/* One cell or two, big-endian. */
int fit_number(const struct fit_node *n, const char *name, struct fit_prop p,
	       uint64_t max, uint64_t *ret, struct err *err);

/* -EBADMSG with "PATH: " and the message. */
int fit_bad(const struct fit_node *n, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
