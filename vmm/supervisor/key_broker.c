/* vmm/supervisor/key_broker.c - adds, shows, times, counts, takes back. */
#include "vmm/supervisor/key_broker.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <keyutils.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "crypto/mktme_syscall.h"
#include "vmm/base/err.h"
#include "vmm/base/locked.h"
#include "vmm/base/log.h"
#include "vmm/supervisor/key_broker_impl.h"
#include "vmm/supervisor/key_service.h"

enum {
	/* We possess the key; other processes of ours may look at it. */
	PERM_OWN = KEY_POS_ALL | KEY_USR_VIEW,
	/* They may take a share in it, and release it. */
	PERM_SHARED = PERM_OWN | KEY_USR_SEARCH | KEY_USR_LINK,
};

struct key_broker {
	struct key_service *s;
	int32_t serial;
	bool shared;
	bool handle;	    /* the caller's key */
	bool held;	    /* linked in our process keyring */
	bool encrypted;	    /* key_broker_encrypted() was called */
	uint32_t perm_back; /* handle: as it was, or 0: unchanged */
};

/* --- names --------------------------------------------------------------- */

bool key_name_parse(const char *description, struct key_name *ret)
{
	struct key_name n = {0};
	char id[KEY_ID_MAX + 2];
	int at = 0;

	if (strncmp(description, KEY_PREFIX, strlen(KEY_PREFIX)) != 0)
		return false;
	description += strlen(KEY_PREFIX);
	if (!strncmp(description, "share:", 6)) {
		n.share = true;
		at = 6;
	} else if (sscanf(description, "%9d:%n", &n.pid, &at) != 1 || !at ||
		   n.pid <= 0) {
		return false;
	}
	description += at;
	at = 0;
	if (sscanf(description, "%65[^:]:%n", id, &at) != 1 || !at ||
	    strlen(id) > KEY_ID_MAX)
		return false;
	memcpy(n.id, id, strlen(id));
	*ret = n;
	return true;
}

/*
 * Unique, since two keys of one description in one keyring are one key on some
 * kernels, and the second destroys the first on others.
 */
static int make_name(const struct key_request *req,
		     char buf[static KEY_DESCRIPTION_MAX], struct err *err)
{
	uint64_t nonce;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return err_set(err, -EIO, "no random numbers: %s",
			       strerror(errno));
	if (req->share)
		snprintf(buf, KEY_DESCRIPTION_MAX,
			 KEY_PREFIX "share:%s:%016" PRIx64, req->id, nonce);
	else
		snprintf(buf, KEY_DESCRIPTION_MAX,
			 KEY_PREFIX "%d:%s:%016" PRIx64, getpid(),
			 req->id ? req->id : "-", nonce);
	return 0;
}

struct search {
	const char *id;
	struct key_info found; /* serial 0: none */
};

static int is_same_id(void *arg, const struct key_info *k)
{
	struct search *s = arg;
	struct key_name n;

	if (strcmp(k->type, MKTME_KEY_TYPE) != 0 || k->uid != geteuid() ||
	    !strcmp(k->expiry, "expd") || !key_name_parse(k->description, &n) ||
	    strcmp(n.id, s->id) != 0)
		return 0;
	s->found = *k;
	return 1;
}

/* --- a key of our own ---------------------------------------------------- */

static void give_back(struct key_broker *b)
{
	int r = b->shared ? b->s->ops->unlink(b->s, b->serial)
			  : b->s->ops->invalidate(b->s, b->serial);

	b->held = false;
	/* gone already: expired, revoked, or released by somebody */
	if (r < 0)
		log_debug("MKTME key %d: cannot give it back: %s", b->serial,
			  strerror(-r));
}

/* Timeout first: from here on an end of ours at any point is covered. */
static int prepare(struct key_broker *b, const struct key_request *req,
		   struct err *err)
{
	uint32_t perm = req->share ? PERM_SHARED : PERM_OWN;
	const char *what = "set_timeout";
	int r = b->s->ops->set_timeout(b->s, b->serial, KEY_START_SECONDS);

	if (req->share && req->viewers != (gid_t)-1) {
		perm |= KEY_OTH_VIEW; /* each monitor has a group of its own */
	} else if (!r && req->viewers != (gid_t)-1) {
		what = "chown";
		perm |= KEY_GRP_VIEW;
		r = b->s->ops->set_group(b->s, b->serial, req->viewers);
	}
	if (!r) {
		what = "setperm";
		r = b->s->ops->set_perm(b->s, b->serial, perm);
	}
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "MKTME key %d: keyctl %s: %s", b->serial,
				    what, strerror(-r));
	return 0;
}

/* The payload may hold a user's key: it lives in locked memory only. */
static int32_t add(struct key_service *s, const struct key_request *req,
		   const char *name, struct err *err)
{
	void *payload;
	int32_t r = locked_alloc(MKTME_PAYLOAD_MAX, &payload, err);
	size_t len;

	if (r < 0)
		return r;
	len = mktme_payload(req->type, req->secret, payload);
	r = s->ops->add(s, name, payload, len);
	locked_free(payload, MKTME_PAYLOAD_MAX);
	return r > 0 ? r : key_explain_add(r, req->type, err);
}

static int add_own(struct key_broker *b, const struct key_request *req,
		   struct err *err)
{
	char name[KEY_DESCRIPTION_MAX];
	int r = make_name(req, name, err);

