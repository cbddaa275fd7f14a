/* sim/sim_key_host.c - look-alike keys, and the processes that have them. */
#include "sim/sim_key_host.h"

#include <errno.h>
#include <inttypes.h>
#include <keyutils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <time.h>

#include "vmm/base/err.h"
#include "vmm/base/loop.h"

enum { LATER_MS = 20, LATER_TIMES = 25 };

#define LOOK_ALIKE "logon"
#define PREFIX "mktme:"

static void trace(struct sim_key_host *k, const char *call, int32_t serial,
		  unsigned int keyid)
{
	const struct sim_event e = {
		.call = call,
		.serial = serial,
		.keyid = keyid,
		.in_use = sim_mktme_used(k->model),
	};

	sim_trace_event(k->host->trace, &e);
}

/* --- processes ----------------------------------------------------------- */

static void proc_destroy(struct sim_key_proc *p)
{
	list_remove(&p->link);
	loop_remove(p->source);
	fd_closep(&p->pidfd);
	if (p->ring > 0) {
		keyctl_clear(p->ring);
		keyctl_unlink(p->ring, KEY_SPEC_SESSION_KEYRING);
	}
	free(p);
}

static void look_later(struct sim_key_host *k)
{
	k->n_later = LATER_TIMES;
	loop_set_timer(k->later, LATER_MS);
}

static void on_later(void *arg)
{
	struct sim_key_host *k = arg;

	sim_key_reap(k);
	if (--k->n_later && sim_mktme_used(k->model))
		loop_set_timer(k->later, LATER_MS);
}

static void on_exit_of(void *arg, int fd, uint32_t events)
{
	struct sim_key_proc *p = arg;
	struct sim_key_host *k = p->host;

	(void)fd;
	(void)events;
	sim_mktme_forget(k->model, p->pid);
	proc_destroy(p);
	sim_key_reap(k);
	look_later(k);
	trace(k, "exit", 0, 0);
}

static struct sim_key_proc *watch(struct sim_key_host *k, pid_t pid)
{
	struct sim_key_proc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->host = k;
	p->pid = pid;
	p->pidfd = pidfd_open(pid, 0);
	if (p->pidfd < 0 || loop_add_fd(k->host->loop, p->pidfd, EPOLLIN,
					on_exit_of, p, &p->source) < 0) {
		fd_closep(&p->pidfd);
		free(p);
		return NULL;
	}
	list_add_tail(&k->procs, &p->link);
	return p;
}

struct sim_key_proc *sim_key_proc_of(struct sim_key_host *k, pid_t tid)
{
	pid_t pid = sim_proc_tgid(tid);

	if (pid < 0)
		return NULL;
	for (struct list *l = list_first(&k->procs); l;
	     l = list_next(&k->procs, l)) {
		struct sim_key_proc *p =
			container_of(l, struct sim_key_proc, link);

		if (p->pid == pid)
			return p;
	}
	return watch(k, pid);
}

/* --- keys ---------------------------------------------------------------- */

int32_t sim_key_ring(struct sim_key_proc *p, int32_t ring)
{
	char name[32];

	if (ring != KEY_SPEC_PROCESS_KEYRING && ring != KEY_SPEC_THREAD_KEYRING)
		return ring == KEY_SPEC_SESSION_KEYRING
			       ? keyctl_get_keyring_ID(ring, 0)
			       : ring;
	if (p->ring > 0)
		return p->ring;
	snprintf(name, sizeof(name), "coffer-sim:%d", (int)p->pid);
	p->ring = add_key("keyring", name, NULL, 0, KEY_SPEC_SESSION_KEYRING);
	return p->ring < 0 ? -errno : p->ring;
}

struct sim_key *sim_key_find(struct sim_key_host *k, int32_t serial)
{
	for (size_t i = 0; i < SIM_KEYS_MAX; i++)
		if (serial && k->key[i].serial == serial)
			return &k->key[i];
	return NULL;
}

