/* vmm/supervisor/api_json.c - the API's answers. */
#include "vmm/supervisor/api_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/base64.h"
#include "crypto/sev_error.h"
#include "crypto/sev_report.h"
#include "vmm/base/hex.h"
#include "vmm/base/own.h"
#include "vmm/config.h"
#include "vmm/exit_status.h"
#include "vmm/json_value.h"
#include "vmm/launch_info.h"
#include "vmm/supervisor/api_config.h"
#include "vmm/supervisor/api_http.h"
#include "vmm/supervisor/api_vm.h"
#include "vmm/version.h"

const char *api_state_name(enum api_state s)
{
	static const char *const names[API_STATE_COUNT] = {
		[API_STATE_STARTING] = "starting",
		[API_STATE_WAITING] = "waiting",
		[API_STATE_RUNNING] = "running",
		[API_STATE_PAUSED] = "paused",
		[API_STATE_STOPPING] = "stopping",
		[API_STATE_ENDED] = "ended",
	};

	return s < API_STATE_COUNT ? names[s] : "unknown";
}

/* Takes @j over. */
static char *to_text(json_t *j, size_t flags)
{
	char *dump = j ? json_dumps(j, flags) : NULL;
	char *text = NULL;

	json_decref(j);
	if (dump && asprintf(&text, "%s\n", dump) < 0)
		text = NULL;
	free(dump);
	return text;
}

static json_t *make_exit(const struct run_result *r)
{
	if (!r)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "how", run_how_name(r->how), "why",
			 json_value_text(r->why), "value",
			 json_value_u64(r->value));
}

char *api_json_vm(const struct api_vm_info *i, const struct counters *c)
{
	json_t *j = json_pack(
		"{s:s, s:o, s:s, s:s, s:i, s:o, s:o, s:o, s:s?, s:o, s:o}",
		"state", api_state_name(i->state), "exit", make_exit(i->result),
		"version", coffer_version(), "machine", coffer_machine(), "pid",
		(int)getpid(), "monitor_pid",
		i->monitor_pid > 0 ? json_integer(i->monitor_pid) : json_null(),
		"uptime_ms", json_value_u64(i->uptime_ms), "starts",
		json_value_u64(i->n_starts), "protection",
		i->config ? run_config_protection(i->config) : NULL, "config",
		api_config(i->config), "counters",
		c ? json_value_counters(c) : json_null());

	return to_text(j, JSON_INDENT(2));
}

char *api_json_state(const struct api_vm_info *i)
{
	return to_text(json_pack("{s:s}", "state", api_state_name(i->state)),
		       JSON_INDENT(2));
}

char *api_json_disk(unsigned int lun, uint64_t bytes)
{
	return to_text(json_pack("{s:o, s:o}", "lun", json_value_u64(lun),
				 "bytes", json_value_u64(bytes)),
		       JSON_INDENT(2));
}

static json_t *make_facts(uint64_t bits)
{
	json_t *j = json_array();

	for (unsigned int f = 0; j && f < LAUNCH_FACT_COUNT; f++)
		if (bits >> f & 1)
			json_array_append_new(j, json_string(launch_fact_name(
							 (enum launch_fact)f)));
	return j;
}

static json_t *make_measurement(const struct launch_info *l)
{
	char text[BASE64_TEXT_LEN(SEV_MEASUREMENT_LEN)];

	if (!l->measured)
		return json_null();
	base64_encode(l->measurement, sizeof(l->measurement), text);
	return json_string(text);
}

static json_t *make_digest(const uint8_t digest[static SEV_DIGEST_LEN])
{
	char text[2 * SEV_DIGEST_LEN + 1];

	return json_string(hex_format(digest, SEV_DIGEST_LEN, text));
}

static json_t *make_entries(const struct launch_info *l)
{
	json_t *j = json_array();

	for (uint32_t i = 0; i < l->n_entries; i++)
		json_array_append_new(
			j,
			json_pack("{s:o, s:o}", "name",
				  json_value_text(l->entry[i].name), "sha256",
				  make_digest(l->entry[i].digest)));
	return j;
}