	if (r < 0)
		return r;
	b->serial = add(b->s, req, name, err);
	if (b->serial < 0)
		return b->serial;
	b->held = true;
	log_debug("MKTME key %d: %s, made by add_key", b->serial, name);
	return prepare(b, req, err);
}

/* --- shared -------------------------------------------------------------- */

/*
 * Take a share in the key that is there, or make it; under a lock, or two
 * starts at once would make two.
 */
static int share(struct key_broker *b, const struct key_request *req,
		 const struct search *s, struct err *err)
{
	int r;

	if (!s->found.serial)
		return add_own(b, req, err);
	r = b->s->ops->link(b->s, s->found.serial);
	if (r == -ENOKEY || r == -EKEYREVOKED || r == -EKEYEXPIRED)
		return add_own(b, req, err); /* it has just gone */
	if (r < 0)
		return err_set_kind(err, r == -EACCES ? ERR_PERM : ERR_HOST, r,
				    "--mktme: id=%s: cannot share key %d: %s",
				    req->id, s->found.serial, strerror(-r));
	b->serial = s->found.serial;
	b->held = true;
	log_debug("MKTME key %d: shared", b->serial);
	return 0;
}

static int named(struct key_broker *b, const struct key_request *req,
		 struct err *err)
{
	struct search s = {.id = req->id};
	AUTO(fd_closep) int lock = b->s->ops->lock(b->s);
	struct key_name n = {0};
	int r;

	if (lock < 0)
		return err_set_kind(err, ERR_HOST, lock,
				    "--mktme: id=%s: cannot get the lock of "
				    "names (/run/coffer, for root, or "
				    "$XDG_RUNTIME_DIR, mode 0700): %s",
				    req->id, strerror(-lock));
	r = b->s->ops->list(b->s, is_same_id, &s);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "/proc/keys: %s",
				    strerror(-r));
	if (s.found.serial)
		key_name_parse(s.found.description, &n);
	if (s.found.serial && (!req->share || !n.share))
		return err_set_kind(err, ERR_BUSY, -EEXIST,
				    "--mktme: id=%s is in use: key %d of %s; "
				    "choose another "
				    "name, or say share for both",
				    req->id, s.found.serial,
				    n.share ? "guests that share it"
					    : "a guest that is being started");
	return req->share ? share(b, req, &s, err) : add_own(b, req, err);
}

/* --- the caller's -------------------------------------------------------- */

static int use_handle(struct key_broker *b, const struct key_request *req,
		      struct err *err)
{
	struct key_info k;
	uint32_t perm;
	int r = b->s->ops->describe(b->s, req->handle, &k);

	if (r < 0)
		return key_explain_handle(r, req->handle, err);
	if (strcmp(k.type, MKTME_KEY_TYPE) != 0)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "--mktme: handle=%d is a key of type '%s', "
				    "not of type 'mktme'",
				    req->handle, k.type);
	if (k.uid != geteuid())
		return err_set_kind(err, ERR_PERM, -EACCES,
				    "--mktme: handle=%d belongs to user %u; "
				    "make a key of your own",
				    req->handle, k.uid);
	b->handle = true;
	b->serial = req->handle;
	perm = k.perm |
	       (req->viewers == (gid_t)-1 ? KEY_USR_VIEW : KEY_OTH_VIEW);
	if (perm == k.perm)
		return 0;
	r = b->s->ops->set_perm(b->s, b->serial, perm);
	if (r < 0)
		return err_set_kind(err, ERR_PERM, r,
				    "--mktme: handle=%d: the monitor may not "
				    "see it, and we may not change that (%s): "
				    "keyctl setperm %d 0x%08x",
				    b->serial, strerror(-r), b->serial, perm);
	b->perm_back = k.perm;
	return 0;
}

/* --- the interface ------------------------------------------------------- */

int key_broker_create(struct key_service *s, const struct key_request *req,
		      struct key_broker **ret, struct err *err)
{
	AUTO(key_broker_destroyp) struct key_broker *b = NULL;
	int r = key_broker_check(s, req->syscall, err);

	if (r < 0)
		return r;
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_set(err, -ENOMEM, "out of memory");
	b->s = s;
	b->shared = req->share;
	if (req->handle)
		r = use_handle(b, req, err);
	else
		r = req->id ? named(b, req, err) : add_own(b, req, err);
	if (r < 0)
		return r;
	*ret = TAKE(b);
	return 0;
}

static void restore_handle(struct key_broker *b)
{
	int r;

	if (!b->perm_back)
		return;
	r = b->s->ops->set_perm(b->s, b->serial, b->perm_back);
	if (r < 0)
		log_debug("MKTME key %d: setperm: %s", b->serial, strerror(-r));
	b->perm_back = 0;
}

void key_broker_encrypted(struct key_broker *b)
{
	if (b->encrypted)
		return;
	b->encrypted = true;
	if (b->handle) {
		restore_handle(b);
		return;
	}
	if (!b->shared) {
		give_back(b);
		return;
	}
	/* Whoever made it may have ended before this point: we go on with it.
	 */
	if (b->s->ops->set_timeout(b->s, b->serial, 0) < 0)
		log_debug("MKTME key %d: set_timeout: it is gone", b->serial);
}

void key_broker_destroy(struct key_broker *b)
{
	if (!b)
		return;
	restore_handle(b);
	if (b->held)
		give_back(b);
	free(b);
}

int32_t key_broker_serial(const struct key_broker *b)
{
	return b->serial;
}
