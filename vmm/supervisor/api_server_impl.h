/* vmm/supervisor/api_server_impl.h - what api_server.c and api_routes.c share.
 */
#ifndef VMM_SUPERVISOR_API_SERVER_IMPL_H
#define VMM_SUPERVISOR_API_SERVER_IMPL_H

#include <stdbool.h>

#include "vmm/base/list.h"
#include "vmm/supervisor/api_conn.h"
#include "vmm/supervisor/api_metrics.h"
#include "vmm/supervisor/api_server.h"
#include "vmm/supervisor/api_vm.h"

struct event;
struct event_base;
struct evconnlistener;

struct api_server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepting, after descriptors ran out */
	struct api_vm *vm;    /* borrowed */
	struct api_limits limits;
	struct list clients; /* of struct client */
	size_t n_clients, n_streams;
	uint64_t event_seq;
	struct api_stats stats;
};

struct client {
	struct api_server *server;
	struct list link;
	struct api_conn *conn;
	bool streaming; /* reads /v1/events */
	/* A question the VM has not answered yet. */
	struct api_call call;
	bool calling;
	struct event *call_timer;
	/* What to answer with when it has. */
	void (*answer)(struct client *c, int r, const struct err *err);
};

/* api_routes.c: serve one request. */
void api_route(struct client *c, const struct http_request *r,
	       const char *body);

/* api_server.c: the client reads events from now on; false: refused. */
bool api_server_add_stream(struct client *c);

#endif
