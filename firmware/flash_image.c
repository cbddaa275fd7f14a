/* firmware/flash_image.c - what can be said of an image before it runs. */
#include "firmware/flash_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { VECTOR = 16 }; /* bytes at the end, where CPUs start */
/* UEFI PI 1.8, volume 3, 3.2.1 "EFI_FIRMWARE_VOLUME_HEADER" */
enum { VOLUME_LENGTH = 32, VOLUME_SIGNATURE = 40, VOLUME_HEAD = 44 };

static int check_size(const struct image_file *f, const char *what,
		      uint64_t most, struct err *err)
{
	if (!is_aligned(f->len, FLASH_BLOCK))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s '%s': %llu bytes, which is no multiple "
				    "of %d; is it complete?",
				    what, f->name, (unsigned long long)f->len,
				    FLASH_BLOCK);
	if (f->len > most)
		return err_set_kind(err, ERR_INPUT, -EFBIG,
				    "%s '%s': %llu KiB; there is room for %llu",
				    what, f->name,
				    (unsigned long long)(f->len >> 10),
				    (unsigned long long)(most >> 10));
	return 0;
}

/* Erased flash reads as ones; a file that was padded or cut, as zeros. */
static bool is_blank(const uint8_t vector[static VECTOR])
{
	for (size_t i = 1; i < VECTOR; i++)
		if (vector[i] != vector[0])
			return false;
	return vector[0] == 0 || vector[0] == 0xff;
}

static int check_tail(struct flash_image *f, const uint8_t *tail, size_t len,
		      struct err *err)
{
	int r;

	if (is_blank(tail + len - VECTOR))
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "firmware '%s' has nothing at its last 16 "
				    "bytes, where a CPU starts; a store of "
				    "variables goes to --nvram",
				    f->file.name);
	r = ovmf_footer_parse(tail, len, &f->footer, err);
	if (r < 0)
		err_prefix(err, "firmware '%s'", f->file.name);
	return r;
}

int flash_image_open(int fd, const char *name, struct flash_image *ret,
		     struct err *err)
{
	AUTO(freep) uint8_t *tail = NULL;
	struct flash_image f = {0};
	size_t len = OVMF_FOOTER_TAIL_MAX;
	int r = image_file_open(fd, "firmware", name, &f.file, err);

	if (!r)
		r = check_size(&f.file, "firmware", MEM_FLASH_MAX, err);
	if (r < 0)
		return r;
	if (len > f.file.len)
		len = (size_t)f.file.len;
	tail = malloc(len);
	if (!tail)
		return err_set(err, -ENOMEM, "out of memory");
	r = image_file_read(&f.file, f.file.len - len, tail, len, err);
	if (!r)
		r = check_tail(&f, tail, len, err);
	if (r < 0)
		return r;
	f.base = MEM_FLASH_END - f.file.len;
	*ret = f;
	return 0;
}

/*
 * edk2's stores start with a volume that fills them, and are built together
 * with the image, as one chip. The store of another edition (2M, 4M) would not
 * be where the image looks for it.
 */
static int check_volume(const struct image_file *v, const struct image_file *f,
			struct err *err)
{
	uint8_t head[VOLUME_HEAD];
	uint64_t len;
	int r = image_file_read(v, 0, head, sizeof(head), err);

	if (r < 0 || memcmp(head + VOLUME_SIGNATURE, "_FVH", 4) != 0)
		return r; /* another firmware's, or blank */
	len = load_le64(head + VOLUME_LENGTH);
	if (len != v->len)
		return err_set_kind(err, ERR_INPUT, -EMSGSIZE,
				    "variable store '%s': %llu bytes, but its "
				    "header says %llu; is it complete?",
				    v->name, (unsigned long long)v->len,
				    (unsigned long long)len);
	if (!is_power_of_two(v->len + f->len))
		return err_set_kind(
			err, ERR_INPUT, -EMSGSIZE,
			"variable store '%s' is of another "
			"edition than '%s': together they have "
			"%llu KiB, which no flash chip has",
			v->name, f->name,
			(unsigned long long)((v->len + f->len) >> 10));
	return 0;
}

int flash_vars_open(int fd, const char *name, const struct flash_image *f,
		    struct image_file *ret, struct err *err)
{
	struct image_file v;
	int r = image_file_open(fd, "variable store", name, &v, err);

	if (!r)
		r = check_size(&v, "variable store",
			       MEM_FLASH_MAX - f->file.len, err);
	if (!r)
		r = check_volume(&v, &f->file, err);
	if (!r)
		*ret = v;
	return r;
}
