/* vmm/cli/ctl.c - `coffer ctl`: asks a running guest's control socket. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/cli_words.h"
#include "vmm/cli/ctl_http.h"
#include "vmm/cli/ctl_packet.h"
#include "vmm/cli/ctl_show.h"
#include "vmm/exit_status.h"
#include "vmm/quantity.h"

enum {
	CTL_TIMEOUT_MS = 20000, /* longer than any of the server's own */
	WORDS_MAX = 2,
};
#define DAY_MS UINT64_C(86400000)

struct ctl_config {
	char *socket;
	char *verb;
	struct text_list words;
	bool json;
	uint64_t address;
	uint64_t timeout_ms;
};

/* --- options ---------------------------------------------------------------
 */

#define AT(f, t) OPTION_AT(struct ctl_config, f, t)

static const struct option_desc words[] = {
	{.name = "SOCKET",
	 .kind = OPTION_PATH,
	 .off = AT(socket, char *),
	 .help = "what coffer run --api was given",
	 .operand = true,
	 .required = true},
	{.name = "COMMAND",
	 .kind = OPTION_TEXT,
	 .off = AT(verb, char *),
	 .help = "one of the list below",
	 .operand = true,
	 .required = true,
	 .max = 32},
	{.name = "ARGUMENT",
	 .kind = OPTION_TEXTS,
	 .off = AT(words, struct text_list),
	 .help = "of secret: HEADER and PAYLOAD, raw or base64; of "
		 "attestation: NONCE; of resize: LUN",
	 .operand = true,
	 .max = WORDS_MAX,
	 .entry_max = 4096},
	{0},
};

static const struct option_desc options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .off = AT(json, bool),
	 .help = "print the answer as it came; refusals too"},
	{.name = "address",
	 .kind = OPTION_NUMBER,
	 .off = AT(address, uint64_t),
	 .arg = "N",
	 .help = "of secret: the guest-physical address",
	 .more = "Default: the area that the launch has set aside.",
	 .min = 1,
	 .max = UINT64_C(1) << 52},
	{.name = "timeout",
	 .kind = OPTION_SECONDS,
	 .off = AT(timeout_ms, uint64_t),
	 .arg = "SECONDS",
	 .help = "time for the answer (default 20; 0: no limit)",
	 .hint = "try 60 or 0.5",
	 .max = DAY_MS},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section sections[] = {
	{"Words", words},
	{"Options", options},
	{0},
};

static void init(void *target)
{
	*(struct ctl_config *)target =
		(struct ctl_config){.timeout_ms = CTL_TIMEOUT_MS};
}

/* --- commands --------------------------------------------------------------
 */

/* Prints a successful answer; negative errno and a message if it is odd. */
typedef int (*show_fn)(const struct ctl_reply *r, const json_t *j,
		       struct err *err);

static int show_vm(const struct ctl_reply *r, const json_t *j, struct err *err)
{
	(void)r;
	(void)err;
	ctl_show_vm(j, stdout);
	return 0;
}

static int show_state(const struct ctl_reply *r, const json_t *j,
		      struct err *err)
{
	(void)r;
	(void)err;
	printf("%s\n", ctl_word(j, "state"));
	return 0;
}

static int show_as_it_is(const struct ctl_reply *r, const json_t *j,
			 struct err *err)
{
	(void)j;
	(void)err;
	fwrite(r->body, 1, r->len, stdout);
	return 0;
}

/* A file without a measurement would only fail later, at the owner's. */
static int show_measurement(const struct ctl_reply *r, const json_t *j,
			    struct err *err)
{
	if (!json_is_string(json_object_get(j, "measurement")))
		return err_set_kind(err, ERR_HOST, -EAGAIN,
				    "there is no measurement yet: the launch "
				    "is %s",
				    ctl_word(j, "state"));
	return show_as_it_is(r, j, err);
}

static int show_secret(const struct ctl_reply *r, const json_t *j,
		       struct err *err)
{
	const json_t *s = json_object_get(j, "secret");

	(void)r;
	(void)err;
	printf("injected: %" JSON_INTEGER_FORMAT
	       " packets, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
	       " bytes of the area used\n",
	       json_integer_value(json_object_get(s, "packets")),
	       json_integer_value(json_object_get(s, "used")),
	       json_integer_value(json_object_get(s, "size")));
	return 0;
}

