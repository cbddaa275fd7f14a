/* vmm/launch.c - from a plan to a guest that may run. */
#include "vmm/launch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "crypto/launch_plan.h"
#include "crypto/sev_launch.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/hex.h"
#include "vmm/base/log.h"

enum {
	SECRETS_MAX = 64,
	TAKEN_MAX = LAUNCH_ENTRIES_MAX + SECRETS_MAX,
};

/* Memory that a secret may not be put over. */
struct taken {
	gpa_t gpa;
	uint64_t len;
	const char *name; /* static */
};

struct launch {
	struct sev_launch *sev;
	struct launch_clerk clerk; /* of sev; keeps info.ledger */
	struct guest_mem *mem;	   /* borrowed, from launch_measure() on */
	struct launch_info info;
	bool expects;
	uint8_t expect[SEV_DIGEST_LEN];
	struct taken taken[TAKEN_MAX];
	size_t n_taken;
	uint8_t seen[SECRETS_MAX][SEV_SECRET_HDR_LEN]; /* info.n_secrets */
};

int launch_create(const struct launch_params *p, struct sev_fw *fw,
		  struct launch **ret, struct err *err)
{
	AUTO(launch_destroyp) struct launch *l = calloc(1, sizeof(*l));
	struct sev_launch_params sp = {
		.es = p->kind == LAUNCH_SEV_ES,
		.policy = p->policy,
		.dh_cert = p->dh_cert,
		.session = p->session,
		.api_major = p->api_major,
		.api_minor = p->api_minor,
		.build = p->build,
	};
	int r;

	if (!l)
		return err_set(err, -ENOMEM, "out of memory");
	l->info = (struct launch_info){
		.kind = p->kind,
		.origin = p->origin,
		.firmware = p->firmware,
		.api_major = p->api_major,
		.api_minor = p->api_minor,
		.build = p->build,
		.attested = p->session != NULL,
		.emulated = p->emulated,
		.init2 = p->init2,
		.policy = p->policy,
	};
	launch_clerk_init(&l->clerk, fw, &l->info.ledger);
	sp.fw = &l->clerk.fw;
	if (p->expect) {
		l->expects = true;
		memcpy(l->expect, p->expect, sizeof(l->expect));
	}
	r = sev_launch_create(&sp, &l->sev, err);
	if (r < 0)
		return r;
	*ret = TAKE(l);
	return 0;
}

void launch_destroy(struct launch *l)
{
	if (!l)
		return;
	sev_launch_destroy(l->sev);
	free(l);
}

int launch_init(struct launch *l, struct err *err)
{
	return sev_launch_init(l->sev, err);
}

/* --- measure -------------------------------------------------------------- */

/* The owner cannot take a digest apart; with these, it can say what differs. */
static int describe_entries(struct launch *l, const struct launch_plan *plan,
			    struct guest_mem *mem, struct hash256 *h,
			    struct err *err)
{
	struct launch_info *i = &l->info;
	int r = 0;

	for (i->n_entries = 0;
	     !r && i->n_entries < plan->n && i->n_entries < LAUNCH_INFO_ENTRIES;
	     i->n_entries++) {
		const struct launch_entry *e = &plan->entry[i->n_entries];
		struct launch_info_entry *to = &i->entry[i->n_entries];

		snprintf(to->name, sizeof(to->name), "%s", e->name);
		r = launch_entry_digest(e, mem, h, to->digest, err);
	}
	return r;
}

static int check_digest(struct launch *l, const struct launch_plan *plan,
			struct guest_mem *mem, struct err *err)
{
	char is[2 * SEV_DIGEST_LEN + 1], want[2 * SEV_DIGEST_LEN + 1];
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	int r;

	if (!h)
		return err_set(err, -ENOMEM, "out of memory");
	r = launch_plan_digest(plan, mem, h, l->info.plan_digest, err);
	if (r >= 0)
		r = describe_entries(l, plan, mem, h, err);
	if (r < 0 || !l->expects ||
	    !memcmp(l->expect, l->info.plan_digest, SEV_DIGEST_LEN))
		return r;
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
			    "--expect: the launch digest is %s, expected %s; "
			    "kernel, initrd, command line, memory size, CPUs "
			    "or release differ from what it was made of",
			    hex_format(l->info.plan_digest, SEV_DIGEST_LEN, is),
			    hex_format(l->expect, SEV_DIGEST_LEN, want));
}

