/* tests/fake/fake_keys.h - a key service with a pool of KeyIDs, in memory. */
#ifndef TESTS_FAKE_FAKE_KEYS_H
#define TESTS_FAKE_FAKE_KEYS_H

#include <stdbool.h>

#include "vmm/supervisor/key_service.h"

enum { FAKE_KEYS_MAX = 16, FAKE_CALLS_MAX = 64, FAKE_FIRST_SERIAL = 100 };

struct fake_key {
	struct key_info info;
	bool alive;
	bool ours;	      /* linked in "our" process keyring */
	unsigned int n_links; /* of other processes */
	unsigned int timeout;
	char payload[256];
};

struct fake_keys {
	struct key_service service;
	struct fake_key key[FAKE_KEYS_MAX];
	size_t n_keys; /* ever made */
	unsigned int n_keyids;
	int type_answer; /* of probe_type() */
	int call_answer; /* of probe_call() */
	uint64_t called; /* the number that probe_call() was given; 0: never */
	/* What was asked, a word each: "add", "timeout", ... */
	const char *call[FAKE_CALLS_MAX];
	size_t n_calls;
	const char *fail_call; /* this one, once, with fail */
	int fail;
	int n_locked; /* locks taken */
};

void fake_keys_init(struct fake_keys *f, unsigned int n_keyids);
/* A key that is there already; its serial. */
int32_t fake_keys_put(struct fake_keys *f, const char *type, uid_t uid,
		      uint32_t perm, const char *description);
struct fake_key *fake_keys_get(struct fake_keys *f, int32_t serial);
/* Keys of type mktme that are alive: KeyIDs in use. */
unsigned int fake_keys_used(const struct fake_keys *f);
/* How often @what was called. */
unsigned int fake_keys_count(const struct fake_keys *f, const char *what);

#endif
