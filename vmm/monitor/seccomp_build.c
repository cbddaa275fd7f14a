/* vmm/monitor/seccomp_build.c - the table, entry by entry, to libseccomp. */
#include "vmm/monitor/seccomp_build.h"

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/monitor/seccomp_table.h"

static void releasep(scmp_filter_ctx *c)
{
	if (*c)
		seccomp_release(*c);
}

static int fail(struct err *err, int r, const char *what)
{
	return err_set_kind(err, ERR_INTERNAL, r, "libseccomp: %s: %s", what,
			    strerror(-r));
}

static int add_entry(scmp_filter_ctx ctx, uint32_t action,
		     const struct seccomp_entry *e, struct err *err)
{
	struct scmp_arg_cmp cmp[SECCOMP_ARGS_MAX];
	int r;

	for (unsigned int i = 0; i < e->n_args; i++)
		cmp[i] = (struct scmp_arg_cmp){
			.arg = e->args[i].index,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = e->args[i].mask,
			.datum_b = e->args[i].value,
		};
	r = seccomp_rule_add_exact_array(ctx, action, e->nr, e->n_args, cmp);
	return r < 0 ? fail(err, r, e->call) : 0;
}

/*
 * Is @e within what another entry allows whatever its arguments? libseccomp
 * would take the narrow one for a restriction of the wide one.
 */
static bool is_covered(const struct seccomp_entry *e, struct seccomp_list other)
{
	for (size_t i = 0; i < other.n; i++)
		if (other.e[i].nr == e->nr && &other.e[i] != e &&
		    !other.e[i].n_args)
			return true;
	return false;
}

static int add_all(scmp_filter_ctx ctx, enum thread_kind kind, bool sanitized,
		   int skip, struct err *err)
{
	struct seccomp_list own = seccomp_table(kind);
	struct seccomp_list extra = seccomp_table_sanitized();
	struct seccomp_list kill = seccomp_table_kill();
	int r = 0;

	if (!sanitized)
		extra.n = 0;
	for (size_t i = 0; i < own.n && !r; i++)
		if ((int)i != skip && !is_covered(&own.e[i], extra))
			r = add_entry(ctx, SCMP_ACT_ALLOW, &own.e[i], err);
	for (size_t i = 0; i < extra.n && !r; i++)
		r = add_entry(ctx, SCMP_ACT_ALLOW, &extra.e[i], err);
	for (size_t i = 0; i < kill.n && !r; i++)
		r = add_entry(ctx, SCMP_ACT_KILL_PROCESS, &kill.e[i], err);
	/* what a thread does most comes first */
	if (!r && own.n)
		seccomp_syscall_priority(ctx, own.e[0].nr, 255);
	return r;
}

static int export(scmp_filter_ctx ctx, struct sock_filter *ret, size_t *ret_n,
		  struct err *err)
{
	AUTO(fd_closep) int fd = memfd_create("filter", MFD_CLOEXEC);
	const size_t room = SECCOMP_INSNS_MAX * sizeof(*ret);
	ssize_t n;
	int r;

	if (fd < 0)
		return err_set(err, -errno, "memfd_create: %s",
			       strerror(errno));
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return fail(err, r, "export");
	if (lseek(fd, 0, SEEK_END) > (off_t)room)
		return err_set_kind(err, ERR_INTERNAL, -E2BIG,
				    "a filter of more than %d instructions",
				    SECCOMP_INSNS_MAX);
	n = pread(fd, ret, room, 0);
	if (n <= 0 || (size_t)n % sizeof(*ret))
		return err_set(err, -EIO, "reading a filter back");
	*ret_n = (size_t)n / sizeof(*ret);
	return 0;
}

int seccomp_build(enum thread_kind kind, bool sanitized, int skip,
		  struct sock_filter *ret, size_t *ret_n, struct err *err)
{
	AUTO(releasep) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int r;

	if (!ctx)
		return err_set(err, -ENOMEM, "out of memory");
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			     SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		return fail(err, r, "SCMP_FLTATR_ACT_BADARCH");
	r = add_all(ctx, kind, sanitized, skip, err);
	return r < 0 ? r : export(ctx, ret, ret_n, err);
}
