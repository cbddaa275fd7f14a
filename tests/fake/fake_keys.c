/* tests/fake/fake_keys.c - counts links as the kernel does. */
#include "tests/fake/fake_keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/own.h"

static struct fake_keys *self(struct key_service *s)
{
	return container_of(s, struct fake_keys, service);
}

/* Note the call. An errno if this one is to fail. */
static int note(struct fake_keys *f, const char *what)
{
	assert(f->n_calls < FAKE_CALLS_MAX);
	f->call[f->n_calls++] = what;
	if (!f->fail_call || strcmp(f->fail_call, what) != 0)
		return 0;
	f->fail_call = NULL;
	return f->fail;
}

struct fake_key *fake_keys_get(struct fake_keys *f, int32_t serial)
{
	for (size_t i = 0; i < f->n_keys; i++)
		if (f->key[i].info.serial == serial)
			return &f->key[i];
	return NULL;
}

unsigned int fake_keys_used(const struct fake_keys *f)
{
	unsigned int n = 0;

	for (size_t i = 0; i < f->n_keys; i++)
		n += f->key[i].alive && !strcmp(f->key[i].info.type, "mktme");
	return n;
}

unsigned int fake_keys_count(const struct fake_keys *f, const char *what)
{
	unsigned int n = 0;

	for (size_t i = 0; i < f->n_calls; i++)
		n += !strcmp(f->call[i], what);
	return n;
}

int32_t fake_keys_put(struct fake_keys *f, const char *type, uid_t uid,
		      uint32_t perm, const char *description)
{
	struct fake_key *k = &f->key[f->n_keys];

	assert(f->n_keys < FAKE_KEYS_MAX);
	*k = (struct fake_key){.alive = true, .n_links = 1};
	k->info.serial = FAKE_FIRST_SERIAL + (int32_t)f->n_keys++;
	k->info.uid = uid;
	k->info.perm = perm;
	snprintf(k->info.type, sizeof(k->info.type), "%s", type);
	snprintf(k->info.description, sizeof(k->info.description), "%s",
		 description);
	snprintf(k->info.expiry, sizeof(k->info.expiry), "perm");
	return k->info.serial;
}

static int32_t add(struct key_service *s, const char *description,
		   const void *payload, size_t len)
{
	struct fake_keys *f = self(s);
	int r = note(f, "add");
	struct fake_key *k;
	int32_t serial;

	if (r < 0)
		return r;
	if (fake_keys_used(f) >= f->n_keyids)
		return -ENOKEY;
	serial = fake_keys_put(f, "mktme", geteuid(), 0x39010000, description);
	k = fake_keys_get(f, serial);
	k->n_links = 0;
	k->ours = true;
	assert(len < sizeof(k->payload));
	memcpy(k->payload, payload, len);
	return serial;
}

static int probe_type(struct key_service *s)
{
	note(self(s), "probe_type");
	return self(s)->type_answer;
}

static int probe_call(struct key_service *s, uint64_t nr)
{
	note(self(s), "probe_call");
	self(s)->called = nr;
	return self(s)->call_answer;
}

static int find(struct key_service *s, const char *what, int32_t serial,
		struct fake_key **ret)
{
	int r = note(self(s), what);

	*ret = fake_keys_get(self(s), serial);
	if (r < 0)
		return r;
	return *ret && (*ret)->alive ? 0 : -ENOKEY;
}

static int describe(struct key_service *s, int32_t serial, struct key_info *ret)
{
	struct fake_key *k;
	int r = find(s, "describe", serial, &k);

	if (!r)
		*ret = k->info;
	return r;
}

static int set_perm(struct key_service *s, int32_t serial, uint32_t perm)
{
	struct fake_key *k;
	int r = find(s, "perm", serial, &k);

	if (!r)
		k->info.perm = perm;
	return r;
}

static int set_group(struct key_service *s, int32_t serial, gid_t gid)
{
	struct fake_key *k;
	int r = find(s, "group", serial, &k);

	if (!r)
		k->info.gid = gid;
	return r;
}

static int set_timeout(struct key_service *s, int32_t serial,
		       unsigned int seconds)
{
	struct fake_key *k;
	int r = find(s, "timeout", serial, &k);

	if (!r)
		k->timeout = seconds;
	return r;
}

static int invalidate(struct key_service *s, int32_t serial)
{
	struct fake_key *k;
	int r = find(s, "invalidate", serial, &k);

	if (!r)
		k->alive = false;
	return r;
}

static int link_key(struct key_service *s, int32_t serial)
{
	struct fake_key *k;
	int r = find(s, "link", serial, &k);

	if (!r)
		k->ours = true;
	return r;
}

static int unlink_key(struct key_service *s, int32_t serial)
{
	struct fake_key *k;
	int r = find(s, "unlink", serial, &k);

	if (r < 0)
		return r;
	k->ours = false;
	k->alive = k->n_links > 0;
	return 0;
}

static int list(struct key_service *s,
		int (*fn)(void *arg, const struct key_info *k), void *arg)
{
	struct fake_keys *f = self(s);
	int r = note(f, "list");

	for (size_t i = 0; i < f->n_keys && !r; i++)
		if (f->key[i].alive && fn(arg, &f->key[i].info))
			break;
	return r;
}

static int lock(struct key_service *s)
{
	int r = note(self(s), "lock");

	self(s)->n_locked++;
	return r < 0 ? r : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static const struct key_service_ops ops = {
	.add = add,
	.probe_type = probe_type,
	.probe_call = probe_call,
	.describe = describe,
	.set_perm = set_perm,
	.set_group = set_group,
	.set_timeout = set_timeout,
	.invalidate = invalidate,
	.link = link_key,
	.unlink = unlink_key,
	.list = list,
	.lock = lock,
};

void fake_keys_init(struct fake_keys *f, unsigned int n_keyids)
{
	*f = (struct fake_keys){
		.service = {&ops},
		.n_keyids = n_keyids,
		.call_answer = -ENOKEY,
	};
}
