/* vmm/bundle/bundle_parse.c - what the nodes of a FIT image mean to us. */
#include <errno.h>
#include <libfdt.h>
#include <string.h>

#include "firmware/bzimage.h"
#include "firmware/image_guess.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle.h"
#include "vmm/bundle/bundle_fit.h"

const char *bundle_part_name(enum bundle_part p)
{
	static const char *const names[BUNDLE_PARTS] = {
		[BUNDLE_KERNEL] = "kernel",
		[BUNDLE_RAMDISK] = "ramdisk",
		[BUNDLE_FIRMWARE] = "firmware",
	};

	return names[p];
}

const char *bundle_algo_name(enum bundle_algo a)
{
	static const char *const names[BUNDLE_ALGOS] = {
		[BUNDLE_UNSIGNED] = "none",
		[BUNDLE_ED25519] = "coffer-1,ed25519",
		[BUNDLE_ECDSA384] = "coffer-1,ecdsa384",
	};

	return names[a];
}

size_t bundle_algo_len(enum bundle_algo a)
{
	return a == BUNDLE_ED25519 ? 64 : a == BUNDLE_ECDSA384 ? 96 : 0;
}

/* The one child of @n whose name begins with @prefix; *ret_n: 0 or 1. */
static int only_child(const struct fit_node *n, const char *prefix,
		      struct fit_node *ret, size_t *ret_n, struct err *err)
{
	int r = fit_children(n, ret, 1, ret_n, err);

	if (r >= 0 && *ret_n &&
	    strncmp(fit_name(ret), prefix, strlen(prefix)) != 0)
		return fit_bad(n, err, "'%s' in it is not expected",
			       fit_name(ret));
	return r;
}

static int no_children(const struct fit_node *n, struct err *err)
{
	struct fit_node none;
	size_t k;

	return fit_children(n, &none, 0, &k, err);
}

/* A text that has to be @want. */
static int expect(const struct fit_node *n, const char *name, struct fit_prop p,
		  const char *want, struct err *err)
{
	const char *text;
	int r = fit_text(n, name, p, BUNDLE_TEXT_MAX, &text, err);

	if (r >= 0 && strcmp(text, want) != 0)
		return fit_bad(n, err, "'%s' is '%s', not '%s'", name, text,
			       want);
	return r;
}

static int parse_hash(const struct fit_node *image, struct bundle_image *ret,
		      struct err *err)
{
	enum { ALGO, VALUE, N };
	static const char *const names[] = {"algo", "value", NULL};
	struct fit_prop p[N];
	struct fit_node hash;
	size_t n = 0;
	int r = only_child(image, "hash", &hash, &n, err);

	if (r >= 0 && !n)
		r = fit_bad(image, err, "a hash is missing");
	if (r >= 0)
		r = fit_props(&hash, names, p, err);
	if (r >= 0)
		r = no_children(&hash, err);
	if (r >= 0)
		r = expect(&hash, names[ALGO], p[ALGO], "sha256", err);
	if (r < 0)
		return r;
	if (p[VALUE].len != sizeof(ret->sha256))
		return fit_bad(&hash, err,
			       "'value' is missing, or not of 32 "
			       "bytes");
	memcpy(ret->sha256, p[VALUE].data, sizeof(ret->sha256));
	return 0;
}

static int parse_image(const struct fit_node *n, enum bundle_part part,
		       struct bundle_image *ret, struct err *err)
{
	enum { TYPE, ARCH, OS, COMPRESSION, DATA, DESCRIPTION, TIMESTAMP, N };
	static const char *const names[] = {
		"type", "arch",	       "os",	    "compression",
		"data", "description", "timestamp", NULL};
	struct fit_prop p[N];
	int r = fit_props(n, names, p, err);

	if (r >= 0)
		r = expect(n, names[TYPE], p[TYPE], bundle_part_name(part),
			   err);
	if (r >= 0)
		r = expect(n, names[ARCH], p[ARCH], "x86_64", err);
	/* A firmware runs on none. */
	if (r >= 0 && part != BUNDLE_FIRMWARE)
		r = expect(n, names[OS], p[OS], "linux", err);
	if (r >= 0)
		r = expect(n, names[COMPRESSION], p[COMPRESSION], "none", err);
	if (r < 0)
		return r;
	if (!p[DATA].len)
		return fit_bad(n, err, "'data' is missing or empty");
	ret->data = p[DATA].data;
	ret->len = p[DATA].len;
	return parse_hash(n, ret, err);
}

