/*
 * tests/unit/control_fixture.h - requests of clients over a supervisor that is
 * played by the test: control_fixture.c defines the functions that control
 * calls. Server and clients share one thread.
 */
#ifndef TESTS_UNIT_CONTROL_FIXTURE_H
#define TESTS_UNIT_CONTROL_FIXTURE_H

#include "tests/unit/unit.h"

#include "vmm/config.h"
#include "vmm/supervisor/control.h"
#include "vmm/supervisor/supervisor.h"

enum { CONTROL_CLIENTS = 3 };

struct supervisor {
	enum supervisor_state state;
	struct run_config config;
	struct run_result result;
	struct supervisor_watch *watch;
	supervisor_counters_fn fn;
	void *fn_arg;
	int answer; /* of requests */
	unsigned int n_pause, n_resume, n_stop, n_kill, n_secret, n_finish;
	unsigned int n_attest;
	unsigned int n_cancel;
	uint64_t gpa;
	uint8_t nonce[SEV_NONCE_LEN];
};

struct control_fixture {
	char dir[40], path[64];
	struct loop *loop;
	struct loop_source *poll;
	struct supervisor s;
	struct control *control;
	char got[CONTROL_CLIENTS]
		[8192]; /* what each client has been answered so far */
	int client[CONTROL_CLIENTS];
};

int control_setup(void **state);
int control_teardown(void **state);

/* The supervisor's state changes, and its watcher is told. */
void control_set_state(struct control_fixture *f, enum supervisor_state state);

/* A new request of client @i; what its last one got is forgotten. */
void control_ask(struct control_fixture *f, int i, const char *method,
		 const char *path, const char *body);
/* PUT @action, "pause", as client @i. */
void control_act(struct control_fixture *f, int i, const char *action);

/* Wait for the answer to client @i: it has this status and @word in it. */
void control_expect(struct control_fixture *f, int i, int status,
		    const char *word);
/* Client @i has no answer by now. */
void control_expect_nothing(struct control_fixture *f, int i);

#endif
