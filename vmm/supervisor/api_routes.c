/* vmm/supervisor/api_routes.c - what is at which path. */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/launch_info.h"
#include "vmm/supervisor/api_json.h"
#include "vmm/supervisor/api_server_impl.h"

/* --- answers ---------------------------------------------------------------
 */

/* Takes @text over. */
static void reply(struct client *c, int status, const char *type, char *text)
{
	struct api_reply r = {
		.status = status,
		.type = type,
		.body = text,
		.len = text ? strlen(text) : 0,
	};

	if (text)
		api_conn_reply(c->conn, &r);
	else
		api_conn_problem(c->conn, 503, "out of memory", NULL);
	free(text);
}

static struct api_vm_info vm_info(struct client *c)
{
	struct api_vm_info i = {0};

	c->server->vm->ops->info(c->server->vm, &i);
	return i;
}

static void reply_state(struct client *c, int status)
{
	struct api_vm_info i = vm_info(c);

	reply(c, status, API_TYPE_JSON, api_json_state(&i));
}

static const struct launch_info *launch(struct client *c)
{
	return c->server->vm->ops->launch(c->server->vm);
}

static void reply_launch(struct client *c)
{
	const struct launch_info *l = launch(c);

	if (l)
		reply(c, 200, API_TYPE_JSON, api_json_launch(l));
	else
		api_conn_problem(c->conn, 404,
				 "this guest is not protected: nothing was "
				 "launched",
				 NULL);
}

/* What a call that failed is to HTTP. */
static void reply_failure(struct client *c, int r, const struct err *err)
{
	struct api_vm_info i = vm_info(c);
	const char *why = err && *err->msg ? err->msg : strerror(-r);

	if (err && err->kind == ERR_INPUT)
		r = -EINVAL;
	else if (err && err->kind == ERR_HOST) /* whatever it is called there */
		r = -EIO;

	switch (-r) {
	case EBUSY:
		api_conn_problem(c->conn, 409, why, api_state_name(i.state));
		break;
	case EINVAL:
		api_conn_problem(c->conn, 400, why, NULL);
		break;
	case ENOTSUP:
		api_conn_problem(c->conn, 404, why, NULL);
		break;
	case EAGAIN:
		api_conn_problem(c->conn, 503, why, NULL);
		break;
	case ETIMEDOUT:
		api_conn_problem(c->conn, 504, why, api_state_name(i.state));
		break;
	default:
		api_conn_problem(c->conn, 500, why, NULL);
		break;
	}
}

/* --- calls -----------------------------------------------------------------
 */

static void finish_call(struct client *c, int r, const struct err *err)
{
	c->calling = false;
	event_del(c->call_timer);
	c->answer(c, r, err);
	counters_free(&c->call.counters);
}

static void on_done(struct api_call *call, int r, const struct err *err)
{
	finish_call(container_of(call, struct client, call), r, err);
}

static void on_call_timer(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	struct err err = {0};

	(void)fd;
	(void)what;
	if (!c->calling)
		return;
	c->server->vm->ops->cancel(c->server->vm, &c->call);
	err_set(&err, -ETIMEDOUT, "the guest's process does not answer");
	finish_call(c, -ETIMEDOUT, &err);
}

static void start_call(struct client *c, enum api_verb verb,
		       void (*answer)(struct client *, int, const struct err *))
{
	unsigned int ms = c->server->limits.call_ms;
	struct timeval tv = {
		.tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000,
	};

	if (!c->call_timer)
		c->call_timer = evtimer_new(c->server->base, on_call_timer, c);
	if (!c->call_timer) {
		api_conn_problem(c->conn, 503, "out of memory", NULL);
		return;
	}
	c->call.verb = verb;
	c->call.done = on_done;
	c->answer = answer;
	c->calling = true;
	event_add(c->call_timer, &tv);
	c->server->vm->ops->start(c->server->vm, &c->call);
}

/* --- /v1/vm, /v1/metrics -----------------------------------------------------
 */

/* Without counters when there is nobody to ask: it starts, or has ended. */
static void answer_vm(struct client *c, int r, const struct err *err)
{
	struct api_vm_info i = vm_info(c);

	(void)err;
	reply(c, 200, API_TYPE_JSON,
	      api_json_vm(&i, r < 0 ? NULL : &c->call.counters));
}

static void get_vm(struct client *c, const char *body, size_t len)
{
	(void)body;
	(void)len;
	start_call(c, API_VERB_COUNTERS, answer_vm);
}

static void answer_metrics(struct client *c, int r, const struct err *err)
{
	struct api_vm_info i = vm_info(c);

	(void)err;
	c->server->stats.clients = c->server->n_clients;
	reply(c, 200, API_TYPE_METRICS,
	      api_metrics_text(&i, r < 0 ? NULL : &c->call.counters,
			       &c->server->stats));
}

static void get_metrics(struct client *c, const char *body, size_t len)
{
	(void)body;
	(void)len;
	start_call(c, API_VERB_COUNTERS, answer_metrics);
}

/* --- bodies ------------------------------------------------------------------
 */

