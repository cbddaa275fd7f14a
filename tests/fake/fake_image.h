/*
 * tests/fake/fake_image.h - kernel images made in memory, small and valid, for
 * tests to damage.
 */
#ifndef TESTS_FAKE_FAKE_IMAGE_H
#define TESTS_FAKE_FAKE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct fake_image {
	uint8_t *data;
	size_t len;
};

/* fake_bzimage_create(): 2 setup sectors + boot sector, then the code */
enum {
	FAKE_BZ_CODE_OFF = 3 * 512,
	FAKE_BZ_CODE_LEN = 0x2000,
	FAKE_BZ_INIT_SIZE = 0x300000,
	FAKE_BZ_PREF = 0x1000000,
	FAKE_BZ_CMDLINE_SIZE = 2047,
	FAKE_BZ_INITRD_MAX = 0x7fffffff,
};

/* fake_vmlinux_create(): two segments, then notes, the last of them PVH's */
enum {
	FAKE_ELF_PHDRS = 3,
	FAKE_ELF_PHDR = 64, /* offset of program header 0; 56 bytes each */
	FAKE_ELF_SEG0 = 0x1000000,
	FAKE_ELF_SEG1 = 0x1400000,
	FAKE_ELF_FILE_LEN = 0x1000, /* of each segment, */
	FAKE_ELF_MEM_LEN = 0x3000,  /* and in memory */
	FAKE_ELF_ENTRY = FAKE_ELF_SEG0 + 0x40,
	FAKE_ELF_NOTES = 0x4000,		 /* offset in the file */
	FAKE_ELF_PVH_NOTE = FAKE_ELF_NOTES + 24, /* behind a decoy */
	FAKE_ELF_NOTES_LEN = 48,
};

/* A section of fake_pe_create(). */
struct fake_section {
	const char *name; /* up to 8 characters */
	const void *data;
	size_t len;
	uint32_t virtual_size; /* 0: len */
};

enum { FAKE_PE_SECTIONS = 0x40 + 24 + 240, FAKE_PE_SECTION_LEN = 40 };

/* Each aborts when memory is out, and fills contents with a pattern. */
struct fake_image *fake_image_create(const void *data, size_t len);
struct fake_image *fake_bzimage_create(void);
struct fake_image *fake_vmlinux_create(void);
/* A unified image with @kernel, the initrd "initrd", the command line "quiet".
 */
struct fake_image *fake_uki_create(const void *kernel, size_t len);
struct fake_image *fake_pe_create(const struct fake_section *sections,
				  size_t n);
/* NULL is fine. */
void fake_image_destroy(struct fake_image *i);
DEFINE_CLEANUP(struct fake_image, fake_image_destroy)

/* The image as a file (memfd) of its own; the caller closes it. */
int fake_image_fd(const struct fake_image *i);
/* The same for plain bytes, and for @len zero bytes that take no memory. */
int fake_file(const void *data, size_t len);
int fake_sparse_file(uint64_t len);

#endif