/* Where secrets go, as `owner secret` reads it. */
static json_t *make_area(const struct launch_info *l)
{
	if (l->secret_format == LAUNCH_SECRET_NONE)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:i}", "format",
			 launch_secret_format_name(l->secret_format), "address",
			 json_value_u64(l->secret_gpa), "size",
			 json_value_u64(l->secret_size), "used",
			 json_value_u64(l->secret_used), "packets",
			 (int)l->n_secrets);
}

static json_t *make_ledger(const struct launch_ledger *l)
{
	json_t *commands = json_array();

	for (unsigned int i = 0; i < SEV_FW_CMD_COUNT; i++)
		if (l->cmd[i].calls)
			json_array_append_new(
				commands,
				json_pack("{s:s, s:o, s:o, s:o}", "command",
					  sev_fw_cmd_name((enum sev_fw_cmd)i),
					  "calls",
					  json_value_u64(l->cmd[i].calls),
					  "bytes",
					  json_value_u64(l->cmd[i].bytes), "ns",
					  json_value_u64(l->cmd[i].ns)));
	return json_pack("{s:o, s:o}", "commands", commands, "waited_ns",
			 json_value_u64(launch_ledger_waited_ns(l)));
}

/* The names are those that owner/owner_launch.c reads. */
char *api_json_launch(const struct launch_info *l)
{
	json_t *j = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:b, s:b}",
		"type", launch_kind_name(l->kind), "state",
		launch_state_name(l->state), "platform",
		launch_origin_name(l->origin), "firmware",
		launch_firmware_name(l->firmware), "api_major", l->api_major,
		"api_minor", l->api_minor, "build", l->build, "policy",
		(json_int_t)l->policy, "handle", (json_int_t)l->handle,
		"attested", l->attested != 0, "emulated", l->emulated != 0);

	if (!j)
		return NULL;
	json_object_set_new(j, "measurement", make_measurement(l));
	json_object_set_new(j, "plan_digest", make_digest(l->plan_digest));
	json_object_set_new(j, "plan_bytes", json_value_u64(l->plan_bytes));
	json_object_set_new(j, "entries", make_entries(l));
	json_object_set_new(j, "covered", make_facts(l->covered));
	json_object_set_new(j, "not_covered", make_facts(l->not_covered));
	json_object_set_new(j, "secret", make_area(l));
	json_object_set_new(j, "ledger", make_ledger(&l->ledger));
	return to_text(j, JSON_INDENT(2));
}

char *api_json_attestation(const uint8_t *report)
{
	char nonce[BASE64_TEXT_LEN(SEV_NONCE_LEN)];
	char text[BASE64_TEXT_LEN(SEV_REPORT_LEN)];
	struct sev_report r;

	sev_report_parse(report, &r);
	base64_encode(r.nonce, sizeof(r.nonce), nonce);
	base64_encode(report, SEV_REPORT_LEN, text);
	return to_text(json_pack("{s:s, s:o, s:I, s:s}", "nonce", nonce,
				 "digest", make_digest(r.digest), "policy",
				 (json_int_t)r.policy, "report", text),
		       JSON_INDENT(2));
}

char *api_json_problem(int status, const char *detail, const char *state)
{
	json_t *j = json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank",
			      "title", http_reason(status), "status", status,
			      "detail", json_value_text(detail));

	if (j && state)
		json_object_set_new(j, "state", json_string(state));
	return to_text(j, JSON_COMPACT);
}

char *api_json_event(uint64_t seq, uint64_t time_ms, const char *event,
		     const char *state, const char *detail)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char at[40], date[24];
	struct tm tm;
	json_t *j;

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S",
		 gmtime_r(&seconds, &tm));
	snprintf(at, sizeof(at), "%s.%03uZ", date,
		 (unsigned int)(time_ms % 1000));
	j = json_pack("{s:o, s:s, s:s, s:s}", "seq", json_value_u64(seq),
		      "time", at, "event", event, "state", state);
	if (j && detail)
		json_object_set_new(j, "detail", json_value_text(detail));
	return to_text(j, JSON_COMPACT);
}