static int pin_memory(struct launch *l, const struct guest_mem *mem,
		      struct err *err)
{
	for (size_t i = 0; i < guest_mem_n_regions(mem); i++) {
		const struct guest_mem_region *g = guest_mem_region(mem, i);
		int r = sev_launch_pin(l->sev, g->hva, g->len, err);

		if (r < 0) {
			err_prefix(err, "%llu MiB of guest memory at 0x%llx",
				   (unsigned long long)(g->len >> 20),
				   (unsigned long long)g->base);
			return r;
		}
	}
	return 0;
}

static void take(struct launch *l, gpa_t gpa, uint64_t len, const char *name)
{
	l->taken[l->n_taken++] = (struct taken){gpa, len, name};
}

static int launch_entries(struct launch *l, const struct launch_plan *plan,
			  struct err *err)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct launch_entry *e = &plan->entry[i];
		void *hva;
		int r;

		if (e->kind != LAUNCH_ENTRY_DATA)
			continue;
		hva = guest_mem_ptr(l->mem, e->gpa, e->len);
		if (!hva)
			return err_set_kind(err, ERR_INTERNAL, -EFAULT,
					    "launch plan: %s is not in one "
					    "piece of memory",
					    e->name);
		r = sev_launch_update(l->sev, hva, e->len, e->name, err);
		if (r < 0)
			return r;
		if (!plan->secret_len || e->gpa != plan->secret_gpa)
			take(l, e->gpa, e->len, e->name);
	}
	if (fault_touches()) /* the first entry's first byte */
		*(uint8_t *)guest_mem_ptr(l->mem, l->taken[0].gpa, 1) ^= 1;
	return launch_plan_vmsas(plan) ? sev_launch_vmsa(l->sev, err) : 0;
}

static void describe(struct launch *l, const struct launch_plan *plan)
{
	struct launch_info *i = &l->info;

	i->plan_bytes = launch_plan_bytes(plan);
	i->covered = plan->covered;
	i->not_covered = launch_facts_open(plan->covered);
	if (!plan->secret_len)
		return;
	i->secret_format = plan->secret_format == SEV_SECRET_CPIO
				   ? LAUNCH_SECRET_FORMAT_CPIO
				   : LAUNCH_SECRET_FORMAT_TABLE;
	i->secret_gpa = plan->secret_gpa;
	i->secret_size = plan->secret_len;
}

int launch_measure(struct launch *l, const struct launch_plan *plan,
		   struct guest_mem *mem, struct err *err)
{
	int r = check_digest(l, plan, mem, err);

	if (r < 0)
		return r;
	l->mem = mem;
	describe(l, plan);
	r = sev_launch_start(l->sev, err);
	if (!r)
		r = pin_memory(l, mem, err);
	if (!r)
		r = launch_entries(l, plan, err);
	if (!r)
		r = sev_launch_measure(l->sev, err);
	if (r < 0)
		return r;
	l->info.handle = sev_launch_handle(l->sev);
	memcpy(l->info.measurement, sev_launch_measurement(l->sev),
	       sizeof(l->info.measurement));
	l->info.measured = 1;
	l->info.state = LAUNCH_MEASURED;
	log_debug("launch: measured %llu bytes",
		  (unsigned long long)l->info.plan_bytes);
	return 0;
}

/* --- secrets --------------------------------------------------------------
 */

static int area_place(const struct launch *l, size_t len, gpa_t *ret,
		      struct err *err)
{
	const struct launch_info *i = &l->info;

	if (i->secret_format == LAUNCH_SECRET_NONE)
		return err_set_kind(err, ERR_USAGE, -ENOTSUP,
				    "secret: this launch has no area for "
				    "secrets; name an address");
	/* What is behind the first table is never found. */
	if (i->secret_format == LAUNCH_SECRET_FORMAT_TABLE && i->secret_used)
		return err_set_kind(err, ERR_INPUT, -EEXIST,
				    "secret: firmware reads one packet, which "
				    "was injected already; make one of all "
				    "secrets");
	if (!range_within(i->secret_used, len, i->secret_size))
		return err_set_kind(
			err, ERR_INPUT, -ENOSPC,
			"secret: %zu bytes do not fit the %llu "
			"bytes left of %llu for secrets",
			len,
			(unsigned long long)(i->secret_size - i->secret_used),
			(unsigned long long)i->secret_size);
	*ret = i->secret_gpa + i->secret_used;
	return 0;
}