static int parse_signature(const struct fit_node *conf,
			   struct bundle_signature *ret, struct err *err)
{
	enum { ALGO, KEY, VALUE, N };
	static const char *const names[] = {"algo", "key-name-hint", "value",
					    NULL};
	struct fit_prop p[N];
	struct fit_node sig;
	const char *algo;
	size_t n = 0;
	int r = only_child(conf, "signature", &sig, &n, err);

	ret->key = "";
	if (r < 0 || !n)
		return r;
	r = fit_props(&sig, names, p, err);
	if (r >= 0)
		r = no_children(&sig, err);
	if (r >= 0)
		r = fit_text(&sig, names[ALGO], p[ALGO], BUNDLE_TEXT_MAX, &algo,
			     err);
	if (r >= 0 && p[KEY].data)
		r = fit_text(&sig, names[KEY], p[KEY], BUNDLE_TEXT_MAX,
			     &ret->key, err);
	if (r < 0)
		return r;
	for (ret->algo = BUNDLE_ED25519; ret->algo < BUNDLE_ALGOS; ret->algo++)
		if (!strcmp(algo, bundle_algo_name(ret->algo)))
			break;
	if (ret->algo == BUNDLE_ALGOS)
		return fit_bad(&sig, err, "'algo' is '%s', which is unknown",
			       algo);
	if (p[VALUE].len != bundle_algo_len(ret->algo))
		return fit_bad(&sig, err,
			       "'value' is missing, or not of %zu "
			       "bytes",
			       bundle_algo_len(ret->algo));
	memcpy(ret->value, p[VALUE].data, p[VALUE].len);
	return 0;
}

/* -- the configuration -- */

enum conf_prop {
	CONF_PART, /* one for each part, by its name */
	CONF_DESCRIPTION = CONF_PART + BUNDLE_PARTS,
	CONF_MACHINE,
	CONF_CMDLINE,
	CONF_CPUS,
	CONF_MEMORY,
	CONF_PROTECT,
	CONF_POLICY,
	CONF_PROPS,
};

static const char *const conf_names[] = {
	"kernel",	  "ramdisk",	    "firmware",	   "description",
	"coffer,machine", "coffer,cmdline", "coffer,cpus", "coffer,memory",
	"coffer,protect", "coffer,policy",  NULL};

/* Texts and numbers; what is not there stays as it is. */
static int parse_values(const struct fit_node *n, const struct fit_prop *p,
			struct bundle *b, struct err *err)
{
	const struct {
		enum conf_prop prop;
		size_t max;
		const char **ret;
	} texts[] = {
		{CONF_DESCRIPTION, BUNDLE_TEXT_MAX, &b->description},
		{CONF_CMDLINE, BUNDLE_CMDLINE_MAX, &b->cmdline},
		{CONF_PROTECT, BUNDLE_TEXT_MAX, &b->protect},
	};
	uint64_t cpus = 0, policy = 0;
	int r = fit_text(n, conf_names[CONF_MACHINE], p[CONF_MACHINE],
			 BUNDLE_TEXT_MAX, &b->machine, err);

	for (size_t i = 0; r >= 0 && i < 3; i++)
		if (p[texts[i].prop].data)
			r = fit_text(n, conf_names[texts[i].prop],
				     p[texts[i].prop], texts[i].max,
				     texts[i].ret, err);
	if (r >= 0 && p[CONF_CPUS].data)
		r = fit_number(n, conf_names[CONF_CPUS], p[CONF_CPUS],
			       UINT32_MAX, &cpus, err);
	if (r >= 0 && p[CONF_CPUS].data && !cpus)
		r = fit_bad(n, err, "'coffer,cpus' is 0");
	if (r >= 0 && p[CONF_MEMORY].data)
		r = fit_number(n, conf_names[CONF_MEMORY], p[CONF_MEMORY],
			       INT64_MAX, &b->memory, err); /* JSON's */
	if (r >= 0 && p[CONF_MEMORY].data && !b->memory)
		r = fit_bad(n, err, "'coffer,memory' is 0");
	b->have_policy = p[CONF_POLICY].data;
	if (r >= 0 && b->have_policy)
		r = fit_number(n, conf_names[CONF_POLICY], p[CONF_POLICY],
			       UINT32_MAX, &policy, err);
	b->cpus = (uint32_t)cpus;
	b->policy = (uint32_t)policy;
	return r;
}

