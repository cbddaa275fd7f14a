/*
 * firmware/image_file.h - a window into an open file that goes into the guest:
 * a kernel, an initrd, or one section of a unified kernel image.
 */
#ifndef FIRMWARE_IMAGE_FILE_H
#define FIRMWARE_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct image_file {
	int fd;		  /* read-only, borrowed */
	const char *name; /* for messages, borrowed */
	uint64_t off;	  /* start of the window in the file, in bytes */
	uint64_t len;	  /* bytes in the window; 0: there is no such file */
};

/*
 * All of @fd, which is a regular file and not empty. Nothing is read.
 * @what        what it is called in messages: "kernel", "initrd"
 * @name        where it came from; kept, not copied
 * -EISDIR      a directory
 * -EINVAL      a pipe, a device: something without a size
 * -ENODATA     empty
 * or the errno of fstat(2). The kind is ERR_INPUT.
 */
int image_file_open(int fd, const char *what, const char *name,
		    struct image_file *ret, struct err *err);

/*
 * Copy @len bytes at @off of the window.
 * -ENODATA     the window or the file ends before that
 * or the errno of pread(2). The kind is ERR_INPUT.
 */
int image_file_read(const struct image_file *f, uint64_t off, void *buf,
		    size_t len, struct err *err);

#endif
