/* tests/unit/owner_fixture.h - an empty directory, files in it, and output. */
#ifndef TESTS_UNIT_OWNER_FIXTURE_H
#define TESTS_UNIT_OWNER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vmm/base/err.h"

struct owner_dir {
	char path[32];
	char (*names)[96]; /* of 32 paths handed out, in turn */
	unsigned int next;
	char *text; /* what was printed */
	size_t text_len;
	FILE *out;
	struct err err;
};

void owner_dir_create(struct owner_dir *d);
/* Removes what is in it. */
void owner_dir_destroy(struct owner_dir *d);
/* Remove its files and forget output and error. */
void owner_dir_clear(struct owner_dir *d);

/* The path of @name in it; good for the next 31 calls. */
const char *owner_path(struct owner_dir *d, const char *name);
/* Write a file; returns its path. */
const char *owner_put(struct owner_dir *d, const char *name, const void *data,
		      size_t len);
const char *owner_put_text(struct owner_dir *d, const char *name,
			   const char *text);
/* The same as base64 in lines of 76 characters. */
const char *owner_put_base64(struct owner_dir *d, const char *name,
			     const void *data, size_t len);
/* Read a file; returns its length. */
size_t owner_get(struct owner_dir *d, const char *name, void *data, size_t max);
/* Its mode, or -1 when there is none. */
int owner_mode(struct owner_dir *d, const char *name);
/* How many entries there are. */
unsigned int owner_count(struct owner_dir *d);

/* What was printed since the last owner_output_clear(). */
const char *owner_output(struct owner_dir *d);
void owner_output_clear(struct owner_dir *d);

/* d->err must be @code and of @kind, and its message say @says; cleared. */
void owner_assert_err(struct owner_dir *d, int r, int code, enum err_kind kind,
		      const char *says);

#endif
