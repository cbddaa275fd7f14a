/*
 * sim/sim_family_open.c - opens of what a SEV host has: /dev/sev, the
 * parameters of kvm_amd, and AMD's certificates where the operator keeps them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "crypto/sev_files.h"
#include "sim/sim_host.h"
#include "sim/sim_key_host.h"
#include "vmm/base/bytes.h"

enum { NAME_LEN = 64 }; /* longer than any of ours */

static const struct sim_rule rules[] = {
	{SYS_open, 0, 0},
	{SYS_openat, 0, 0},
	{SYS_openat2, 0, 0},
};

/* What is asked for, whichever of the calls it is. */
struct request {
	uint64_t path_addr;
	int flags;
};

static int parse(const struct sim_call *c, struct request *ret)
{
	uint8_t how[8];

	switch (c->nr) {
	case SYS_open:
		*ret = (struct request){c->args[0], (int)c->args[1]};
		return 0;
	case SYS_openat:
		*ret = (struct request){c->args[1], (int)c->args[2]};
		return 0;
	default: /* struct open_how begins with the flags */
		if (sim_read(&c->proc->target, c->args[2], how, sizeof(how)) <
		    0)
			return -EFAULT;
		*ret = (struct request){c->args[1], (int)load_le64(how)};
		return 0;
	}
}

static int write_all(int fd, const void *data, size_t len)
{
	return write(fd, data, len) == (ssize_t)len ? 0 : -EIO;
}

/* A file with @data, open for reading at its beginning. */
static int make_file(const void *data, size_t len)
{
	AUTO(fd_closep) int fd = memfd_create("coffer-sim", MFD_CLOEXEC);
	char path[64];

	if (fd < 0 || write_all(fd, data, len) < 0)
		return -EIO;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int open_cek(struct sim_host *h)
{
	uint8_t cert[SEV_CERT_LEN];

	sev_cert_serialise(&sim_fw_keys(h->fw)->chain.sev[SEV_CHAIN_CEK], cert);
	return make_file(cert, sizeof(cert));
}

static int open_roots(struct sim_host *h)
{
	const struct sev_chain *c = &sim_fw_keys(h->fw)->chain;
	uint8_t certs[2 * AMD_CERT_MAX];
	size_t ask = amd_cert_len(&c->ask), ark = amd_cert_len(&c->ark);

	memcpy(certs, c->ask.raw, ask);
	memcpy(certs + ask, c->ark.raw, ark);
	return make_file(certs, ask + ark);
}

static int open_param(bool on)
{
	return make_file(on ? "Y\n" : "N\n", 2);
}

static int open_sev_param(struct sim_host *h)
{
	return open_param(h->c.kvm.has_sev);
}

static int open_es_param(struct sim_host *h)
{
	return open_param(h->c.kvm.has_sev && h->c.fw.has_es);
}

static int open_keys(struct sim_host *h)
{
	AUTO(freep) char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (!f)
		return -ENOMEM;
	r = sim_key_list(h->mktme, f);
	fclose(f);
	return r < 0 ? r : make_file(text, len);
}

#define KEYS "/proc/keys"

static const struct {
	const char *path;
	int (*open)(struct sim_host *h);
} files[] = {
	{"/sys/module/kvm_amd/parameters/sev", open_sev_param},
	{"/sys/module/kvm_amd/parameters/sev_es", open_es_param},
	{SEV_FILE_CEK, open_cek},
	{SEV_FILE_ASK_ARK, open_roots},
	{KEYS, open_keys},
};

static void give_device(struct sim_host *h, int mode, struct sim_answer *a)
{
	int r = sim_fault_errno(h->faults, "OPEN");

	if (r < 0 || mode >= SIM_SEV_FILES) {
		sim_return(a, r < 0 ? r : -EINVAL);
		return;
	}
	a->kind = SIM_FD;
	a->value = h->sev_files[mode];
}

static void give_file(struct sim_host *h, size_t i, int mode,
		      struct sim_answer *a)
{
	if (mode != O_RDONLY) {
		sim_return(a, -EACCES);
		return;
	}
	a->value = files[i].open(h);
	a->kind = a->value < 0 ? SIM_RETURN : SIM_FD;
	a->close_fd = a->kind == SIM_FD;
	if (a->value < 0)
		a->value = -ENFILE;
}

/* True: it is one of ours, and answered. */
static bool answer(struct sim_host *h, const char *path, int mode,
		   struct sim_answer *a)
{
	if (!strcmp(path, "/dev/sev")) {
		give_device(h, mode, a);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!strcmp(path, files[i].path) &&
		    (h->mktme || strcmp(path, KEYS) != 0)) {
			give_file(h, i, mode, a);
			return true;
		}
	return false;
}

static void handle(struct sim_host *h, const struct sim_call *c,
		   struct sim_answer *a)
{
	struct sim_event e = {.tid = c->proc->tid, .call = "open"};
	char path[NAME_LEN] = "";
	struct request q;
	int r = parse(c, &q);

	if (r >= 0)
		r = sim_proc_read_text(c->proc, q.path_addr, path,
				       sizeof(path));
	if (r == -ENAMETOOLONG) /* none of ours is so long */
		return;
	if (r < 0) {
		sim_return(a, r);
		e.result = r;
		e.note = "an argument cannot be read";
		sim_trace_event(h->trace, &e);
		return;
	}
	/* Behind another root these paths are other files. */
	if ((strncmp(path, "/dev/", 5) != 0 && strncmp(path, "/sys/", 5) != 0 &&
	     strncmp(path, "/var/", 5) != 0 && strcmp(path, KEYS) != 0) ||
	    !answer(h, path, q.flags & O_ACCMODE, a))
		return;
	if (!sim_proc_has_our_root(c->proc->tid)) {
		if (a->close_fd)
			close(a->value);
		*a = (struct sim_answer){.kind = SIM_CONTINUE};
		return;
	}
	a->cloexec = q.flags & O_CLOEXEC;
	e.path = path;
	e.result = a->kind == SIM_RETURN ? a->value : 0;
	sim_trace_event(h->trace, &e);
}

const struct sim_family sim_family_open = {rules, ARRAY_SIZE(rules), handle};
