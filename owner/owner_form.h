/*
 * owner/owner_form.h - one way to make an expected digest; private to
 * owner_content.c and to the files that implement one.
 */
#ifndef OWNER_OWNER_FORM_H
#define OWNER_OWNER_FORM_H

#include "owner/owner_content.h"

struct owner_form {
	bool (*matches)(const struct owner_content *c);
	int (*load)(struct owner_expected *e, bool is_es, struct hash256 *h,
		    struct err *err);
	int (*digest)(const struct owner_expected *e, struct hash256 *h,
		      uint8_t digest[static SEV_DIGEST_LEN], struct err *err);
	/* NULL: not known. */
	uint64_t (*covered)(const struct owner_expected *e);
	/* As owner_expected_alternative() and _vary(), or NULL. */
	bool (*alternative)(struct owner_expected *e, struct err *err);
	bool (*vary)(struct owner_expected *e, unsigned int i, char *says,
		     size_t size);
	/* As owner_expected_differ(), or NULL. */
	void (*differ)(const struct owner_expected *e,
		       const struct owner_launch *l, struct hash256 *h,
		       char *says, size_t size);
};

/* owner_direct.c */
extern const struct owner_form owner_form_direct;

#endif
