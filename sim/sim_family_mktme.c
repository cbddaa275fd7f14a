/*
 * sim/sim_family_mktme.c - the calls of a kernel with MKTME: add_key and
 * keyctl, as far as keys of type mktme are meant, and encrypt_mprotect.
 */
#include <errno.h>
#include <keyutils.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "sim/sim_fault.h"
#include "sim/sim_key_host.h"

enum { PAGE = 4096, TYPE_MAX = 32, CAP_ADMIN_BIT = 21, CAP_RESOURCE_BIT = 24 };

static const struct sim_rule rules[] = {
	{SYS_add_key, 0, 0},
	{SYS_request_key, 0, 0},
	{SYS_keyctl, 0, 0},
	{SIM_NR_ENCRYPT_MPROTECT, 0, 0},
};

/* --- add_key ------------------------------------------------------------- */

/* -EINVAL for none and for an empty one: the type proposes no name. */
static int read_description(struct sim_proc *p, uint64_t addr,
			    char buf[static SIM_KEY_TEXT_MAX])
{
	int r = addr ? sim_proc_read_text(p, addr, buf, SIM_KEY_TEXT_MAX)
		     : -EINVAL;

	if (r == -ENAMETOOLONG)
		return -EINVAL;
	return r < 0 || *buf ? r : -EINVAL;
}

static int check_payload(struct sim_host *h, const struct sim_call *c)
{
	char payload[SIM_MKTME_PAYLOAD_MAX];
	uint64_t len = c->args[3];
	int r;

	if (!sim_proc_has_cap(c->proc->tid, CAP_ADMIN_BIT) &&
	    !sim_proc_has_cap(c->proc->tid, CAP_RESOURCE_BIT))
		return -EACCES;
	if (!len || len > sizeof(payload))
		return -EINVAL;
	r = sim_read(&c->proc->target, c->args[2], payload, len);
	if (!r)
		r = sim_mktme_payload(h->c.mktme.profile, payload, len);
	explicit_bzero(payload, sizeof(payload));
	return r;
}

static int32_t do_add_key(struct sim_host *h, const struct sim_call *c,
			  struct sim_key_proc *p)
{
	char description[SIM_KEY_TEXT_MAX];
	int r = read_description(c->proc, c->args[1], description);

	if (!r)
		r = check_payload(h, c);
	if (!r)
		r = sim_fault_errno(h->faults, "ADD_KEY");
	return r ? r
		 : sim_key_make(h->mktme, p, description, (int32_t)c->args[4]);
}

static void add_key_call(struct sim_host *h, const struct sim_call *c,
			 struct sim_answer *a)
{
	struct sim_event e = {.tid = c->proc->tid, .call = "add_key"};
	struct sim_key_proc *p;
	char type[TYPE_MAX];
	int r = sim_proc_read_text(c->proc, c->args[0], type, sizeof(type));

	if (r == -EFAULT) {
		sim_return(a, r);
		return;
	}
	if (r < 0 || strcmp(type, "mktme") != 0)
		return; /* the kernel's own types */
	p = sim_key_proc_of(h->mktme, c->proc->tid);
	r = p ? do_add_key(h, c, p) : -ESRCH;
	sim_return(a, r);
	e.result = r < 0 ? r : 0;
	e.serial = r < 0 ? 0 : r;
	e.keyid = r < 0 ? 0 : sim_mktme_keyid(h->mktme->model, r);
	e.in_use = sim_mktme_used(h->mktme->model);
	sim_trace_event(h->trace, &e);
}

/* Nobody makes such keys on demand. */
static void request_key_call(struct sim_host *h, const struct sim_call *c,
			     struct sim_answer *a)
{
	struct sim_event e = {.tid = c->proc->tid, .call = "request_key"};
	char type[TYPE_MAX];

	if (sim_proc_read_text(c->proc, c->args[0], type, sizeof(type)) < 0 ||
	    strcmp(type, "mktme") != 0)
		return;
	sim_return(a, -ENOKEY);
	e.result = -ENOKEY;
	sim_trace_event(h->trace, &e);
}

/* --- keyctl -------------------------------------------------------------- */

static const char *operation(uint64_t op)
{
	switch (op) {
	case KEYCTL_JOIN_SESSION_KEYRING:
		return "JOIN_SESSION_KEYRING";
	case KEYCTL_UPDATE:
		return "UPDATE";
	case KEYCTL_REVOKE:
		return "REVOKE";
	case KEYCTL_CHOWN:
		return "CHOWN";
	case KEYCTL_SETPERM:
		return "SETPERM";
	case KEYCTL_DESCRIBE:
		return "DESCRIBE";
	case KEYCTL_LINK:
		return "LINK";
	case KEYCTL_UNLINK:
		return "UNLINK";
	case KEYCTL_SET_TIMEOUT:
		return "SET_TIMEOUT";
	case KEYCTL_INVALIDATE:
		return "INVALIDATE";
	default:
		return "other";
	}
}

static int do_describe(struct sim_host *h, const struct sim_call *c,
		       const struct sim_key_proc *p)
{
	char text[SIM_KEY_TEXT_MAX + 64];
	int r = sim_key_view(h->mktme, p, c->proc->tid, (int32_t)c->args[1],
			     text, sizeof(text));
	size_t n;

	if (r < 0)
		return r;
	n = strlen(text) + 1;
	if (c->args[2] && c->args[3] >= n &&
	    sim_write(&c->proc->target, c->args[2], text, n) < 0)
		return -EFAULT;
	return (int)n;
}

