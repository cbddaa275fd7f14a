/*
 * firmware/elf_image.h - an ELF kernel with a PVH entry point.
 *
 * Sources: System V ABI, 5 "Program Loading and Dynamic Linking"; its AMD64
 * supplement; Xen, docs/misc/pvh.pandoc and xen/include/public/elfnote.h.
 */
#ifndef FIRMWARE_ELF_IMAGE_H
#define FIRMWARE_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/mem_map.h"

struct err;
struct image_file;

/* Our limits. A vmlinux has five program headers, four of them PT_LOAD. */
enum { ELF_IMAGE_MAX_PHDRS = 64, ELF_IMAGE_MAX_SEGMENTS = 16 };

struct elf_segment {
	gpa_t gpa;	   /* p_paddr */
	uint64_t mem_len;  /* > 0; gpa + mem_len does not wrap */
	uint64_t file_off; /* in the window */
	uint64_t file_len; /* <= mem_len; the rest is zero */
};

struct elf_image {
	uint32_t pvh_entry; /* guest-physical, inside a segment */
	size_t n_segments;  /* > 0; sorted by gpa, no two overlap */
	struct elf_segment segments[ELF_IMAGE_MAX_SEGMENTS];
};

/* Does a file that starts with @head look like ELF of any sort? */
bool elf_image_probe(const uint8_t *head, size_t len);

/*
 * Check headers and notes of @f, for which elf_image_probe() said yes.
 * -ENOEXEC     ELF we do not start: 32-bit, big-endian, another machine, a
 *              library, or without the PVH note
 * -EBADMSG     headers that contradict themselves, or the file ends too early
 * and those of image_file_read(). The kind is ERR_INPUT.
 */
int elf_image_parse(const struct image_file *f, struct elf_image *ret,
		    struct err *err);

#endif
