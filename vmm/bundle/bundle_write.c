/* vmm/bundle/bundle_write.c - lays out a FIT image by libfdt. */
#include "vmm/bundle/bundle_write.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { OVERHEAD = 8192 }; /* bytes for names, hashes and short texts */

/* Everything goes on after a failure; the first one is kept. */
struct writer {
	void *fdt;
	int failed; /* of libfdt; 0: not yet */
};

static void keep(struct writer *w, int r)
{
	if (!w->failed)
		w->failed = r;
}

static void begin(struct writer *w, const char *name)
{
	keep(w, fdt_begin_node(w->fdt, name));
}

static void end(struct writer *w)
{
	keep(w, fdt_end_node(w->fdt));
}

static void bytes(struct writer *w, const char *name, const void *data,
		  size_t len)
{
	keep(w, fdt_property(w->fdt, name, data, (int)len));
}

/* NULL: not said. */
static void text(struct writer *w, const char *name, const char *value)
{
	if (value)
		bytes(w, name, value, strlen(value) + 1);
}

static void write_image(struct writer *w, enum bundle_part part,
			const struct bundle_image *image)
{
	static const char *const words[BUNDLE_PARTS] = {
		[BUNDLE_KERNEL] = "Linux kernel",
		[BUNDLE_RAMDISK] = "initial RAM disk",
		[BUNDLE_FIRMWARE] = "what runs before the kernel",
	};

	if (!image->len)
		return;
	begin(w, bundle_part_name(part));
	text(w, "description", words[part]);
	text(w, "type", bundle_part_name(part));
	text(w, "arch", "x86_64");
	if (part != BUNDLE_FIRMWARE)
		text(w, "os", "linux");
	text(w, "compression", "none");
	bytes(w, "data", image->data, image->len);
	begin(w, "hash-1");
	text(w, "algo", "sha256");
	bytes(w, "value", image->sha256, sizeof(image->sha256));
	end(w);
	end(w);
}

static void write_signature(struct writer *w, const struct bundle_signature *s)
{
	if (s->algo == BUNDLE_UNSIGNED)
		return;
	begin(w, "signature-1");
	text(w, "algo", bundle_algo_name(s->algo));
	text(w, "key-name-hint", s->key);
	bytes(w, "value", s->value, bundle_algo_len(s->algo));
	end(w);
}

static void write_conf(struct writer *w, const struct bundle *b)
{
	begin(w, "conf-1");
	text(w, "description", b->description);
	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		if (b->image[i].len)
			text(w, bundle_part_name(i), bundle_part_name(i));
	text(w, "coffer,machine", b->machine);
	text(w, "coffer,cmdline", b->cmdline);
	if (b->cpus)
		keep(w, fdt_property_u32(w->fdt, "coffer,cpus", b->cpus));
	if (b->memory)
		keep(w, fdt_property_u64(w->fdt, "coffer,memory", b->memory));
	text(w, "coffer,protect", b->protect);
	if (b->have_policy)
		keep(w, fdt_property_u32(w->fdt, "coffer,policy", b->policy));
	write_signature(w, &b->signature);
	end(w);
}

static void write_tree(struct writer *w, const struct bundle *b)
{
	keep(w, fdt_finish_reservemap(w->fdt));
	begin(w, "");
	/* U-Boot's tools want one; a real one would differ for the same @b. */
	keep(w, fdt_property_u32(w->fdt, "timestamp", 0));
	text(w, "description", "coffer launch bundle");
	keep(w, fdt_property_u32(w->fdt, "#address-cells", 1));
	begin(w, "images");
	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		write_image(w, i, &b->image[i]);
	end(w);
	begin(w, "configurations");
	text(w, "default", "conf-1");
	write_conf(w, b);
	end(w);
	end(w);
	keep(w, fdt_finish(w->fdt));
}

static bool room_for(const struct bundle *b, uint64_t *ret)
{
	uint64_t n = OVERHEAD + (b->cmdline ? strlen(b->cmdline) : 0);

	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		if (!checked_add(n, b->image[i].len, &n))
			return false;
	*ret = n;
	return n <= BUNDLE_MAX;
}

int bundle_write(const struct bundle *b, void **ret, size_t *ret_len,
		 struct err *err)
{
	AUTO(freep) void *fdt = NULL;
	struct writer w = {0};
	uint64_t room = 0;

	if (!room_for(b, &room))
		return err_set_kind(err, ERR_INPUT, -EFBIG,
				    "kernel, initrd and firmware are larger "
				    "than 2 GiB together");
	fdt = malloc(room);
	if (!fdt)
		return err_set_kind(err, ERR_HOST, -ENOMEM,
				    "no memory for %llu bytes",
				    (unsigned long long)room);
	w.fdt = fdt;
	keep(&w, fdt_create(fdt, (int)room));
	write_tree(&w, b);
	if (w.failed)
		return err_set_kind(err, ERR_INTERNAL, -EIO,
				    "cannot write the tree: %s",
				    fdt_strerror(w.failed));
	*ret_len = fdt_totalsize(fdt);
	*ret = TAKE(fdt);
	return 0;
}
