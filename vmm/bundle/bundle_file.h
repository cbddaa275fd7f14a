/*
 * vmm/bundle/bundle_file.h - a bundle on its way from a file into a guest.
 *
 * The file is read once, into memory of ours: what is checked is what is used,
 * whatever happens to the file meanwhile.
 */
#ifndef VMM_BUNDLE_BUNDLE_FILE_H
#define VMM_BUNDLE_BUNDLE_FILE_H

#include "vmm/base/own.h"
#include "vmm/bundle/bundle.h"

struct bundle_key;
struct bundle_file; /* opaque */

/*
 * Read and parse @path. Nothing is verified yet. *ret is owned by the caller.
 * Errors of input_file_open() and bundle_parse(), -EFBIG, -ENOMEM. Messages
 * begin with "bundle 'PATH'".
 */
int bundle_file_open(const char *path, struct bundle_file **ret,
		     struct err *err);
/* NULL is fine. */
void bundle_file_close(struct bundle_file *f);
DEFINE_CLEANUP(struct bundle_file, bundle_file_close)

/* What is in it; lives as long as @f, but for images that were taken. */
const struct bundle *bundle_file_content(const struct bundle_file *f);

/*
 * Does each image have the hash that is written beside it, and, with @key, did
 * that sign it all? @key may be NULL.
 * -EKEYREJECTED with ERR_INPUT
 */
int bundle_file_verify(struct bundle_file *f, const struct bundle_key *key,
		       struct hash256 *h, struct err *err);

/*
 * The same for the signature alone, and then for each image on the way into a
 * memfd of its own that nobody can change any more (F_SEAL_WRITE and the
 * others). @ret_fd: BUNDLE_PARTS descriptors, read-only in effect, owned by the
 * caller; -1 where there is no image. The memory behind the images is given
 * back on the way: what bundle_file_content() says of them is gone.
 * -EKEYREJECTED, -ENOMEM and the errno of memfd_create(2), write(2), fcntl(2)
 */
int bundle_file_take(struct bundle_file *f, const struct bundle_key *key,
		     struct hash256 *h, int ret_fd[static BUNDLE_PARTS],
		     struct err *err);

#endif