static int do_update(struct sim_host *h, int32_t serial)
{
	unsigned int id = sim_mktme_keyid(h->mktme->model, serial);

	if (h->c.mktme.profile != SIM_MKTME_2018_12)
		return -EOPNOTSUPP;
	return sim_mktme_has_memory(h->mktme->model, id) ? -EBUSY : 0;
}

/* 1: the kernel does it. */
static int do_keyctl(struct sim_host *h, const struct sim_call *c,
		     struct sim_key_proc *p, int32_t serial)
{
	int32_t ring = (int32_t)c->args[2];
	const struct sim_key *key = sim_key_find(h->mktme, serial);

	switch (c->args[0]) {
	case KEYCTL_DESCRIBE:
		return do_describe(h, c, p);
	case KEYCTL_UPDATE:
		return do_update(h, serial);
	case KEYCTL_UNLINK:
		if ((ring != KEY_SPEC_PROCESS_KEYRING &&
		     ring != KEY_SPEC_THREAD_KEYRING) ||
		    p->ring <= 0 || key->ring != p->ring)
			return 1;
		return keyctl_unlink(serial, p->ring) < 0 ? -errno : 0;
	default:
		return 1;
	}
}

static void keyctl_call(struct sim_host *h, const struct sim_call *c,
			struct sim_answer *a)
{
	int32_t serial = (int32_t)c->args[1];
	struct sim_event e = {
		.tid = c->proc->tid,
		.call = "keyctl",
		.command = operation(c->args[0]),
		.serial = serial,
	};
	struct sim_key_proc *p;
	int r = 1;

	if (c->args[0] == KEYCTL_JOIN_SESSION_KEYRING) {
		p = sim_key_proc_of(h->mktme, c->proc->tid);
		if (p)
			p->left_session = true;
		return;
	}
	if (!sim_key_find(h->mktme, serial))
		return;
	p = sim_key_proc_of(h->mktme, c->proc->tid);
	if (p)
		r = do_keyctl(h, c, p, serial);
	if (r != 1 || c->args[0] == KEYCTL_DESCRIBE)
		sim_return(a, r);
	else
		e.continued = true;
	e.result = r < 0 ? r : 0;
	sim_trace_event(h->trace, &e);
}

/* --- encrypt_mprotect ---------------------------------------------------- */

/* In the order of the patches: length, key, its type, then the memory. */
static int check(struct sim_host *h, const struct sim_call *c,
		 const struct sim_key_proc *p, unsigned int *ret_keyid)
{
	uint64_t addr = c->args[0], len = c->args[1];
	int32_t serial = (int32_t)c->args[3];
	int r;

	if (len % PAGE || !serial)
		return -EINVAL;
	if (serial < 0) /* the name of a keyring, which the process lacks */
		return -ENOKEY;
	sim_key_reap(h->mktme);
	r = sim_key_view(h->mktme, p, c->proc->tid, serial, NULL, 0);
	if (r < 0)
		return r;
	*ret_keyid = sim_mktme_keyid(h->mktme->model, serial);
	if (!*ret_keyid || addr % PAGE || addr + len < addr)
		return -EINVAL;
	return len ? sim_key_check_range(c->proc->tid, addr, len) : 0;
}

static int do_encrypt(struct sim_host *h, const struct sim_call *c,
		      unsigned int *ret_keyid)
{
	struct sim_key_proc *p = sim_key_proc_of(h->mktme, c->proc->tid);
	uint64_t start = c->args[0], end = start + c->args[1];
	int prot = (int)c->args[2];
	int r = p ? check(h, c, p, ret_keyid) : -ESRCH;

	if (!r)
		r = sim_fault_errno(h->faults, "ENCRYPT_MPROTECT");
	if (r || start == end ||
	    sim_mktme_keeps(h->mktme->model, p->pid, start, end, *ret_keyid,
			    prot))
		return r;
	r = sim_key_drop_pages(c->proc, start, end - start, h->c.mktme.poison);
	return r ? r
		 : sim_mktme_cover(h->mktme->model, p->pid, start, end,
				   *ret_keyid, prot);
}

static void encrypt_call(struct sim_host *h, const struct sim_call *c,
			 struct sim_answer *a)
{
	struct sim_event e = {
		.tid = c->proc->tid,
		.call = "encrypt_mprotect",
		.addr = c->args[0],
		.len = c->args[1],
		.serial = (int32_t)c->args[3],
	};

	e.result = do_encrypt(h, c, &e.keyid);
	sim_return(a, e.result);
	e.in_use = sim_mktme_used(h->mktme->model);
	sim_trace_event(h->trace, &e);
}

static void handle(struct sim_host *h, const struct sim_call *c,
		   struct sim_answer *a)
{
	switch (c->nr) {
	case SYS_add_key:
		add_key_call(h, c, a);
		break;
	case SYS_request_key:
		request_key_call(h, c, a);
		break;
	case SYS_keyctl:
		keyctl_call(h, c, a);
		break;
	default:
		encrypt_call(h, c, a);
		break;
	}
}

const struct sim_family sim_family_mktme = {rules, ARRAY_SIZE(rules), handle};
