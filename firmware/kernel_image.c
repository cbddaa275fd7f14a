/* firmware/kernel_image.c - decides by content which parser a file gets. */
#include "firmware/kernel_image.h"

#include <errno.h>
#include <stdlib.h>

#include "firmware/image_guess.h"
#include "firmware/uki.h"
#include "vmm/base/err.h"

enum {
	/*
	 * COMMAND_LINE_SIZE of Linux on x86, less the zero. An ELF file does
	 * not say; Linux cuts what is longer without a word.
	 */
	PVH_CMDLINE_MAX = 2047,
};

struct head {
	size_t len;
	uint8_t bytes[IMAGE_GUESS_HEAD];
};

static int read_head(const struct image_file *f, struct head *ret,
		     struct err *err)
{
	ret->len = f->len < sizeof(ret->bytes) ? (size_t)f->len
					       : sizeof(ret->bytes);
	return image_file_read(f, 0, ret->bytes, ret->len, err);
}

static int parse_bzimage(struct kernel_image *k, struct err *err)
{
	int r = bzimage_parse(&k->file, &k->bz, err);

	k->kind = KERNEL_IMAGE_BZIMAGE;
	k->cmdline_max = k->bz.cmdline_size;
	return r;
}

static int parse_elf(struct kernel_image *k, struct err *err)
{
	k->kind = KERNEL_IMAGE_ELF_PVH;
	k->cmdline_max = PVH_CMDLINE_MAX;
	return elf_image_parse(&k->file, &k->elf, err);
}

static int parse_uki(struct kernel_image *k, struct err *err)
{
	struct head head;
	struct uki u;
	int r;

	r = uki_parse(&k->file, &u, err);
	if (r < 0)
		return r;
	k->unified = true;
	k->file = u.linux_file;
	k->initrd = u.initrd;
	if (u.cmdline.len)
		r = uki_read_cmdline(&u, &k->cmdline, err);
	if (r < 0)
		return r;
	r = read_head(&k->file, &head, err);
	if (r < 0)
		return r;
	if (!bzimage_probe(head.bytes, head.len))
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "its .linux section is not a bzImage; it "
				    "looks like %s",
				    image_guess(head.bytes, head.len));
	return parse_bzimage(k, err);
}

static int parse(struct kernel_image *k, struct err *err)
{
	struct head head;
	int r;

	r = read_head(&k->file, &head, err);
	if (r < 0)
		return r;
	/* First: a bzImage with an EFI stub is a PE file, too. */
	if (bzimage_probe(head.bytes, head.len))
		return parse_bzimage(k, err);
	if (elf_image_probe(head.bytes, head.len))
		return parse_elf(k, err);
	if (uki_probe(head.bytes, head.len))
		return parse_uki(k, err);
	return err_set_kind(err, ERR_INPUT, -ENOEXEC,
			    "not a kernel (bzImage, ELF with a PVH note, or "
			    "unified kernel image); it looks like %s",
			    image_guess(head.bytes, head.len));
}

int kernel_image_open(int fd, const char *name, struct kernel_image **ret,
		      struct err *err)
{
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;
	int r;

	k = calloc(1, sizeof(*k));
	if (!k)
		return err_set(err, -ENOMEM, "out of memory");
	r = image_file_open(fd, "kernel", name, &k->file, err);
	if (r < 0)
		return r;
	r = parse(k, err);
	if (r < 0) {
		err_prefix(err, "kernel '%s'", name);
		return r;
	}
	*ret = TAKE(k);
	return 0;
}

const char *kernel_image_cmdline(const struct kernel_image *k,
				 const char *given)
{
	if (given && *given)
		return given;
	return k->cmdline ? k->cmdline : "";
}

const struct image_file *kernel_image_initrd(const struct kernel_image *k,
					     const struct image_file *given)
{
	return given->len ? given : &k->initrd;
}

void kernel_image_destroy(struct kernel_image *k)
{
	if (!k)
		return;
	free(k->cmdline);
	free(k);
}