/* Does the kernel still have it? Revoked and expired keys, for a while. */
static bool is_gone(int32_t serial)
{
	char text[SIM_KEY_TEXT_MAX];

	return keyctl_describe(serial, text, sizeof(text)) < 0 &&
	       errno == ENOKEY;
}

void sim_key_reap(struct sim_key_host *k)
{
	for (size_t i = 0; i < SIM_KEYS_MAX; i++) {
		struct sim_key *key = &k->key[i];
		unsigned int id;

		if (!key->serial || !is_gone(key->serial))
			continue;
		id = sim_mktme_keyid(k->model, key->serial);
		sim_mktme_kill_key(k->model, key->serial);
		trace(k, "key-destroyed", key->serial, id);
		*key = (struct sim_key){0};
	}
}

/* The key of that name in that keyring, which a new one meets. */
static struct sim_key *find_twin(struct sim_key_host *k,
				 const char *description, int32_t ring)
{
	for (size_t i = 0; i < SIM_KEYS_MAX; i++)
		if (k->key[i].serial && k->key[i].ring == ring &&
		    !strcmp(k->key[i].description, description))
			return &k->key[i];
	return NULL;
}

/* Default permissions: with an update method there is WRITE, too. */
static uint32_t default_perm(const struct sim_key_host *k)
{
	return k->c.profile == SIM_MKTME_2018_12 ? 0x3d010000 : 0x39010000;
}

static int32_t make_real(struct sim_key_host *k, const char *description,
			 int32_t ring)
{
	static const char nothing[8] = "mktme"; /* as the patches charge it */
	char name[SIM_KEY_TEXT_MAX + 32];
	int32_t serial;

	snprintf(name, sizeof(name), PREFIX "%s#%u", description, ++k->n_made);
	serial = add_key(LOOK_ALIKE, name, nothing, sizeof(nothing), ring);
	if (serial < 0)
		return -errno;
	keyctl_setperm(serial, default_perm(k));
	return serial;
}

int32_t sim_key_make(struct sim_key_host *k, struct sim_key_proc *p,
		     const char *description, int32_t ring)
{
	int32_t real = sim_key_ring(p, ring), serial;
	struct sim_key *twin, *place = NULL;
	int id;

	if (real < 0 && real != KEY_SPEC_USER_KEYRING &&
	    real != KEY_SPEC_USER_SESSION_KEYRING)
		return real;
	sim_key_reap(k);
	twin = find_twin(k, description, real);
	if (twin && k->c.profile == SIM_MKTME_2018_12)
		return twin->serial; /* updated: the KeyID is programmed anew */
	for (size_t i = 0; i < SIM_KEYS_MAX && !place; i++)
		if (!k->key[i].serial)
			place = &k->key[i];
	/* a KeyID is reserved before the key is linked */
	id = place ? sim_mktme_assign(k->model, -1) : -ENOKEY;
	if (id < 0)
		return id;
	sim_mktme_kill_key(k->model, -1);
	serial = make_real(k, description, real);
	if (serial < 0)
		return serial;
	if (twin)
		keyctl_unlink(twin->serial, real); /* displaced */
	place->serial = serial;
	place->ring = real;
	snprintf(place->description, sizeof(place->description), "%s",
		 description);
	sim_mktme_assign(k->model, serial);
	sim_key_reap(k);
	return serial;
}

/* --- who may look -------------------------------------------------------- */

struct ids {
	uint32_t fsuid, fsgid;
};

static int read_ids(pid_t tid, struct ids *ret)
{
	char path[64], line[256];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	while (fgets(line, sizeof(line), f)) {
		n += sscanf(line, "Uid: %*u %*u %*u %" SCNu32, &ret->fsuid) ==
		     1;
		n += sscanf(line, "Gid: %*u %*u %*u %" SCNu32, &ret->fsgid) ==
		     1;
	}
	fclose(f);
	return n == 2 ? 0 : -ESRCH;
}

