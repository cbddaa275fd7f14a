/* vmm/cli/doctor.c - runs the checks and shows what they found. */
#include "vmm/cli/doctor.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "vmm/base/own.h"
#include "vmm/kvm/kvm_sev.h"
#include "vmm/kvm/kvm_sys.h"
#include "vmm/kvm/sev_dev.h"
#include "vmm/supervisor/key_service.h"
#include "vmm/version.h"

static const struct {
	const char *word;
	const char *colour; /* SGR sequence */
} verdicts[] = {
	[DOCTOR_OK] = {"ok", "\033[32m"},
	[DOCTOR_WARN] = {"warn", "\033[33m"},
	[DOCTOR_FAIL] = {"FAIL", "\033[31m"},
};

static doctor_check_fn *const checks[] = {
	doctor_check_kvm_device,   doctor_check_kvm_api,
	doctor_check_kvm_module,   doctor_check_kvm_required,
	doctor_check_kvm_optional, doctor_check_kernel,
	doctor_check_memory,	   doctor_check_memlock,
	doctor_check_hugepages,	   doctor_check_thp,
	doctor_check_tun,	   doctor_check_vhost_net,
	doctor_check_vhost_vsock,  doctor_check_io_uring,
	doctor_check_userns,	   doctor_check_landlock,
	doctor_check_cgroup,	   doctor_check_sev_cpu,
	doctor_check_sev_asids,	   doctor_check_sev_use,
	doctor_check_sev_module,   doctor_check_sev_device,
	doctor_check_sev_kvm,
};

static doctor_check_fn *const mktme_checks[] = {
	doctor_check_mktme_cpu,	   doctor_check_mktme_firmware,
	doctor_check_mktme_kernel, doctor_check_mktme_syscall,
	doctor_check_mktme_keys,
};

void doctor_init(struct doctor *d, const char *root)
{
	memset(d, 0, sizeof(*d));
	d->root = root;
	d->kvm_fd = -1;
	d->kvm_cap = kvm_sys_cap;
	d->sev_usable = kvm_sev_usable;
	d->sev_leaf = doctor_cpuid_sev;
	d->sev_open = sev_dev_open;
	d->keys = key_service_kernel();
}

void doctor_close(struct doctor *d)
{
	fd_closep(&d->kvm_fd);
	d->kvm_fd = -1;
}

__attribute__((format(printf, 5, 0))) static void
add(struct doctor *d, const char *name, enum doctor_verdict verdict,
    const char *fix, const char *fact, va_list ap)
{
	struct doctor_line *l;

	assert(d->n < DOCTOR_LINES_MAX);
	l = &d->line[d->n++];
	l->name = name;
	l->verdict = verdict;
	snprintf(l->fix, sizeof(l->fix), "%s", fix);
	vsnprintf(l->fact, sizeof(l->fact), fact, ap);
}

void doctor_ok(struct doctor *d, const char *name, const char *fact, ...)
{
	va_list ap;

	va_start(ap, fact);
	add(d, name, DOCTOR_OK, "", fact, ap);
	va_end(ap);
}

void doctor_warn(struct doctor *d, const char *name, const char *fix,
		 const char *fact, ...)
{
	va_list ap;

	va_start(ap, fact);
	add(d, name, DOCTOR_WARN, fix, fact, ap);
	va_end(ap);
}

void doctor_fail(struct doctor *d, const char *name, const char *fix,
		 const char *fact, ...)
{
	va_list ap;

	va_start(ap, fact);
	add(d, name, DOCTOR_FAIL, fix, fact, ap);
	va_end(ap);
}

int doctor_read_line(const struct doctor *d, const char *path, char *buf,
		     size_t len)
{
	char full[512];
	FILE *f;
	int r = 0;

	snprintf(full, sizeof(full), "%s%s", d->root, path);
	f = fopen(full, "re");
	if (!f)
		return -errno;
	if (fgets(buf, (int)len, f))
		buf[strcspn(buf, "\n")] = 0;
	else
		r = -ENODATA;
	fclose(f);
	return r;
}

void doctor_run_all(struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](d);
	doctor_run_mktme(d);
}

void doctor_run_mktme(struct doctor *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(mktme_checks); i++)
		mktme_checks[i](d);
}

bool doctor_can_start(const struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->line[i].verdict == DOCTOR_FAIL)
			return false;
	return true;
}

void doctor_print_lines(const struct doctor *d, FILE *f, bool colour)
{
	int width = 0;

	for (size_t i = 0; i < d->n; i++)
		if ((int)strlen(d->line[i].name) > width)
			width = (int)strlen(d->line[i].name);
	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_line *l = &d->line[i];

		fprintf(f, "%s%-4s%s  %-*s  %s\n",
			colour ? verdicts[l->verdict].colour : "",
			verdicts[l->verdict].word, colour ? "\033[0m" : "",
			width, l->name, l->fact);
		if (l->fix[0])
			fprintf(f, "%*s-> %s\n", width + 8, "", l->fix);
	}
}

void doctor_print(const struct doctor *d, FILE *f, bool colour)
{
	doctor_print_lines(d, f, colour);
	fprintf(f, "\n%s\n",
		doctor_can_start(d) ? "A guest can start on this host."
				    : "No guest can start on this host: see "
				      "the lines marked FAIL.");
}

int doctor_print_json(const struct doctor *d, FILE *f)
{
	json_t *list = json_array();
	json_t *root;
	int r;

	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_line *l = &d->line[i];
		char word[8];

		snprintf(word, sizeof(word), "%s",
			 l->verdict == DOCTOR_FAIL ? "fail"
						   : verdicts[l->verdict].word);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}",
						      "name", l->name,
						      "verdict", word, "fact",
						      l->fact, "fix", l->fix));
	}
	root = json_pack("{s:s, s:b, s:o}", "coffer_version", coffer_version(),
			 "can_start", (int)doctor_can_start(d), "checks", list);
	if (!root)
		return -ENOMEM;
	r = json_dumpf(root, f, JSON_INDENT(2));
	json_decref(root);
	if (r < 0 || fputc('\n', f) == EOF)
		return -EIO;
	return 0;
}
