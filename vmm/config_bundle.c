/* vmm/config_bundle.c - what a launch bundle fixes, by the table of options. */
#include "vmm/config_bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/bundle/bundle_file.h"
#include "vmm/bundle/bundle_key.h"
#include "vmm/config.h"
#include "vmm/version.h"

static int fixed(const struct run_config *c, const char *option,
		 struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "--%s: the bundle '%s' fixes it; leave the option "
			    "out",
			    option, c->bundle);
}

/* An option that was given although the bundle says the same thing. */
static int refuse_given(const struct run_config *c, const struct bundle *b,
			struct err *err)
{
	const struct {
		const char *name;
		bool fixed;
	} options[] = {
		{"kernel", true},   {"initrd", true},  {"append", true},
		{"firmware", true}, {"cpus", b->cpus}, {"protect", b->protect},
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].fixed &&
		    option_was_given(&c->given, options[i].name))
			return fixed(c, options[i].name, err);
	if (b->have_policy && c->devices.sev.policy.given)
		return fixed(c, "sev policy=", err);
	/* Its other keys are the host's affair. */
	if (b->memory && option_was_given(&c->given, "memory") &&
	    c->memory.size != b->memory)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--memory: the bundle '%s' fixes it to "
				    "%" PRIu64 " bytes",
				    c->bundle, b->memory);
	return 0;
}

static int set_number(struct run_config *c, const char *option, uint64_t v,
		      struct err *err)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	return option_set(&run_option_table, c, option, text, err);
}

/* Values the bundle's owner chose: a bad one is the file's fault. */
static int set_values(struct run_config *c, const struct bundle *b,
		      struct err *err)
{
	const struct option_table *t = &run_option_table;
	int r = 0;

	if (b->cmdline)
		r = option_set(t, c, "append", b->cmdline, err);
	if (r >= 0 && b->cpus)
		r = set_number(c, "cpus", b->cpus, err);
	if (r >= 0 && b->memory && !option_was_given(&c->given, "memory"))
		r = set_number(c, "memory", b->memory, err);
	if (r >= 0 && b->protect)
		r = option_set(t, c, "protect", b->protect, err);
	if (b->have_policy)
		c->devices.sev.policy = (struct policy_config){true, b->policy};
	if (r >= 0)
		return 0;
	if (err && err->kind == ERR_USAGE)
		err->kind = ERR_INPUT;
	err_prefix(err, "bundle '%s'", c->bundle);
	return r;
}

/* Such as "app.itb:kernel", for messages. */
static int set_image(const char *bundle, enum bundle_part part,
		     const struct bundle_image *image, int fd, char **name,
		     struct input_file *file, struct err *err)
{
	if (asprintf(name, "%s:%s", bundle, bundle_part_name(part)) < 0) {
		*name = NULL;
		close(fd);
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	}
	*file = (struct input_file){
		.fd = fd, .size = image->len, .hashed = true};
	memcpy(file->sha256, image->sha256, HASH256_LEN);
	return 0;
}

static int set_images(struct run_config *c, const struct bundle *b,
		      const int fd[static BUNDLE_PARTS], struct err *err)
{
	const struct {
		char **name;
		struct input_file *file;
	} to[BUNDLE_PARTS] = {
		[BUNDLE_KERNEL] = {&c->kernel, &c->kernel_file},
		[BUNDLE_RAMDISK] = {&c->initrd, &c->initrd_file},
		[BUNDLE_FIRMWARE] = {&c->firmware, &c->firmware_file},
	};
	int r = 0;

	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++) {
		int ri = fd[i] < 0
				 ? 0
				 : set_image(c->bundle, i, &b->image[i], fd[i],
					     to[i].name, to[i].file, err);

		if (!r)
			r = ri;
	}
	if (r >= 0 && fd[BUNDLE_FIRMWARE] < 0)
		r = option_set(&run_option_table, c, "firmware", "none", err);
	return r;
}

static int check_machine(const struct run_config *c, const struct bundle *b,
			 struct err *err)
{
	if (!strcmp(b->machine, coffer_machine()))
		return 0;
	return err_set_kind(err, ERR_INPUT, -ENOTSUP,
			    "bundle '%s': it is for the machine '%s'; this "
			    "coffer has '%s'",
			    c->bundle, b->machine, coffer_machine());
}

static int apply(struct run_config *c, struct hash256 *h, struct err *err)
{
	AUTO(bundle_file_closep) struct bundle_file *f = NULL;
	struct bundle_key key;
	const struct bundle *b;
	int fd[BUNDLE_PARTS];
	int r = 0;

	if (c->bundle_key)
		r = bundle_key_load(c->bundle_key, h, &key, err);
	if (r >= 0)
		r = bundle_file_open(c->bundle, &f, err);
	if (r >= 0)
		r = bundle_file_take(f, c->bundle_key ? &key : NULL, h, fd,
				     err);
	if (r < 0)
		return r;
	/* From here on everything in it is as it was checked. */
	b = bundle_file_content(f);
	if (b->signature.algo != BUNDLE_UNSIGNED && !c->bundle_key)
		log_warn("bundle '%s' is signed, and nobody looks by whom: "
			 "give its owner's public key, --bundle-key PUB.pem",
			 c->bundle);
	r = refuse_given(c, b, err);
	if (r >= 0)
		r = check_machine(c, b, err);
	if (r >= 0)
		r = set_values(c, b, err);
	if (r >= 0)
		return set_images(c, b, fd, err);
	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		fd_closep(&fd[i]);
	return r;
}

int config_bundle_apply(struct run_config *c, struct err *err)
{
	AUTO(hash256_destroyp) struct hash256 *h = NULL;

	if (!c->bundle)
		return 0;
	h = hash256_nettle_create();
	if (!h)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	return apply(c, h, err);
}

static const char *protect_word(const struct run_config *c)
{
	static const char *const words[] = {
		[PROTECT_NONE] = "none",
		[PROTECT_SEV] = "sev",
		[PROTECT_SEV_ES] = "sev-es",
		[PROTECT_MKTME] = "mktme",
	};

	return words[c->devices.protect];
}

int config_bundle_make(const struct run_config *c, struct bundle *ret,
		       struct err *err)
{
	const struct memory_config *m = &c->memory;

	if (m->hugepages || m->prefault || m->shared)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--memory: only the size goes into a "
				    "bundle; its other keys are for coffer "
				    "run");
	*ret = (struct bundle){
		.machine = coffer_machine(),
		.cmdline = c->append,
		.have_policy = c->devices.sev.policy.given,
		.policy = c->devices.sev.policy.value,
	};
	if (option_was_given(&c->given, "cpus"))
		ret->cpus = (uint32_t)c->cpus;
	if (option_was_given(&c->given, "memory"))
		ret->memory = m->size;
	if (option_was_given(&c->given, "protect"))
		ret->protect = protect_word(c);
	return 0;
}
