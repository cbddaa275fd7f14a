/* vmm/bundle/bundle_fit.c - walks a device tree by libfdt, and trusts none. */
#include "vmm/bundle/bundle_fit.h"

#include <ctype.h>
#include <errno.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { RESERVATION_LEN = 16, VERSION = 17 };

int fit_bad(const struct fit_node *n, struct err *err, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set_kind(err, ERR_INPUT, -EBADMSG, "%s: %s",
			    *n->path ? n->path : "/", text);
}

static int bad(struct err *err, const char *text)
{
	return err_set_kind(err, ERR_INPUT, -EBADMSG, "%s", text);
}

/* libfdt looks at each block alone; two that overlap would be read twice. */
static bool blocks_overlap(const void *d)
{
	const struct {
		uint64_t off, len;
	} block[] = {
		{0, sizeof(struct fdt_header)},
		{fdt_off_mem_rsvmap(d), RESERVATION_LEN},
		{fdt_off_dt_struct(d), fdt_size_dt_struct(d)},
		{fdt_off_dt_strings(d), fdt_size_dt_strings(d)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(block); i++)
		for (size_t j = 0; j < i; j++)
			if (range_overlaps(block[i].off, block[i].len,
					   block[j].off, block[j].len))
				return true;
	return false;
}

static int check_size(const void *data, size_t len, struct err *err)
{
	uint32_t total = fdt_totalsize(data);

	if (total > len)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "it was cut: it has %zu of %u bytes", len,
				    total);
	if (total < len)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "%zu bytes follow its tree; images outside "
				    "of it (mkimage -E) are not supported",
				    len - total);
	return 0;
}

int fit_check(const void *data, size_t len, struct err *err)
{
	int r;

	if (len < sizeof(struct fdt_header))
		return bad(err, "it was cut inside its header");
	if (fdt_version(data) < VERSION)
		return bad(err, "its tree is of a version before 17");
	r = check_size(data, len, err);
	if (r < 0)
		return r;
	r = fdt_check_header(data);
	if (!r && blocks_overlap(data))
		return bad(err, "blocks of its tree overlap");
	if (!r)
		r = fdt_check_full(data, len);
	if (r)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its tree is broken: %s", fdt_strerror(r));
	if (fdt_num_mem_rsv(data))
		return bad(err, "it reserves memory, which is for other trees");
	return 0;
}

struct fit_node fit_root(const void *data)
{
	return (struct fit_node){.fdt = data};
}

const char *fit_name(const struct fit_node *n)
{
	const char *slash = strrchr(n->path, '/');

	return slash ? slash + 1 : n->path;
}

/* Devicetree Specification 0.4, 2.2.1 Node Names and 2.2.4.1 Properties. */
static bool name_is_good(const char *name, size_t len)
{
	if (!len || len > FIT_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    (!name[i] || !strchr(",._+-@#?", name[i])))
			return false;
	return true;
}

static int find(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

int fit_props(const struct fit_node *n, const char *const *names,
	      struct fit_prop *ret, struct err *err)
{
	int off, i;

	for (i = 0; names[i]; i++)
		ret[i] = (struct fit_prop){0};
	fdt_for_each_property_offset(off, n->fdt, n->off)
	{
		const char *name = NULL;
		int len = 0;
		const void *p = fdt_getprop_by_offset(n->fdt, off, &name, &len);

		if (!p || len < 0 || !name_is_good(name, strlen(name)))
			return fit_bad(n, err,
				       "a property without a good "
				       "name");
		i = find(names, name);
		if (i < 0)
			return fit_bad(n, err,
				       "'%s' is unknown here, and is not "
				       "ignored",
				       name);
		if (ret[i].data)
			return fit_bad(n, err, "'%s' is there twice", name);
		ret[i] = (struct fit_prop){p, (size_t)len};
	}
	return 0;
}

static int enter(const struct fit_node *n, int off, struct fit_node *ret,
		 struct err *err)
{
	int len = 0;
	const char *name = fdt_get_name(n->fdt, off, &len);

	if (!name || !name_is_good(name, (size_t)len) ||
	    strlen(n->path) + 1 + (size_t)len >= sizeof(ret->path))
		return fit_bad(n, err, "a node in it has no good name");
	ret->fdt = n->fdt;
	ret->off = off;
	snprintf(ret->path, sizeof(ret->path), "%.*s/%s", FIT_NAME_MAX * 3,
		 n->path, name);
	return 0;
}

int fit_children(const struct fit_node *n, struct fit_node *ret, size_t max,
		 size_t *ret_n, struct err *err)
{
	size_t k = 0;
	int off;

	fdt_for_each_subnode(off, n->fdt, n->off)
	{
		int r;

		if (k == max)
			return fit_bad(n, err, "more than %zu nodes in it",
				       max);
		r = enter(n, off, &ret[k], err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < k; i++)
			if (!strcmp(ret[i].path, ret[k].path))
				return fit_bad(n, err, "'%s' is there twice",
					       fit_name(&ret[k]));
		k++;
	}
	*ret_n = k;
	return 0;
}

/*
 * Of ASCII, or U+0080 to U+009F: in UTF-8, or as a byte that does not go on
 * with a character. A terminal takes them for the begin of a command.
 */
static bool is_control(const char *text, size_t i)
{
	unsigned char c = (unsigned char)text[i];
	unsigned char before = i ? (unsigned char)text[i - 1] : 0;

	return iscntrl(c) ||
	       (c >= 0x80 && c < 0xa0 && (before < 0x80 || before == 0xc2));
}

int fit_text(const struct fit_node *n, const char *name, struct fit_prop p,
	     size_t max, const char **ret, struct err *err)
{
	if (!p.data)
		return fit_bad(n, err, "'%s' is missing", name);
	if (!p.len || memchr(p.data, 0, p.len) != p.data + p.len - 1)
		return fit_bad(n, err, "'%s' is not a text", name);
	if (p.len - 1 > max)
		return fit_bad(n, err, "'%s' is longer than %zu bytes", name,
			       max);
	for (size_t i = 0; i < p.len - 1; i++)
		if (is_control(p.data, i))
			return fit_bad(n, err,
				       "'%s' has a control character in it",
				       name);
	*ret = p.data;
	return 0;
}

int fit_number(const struct fit_node *n, const char *name, struct fit_prop p,
	       uint64_t max, uint64_t *ret, struct err *err)
{
	uint64_t v;

	if (!p.data)
		return fit_bad(n, err, "'%s' is missing", name);
	if (p.len != sizeof(uint32_t) && p.len != sizeof(uint64_t))
		return fit_bad(n, err,
			       "'%s' is not a number of one or two "
			       "cells",
			       name);
	v = p.len == sizeof(uint32_t) ? load_be32(p.data) : load_be64(p.data);
	if (v > max)
		return fit_bad(n, err, "'%s' is larger than %llu", name,
			       (unsigned long long)max);
	*ret = v;
	return 0;
}
