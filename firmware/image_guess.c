/*
 * firmware/image_guess.c - names common kinds of file by their magic numbers,
 * because "not a kernel" helps nobody who mixed up two files.
 */
#include "firmware/image_guess.h"

#include <stdbool.h>
#include <string.h>

#include "vmm/base/checked.h"
#include "vmm/base/own.h"

struct magic {
	size_t off;
	size_t len;
	const char *bytes;
	const char *what;
};

#define MAGIC(off, bytes, what)                                                \
	{                                                                      \
		off, sizeof(bytes) - 1, bytes, what                            \
	}

/* The first that matches counts: the more specific come first. */
static const struct magic magics[] = {
	MAGIC(0, "\x1f\x8b",
	      "gzip data; a kernel must be decompressed first (gunzip)"),
	MAGIC(0, "\xfd\x37zXZ",
	      "xz data; a kernel must be decompressed first (unxz)"),
	MAGIC(0, "\x28\xb5\x2f\xfd",
	      "zstd data; a kernel must be decompressed first (unzstd)"),
	MAGIC(0, "\x02\x21\x4c\x18",
	      "LZ4 data; a kernel must be decompressed first (lz4 -d)"),
	MAGIC(0, "\x04\x22\x4d\x18",
	      "LZ4 data; a kernel must be decompressed first (lz4 -d)"),
	MAGIC(0, "BZh",
	      "bzip2 data; a kernel must be decompressed first (bunzip2)"),
	MAGIC(0, "\x5d\x00\x00",
	      "LZMA data; a kernel must be decompressed first (unlzma)"),
	MAGIC(0, "\x89LZO",
	      "LZO data; a kernel must be decompressed first (lzop -d)"),
	MAGIC(0, "070701", "a cpio archive: is it the initrd?"),
	MAGIC(0, "070702", "a cpio archive: is it the initrd?"),
	MAGIC(0, "\x27\x05\x19\x56", "a U-Boot image"),
	MAGIC(0, "\xd0\x0d\xfe\xed", "a device tree or FIT image"),
	MAGIC(0, "QFI\xfb", "a qcow2 disk image"),
	MAGIC(0, "hsqs", "a squashfs file system"),
	MAGIC(0, "!<arch>", "an ar archive (a .deb package or a library)"),
	MAGIC(0, "\xed\xab\xee\xdb", "an RPM package"),
	MAGIC(0, "PK\x03\x04", "a zip archive"),
	MAGIC(4, "zimg", "an EFI zboot image, which x86 does not use"),
	MAGIC(56, "ARM\x64", "a Linux kernel for ARM64"),
	MAGIC(56, "RSC\x05", "a Linux kernel for RISC-V"),
	MAGIC(0x24, "\x18\x28\x6f\x01", "a Linux kernel for ARM"),
	MAGIC(257, "ustar", "a tar archive"),
	MAGIC(0, "#!", "a script"),
	MAGIC(512, "EFI PART", "a disk image"),
	MAGIC(510, "\x55\xaa", "a boot sector or disk image"),
};

static bool is_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((p[i] < 0x20 && (p[i] < '\t' || p[i] > '\r')) ||
		    p[i] == 0x7f)
			return false;
	return true;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

const char *image_guess(const uint8_t *head, size_t len)
{
	if (!len)
		return "an empty file";
	if (is_zero(head, len))
		return "data that starts with zeros";
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++) {
		const struct magic *m = &magics[i];

		if (range_within(m->off, m->len, len) &&
		    !memcmp(head + m->off, m->bytes, m->len))
			return m->what;
	}
	if (is_text(head, len))
		return "a text file";
	if (len < IMAGE_GUESS_HEAD)
		return "data too short for a kernel";
	return "unknown data";
}
