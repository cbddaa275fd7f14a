/*
 * vmm/supervisor/key_check.c - is this a host with MKTME? And what the errors
 * of its key service mean.
 */
#include <errno.h>
#include <string.h>

#include "crypto/mktme_syscall.h"
#include "vmm/base/err.h"
#include "vmm/supervisor/key_broker.h"
#include "vmm/supervisor/key_broker_impl.h"
#include "vmm/supervisor/key_service.h"

static int no_type(int r, struct err *err)
{
	switch (r) {
	case -ENODEV:
		return err_set_kind(
			err, ERR_HOST, r,
			"this kernel has no MKTME: it knows no keys "
			"of type 'mktme' (CONFIG_X86_INTEL_MKTME of "
			"the patches of 2018 and 2019, a CPU with "
			"TME-MK, and an ACPI HMAT are needed)");
	case -EACCES:
		return err_set_kind(err, ERR_PERM, r,
				    "no permission to add MKTME keys: "
				    "CAP_SYS_RESOURCE or CAP_SYS_ADMIN is "
				    "needed, outside of user namespaces");
	case -EDQUOT:
		return err_set_kind(err, ERR_BUSY, r,
				    "the quota of keys is used up; see "
				    "/proc/key-users");
	default:
		return err_set_kind(err, ERR_HOST, r,
				    "the kernel's key service does not answer: "
				    "add_key: %s; in a container its seccomp "
				    "profile must allow add_key and keyctl",
				    strerror(-r));
	}
}

static int not_set(struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "--mktme: the number of encrypt_mprotect is not "
			    "set: no kernel has it at a fixed number, so it is "
			    "not guessed; give syscall=N, or mktme-syscall = N "
			    "in /etc/coffer.conf");
}

int key_broker_check(struct key_service *s, uint64_t syscall, struct err *err)
{
	int r = s->ops->probe_type(s);

	if (r < 0)
		return no_type(r, err);
	if (syscall == MKTME_SYSCALL_NONE)
		return not_set(err);
	r = mktme_syscall_check(syscall, err);
	if (r < 0)
		return r;
	r = s->ops->probe_call(s, syscall);
	if (r == -ENOKEY)
		return 0;
	if (r == -ENOSYS)
		return err_set_kind(err, ERR_HOST, -ENOSYS,
				    "--mktme: syscall=%llu: this kernel has no "
				    "call at that number; it is in its "
				    "syscall_64.tbl, as encrypt_mprotect",
				    (unsigned long long)syscall);
	return err_set_kind(err, ERR_HOST, -EPROTO,
			    "--mktme: syscall=%llu is not encrypt_mprotect: "
			    "asked for a key that does not exist, it answered "
			    "'%s'",
			    (unsigned long long)syscall,
			    r ? strerror(-r) : "done");
}

int key_explain_add(int r, enum mktme_type type, struct err *err)
{
	switch (r) {
	case 0:
		return err_set_kind(err, ERR_INTERNAL, -EPROTO,
				    "add_key gave no serial number");
	case -ENOKEY:
		return err_set_kind(
			err, ERR_BUSY, r,
			"all MKTME KeyIDs of this host are in use: "
			"end a guest, or let guests share a key "
			"(--mktme id=NAME,share); coffer mktme keys "
			"shows who has them");
	case -EINVAL:
		if (type == MKTME_TYPE_USER)
			return err_set_kind(
				err, ERR_HOST, -EOPNOTSUPP,
				"this kernel takes no user keys: since the "
				"patches of 2019-07 there are only type=cpu "
				"and type=no-encrypt");
		return err_set_kind(err, ERR_HOST, r,
				    "the kernel refuses an MKTME key of "
				    "type=%s: the host's memory cannot all be "
				    "encrypted (see its ACPI HMAT), or this "
				    "algorithm is off in the firmware's set-up",
				    mktme_type_name(type));
	default:
		if (r == -ENODEV || r == -EACCES || r == -EDQUOT)
			return no_type(r, err);
		return err_set_kind(err, ERR_HOST, r, "MKTME key: add_key: %s",
				    strerror(-r));
	}
}

int key_explain_handle(int r, int32_t handle, struct err *err)
{
	switch (r) {
	case -EKEYREVOKED:
		return err_set_kind(err, ERR_INPUT, r,
				    "--mktme: handle=%d was revoked", handle);
	case -EKEYEXPIRED:
		return err_set_kind(err, ERR_INPUT, r,
				    "--mktme: handle=%d has expired", handle);
	case -EACCES:
		return err_set_kind(err, ERR_PERM, r,
				    "--mktme: handle=%d: no permission to see "
				    "it",
				    handle);
	default:
		return err_set_kind(err, ERR_INPUT, r,
				    "--mktme: handle=%d: %s; a handle is what "
				    "keyctl add mktme prints",
				    handle,
				    r == -ENOKEY ? "there is no such key"
						 : strerror(-r));
	}
}
