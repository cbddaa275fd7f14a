/* vmm/cli/mktme_verb.c - `coffer mktme status|keys|release`. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/mktme_key.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/cli_words.h"
#include "vmm/cli/doctor.h"
#include "vmm/config_mktme.h"
#include "vmm/exit_status.h"
#include "vmm/supervisor/key_broker.h"
#include "vmm/supervisor/key_service.h"

struct mktme_verb {
	char *command;
	char *key; /* release: a serial or an id */
	bool json;
};

static const struct option_desc options[] = {
	{.name = "COMMAND",
	 .kind = OPTION_TEXT,
	 .off = OPTION_AT(struct mktme_verb, command, char *),
	 .help = "status: what CPU, firmware and kernel offer; keys: which "
		 "there are; release: invalidate one",
	 .max = 16,
	 .operand = true,
	 .required = true},
	{.name = "KEY",
	 .kind = OPTION_TEXT,
	 .off = OPTION_AT(struct mktme_verb, key, char *),
	 .help = "release: its serial number, or the id of a shared key",
	 .max = KEY_ID_MAX,
	 .operand = true},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .off = OPTION_AT(struct mktme_verb, json, bool),
	 .help = "print the result as JSON"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section sections[] = {
	{"Options", options},
	{0},
};

static void init(void *target)
{
	*(struct mktme_verb *)target = (struct mktme_verb){0};
}

static void epilogue(FILE *f)
{
	fputs("Memory under an MKTME key is " MKTME_PROTECTS ".\n", f);
}

const struct option_table mktme_option_table = {
	.verb = "mktme",
	.synopsis = "status|keys|release [--json] [KEY]",
	.summary = "Show and release the keys of encrypted guest memory.",
	.epilogue = epilogue,
	.sections = sections,
	.size = sizeof(struct mktme_verb),
	.init = init,
};

/* --- status -------------------------------------------------------------- */

static int status(const struct mktme_verb *v, struct key_service *s,
		  int *ret_status, struct err *err)
{
	struct doctor d;
	int r = 0;

	doctor_init(&d, "");
	d.keys = s;
	doctor_run_mktme(&d);
	if (v->json)
		r = doctor_print_json(&d, stdout);
	else
		doctor_print_lines(&d, stdout, false);
	doctor_close(&d);
	if (r < 0)
		return err_set(err, r, "cannot write: %s", strerror(-r));
	if (!d.has_mktme)
		*ret_status = EXIT_STATUS_HOST;
	return 0;
}

/* --- keys ---------------------------------------------------------------- */

struct keys {
	json_t *list; /* NULL: for people */
	unsigned int n;
};

static int show_key(void *arg, const struct key_info *k)
{
	struct keys *l = arg;
	struct key_name n = {0};
	bool ours = key_name_parse(k->description, &n);
	char whose[32] = "not of coffer";

	if (strcmp(k->type, MKTME_KEY_TYPE) != 0)
		return 0;
	if (ours && n.share)
		snprintf(whose, sizeof(whose), "shared");
	else if (ours)
		snprintf(whose, sizeof(whose), "pid %d", n.pid);
	if (l->list) {
		json_array_append_new(
			l->list,
			json_pack("{s:i, s:s, s:b, s:b, s:i, s:i, s:s, s:s}",
				  "serial", k->serial, "id", ours ? n.id : "",
				  "coffer", (int)ours, "shared", (int)n.share,
				  "pid", n.pid, "uses", (int)k->usage,
				  "expires", k->expiry, "description",
				  k->description));
	} else {
		if (!l->n)
			printf("%-11s %-24s %-14s %5s  %s\n", "SERIAL", "ID",
			       "GUEST", "USES", "EXPIRES");
		printf("%-11d %-24s %-14s %5u  %s\n", k->serial,
		       ours ? n.id : k->description, whose, k->usage,
		       k->expiry);
	}
	l->n++;
	return 0;
}

static int no_list(int code, struct err *err)
{
	return err_set_kind(err, ERR_HOST, code, "/proc/keys: %s",
			    strerror(-code));
}

static int keys(const struct mktme_verb *v, struct key_service *s,
		int *ret_status, struct err *err)
{
	struct keys l = {.list = v->json ? json_array() : NULL};
	int r = s->ops->list(s, show_key, &l);

	(void)ret_status;
	if (r < 0)
		r = no_list(r, err);
	else if (v->json)
		json_dumpf(l.list, stdout, JSON_INDENT(2)), putchar('\n');
	else if (!l.n)
		puts("no keys of type mktme can be seen (a guest's own key is "
		     "gone as soon as its memory is encrypted)");
	json_decref(l.list);
	return r;
}

/* --- release ------------------------------------------------------------- */

struct wanted {
	const char *id;
	int32_t serial; /* 0: by id */
	struct key_info found;
};

static int is_wanted(void *arg, const struct key_info *k)
{
	struct wanted *w = arg;
	struct key_name n;
	bool hit;

	if (strcmp(k->type, MKTME_KEY_TYPE) != 0)
		return 0;
	hit = w->serial ? k->serial == w->serial
			: key_name_parse(k->description, &n) && n.share &&
				  !strcmp(n.id, w->id);
	if (hit)
		w->found = *k;
	return hit;
}

static int release(const struct mktme_verb *v, struct key_service *s,
		   int *ret_status, struct err *err)
{
	struct wanted w = {.id = v->key};
	char *end;
	long serial;
	int r;

	(void)ret_status;
	if (!v->key)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "release: needs a KEY: a serial number, or "
				    "the id of a shared key (coffer mktme "
				    "keys)");
	serial = strtol(v->key, &end, 10);
	if (!*end && serial > 0 && serial <= INT32_MAX)
		w.serial = (int32_t)serial;
	r = s->ops->list(s, is_wanted, &w);
	if (r < 0)
		return no_list(r, err);
	if (!w.found.serial)
		return err_set_kind(err, ERR_INPUT, -ENOENT,
				    "release: '%s': no such key of type mktme "
				    "(coffer mktme keys lists them)",
				    v->key);
	r = s->ops->invalidate(s, w.found.serial);
	if (r == -EACCES)
		return err_set_kind(err, ERR_PERM, r,
				    "release: key %d: no permission: only who "
				    "possesses it, or the same user for a "
				    "shared key",
				    w.found.serial);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "release: key %d: %s",
				    w.found.serial, strerror(-r));
	printf("key %d released; its KeyID is free when the memory of its "
	       "guests is\n",
	       w.found.serial);
	return 0;
}

/* --- the verb ------------------------------------------------------------ */

static const struct command {
	const char *name;
	int (*run)(const struct mktme_verb *v, struct key_service *s,
		   int *ret_status, struct err *err);
} commands[] = {{"status", status}, {"keys", keys}, {"release", release}};

static int run(void *config, int *ret_status, struct err *err)
{
	static const struct cli_words known = {
		.what = "command",
		.help = "coffer mktme --help",
		.v = commands,
		.n = ARRAY_SIZE(commands),
		.size = sizeof(commands[0]),
	};
	const struct mktme_verb *v = config;
	const struct command *c = cli_words_find(&known, v->command, err);

	if (!c)
		return -EINVAL;
	return c->run(v, key_service_kernel(), ret_status, err);
}

int cli_mktme(int argc, char *const *argv)
{
	struct mktme_verb v;

	return cli_frame(&mktme_option_table, argc, argv, &v, run);
}