static int show_disk(const struct ctl_reply *r, const json_t *j,
		     struct err *err)
{
	(void)r;
	(void)err;
	printf("LUN %" JSON_INTEGER_FORMAT " has %" JSON_INTEGER_FORMAT
	       " bytes\n",
	       json_integer_value(json_object_get(j, "lun")),
	       json_integer_value(json_object_get(j, "bytes")));
	return 0;
}

static const struct command {
	const char *name;
	const char *method, *target;
	const char *body; /* NULL: none, or made of the words */
	bool is_secret, is_attestation, is_disk, is_stream, is_text;
	show_fn show;
	const char *help;
} commands[] = {
	{.name = "status",
	 .method = "GET",
	 .target = "/v1/vm",
	 .show = show_vm,
	 .help = "state, configuration, counters"},
	{.name = "pause",
	 .method = "PUT",
	 .target = "/v1/vm/state",
	 .body = "{\"action\":\"pause\"}",
	 .show = show_state,
	 .help = "stop running the guest's CPUs"},
	{.name = "resume",
	 .method = "PUT",
	 .target = "/v1/vm/state",
	 .body = "{\"action\":\"resume\"}",
	 .show = show_state,
	 .help = "let it go on; finish a launch that waits"},
	{.name = "stop",
	 .method = "PUT",
	 .target = "/v1/vm/state",
	 .body = "{\"action\":\"stop\"}",
	 .show = show_state,
	 .help = "press the power button, as SIGTERM does"},
	{.name = "kill",
	 .method = "PUT",
	 .target = "/v1/vm/state",
	 .body = "{\"action\":\"kill\"}",
	 .show = show_state,
	 .help = "end it now"},
	{.name = "resize",
	 .method = "PUT",
	 .target = "/v1/disks/size",
	 .is_disk = true,
	 .show = show_disk,
	 .help = "the image at LUN has another length now: tell the guest"},
	{.name = "metrics",
	 .method = "GET",
	 .target = "/v1/metrics",
	 .is_text = true,
	 .show = show_as_it_is,
	 .help = "counters as OpenMetrics"},
	{.name = "events",
	 .method = "GET",
	 .target = "/v1/events",
	 .is_stream = true,
	 .is_text = true,
	 .show = show_as_it_is,
	 .help = "a line of JSON for each thing that happens"},
	{.name = "measurement",
	 .method = "GET",
	 .target = "/v1/launch",
	 .show = show_measurement,
	 .help = "the launch as JSON, for coffer owner verify --launch"},
	{.name = "secret",
	 .method = "PUT",
	 .target = "/v1/launch/secret",
	 .is_secret = true,
	 .show = show_secret,
	 .help = "inject the packet HEADER PAYLOAD of coffer owner secret"},
	{.name = "attestation",
	 .method = "PUT",
	 .target = "/v1/launch/attestation",
	 .is_attestation = true,
	 .show = show_as_it_is,
	 .help = "a signed report over NONCE, for coffer owner attestation"},
};

static void epilogue(FILE *f)
{
	fprintf(f, "Commands\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-12s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\nExit status: 0 done, 64 bad usage, 66 a file or a value "
		   "is wrong,\n69 nobody answers or it failed, 75 not in this "
		   "state, 77 no permission.\n");
}

const struct option_table ctl_option_table = {
	.verb = "ctl",
	.synopsis = "[OPTION...] SOCKET COMMAND [ARGUMENT...]",
	.summary = "Ask a running guest, or tell it something.",
	.epilogue = epilogue,
	.sections = sections,
	.size = sizeof(struct ctl_config),
	.init = init,
};

static const struct command *find_command(const char *name, struct err *err)
{
	static const struct cli_words known = {
		.what = "command",
		.help = "coffer ctl --help",
		.v = commands,
		.n = ARRAY_SIZE(commands),
		.size = sizeof(commands[0]),
	};

	return cli_words_find(&known, name, err);
}

static int check_words(const struct ctl_config *c, const struct command *cmd,
		       struct err *err)
{
	if (cmd->is_secret && c->words.n != WORDS_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "secret: give HEADER and PAYLOAD, the two "
				    "files of coffer owner secret");
	if (cmd->is_attestation && c->words.n != 1)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "attestation: give the NONCE of who wants "
				    "the report, 32 hexadecimal digits");
	if (cmd->is_disk && c->words.n != 1)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "resize: give the LUN of the disk");
	if (!cmd->is_secret && !cmd->is_attestation && !cmd->is_disk &&
	    c->words.n)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "%s: '%.64s': no argument is expected",
				    cmd->name, c->words.v[0]);
	if (!cmd->is_secret && c->address)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--address: only of secret");
	return 0;
}

