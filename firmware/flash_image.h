/*
 * firmware/flash_image.h - a firmware image: a ROM that ends at 4 GiB, in which
 * the CPUs start at 0xfffffff0.
 */
#ifndef FIRMWARE_FLASH_IMAGE_H
#define FIRMWARE_FLASH_IMAGE_H

#include <stdint.h>

#include "firmware/image_file.h"
#include "firmware/ovmf_footer.h"
#include "mem/mem_map.h"

struct err;

enum { FLASH_BLOCK = 4096 }; /* images are multiples of it */

struct flash_image {
	struct image_file file; /* len FLASH_BLOCK .. MEM_FLASH_MAX */
	gpa_t base;		/* MEM_FLASH_END - file.len */
	struct ovmf_footer footer;
};

/*
 * Check the image in @fd; nothing else of it is read. @fd and @name are
 * borrowed as by image_file_open(), whose errors it has, too.
 * -EINVAL      no multiple of FLASH_BLOCK
 * -EFBIG       more than MEM_FLASH_MAX
 * -ENOEXEC     its reset vector is blank: no firmware for a PC, or padded
 * -EBADMSG     its table of GUIDs lies (ovmf_footer_parse())
 * The kind is ERR_INPUT.
 */
int flash_image_open(int fd, const char *name, struct flash_image *ret,
		     struct err *err);

/*
 * The store of variables in @fd, which lies right below the image @f.
 * -EINVAL      no multiple of FLASH_BLOCK
 * -EFBIG       both do not fit into MEM_FLASH_MAX
 * -EMSGSIZE    its header (edk2's, if it has one) tells of another size, or
 *              both are no chip together: they are of two editions
 */
int flash_vars_open(int fd, const char *name, const struct flash_image *f,
		    struct image_file *ret, struct err *err);

#endif
