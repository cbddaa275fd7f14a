/* vmm/cli/mktme_verb.c - `coffer mktme status|keys|release`. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/mktme_key.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli.h"
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

static int status(const struct mktme_verb *v, struct key_service *s)
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
		return EXIT_STATUS_HOST;
	return d.has_mktme ? (int)EXIT_STATUS_OK : (int)EXIT_STATUS_HOST;
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

static int keys(const struct mktme_verb *v, struct key_service *s)
{
	struct keys l = {.list = v->json ? json_array() : NULL};
	int r = s->ops->list(s, show_key, &l);

	if (r < 0)
		log_error("mktme: /proc/keys: %s", strerror(-r));
	else if (v->json)
		json_dumpf(l.list, stdout, JSON_INDENT(2)), putchar('\n');
	else if (!l.n)
		puts("no keys of type mktme can be seen (a guest's own key is "
		     "gone as soon as its memory is encrypted)");
	json_decref(l.list);
	return r < 0 ? (int)EXIT_STATUS_HOST : (int)EXIT_STATUS_OK;
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

static int release(const struct mktme_verb *v, struct key_service *s)
{
	struct wanted w = {.id = v->key};
	char *end;
	long serial;
	int r;

	if (!v->key) {
		log_error("mktme: release: needs a KEY: a serial number, or "
			  "the id of a shared key (coffer mktme keys)");
		return EXIT_STATUS_USAGE;
	}
	serial = strtol(v->key, &end, 10);
	if (!*end && serial > 0 && serial <= INT32_MAX)
		w.serial = (int32_t)serial;
	r = s->ops->list(s, is_wanted, &w);
	if (r < 0) {
		log_error("mktme: /proc/keys: %s", strerror(-r));
		return EXIT_STATUS_HOST;
	}
	if (!w.found.serial) {
		log_error("mktme: release: '%s': no such key of type mktme "
			  "(coffer mktme keys lists them)",
			  v->key);
		return EXIT_STATUS_INPUT;
	}
	r = s->ops->invalidate(s, w.found.serial);
	if (r < 0) {
		log_error("mktme: release: key %d: %s", w.found.serial,
			  r == -EACCES ? "no permission: only who possesses "
					 "it, or the same user for a shared "
					 "key"
				       : strerror(-r));
		return r == -EACCES ? (int)EXIT_STATUS_PERM
				    : (int)EXIT_STATUS_HOST;
	}
	printf("key %d released; its KeyID is free when the memory of its "
	       "guests is\n",
	       w.found.serial);
	return EXIT_STATUS_OK;
}

int cli_mktme(int argc, char *const *argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct mktme_verb *v, struct key_service *s);
	} commands[] = {
		{"status", status}, {"keys", keys}, {"release", release}};
	struct mktme_verb v = {0};
	enum option_outcome outcome;
	struct err err = {0};
	int ret = EXIT_STATUS_USAGE, r;
	bool known = false;

	r = option_parse_args(&mktme_option_table, argc, argv, &v, &outcome,
			      &err);
	if (r < 0) {
		log_error("mktme: %s", err.msg);
		ret = (int)exit_status_of_err(&err);
	} else if (cli_show(&mktme_option_table, outcome)) {
		ret = EXIT_STATUS_OK;
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			if (!strcmp(commands[i].name, v.command)) {
				known = true;
				ret = commands[i].run(&v, key_service_kernel());
			}
		if (!known)
			log_error("mktme: '%s': unknown command (status, keys, "
				  "release)",
				  v.command);
	}
	option_free(&mktme_option_table, &v);
	return cli_close_stdout(ret);
}
