/* vmm/bundle/bundle_write.h - makes the file of a bundle. */
#ifndef VMM_BUNDLE_BUNDLE_WRITE_H
#define VMM_BUNDLE_BUNDLE_WRITE_H

#include "vmm/bundle/bundle.h"

/*
 * The FIT image of @b, byte for byte the same for the same @b; it carries no
 * time. Hashes are taken as they are in @b; a signature is written when it has
 * one. *ret is malloc'ed.
 * -EFBIG with ERR_INPUT: more than BUNDLE_MAX
 * -ENOMEM
 */
int bundle_write(const struct bundle *b, void **ret, size_t *ret_len,
		 struct err *err);

#endif
