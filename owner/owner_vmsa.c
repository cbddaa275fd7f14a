/* owner/owner_vmsa.c - register pages of firmware's CPUs. */
#include "owner/owner_vmsa.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/flash_image.h"
#include "owner/owner_content.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"

#define RESET_VECTOR UINT32_C(0xfffffff0) /* of every PC */

static int usage(struct err *err, const char *text)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s", text);
}

static int from_files(struct owner_expected *e, struct err *err)
{
	const struct owner_texts *files = &e->c->vmsa;

	e->cpus = e->c->cpus ? (size_t)e->c->cpus : files->n;
	if (files->n > e->cpus || e->cpus > OWNER_CPUS_MAX)
		return usage(err, "--cpus: fewer than --vmsa files, or more "
				  "than 64");
	e->vmsa = malloc(files->n * SEV_VMSA_LEN);
	if (!e->vmsa)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	for (size_t i = 0; i < files->n; i++) {
		AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
		int r = owner_file_read_exactly("--vmsa", files->v[i],
						SEV_VMSA_LEN, &b, err);

		if (r < 0)
			return r;
		memcpy(e->vmsa + i * SEV_VMSA_LEN, b.data, SEV_VMSA_LEN);
	}
	e->n_vmsa = files->n;
	return 0;
}

static void build(struct owner_expected *e, uint32_t others)
{
	const uint32_t vector[] = {RESET_VECTOR, others};

	e->reset = others;
	for (size_t i = 0; i < e->n_vmsa && i < ARRAY_SIZE(vector); i++) {
		struct sev_vmsa_regs r;

		sev_vmsa_reset_regs(vector[i], e->c->cpu_signature, &r);
		sev_vmsa_build(&r, e->direct.profile,
			       e->vmsa + i * SEV_VMSA_LEN);
	}
}

/* Where the image wants its other CPUs to start. */
static int read_reset(const struct owner_expected *e, uint32_t *ret,
		      struct err *err)
{
	const char *path = e->c->firmware;
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct flash_image f;
	int r;

	if (fd < 0)
		return err_set_kind(err, errno == EACCES ? ERR_PERM : ERR_INPUT,
				    -errno, "--firmware '%s': %s", path,
				    strerror(errno));
	r = flash_image_open(fd, path, &f, err);
	if (r < 0)
		return r;
	if (!f.footer.has_reset)
		return err_set_kind(err, ERR_INPUT, -ENOTSUP,
				    "--firmware '%s' does not say where an "
				    "SEV-ES guest's second CPU starts: give "
				    "--vmsa",
				    path);
	*ret = f.footer.reset;
	return 0;
}

static int from_model(struct owner_expected *e, struct err *err)
{
	uint32_t others = 0;
	int r = owner_vmsa_profile(e->c->vmsa_profile, &e->direct.profile, err);

	if (r < 0)
		return r;
	e->cpus = e->c->cpus ? (size_t)e->c->cpus : 1;
	e->n_vmsa = e->cpus > 1 ? 2 : 1;
	r = e->cpus > 1 ? read_reset(e, &others, err) : 0;
	if (r < 0)
		return r;
	e->vmsa = calloc(2, SEV_VMSA_LEN);
	if (!e->vmsa)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	build(e, others);
	return 0;
}

int owner_vmsa_load(struct owner_expected *e, bool is_es, struct err *err)
{
	if (!is_es)
		return e->c->vmsa.n ? usage(err, "--vmsa: the policy is that "
						 "of SEV, which measures no "
						 "VMSA")
				    : 0;
	if (e->c->vmsa.n)
		return from_files(e, err);
	if (e->c->cpu_signature)
		return from_model(e, err);
	return usage(err, "the policy is that of SEV-ES, which measures VMSA "
			  "pages: --vmsa is missing, or --cpu-family, "
			  "--cpu-model and --cpu-stepping of the host");
}

int owner_vmsa_write(struct owner_expected *e, const char *cpu0,
		     const char *cpu1, bool force, struct err *err)
{
	struct owner_output out[2];
	size_t n = 0;

	if (!cpu0 && !cpu1)
		return 0;
	if (!e->vmsa || e->c->vmsa.n)
		return usage(err, "--vmsa-cpu0 and --vmsa-cpu1 write pages "
				  "that are made here: with SEV-ES, a "
				  "firmware, and --cpu-family, --cpu-model "
				  "and --cpu-stepping of the host");
	if (cpu1 && e->n_vmsa < 2) { /* one CPU: not part of the digest */
		uint32_t others = 0;
		int r = read_reset(e, &others, err);

		if (r < 0)
			return r;
		e->n_vmsa = 2;
		build(e, others);
	}
	if (cpu0)
		out[n++] = (struct owner_output){cpu0, e->vmsa, SEV_VMSA_LEN,
						 0644};
	if (cpu1)
		out[n++] = (struct owner_output){cpu1, e->vmsa + SEV_VMSA_LEN,
						 SEV_VMSA_LEN, 0644};
	return owner_files_write(out, n, force, err);
}

bool owner_vmsa_alternative(struct owner_expected *e)
{
	if (!e->cpus || e->c->vmsa.n || e->c->vmsa_profile ||
	    e->direct.profile + 1 >= SEV_VMSA_PROFILES)
		return false;
	e->direct.profile++;
	build(e, e->reset);
	return true;
}
