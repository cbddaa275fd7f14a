/*
 * owner/owner_direct.c - the expected digest of a direct boot: that of the plan
 * which the monitor itself would make.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/launch_plan.h"
#include "owner/owner_form.h"
#include "owner/owner_launch.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

static bool matches(const struct owner_content *c)
{
	return !c->digest && c->firmware && !strcmp(c->firmware, "none") &&
	       c->planner;
}

static int replan(struct owner_expected *e, struct err *err)
{
	struct owner_planner *p = e->c->planner;

	return p->ops->plan(p, &e->direct, &e->plan, err);
}

int owner_vmsa_profile(const char *word, enum sev_vmsa_profile *ret,
		       struct err *err)
{
	const char *name;

	if (!word)
		return 0;
	for (unsigned int i = 0; (name = sev_vmsa_profile_name(i)); i++) {
		if (strcmp(word, name) != 0)
			continue;
		*ret = (enum sev_vmsa_profile)i;
		return 0;
	}
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "--vmsa-profile '%.32s': neither legacy nor init2",
			    word);
}

static int load(struct owner_expected *e, bool is_es, struct hash256 *h,
		struct err *err)
{
	int r;

	(void)h;
	if (e->c->vmsa.n)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--vmsa: the registers of a direct boot "
				    "are known: it goes with --firmware FILE");
	e->direct.is_es = is_es;
	r = owner_vmsa_profile(e->c->vmsa_profile, &e->direct.profile, err);
	return r < 0 ? r : replan(e, err);
}

static int digest(const struct owner_expected *e, struct hash256 *h,
		  uint8_t out[static SEV_DIGEST_LEN], struct err *err)
{
	return launch_plan_digest(e->plan, NULL, h, out, err);
}

static uint64_t covered(const struct owner_expected *e)
{
	return e->plan->covered;
}

/* Both forms of the register page are an honest host's. */
static bool alternative(struct owner_expected *e, struct err *err)
{
	if (!e->direct.is_es || e->c->vmsa_profile ||
	    e->direct.profile + 1 >= SEV_VMSA_PROFILES)
		return false;
	e->direct.profile++;
	return replan(e, err) >= 0;
}

/* Sizes that hosts give to guests, in MiB. */
static const unsigned int sizes[] = {
	64,   96,   128,  192,	256,  384,  512,  640,	 768,	1024,  1280,
	1536, 2048, 2560, 3072, 4096, 6144, 8192, 12288, 16384, 32768, 65536,
};

enum { CPUS_TRIED = 16 };

static void vary_memory(struct owner_expected *e, unsigned int mib, char *says,
			size_t size)
{
	e->direct.memory = MIB(mib);
	snprintf(says, size, "it gave the guest %u MiB of memory", mib);
}

static void vary_cpus(struct owner_expected *e, unsigned int n, char *says,
		      size_t size)
{
	e->direct.cpus = n;
	snprintf(says, size, "it gave the guest %u CPU%s", n,
		 n == 1 ? "" : "s");
}

/* Change one thing; false: there is no @i-th. */
static bool change(struct owner_expected *e, unsigned int i, char *says,
		   size_t size)
{
	const char *name;

	if (i < ARRAY_SIZE(sizes)) {
		vary_memory(e, sizes[i], says, size);
		return true;
	}
	i -= (unsigned int)ARRAY_SIZE(sizes);
	if (i < CPUS_TRIED) {
		vary_cpus(e, i + 1, says, size);
		return true;
	}
	i -= CPUS_TRIED;
	if (i == 0) {
		e->direct.no_initrd = true;
		snprintf(says, size, "it left out the initrd");
		return true;
	}
	name = sev_vmsa_profile_name(i - 1);
	if (!name || !e->direct.is_es)
		return false;
	e->direct.profile = (enum sev_vmsa_profile)(i - 1);
	snprintf(says, size,
		 "its register pages are those of --vmsa-profile %s", name);
	return true;
}

static bool vary(struct owner_expected *e, unsigned int i, char *says,
		 size_t size)
{
	struct owner_direct base = {.is_es = e->direct.is_es,
				    .profile = e->direct.profile};

	e->direct = base;
	if (!change(e, i, says, size))
		return false;
	/* What cannot be planned was not launched: it keeps the last plan. */
	if (replan(e, NULL) < 0) {
		e->direct = base;
		return replan(e, NULL) >= 0;
	}
	return true;
}

static const struct owner_launch_entry *host_entry(const struct owner_launch *l,
						   const char *name)
{
	for (size_t i = 0; i < l->n_entries; i++)
		if (!strcmp(l->entry[i].name, name))
			return &l->entry[i];
	return NULL;
}

static void differ(const struct owner_expected *e, const struct owner_launch *l,
		   struct hash256 *h, char *says, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; l->n_entries && i < e->plan->n; i++) {
		const struct launch_entry *mine = &e->plan->entry[i];
		const struct owner_launch_entry *his =
			host_entry(l, mine->name);
		uint8_t d[SEV_DIGEST_LEN];

		/* Which form it had is not known: its name would mislead. */
		if (mine->kind == LAUNCH_ENTRY_VMSA && !e->c->vmsa_profile)
			continue;
		if (launch_entry_digest(mine, NULL, h, d, NULL) < 0)
			return;
		if (his && !memcmp(his->digest, d, sizeof(d)))
			continue;
		if (used < size)
			used += (size_t)snprintf(says + used, size - used,
						 "%s%s", used ? ", " : "",
						 mine->name);
	}
}

const struct owner_form owner_form_direct = {
	.matches = matches,
	.load = load,
	.digest = digest,
	.covered = covered,
	.alternative = alternative,
	.vary = vary,
	.differ = differ,
};
