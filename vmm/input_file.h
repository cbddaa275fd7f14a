/* vmm/input_file.h - a file the operator named and the guest will be made of.
 */
#ifndef VMM_INPUT_FILE_H
#define VMM_INPUT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash256.h"

struct err;

struct input_file {
	int fd;	       /* -1: not given; otherwise owned, read-only */
	uint64_t size; /* bytes when it was opened; the file may change */
	bool hashed;   /* its content cannot change, and has this digest */
	uint8_t sha256[HASH256_LEN];
};

/*
 * Open the regular, non-empty file @path for reading. @what names it in
 * messages ("kernel"). Nothing is known about the content after this.
 * Errors carry ERR_INPUT or ERR_PERM and say what to do:
 * -ENOENT      does not exist      -EACCES     not readable
 * -EISDIR      a directory         -ENODATA    empty
 * -EINVAL      a pipe, device or socket, or an empty path
 */
int input_file_open(struct input_file *ret, const char *what, const char *path,
		    struct err *err);
/* Closes; fd -1 is fine. */
void input_file_close(struct input_file *f);

#endif