static int check_place(const struct launch *l, gpa_t gpa, size_t len,
		       struct err *err)
{
	uint64_t end;

	if (!is_aligned(gpa, SEV_SECRET_ALIGN))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret: address 0x%llx is not a multiple "
				    "of 16",
				    (unsigned long long)gpa);
	if (!len || len > SEV_SECRET_MAX || !is_aligned(len, SEV_SECRET_ALIGN))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret: a payload of %zu bytes; it has 16 "
				    "to %d, in units of 16",
				    len, SEV_SECRET_MAX);
	if (!checked_add(gpa, len, &end) || !guest_mem_ptr(l->mem, gpa, len))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret: %zu bytes at 0x%llx are not in "
				    "the guest's memory",
				    len, (unsigned long long)gpa);
	for (size_t i = 0; i < l->n_taken; i++) {
		const struct taken *t = &l->taken[i];

		if (range_overlaps(gpa, len, t->gpa, t->len))
			return err_set_kind(err, ERR_INPUT, -EINVAL,
					    "secret: 0x%llx holds %s already",
					    (unsigned long long)gpa, t->name);
	}
	return 0;
}

static void account(struct launch *l, gpa_t gpa, size_t len)
{
	struct launch_info *i = &l->info;

	take(l, gpa, len, "a secret");
	i->n_secrets++;
	if (gpa >= i->secret_gpa && gpa - i->secret_gpa < i->secret_size &&
	    gpa - i->secret_gpa + len > i->secret_used)
		i->secret_used = gpa - i->secret_gpa + len;
}

int launch_secret(struct launch *l, gpa_t gpa,
		  const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		  const void *payload, size_t len, struct err *err)
{
	int r = 0;

	if (l->info.state != LAUNCH_MEASURED)
		return err_set(err, -EBUSY,
			       "secret: the launch is in state '%s', and takes "
			       "secrets only in '%s'",
			       launch_state_name(l->info.state),
			       launch_state_name(LAUNCH_MEASURED));
	if (l->info.n_secrets == SECRETS_MAX)
		return err_set_kind(err, ERR_INPUT, -ENOSPC,
				    "secret: %d were injected already, which "
				    "is the limit",
				    SECRETS_MAX);
	for (uint32_t i = 0; i < l->info.n_secrets; i++)
		if (!memcmp(l->seen[i], hdr, SEV_SECRET_HDR_LEN))
			return err_set_kind(err, ERR_INPUT, -EEXIST,
					    "secret: this packet was injected "
					    "already");
	if (!gpa)
		r = area_place(l, len, &gpa, err);
	if (!r)
		r = check_place(l, gpa, len, err);
	if (!r)
		r = sev_launch_secret(l->sev, hdr, payload, len,
				      guest_mem_ptr(l->mem, gpa, len), err);
	if (!r) {
		memcpy(l->seen[l->info.n_secrets], hdr, SEV_SECRET_HDR_LEN);
		account(l, gpa, len);
	}
	return r;
}

int launch_finish(struct launch *l, struct err *err)
{
	int r;

	if (l->info.state != LAUNCH_MEASURED)
		return err_set(err, -EBUSY,
			       "finish: the launch is in state '%s', not '%s'",
			       launch_state_name(l->info.state),
			       launch_state_name(LAUNCH_MEASURED));
	r = sev_launch_finish(l->sev, err);
	if (!r)
		l->info.state = LAUNCH_RUNNING;
	return r;
}

int launch_attest(struct launch *l, const uint8_t nonce[static SEV_NONCE_LEN],
		  uint8_t report[static SEV_REPORT_LEN], struct err *err)
{
	if (l->info.state != LAUNCH_RUNNING)
		return err_set(err, -EBUSY,
			       "attestation: the launch is in state '%s', not "
			       "'%s'",
			       launch_state_name(l->info.state),
			       launch_state_name(LAUNCH_RUNNING));
	return sev_launch_attest(l->sev, nonce, report, err);
}

void launch_info(const struct launch *l, struct launch_info *ret)
{
	*ret = l->info;
}