/*
 * An object that has no other keys than @keys (which end with NULL), or NULL
 * and an answer. An empty body is an empty object.
 */
static json_t *parse_body(struct client *c, const char *body, size_t len,
			  const char *const *keys)
{
	json_error_t e = {0};
	json_t *j = len ? json_loadb(body, len, JSON_REJECT_DUPLICATES, &e)
			: json_object();
	struct err err = {0};
	const char *key;
	json_t *value;

	if (!j)
		err_set(&err, -EINVAL,
			"the body is not JSON: line %d, column "
			"%d: %s",
			e.line, e.column, e.text);
	else if (!json_is_object(j))
		err_set(&err, -EINVAL, "the body is not a JSON object");
	json_object_foreach(j, key, value)
	{
		size_t i = 0;

		while (keys[i] && strcmp(key, keys[i]) != 0)
			i++;
		if (!keys[i])
			err_set(&err, -EINVAL, "\"%.64s\": unknown key", key);
	}
	if (!err.code)
		return j;
	json_decref(j);
	reply_failure(c, -EINVAL, &err);
	return NULL;
}

/* --- /v1/vm/state ------------------------------------------------------------
 */

static void get_state(struct client *c, const char *body, size_t len)
{
	(void)body;
	(void)len;
	reply_state(c, 200);
}

static void answer_state(struct client *c, int r, const struct err *err)
{
	if (r < 0)
		reply_failure(c, r, err);
	else
		reply_state(c, 200);
}

/* The guest was asked; it decides when. */
static void answer_accepted(struct client *c, int r, const struct err *err)
{
	if (r < 0)
		reply_failure(c, r, err);
	else
		reply_state(c, 202);
}

static void put_state(struct client *c, const char *body, size_t len)
{
	static const struct {
		const char *name;
		enum api_verb verb;
		void (*answer)(struct client *, int, const struct err *);
	} actions[] = {
		{"pause", API_VERB_PAUSE, answer_state},
		{"resume", API_VERB_RESUME, answer_state},
		{"stop", API_VERB_STOP, answer_accepted},
		{"kill", API_VERB_KILL, answer_accepted},
	};
	static const char *const keys[] = {"action", NULL};
	json_t *j = parse_body(c, body, len, keys);
	const char *name = json_string_value(json_object_get(j, "action"));
	size_t i = 0;

	if (!j)
		return;
	while (name && i < ARRAY_SIZE(actions) &&
	       strcmp(name, actions[i].name) != 0)
		i++;
	json_decref(j);
	if (!name || i == ARRAY_SIZE(actions))
		api_conn_problem(c->conn, 400,
				 "\"action\": expected \"pause\", \"resume\", "
				 "\"stop\" or \"kill\"",
				 NULL);
	else
		start_call(c, actions[i].verb, actions[i].answer);
}

/* --- /v1/disks/size ----------------------------------------------------------
 */

static void answer_disk(struct client *c, int r, const struct err *err)
{
	if (r < 0)
		reply_failure(c, r, err);
	else
		reply(c, 200, API_TYPE_JSON,
		      api_json_disk(c->call.lun, c->call.bytes));
}

static void put_disk_size(struct client *c, const char *body, size_t len)
{
	static const char *const keys[] = {"lun", NULL};
	json_t *j = parse_body(c, body, len, keys);
	const json_t *lun = json_object_get(j, "lun");
	json_int_t n = json_integer_value(lun);

	if (!j)
		return;
	if (!json_is_integer(lun) || n < 0 || n > API_LUN_MAX) {
		char detail[64];

		snprintf(detail, sizeof(detail),
			 "\"lun\": expected a number, 0 to %d", API_LUN_MAX);
		api_conn_problem(c->conn, 400, detail, NULL);
	} else {
		c->call.lun = (unsigned int)n;
		start_call(c, API_VERB_RESIZE, answer_disk);
	}
	json_decref(j);
}

/* --- /v1/events --------------------------------------------------------------
 */

static void get_events(struct client *c, const char *body, size_t len)
{
	(void)body;
	(void)len;
	if (!api_server_add_stream(c)) {
		char detail[64];

		snprintf(detail, sizeof(detail),
			 "%d clients read events already", API_STREAMS_MAX);
		api_conn_problem(c->conn, 503, detail, NULL);
	}
}

/* --- /v1/launch --------------------------------------------------------------
 */

static void get_launch(struct client *c, const char *body, size_t len)
{
	(void)body;
	(void)len;
	reply_launch(c);
}

static void answer_launch(struct client *c, int r, const struct err *err)
{
	if (r < 0)
		reply_failure(c, r, err);
	else
		reply_launch(c);
}

static int decode(const json_t *root, const char *key, uint8_t *buf, size_t max,
		  size_t *ret_len, struct err *err)
{
	const json_t *j = json_object_get(root, key);
	int r = -EINVAL;

	if (json_is_string(j))
		r = base64_decode(json_string_value(j), json_string_length(j),
				  buf, max, ret_len);
	if (r == -ENOSPC)
		return err_set(err, -EINVAL, "\"%s\": more than %zu bytes", key,
			       max);
	if (r < 0)
		return err_set(err, -EINVAL, "\"%s\": expected base64", key);
	return 0;
}