/* --- answers ---------------------------------------------------------------
 */

/* What a refusal is to a script. */
static int status_of(int http)
{
	switch (http) {
	case 400:
	case 413:
		return EXIT_STATUS_INPUT;
	case 403:
		return EXIT_STATUS_PERM;
	case 409:
		return EXIT_STATUS_STATE;
	default:
		return EXIT_STATUS_HOST;
	}
}

/* The host cannot see what is in a packet, but knows what would be right. */
static void name_format(const struct ctl_config *c)
{
	struct ctl_request q = {
		.socket = c->socket,
		.method = "GET",
		.target = "/v1/launch",
		.timeout_ms = c->timeout_ms,
	};
	struct ctl_reply r;
	json_t *j = NULL, *s;

	if (ctl_http_ask(&q, &r, NULL) < 0)
		return;
	if (r.status == 200)
		j = json_loadb(r.body, r.len, 0, NULL);
	s = json_object_get(j, "secret");
	if (json_is_object(s))
		log_error("ctl: this launch takes packets of format %s, "
			  "%" JSON_INTEGER_FORMAT " bytes in all; coffer owner "
			  "secret --launch reads that from the measurement",
			  ctl_word(s, "format"),
			  json_integer_value(json_object_get(s, "size")));
	json_decref(j);
	free(r.body);
}

static int refused(const struct ctl_config *c, const struct command *cmd,
		   const struct ctl_reply *r)
{
	json_t *j = json_loadb(r->body ? r->body : "", r->len, 0, NULL);
	const char *state = json_string_value(json_object_get(j, "state"));

	if (c->json)
		fwrite(r->body, 1, r->len, stdout);
	log_error("ctl: %s: %s%s%s%s", cmd->name,
		  json_is_object(j) ? ctl_word(j, "detail") : "refused",
		  state ? " (the guest is " : "", state ? state : "",
		  state ? ")" : "");
	json_decref(j);
	if (cmd->is_secret && r->status != 404)
		name_format(c);
	return status_of(r->status);
}

static int answered(const struct ctl_config *c, const struct command *cmd,
		    const struct ctl_reply *r, struct err *err)
{
	show_fn show = c->json ? show_as_it_is : cmd->show;
	json_t *j = NULL;
	int ret;

	if (!cmd->is_text) {
		j = json_loadb(r->body ? r->body : "", r->len, 0, NULL);
		if (!json_is_object(j)) {
			json_decref(j);
			return err_set_kind(err, ERR_HOST, -EPROTO,
					    "the answer is not JSON");
		}
	}
	ret = show(r, j, err);
	json_decref(j);
	return ret;
}

/* What the words are to the server; NULL: the command's own. */
static int make_body(const struct ctl_config *c, const struct command *cmd,
		     char **ret, struct err *err)
{
	uint64_t lun;

	if (cmd->is_secret)
		return ctl_packet_body(c->words.v[0], c->words.v[1], c->address,
				       ret, err);
	if (cmd->is_attestation)
		return ctl_nonce_body(c->words.v[0], ret, err);
	if (!cmd->is_disk)
		return 0;
	if (quantity_parse_number(c->words.v[0], &lun) < 0)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "resize: '%.64s' is not the number of a "
				    "LUN",
				    c->words.v[0]);
	if (asprintf(ret, "{\"lun\":%" PRIu64 "}", lun) < 0) {
		*ret = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int run(void *config, int *ret_status, struct err *err)
{
	const struct ctl_config *c = config;
	const struct command *cmd = find_command(c->verb, err);
	AUTO(freep) char *body = NULL;
	struct ctl_request q = {.socket = c->socket};
	struct ctl_reply reply = {0};
	int r = cmd ? check_words(c, cmd, err) : -EINVAL;

	if (!r)
		r = make_body(c, cmd, &body, err);
	if (r < 0)
		return r;
	q.method = cmd->method;
	q.target = cmd->target;
	q.body = body ? body : cmd->body;
	q.timeout_ms = cmd->is_stream ? 0 : c->timeout_ms;
	q.stream = cmd->is_stream ? stdout : NULL;
	r = ctl_http_ask(&q, &reply, err);
	if (!r && reply.status >= 300)
		*ret_status = refused(c, cmd, &reply);
	else if (!r)
		r = answered(c, cmd, &reply, err);
	free(reply.body);
	return r;
}

int cli_ctl(int argc, char *const *argv)
{
	struct ctl_config c;

	return cli_frame(&ctl_option_table, argc, argv, &c, run);
}
