/*
 * tests/unit/api_fixture.h - an API server in a thread of its own, over a VM
 * that does what the test says; and a client that blocks.
 */
#ifndef TESTS_UNIT_API_FIXTURE_H
#define TESTS_UNIT_API_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "vmm/base/err.h"
#include "vmm/launch_info.h"
#include "vmm/supervisor/api_server.h"
#include "vmm/supervisor/api_vm.h"

struct loop;
struct loop_source;

struct api_fixture {
	struct api_vm vm;
	char dir[32];
	char path[64];
	int listen_fd;
	struct loop *loop;
	struct loop_source *wake;
	struct api_server *server;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	enum api_state state;
	bool has_launch;
	struct launch_info launch;
	bool hold;  /* calls wait for fixture_release() */
	int result; /* of calls */
	enum err_kind kind;
	const char *message;
	struct api_call *held;
	unsigned int n_calls, n_cancels;
	enum api_verb last;
	uint8_t header[API_SECRET_HEADER];
	uint8_t payload[API_SECRET_MAX];
	size_t payload_len;
	uint64_t gpa;
	uint8_t nonce[SEV_NONCE_LEN];
	bool release, event; /* what the wake-up is for */
	enum api_event event_kind;
	const char *event_detail;
	unsigned int n_events;
};

/* A server that runs, with time limits that no test reaches; with short ones.
 */
int api_fixture_setup(void **state);
int api_fixture_setup_impatient(void **state);
int api_fixture_teardown(void **state);

/* Let the call that is held be done. */
void fixture_release(struct api_fixture *f);
/* Wait until a call is held; until @n calls were cancelled. */
void fixture_wait_held(struct api_fixture *f);
void fixture_wait_cancels(struct api_fixture *f, unsigned int n);
/* @n events, from the server's thread; returns when they were sent. */
void fixture_events(struct api_fixture *f, enum api_event e, const char *detail,
		    unsigned int n);
/* End the server's thread and destroy the server. */
void fixture_stop(struct api_fixture *f);

enum { REPLY_MAX = 65536 };

struct reply {
	int status; /* 0: the connection ended without one */
	char head[4096];
	char body[REPLY_MAX];
	size_t len; /* of the body */
};

int client_connect(struct api_fixture *f);
/* False: the server closed before it had taken all. */
bool client_send(int fd, const char *text, size_t len);
/* One answer with a Content-Length, or until the end. */
void client_read(int fd, struct reply *ret);
/* Connect, send, shut down for writing if asked, read one answer, close. */
void client_ask(struct api_fixture *f, const char *text, struct reply *ret);
/* A request of HTTP/1.1 with a body, or NULL. */
void client_request(struct api_fixture *f, const char *method, const char *path,
		    const char *body, struct reply *ret);
/* Has the server closed it? */
bool client_at_end(int fd);

#endif
