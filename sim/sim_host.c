/* sim/sim_host.c - puts the simulated host together, and finds the family. */
#include "sim/sim_host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "sim/sim_key_host.h"
#include "sim/sim_state.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"

const struct sim_family *const sim_families[] = {
	&sim_family_open, &sim_family_dev,   &sim_family_vm,
	&sim_family_cpu,  &sim_family_mktme, NULL,
};

static bool on_fault(void *arg, enum sim_fw_cmd cmd, uint32_t *ret)
{
	struct sim_host *h = arg;

	return sim_fault_status(h->faults, sim_fw_cmd_name(cmd), ret);
}

static int on_save(void *arg, const struct sim_keys *k)
{
	struct sim_host *h = arg;
	struct err err = {0};
	int r = 0;

	if (h->c.state)
		r = sim_state_save(h->c.state, k, h->h, &err);
	if (r < 0)
		log_error("sim: %s", err.msg);
	return r;
}

static int add_faults(struct sim_host *h, struct err *err)
{
	int r = 0;

	h->faults = sim_fault_create();
	if (!h->faults)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < h->c.n_faults && r >= 0; i++)
		r = sim_fault_add(h->faults, h->c.faults[i], err);
	return r;
}

static int load_platform(struct sim_host *h, struct err *err)
{
	AUTO(sim_keys_destroy) struct sim_keys k = {0};
	struct sim_fw_hooks hooks = {on_fault, on_save, h};
	int r;

	h->h = hash256_openssl_create();
	if (!h->h)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "libcrypto has no SHA-256");
	if (h->c.state)
		r = sim_state_load(h->c.state, &h->c.fw.api, h->h, &k, err);
	else
		r = sim_keys_create(&h->c.fw.api, &k, err);
	return r < 0 ? r : sim_fw_create(&h->c.fw, &k, &hooks, &h->fw, err);
}

/*
 * Stand-ins for /dev/sev: a character device that does nothing, open in every
 * mode, and recognised by being these very open files.
 */
static int open_devices(struct sim_host *h, struct err *err)
{
	for (int mode = 0; mode < SIM_SEV_FILES; mode++) {
		h->sev_files[mode] = open("/dev/null", mode | O_CLOEXEC);
		if (h->sev_files[mode] < 0)
			return err_set_kind(err, ERR_HOST, -errno,
					    "cannot open /dev/null: %s",
					    strerror(errno));
	}
	return 0;
}

int sim_host_create(const struct sim_config *c, struct loop *loop,
		    struct sim_host **ret, struct err *err)
{
	AUTO(sim_host_destroyp) struct sim_host *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return err_set(err, -ENOMEM, "out of memory");
	h->c = *c;
	h->loop = loop;
	memset(h->sev_files, -1, sizeof(h->sev_files));
	r = add_faults(h, err);
	if (r >= 0)
		r = load_platform(h, err);
	if (r >= 0)
		r = open_devices(h, err);
	if (r >= 0)
		r = sim_trace_open(c->trace, &h->trace, err);
	if (r < 0)
		return r;
	if (c->mktme.profile)
		r = sim_key_host_create(&c->mktme, h, &h->mktme, err);
	if (r < 0)
		return r;
	h->kvm = sim_kvm_create(&c->kvm, h->fw, h->faults);
	h->vms = h->kvm ? sim_vms_create(h->kvm, loop) : NULL;
	if (!h->vms)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = TAKE(h);
	return 0;
}

void sim_host_destroy(struct sim_host *h)
{
	if (!h)
		return;
	sim_key_host_destroy(h->mktme);
	sim_vms_destroy(h->vms);
	sim_kvm_destroy(h->kvm);
	sim_fw_destroy(h->fw);
	sim_trace_close(h->trace);
	sim_fault_destroy(h->faults);
	hash256_destroy(h->h);
	for (int mode = 0; mode < SIM_SEV_FILES; mode++)
		fd_closep(&h->sev_files[mode]);
	free(h);
}

enum { RULES_MAX = 64 };

/* The number of the call, or 0: this host has no such call. */
static int rule_nr(const struct sim_config *c, const struct sim_family *f,
		   const struct sim_rule *r)
{
	if (f == &sim_family_mktme && !c->mktme.profile)
		return 0;
	return r->nr == SIM_NR_ENCRYPT_MPROTECT ? c->mktme.syscall : r->nr;
}

int sim_host_filter(const struct sim_config *c,
		    struct sock_filter prog[static SIM_FILTER_MAX])
{
	struct sim_rule all[RULES_MAX];
	size_t n = 0;

	for (size_t i = 0; sim_families[i]; i++)
		for (size_t k = 0; k < sim_families[i]->n_rules; k++) {
			const struct sim_rule *r = &sim_families[i]->rules[k];

			if (n == RULES_MAX)
				return -ENOSPC;
			all[n] = *r;
			all[n].nr = rule_nr(c, sim_families[i], r);
			n += all[n].nr != 0;
		}
	return sim_filter_build(all, n, prog);
}

static bool matches(int nr, const struct sim_rule *r, const struct sim_call *c)
{
	return nr && nr == c->nr &&
	       (!r->arg1 || r->arg1 == (uint32_t)c->args[1]) &&
	       (!r->arg2 || r->arg2 == (uint32_t)c->args[2]);
}

void sim_host_answer(struct sim_host *h, const struct sim_call *c,
		     struct sim_answer *a)
{
	*a = (struct sim_answer){.kind = SIM_CONTINUE};
	for (size_t i = 0; sim_families[i]; i++)
		for (size_t k = 0; k < sim_families[i]->n_rules; k++) {
			const struct sim_rule *r = &sim_families[i]->rules[k];

			if (matches(rule_nr(&h->c, sim_families[i], r), r, c)) {
				sim_families[i]->handle(h, c, a);
				return;
			}
		}
}
