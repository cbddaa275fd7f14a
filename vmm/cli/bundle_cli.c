/* vmm/cli/bundle_cli.c - `coffer bundle`: show and verify, and the verb. */
#include "vmm/cli/bundle_cli.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "crypto/sev_policy.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle_file.h"
#include "vmm/bundle/bundle_key.h"
#include "vmm/cli/cli_group.h"
#include "vmm/quantity.h"

static int no_memory(struct err *err)
{
	return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
}

static void hex(const uint8_t *p, size_t len, char *text)
{
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", p[i]);
}

/* -- show -- */

/* Whoever made the bundle does not get at the terminal. */
static void print_text(const char *name, const char *text)
{
	printf("%-12s ", name);
	for (; *text; text++)
		if (isascii((unsigned char)*text))
			putchar(*text);
		else
			printf("\\x%02x", (unsigned char)*text);
	putchar('\n');
}

static void print_image(enum bundle_part part, const struct bundle_image *i)
{
	char text[2 * HASH256_LEN + 1];

	if (!i->len) {
		printf("%-12s none\n", bundle_part_name(part));
		return;
	}
	hex(i->sha256, sizeof(i->sha256), text);
	printf("%-12s %" PRIu64 " bytes, sha256 %s\n", bundle_part_name(part),
	       i->len, text);
}

static void print_bundle(const struct bundle *b)
{
	char size[QUANTITY_TEXT_MAX], policy[SEV_POLICY_TEXT_MAX];

	if (b->description)
		print_text("description", b->description);
	print_text("machine", b->machine);
	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		print_image(i, &b->image[i]);
	if (b->cmdline)
		print_text("cmdline", b->cmdline);
	if (b->cpus)
		printf("%-12s %" PRIu32 "\n", "cpus", b->cpus);
	if (b->memory)
		printf("%-12s %s\n", "memory",
		       quantity_format_size(b->memory, size));
	if (b->protect)
		print_text("protect", b->protect);
	if (b->have_policy)
		printf("%-12s 0x%" PRIx32 " (%s)\n", "policy", b->policy,
		       sev_policy_format(b->policy, policy));
	printf("%-12s %s\n", "signature", bundle_algo_name(b->signature.algo));
	if (b->signature.algo != BUNDLE_UNSIGNED)
		print_text("by key", b->signature.key);
	printf("Nothing of it was checked: coffer bundle verify does that.\n");
}

static json_t *json_image(const struct bundle_image *i)
{
	char text[2 * HASH256_LEN + 1];

	if (!i->len)
		return json_null();
	hex(i->sha256, sizeof(i->sha256), text);
	return json_pack("{s:I, s:s}", "bytes", (json_int_t)i->len, "sha256",
			 text);
}

/* A text that is no UTF-8 becomes null. */
static json_t *json_text(const char *text)
{
	json_t *j = text ? json_string(text) : NULL;

	return j ? j : json_null();
}

static int print_json(const struct bundle *b, struct err *err)
{
	json_t *j = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:s, "
		"s:o}}",
		"description", json_text(b->description), "machine",
		json_text(b->machine), "kernel",
		json_image(&b->image[BUNDLE_KERNEL]), "ramdisk",
		json_image(&b->image[BUNDLE_RAMDISK]), "firmware",
		json_image(&b->image[BUNDLE_FIRMWARE]), "cmdline",
		json_text(b->cmdline), "cpus",
		b->cpus ? json_integer(b->cpus) : json_null(), "memory",
		b->memory ? json_integer((json_int_t)b->memory) : json_null(),
		"protect", json_text(b->protect), "policy",
		b->have_policy ? json_integer(b->policy) : json_null(),
		"signature", "algo", bundle_algo_name(b->signature.algo), "key",
		json_text(b->signature.key));
	int r = j ? json_dumpf(j, stdout, JSON_INDENT(2)) : -1;

	json_decref(j);
	putchar('\n');
	return r < 0 ? no_memory(err) : 0;
}

static int print_signed(const struct bundle *b, struct hash256 *h,
			struct err *err)
{
	struct bundle_signed s;

	if (bundle_signed_text(b, h, &s) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	fputs(s.text, stdout);
	return 0;
}

static int show(void *config, int *ret_status, struct err *err)
{
	const struct bundle_config *c = config;
	AUTO(bundle_file_closep) struct bundle_file *f = NULL;
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	const struct bundle *b;
	int r = h ? bundle_file_open(c->file, &f, err) : no_memory(err);

	(void)ret_status;
	if (r < 0)
		return r;
	b = bundle_file_content(f);
	if (c->signed_text)
		return print_signed(b, h, err);
	if (c->json)
		return print_json(b, err);
	print_bundle(b);
	return 0;
}

/* -- verify -- */

static int verify(void *config, int *ret_status, struct err *err)
{
	const struct bundle_config *c = config;
	AUTO(bundle_file_closep) struct bundle_file *f = NULL;
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	struct bundle_key key;
	int r = 0;

	(void)ret_status;
	if (!h)
		return no_memory(err);
	if (c->key)
		r = bundle_key_load(c->key, h, &key, err);
	if (r >= 0)
		r = bundle_file_open(c->file, &f, err);
	if (r >= 0)
		r = bundle_file_verify(f, c->key ? &key : NULL, h, err);
	if (r < 0)
		return r;
	if (c->key)
		printf("%s: the hashes are right, and key %s signed it\n",
		       c->file, key.name);
	else
		printf("%s: the hashes are right; %s\n", c->file,
		       bundle_file_content(f)->signature.algo
			       ? "without --key nobody looked at the signature"
			       : "it is not signed");
	return 0;
}

/* -- the verb -- */

int bundle_cli_main(int argc, char *const *argv)
{
	static const struct cli_command commands[] = {
		{"create", &bundle_create_table, bundle_create},
		{"show", &bundle_show_table, show},
		{"verify", &bundle_verify_table, verify},
	};
	static const struct cli_group group = {
		.verb = "bundle",
		.page = "coffer-bundle(1)",
		.summary = "Launch bundles: one file that a guest's owner "
			   "signs and an operator runs.",
		.v = commands,
		.n = ARRAY_SIZE(commands),
	};
	struct bundle_config c;

	return cli_group_main(&group, argc, argv, &c);
}
