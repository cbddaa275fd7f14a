/*
 * owner/owner_file.h - files of the owner's tools: small inputs as base64 or
 * raw bytes, and outputs that are all there or not at all.
 */
#ifndef OWNER_OWNER_FILE_H
#define OWNER_OWNER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/base/own.h"

struct err;

enum { OWNER_FILE_MAX = 1 << 20 }; /* bytes; ours: no such file is larger */

struct owner_bytes {
	uint8_t *data; /* owned; a zero follows the last byte */
	size_t len;
};

/* Wipes: it may be a key. */
void owner_bytes_wipe(struct owner_bytes *b);

/*
 * The whole of @path, at most OWNER_FILE_MAX. Pipes are fine. Messages begin
 * with "@what 'PATH'".
 * ERR_INPUT: missing, a directory, empty (-ENODATA), too large (-EFBIG)
 * ERR_PERM: not readable
 */
int owner_file_read(const char *what, const char *path, struct owner_bytes *ret,
		    struct err *err);

/*
 * If @b is base64 text of something that @fits, decode it in place; raw bytes
 * that fit stay. False: neither does.
 */
bool owner_bytes_decode(struct owner_bytes *b,
			bool (*fits)(const uint8_t *data, size_t len));

/*
 * Something of exactly @len bytes, base64 or raw. What else is in the file is
 * guessed for the message ("that is a certificate").
 */
int owner_file_read_exactly(const char *what, const char *path, size_t len,
			    struct owner_bytes *ret, struct err *err);

struct owner_output {
	const char *path;
	const void *data;
	size_t len;
	mode_t mode; /* 0600 for keys */
};

/*
 * Write all of them or none: temporary files first,
 * then names. -EEXIST with ERR_INPUT without @force, when one is there; -EINVAL
 * with ERR_USAGE when two have the same path.
 */
int owner_files_write(const struct owner_output *v, size_t n, bool force,
		      struct err *err);

/* What @b looks like, for a message; NULL: nothing known. */
const char *owner_bytes_guess(const struct owner_bytes *b);

#endif