static const struct fit_node *image_named(const struct fit_node *images,
					  size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fit_name(&images[i]), name))
			return &images[i];
	return NULL;
}

/* Every image belongs to one part, and every part that is named has one. */
static int parse_images(const struct fit_node *conf, const struct fit_prop *p,
			const struct fit_node *images, size_t n,
			struct bundle *b, struct err *err)
{
	const struct fit_node *image;
	const char *name;
	size_t used = 0;
	int r = 0;

	for (int i = 0; r >= 0 && i < BUNDLE_PARTS; i++) {
		if (!p[CONF_PART + i].data && i != BUNDLE_KERNEL)
			continue;
		r = fit_text(conf, conf_names[i], p[CONF_PART + i],
			     FIT_NAME_MAX, &name, err);
		if (r < 0)
			return r;
		image = image_named(images, n, name);
		if (!image)
			return fit_bad(conf, err,
				       "the image '%s' is missing in /images",
				       name);
		used++;
		r = parse_image(image, (enum bundle_part)i, &b->image[i], err);
	}
	/* Types differ, so no image is two parts. */
	if (r >= 0 && used != n)
		return fit_bad(conf, err, "it does not use all of /images");
	return r;
}

static int parse_conf(const struct fit_node *confs, struct fit_node *ret,
		      struct err *err)
{
	static const char *const names[] = {"default", NULL};
	struct fit_prop p[1];
	size_t n = 0;
	int r = fit_props(confs, names, p, err);

	if (r >= 0)
		r = fit_children(confs, ret, 1, &n, err);
	if (r >= 0 && !n)
		r = fit_bad(confs, err, "a configuration is missing");
	return r < 0 ? r : expect(confs, names[0], p[0], fit_name(ret), err);
}

static int parse_root(const struct fit_node *root, struct fit_node *ret_images,
		      struct fit_node *ret_confs, struct err *err)
{
	static const char *const names[] = {"description", "timestamp",
					    "#address-cells", NULL};
	struct fit_prop p[3];
	struct fit_node part[2];
	size_t n = 0;
	int r = fit_props(root, names, p, err);

	if (r >= 0)
		r = fit_children(root, part, 2, &n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const char *name = fit_name(&part[i]);

		if (!strcmp(name, "images"))
			*ret_images = part[i];
		else if (!strcmp(name, "configurations"))
			*ret_confs = part[i];
		else
			return fit_bad(root, err, "'%s' in it is not expected",
				       name);
	}
	if (n != 2)
		return fit_bad(root, err,
			       "not a FIT image: it has not both "
			       "images and configurations");
	return 0;
}

static int not_fit(const void *data, size_t len, struct err *err)
{
	const char *guess = bzimage_probe(data, len)
				    ? "a Linux kernel: give it by --kernel"
				    : image_guess(data, len);

	return err_set_kind(err, ERR_INPUT, -ENOEXEC,
			    "not a launch bundle; it looks like %s", guess);
}

int bundle_parse(const void *data, size_t len, struct bundle *ret,
		 struct err *err)
{
	struct fit_node root, images, confs, conf, image[BUNDLE_PARTS];
	static const char *const none[] = {NULL};
	struct fit_prop p[CONF_PROPS];
	struct bundle b = {0};
	size_t n = 0;
	int r;

	if (len < sizeof(fdt32_t) || fdt_magic(data) != FDT_MAGIC)
		return not_fit(data, len, err);
	r = fit_check(data, len, err);
	if (r < 0)
		return r;
	root = fit_root(data);
	r = parse_root(&root, &images, &confs, err);
	if (r >= 0)
		r = fit_props(&images, none, p, err);
	if (r >= 0)
		r = fit_children(&images, image, BUNDLE_PARTS, &n, err);
	if (r >= 0)
		r = parse_conf(&confs, &conf, err);
	if (r >= 0)
		r = fit_props(&conf, conf_names, p, err);
	if (r >= 0)
		r = parse_values(&conf, p, &b, err);
	if (r >= 0)
		r = parse_images(&conf, p, image, n, &b, err);
	if (r >= 0)
		r = parse_signature(&conf, &b.signature, err);
	if (r >= 0)
		*ret = b;
	return r;
}
