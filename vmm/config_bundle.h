/*
 * vmm/config_bundle.h - a launch bundle in the place of options, and options as
 * what goes into a bundle.
 */
#ifndef VMM_CONFIG_BUNDLE_H
#define VMM_CONFIG_BUNDLE_H

struct bundle;
struct err;
struct run_config;

/*
 * When @c names a BUNDLE: read and verify it, and set what it fixes, as if the
 * options had been given. Its images become @c's open files, which nobody can
 * change any more. Nothing when @c names none. Once, before
 * run_config_finish(). Warns of a signature that no key was given for.
 *
 * -EINVAL       ERR_USAGE: an option was given that the bundle fixes
 * -EKEYREJECTED ERR_INPUT: wrong hash, wrong signature, no signature
 * and the errors of bundle_file.h and bundle_key.h
 *
 * Always fixed are --kernel, --initrd, --append and --firmware; --cpus,
 * --protect, the size of --memory and --sev policy= where the bundle says so.
 */
int config_bundle_apply(struct run_config *c, struct err *err);

/*
 * The other way round: what of @c, which was parsed, goes into a bundle; images
 * are left empty. Texts are @c's.
 * -EINVAL with ERR_USAGE: --memory has keys besides its size
 */
int config_bundle_make(const struct run_config *c, struct bundle *ret,
		       struct err *err);

#endif
