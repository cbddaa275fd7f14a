/* vmm/config_mktme.c - the key of a guest, and what cannot go with it. */
#include "vmm/config_mktme.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "crypto/mktme_key.h"
#include "crypto/mktme_syscall.h"
#include "vmm/base/err.h"
#include "vmm/config.h"

#define MKTME(f, t) OPTION_AT(struct mktme_config, f, t)

enum { ID_MAX = 64 };

static const char *const type_choices[] = {
	[MKTME_TYPE_CPU] = "cpu",
	[MKTME_TYPE_USER] = "user",
	[MKTME_TYPE_NO_ENCRYPT] = "no-encrypt",
	NULL,
};

static const char *const algorithm_choices[] = {MKTME_ALGORITHM, NULL};

const struct option_desc config_mktme_subs[] = {
	{.name = "type",
	 .kind = OPTION_CHOICE,
	 .off = MKTME(type, int),
	 .arg = "cpu|user|no-encrypt",
	 .help = "cpu: the CPU makes the key (default); user: it is given; "
		 "no-encrypt: a KeyID without encryption",
	 .choices = type_choices},
	{.name = "id",
	 .kind = OPTION_TEXT,
	 .off = MKTME(id, char *),
	 .arg = "NAME",
	 .help = "name of the key, 1 to 64 of A-Z a-z 0-9 . _ -",
	 .max = ID_MAX},
	{.name = "algorithm",
	 .kind = OPTION_CHOICE,
	 .off = MKTME(algorithm, int),
	 .arg = MKTME_ALGORITHM,
	 .help = "the only one that kernels have",
	 .choices = algorithm_choices},
	{.name = "key-file",
	 .kind = OPTION_PATH,
	 .off = MKTME(key_file, char *),
	 .arg = "FILE",
	 .help = "type=user: key and tweak, 2 x 32 hexadecimal digits"},
	{.name = "fd",
	 .kind = OPTION_NUMBER,
	 .off = MKTME(fd, uint64_t),
	 .arg = "N",
	 .help = "type=user: the same from an open descriptor",
	 .max = INT_MAX},
	{.name = "key-command",
	 .kind = OPTION_TEXT,
	 .off = MKTME(key_command, char *),
	 .arg = "COMMAND",
	 .help = "type=user: the same from the output of a shell command",
	 .max = 4096},
	{.name = "share",
	 .kind = OPTION_FLAG,
	 .off = MKTME(share, bool),
	 .help = "one key for all guests with this id"},
	{.name = "handle",
	 .kind = OPTION_NUMBER,
	 .off = MKTME(handle, uint64_t),
	 .arg = "SERIAL",
	 .help = "use a key that keyctl(1) made, and leave it alone",
	 .hint = "what keyctl add prints, a positive number",
	 .min = 1,
	 .max = INT_MAX},
	{.name = "syscall",
	 .kind = OPTION_NUMBER,
	 .off = MKTME(syscall, uint64_t),
	 .arg = "N",
	 .help = "number of encrypt_mprotect in this kernel (default: "
		 "mktme-syscall in /etc/coffer.conf)",
	 .max = UINT32_MAX},
	{0},
};

void config_mktme_init(void *group)
{
	struct mktme_config *m = group;

	m->type = MKTME_TYPE_COUNT;
	m->algorithm = -1;
	m->fd = UINT64_MAX;
	m->syscall = UINT64_MAX;
}

static bool is_name(const char *id)
{
	if (!*id)
		return false;
	for (const char *p = id; *p; p++)
		if (!isascii(*p) ||
		    (!isalnum((unsigned char)*p) && !strchr("._-", *p)))
			return false;
	return true;
}

static int check_key_source(const struct mktme_config *m, struct err *err)
{
	int n = !!m->key_file + (m->fd != UINT64_MAX) + !!m->key_command;
	bool user = m->type == MKTME_TYPE_USER;

	if (user && n != 1)
		return err_set(err, -EINVAL,
			       "type=user needs its key: give exactly one of "
			       "key-file=FILE, fd=N, key-command=COMMAND");
	if (!user && n)
		return err_set(err, -EINVAL,
			       "%s: only with type=user, for the others the "
			       "CPU has the key",
			       m->key_file	? "key-file"
			       : m->key_command ? "key-command"
						: "fd");
	return 0;
}

static int check_handle(const struct mktme_config *m, struct err *err)
{
	if (m->type != MKTME_TYPE_COUNT || m->id || m->share ||
	    m->algorithm >= 0 || m->key_file || m->key_command ||
	    m->fd != UINT64_MAX)
		return err_set(err, -EINVAL,
			       "handle: the key is made already, so only "
			       "syscall=N goes with it");
	return 0;
}

int config_mktme_check(void *group, struct err *err)
{
	struct mktme_config *m = group;
	struct err why = {0};

	m->given = true;

	if (m->syscall == UINT64_MAX)
		m->syscall = MKTME_SYSCALL_NONE;
	else if (mktme_syscall_check(m->syscall, &why) < 0)
		return err_set(err, -EINVAL, "syscall: %.400s", why.msg);
	if (m->handle)
		return check_handle(m, err);
	if (m->type == MKTME_TYPE_COUNT)
		m->type = MKTME_TYPE_CPU;
	if (m->id && !is_name(m->id))
		return err_set(err, -EINVAL,
			       "id: '%s' is not a name: 1 to %d of A-Z a-z 0-9 "
			       ". _ -",
			       m->id, ID_MAX);
	if (m->share && !m->id)
		return err_set(err, -EINVAL,
			       "share: needs id=NAME, which says with whom");
	if (m->algorithm >= 0 && m->type == MKTME_TYPE_NO_ENCRYPT)
		return err_set(err, -EINVAL,
			       "algorithm: not with type=no-encrypt");
	return check_key_source(m, err);
}

static int refuse(struct err *err, const char *what)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s", what);
}

int config_mktme_finish(const struct run_config *c, struct err *err)
{
	const struct devices_config *d = &c->devices;

	if (d->protect != PROTECT_MKTME)
		return d->mktme.given
			       ? refuse(err, "--mktme: needs --protect mktme")
			       : 0;
	if (c->memory.shared)
		return refuse(err,
			      "--memory: shared does not go together with "
			      "--protect mktme: the kernel encrypts "
			      "private anonymous memory only, not a memfd");
	if (c->memory.hugepages)
		return refuse(err,
			      "--memory: hugepages does not go together "
			      "with --protect mktme: the kernel encrypts "
			      "private anonymous memory only, not "
			      "hugetlbfs; transparent huge pages are used");
	if (d->sev.emulate_cbit)
		return refuse(err, "--sev: emulate-cbit does not go together "
				   "with --protect mktme");
	if (c->on_reboot == ON_REBOOT_RESTART &&
	    d->mktme.type == MKTME_TYPE_USER && !d->mktme.key_file)
		return refuse(err, "--on-reboot: restart does not go together "
				   "with a key that can be read once: use "
				   "key-file");
	return 0;
}

const char *mktme_protects(const struct mktme_config *m)
{
	return m->type == MKTME_TYPE_NO_ENCRYPT && !m->handle
		       ? "not encrypted (type=no-encrypt); not protected from "
			 "the host"
		       : MKTME_PROTECTS;
}