/* As the kernel decides it (keyrings(7), "Possession" and "Access rights"). */
static uint32_t rights(const struct sim_key_proc *p, const struct ids *ids,
		       uint32_t uid, uint32_t gid, uint32_t perm)
{
	uint32_t r = ids->fsuid == uid	 ? perm >> 16
		     : ids->fsgid == gid ? perm >> 8
					 : perm;

	/* the session keyring is ours until the process has left it */
	if (!p->left_session)
		r |= perm >> 24;
	return r & 0x3f;
}

int sim_key_view(struct sim_key_host *k, const struct sim_key_proc *p,
		 pid_t tid, int32_t serial, char *ret, size_t size)
{
	struct sim_key *key = sim_key_find(k, serial);
	char text[SIM_KEY_TEXT_MAX + 128];
	uint32_t uid, gid, perm;
	struct ids ids;

	if (keyctl_describe(serial, text, sizeof(text)) < 0)
		return -errno;
	if (sscanf(text, "%*[^;];%" SCNu32 ";%" SCNu32 ";%" SCNx32, &uid, &gid,
		   &perm) != 3)
		return -EINVAL;
	if (read_ids(tid, &ids) < 0)
		return -ESRCH;
	if (!(rights(p, &ids, uid, gid, perm) & KEY_OTH_VIEW))
		return -EACCES;
	if (ret && key)
		snprintf(ret, size, "mktme;%u;%u;%08x;%s", uid, gid, perm,
			 key->description);
	return 0;
}

int sim_key_list(struct sim_key_host *k, FILE *out)
{
	FILE *f = fopen("/proc/keys", "re");
	char line[512];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		char *type = strstr(line, " " LOOK_ALIKE " ");
		const struct sim_key *key =
			sim_key_find(k, (int32_t)strtoul(line, NULL, 16));

		if (type && key)
			fprintf(out, "%.*s %-9s %s: 8\n", (int)(type - line),
				line, "mktme", key->description);
		else
			fputs(line, out);
	}
	fclose(f);
	return 0;
}

/* --- life ---------------------------------------------------------------- */

int sim_key_host_create(const struct sim_mktme_config *c, struct sim_host *h,
			struct sim_key_host **ret, struct err *err)
{
	struct sim_key_host *k = calloc(1, sizeof(*k));

	if (!k)
		return err_set(err, -ENOMEM, "out of memory");
	k->c = *c;
	k->host = h;
	list_init(&k->procs);
	k->model = sim_mktme_create(c->n_keyids);
	if (!k->model || loop_add_timer(h->loop, on_later, k, &k->later) < 0 ||
	    keyctl_join_session_keyring(NULL) < 0) {
		int e = k->later ? errno : ENOMEM;

		sim_key_host_destroy(k);
		return err_set_kind(err, ERR_HOST, -e,
				    "the kernel's key service, on which MKTME "
				    "is simulated: %s",
				    strerror(e));
	}
	*ret = k;
	return 0;
}

static void wait_for_the_kernel(struct sim_key_host *k)
{
	const struct timespec step = {.tv_nsec = LATER_MS * 1000000L};

	sim_key_reap(k);
	for (int i = 0; i < LATER_TIMES && sim_mktme_used(k->model); i++) {
		nanosleep(&step, NULL);
		sim_key_reap(k);
	}
}

void sim_key_host_destroy(struct sim_key_host *k)
{
	struct list *l;

	if (!k)
		return;
	while ((l = list_first(&k->procs))) {
		struct sim_key_proc *p =
			container_of(l, struct sim_key_proc, link);

		sim_mktme_forget(k->model, p->pid);
		proc_destroy(p);
	}
	loop_remove(k->later);
	if (k->model) {
		wait_for_the_kernel(k);
		trace(k, "end", 0, 0); /* in_use: what was lost */
	}
	sim_mktme_destroy(k->model);
	free(k);
}