struct packet {
	uint8_t header[API_SECRET_HEADER];
	uint8_t payload[API_SECRET_MAX];
};

static int parse_secret(const json_t *j, struct packet *p, struct api_secret *s,
			struct err *err)
{
	const json_t *address = json_object_get(j, "address");
	size_t n = 0;
	int r = decode(j, "header", p->header, sizeof(p->header), &n, err);

	if (!r && n != API_SECRET_HEADER)
		r = err_set(err, -EINVAL,
			    "\"header\": %zu bytes; the header of a packet has "
			    "%d",
			    n, API_SECRET_HEADER);
	if (!r)
		r = decode(j, "payload", p->payload, sizeof(p->payload),
			   &s->len, err);
	if (!r && !s->len)
		r = err_set(err, -EINVAL, "\"payload\": empty");
	if (!r && address && json_integer_value(address) <= 0)
		r = err_set(err, -EINVAL,
			    "\"address\": expected a guest-physical address, a "
			    "number above 0");
	s->gpa = (uint64_t)json_integer_value(address);
	s->header = p->header;
	s->payload = p->payload;
	return r;
}

static void put_secret(struct client *c, const char *body, size_t len)
{
	static const char *const keys[] = {"header", "payload", "address",
					   NULL};
	AUTO(freep) struct packet *p = malloc(sizeof(*p));
	struct err err = {0};
	json_t *j;
	int r;

	if (!launch(c) || !p) {
		reply_launch(c);
		return;
	}
	j = parse_body(c, body, len, keys);
	if (!j)
		return;
	r = parse_secret(j, p, &c->call.secret, &err);
	json_decref(j);
	if (r < 0)
		reply_failure(c, r, &err);
	else
		start_call(c, API_VERB_SECRET, answer_launch);
}

static void put_finish(struct client *c, const char *body, size_t len)
{
	static const char *const keys[] = {NULL};
	json_t *j;

	if (!launch(c)) {
		reply_launch(c);
		return;
	}
	j = parse_body(c, body, len, keys);
	if (!j)
		return;
	json_decref(j);
	start_call(c, API_VERB_FINISH, answer_launch);
}

static void answer_attestation(struct client *c, int r, const struct err *err)
{
	if (r < 0)
		reply_failure(c, r, err);
	else
		reply(c, 200, API_TYPE_JSON,
		      api_json_attestation(c->call.report));
}

static void put_attestation(struct client *c, const char *body, size_t len)
{
	static const char *const keys[] = {"nonce", NULL};
	struct err err = {0};
	size_t n = 0;
	json_t *j;
	int r;

	if (!launch(c)) {
		reply_launch(c);
		return;
	}
	j = parse_body(c, body, len, keys);
	if (!j)
		return;
	r = decode(j, "nonce", c->call.nonce, sizeof(c->call.nonce), &n, &err);
	json_decref(j);
	if (!r && n != sizeof(c->call.nonce))
		r = err_set(&err, -EINVAL, "\"nonce\": %zu bytes; it has %zu",
			    n, sizeof(c->call.nonce));
	if (r < 0)
		reply_failure(c, r, &err);
	else
		start_call(c, API_VERB_ATTEST, answer_attestation);
}

/* --- the table ---------------------------------------------------------------
 */

typedef void (*handler_fn)(struct client *c, const char *body, size_t len);

static const struct route {
	const char *path;
	handler_fn get, put;
} routes[] = {
	{"/v1/vm", get_vm, NULL},
	{"/v1/vm/state", get_state, put_state},
	{"/v1/disks/size", NULL, put_disk_size},
	{"/v1/metrics", get_metrics, NULL},
	{"/v1/events", get_events, NULL},
	{"/v1/launch", get_launch, NULL},
	{"/v1/launch/secret", NULL, put_secret},
	{"/v1/launch/finish", NULL, put_finish},
	{"/v1/launch/attestation", NULL, put_attestation},
};

static const char *allowed(const struct route *t)
{
	if (t->get && t->put)
		return "GET, HEAD, PUT";
	return t->get ? "GET, HEAD" : "PUT";
}

static void not_found(struct client *c, const char *path)
{
	char detail[160];

	if (strchr(path, '?'))
		snprintf(detail, sizeof(detail),
			 "nothing here takes a query ('?')");
	else
		snprintf(detail, sizeof(detail),
			 "nothing is at %.64s; see docs/api.yaml", path);
	api_conn_problem(c->conn, 404, detail, NULL);
}

void api_route(struct client *c, const struct http_request *r, const char *body)
{
	const struct route *t = NULL;
	handler_fn handler = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(routes) && !t; i++)
		if (!strcmp(r->path, routes[i].path))
			t = &routes[i];
	if (!t) {
		not_found(c, r->path);
		return;
	}
	if (r->method == HTTP_PUT)
		handler = t->put;
	else if (r->method != HTTP_OTHER)
		handler = t->get;
	if (handler)
		handler(c, body, (size_t)r->body_len);
	else
		api_conn_not_allowed(c->conn, allowed(t));
}
