/* vmm/cli/print_plan.c - a launch plan as JSON. */
#include "vmm/cli/print_plan.h"

#include <errno.h>
#include <jansson.h>

#include "crypto/hash256_nettle.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/config_boot.h"
#include "vmm/config_firmware.h"

/* What is used up while printing. */
struct printer {
	struct hash256 *h;
	const struct measured_boot_args *a;
	const struct measured_boot *b;
	const char *firmware; /* its name */
	struct err *err;
	int r; /* the first error */
};

static json_t *hex(const uint8_t digest[static SEV_DIGEST_LEN])
{
	char text[2 * SEV_DIGEST_LEN + 1];

	for (size_t i = 0; i < SEV_DIGEST_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return json_string(text);
}

/* An address: JSON has no hexadecimal numbers, and people read these. */
static json_t *address(gpa_t gpa)
{
	return json_sprintf("0x%llx", (unsigned long long)gpa);
}

static json_t *facts(uint64_t set)
{
	json_t *j = json_array();
	const char *name;

	for (unsigned int i = 0; (name = launch_fact_name(i)); i++)
		if (set & BIT64(i))
			json_array_append_new(j, json_string(name));
	return j;
}

static json_t *digest_of(struct printer *p, const struct launch_plan *plan)
{
	uint8_t d[SEV_DIGEST_LEN] = {0};

	if (p->r >= 0)
		p->r = launch_plan_digest(plan, NULL, p->h, d, p->err);
	return hex(d);
}

static json_t *entry(struct printer *p, const struct launch_entry *e)
{
	uint8_t d[SEV_DIGEST_LEN] = {0};
	json_t *j = json_object();

	if (p->r >= 0)
		p->r = launch_entry_digest(e, NULL, p->h, d, p->err);
	json_object_set_new(j, "name", json_string(e->name));
	if (e->kind == LAUNCH_ENTRY_VMSA) {
		json_object_set_new(j, "kind", json_string("vmsa"));
		json_object_set_new(j, "vcpu", json_integer(e->vcpu));
	} else {
		json_object_set_new(j, "kind", json_string("data"));
		json_object_set_new(j, "address", address(e->gpa));
	}
	json_object_set_new(j, "length", json_integer((json_int_t)e->len));
	json_object_set_new(j, "content_length",
			    json_integer((json_int_t)e->data_len));
	json_object_set_new(j, "sha256", hex(d));
	return j;
}

static json_t *entries(struct printer *p)
{
	const struct launch_plan *plan = p->b->plan;
	json_t *j = json_array();

	for (size_t i = 0; i < plan->n; i++)
		json_array_append_new(j, entry(p, &plan->entry[i]));
	return j;
}

/* For each form of register page: which one is made, the host's kernel says. */
static json_t *digests(struct printer *p)
{
	struct measured_boot_args a = *p->a;
	json_t *j = json_object();
	const char *name;

	for (unsigned int i = 0; (name = sev_vmsa_profile_name(i)); i++) {
		AUTO(measured_boot_destroyp) struct measured_boot *b = NULL;

		a.vmsa_profile = (enum sev_vmsa_profile)i;
		if (p->r >= 0)
			p->r = measured_boot_create(&a, &b, p->err);
		if (p->r >= 0)
			json_object_set_new(j, name, digest_of(p, b->plan));
	}
	return j;
}

static json_t *secret(const struct launch_plan *plan)
{
	if (!plan->secret_len)
		return json_null();
	return json_pack("{s:s, s:o, s:I}", "format",
			 sev_secret_format_name(plan->secret_format), "address",
			 address(plan->secret_gpa), "size",
			 (json_int_t)plan->secret_len);
}

static json_t *document(struct printer *p)
{
	const struct launch_plan *plan = p->b->plan;
	json_t *j = json_object();

#define SET(key, value) json_object_set_new(j, key, value)
#define INTEGER(value) json_integer((json_int_t)(value))
	SET("machine", json_string(plan->machine));
	SET("protect", json_string(plan->is_es ? "sev-es" : "sev"));
	SET("firmware", json_string_nocheck(p->firmware));
	SET("plan_digest", digest_of(p, plan));
	if (plan->is_es) {
		SET("vmsa_profile",
		    json_string(sev_vmsa_profile_name(plan->vmsa_profile)));
		SET("plan_digests", digests(p));
	}
	SET("bytes", INTEGER(launch_plan_bytes(plan)));
	SET("memory", INTEGER(p->a->ram_bytes));
	SET("cpus", INTEGER(p->a->n_cpus));
	SET("cmdline", json_string_nocheck(p->b->cmdline));
	SET("swiotlb", INTEGER(p->b->swiotlb_slabs));
	SET("entry", address(p->b->entry.cs_base + p->b->entry.rip));
	SET("secret", secret(plan));
	SET("covered", facts(plan->covered));
	SET("not_covered", facts(launch_facts_open(plan->covered)));
	SET("entries", entries(p));
#undef INTEGER
#undef SET
	return j;
}

static int print(struct printer *p, FILE *out)
{
	json_t *j = document(p);
	int r = p->r;

	if (r >= 0 && json_dumpf(j, out, JSON_INDENT(2)) < 0)
		r = err_set_kind(p->err, ERR_HOST, -EIO,
				 "cannot print the plan");
	json_decref(j);
	fputc('\n', out);
	return r < 0 ? r : 0;
}

int print_plan(struct run_config *c, FILE *out, struct err *err)
{
	AUTO(measured_boot_destroyp) struct measured_boot *b = NULL;
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	struct config_images images = {0};
	struct measured_boot_args a;
	int r;

	if (!h)
		return err_set(err, -ENOMEM, "out of memory");
	if (!protect_is_sev(c->devices.protect))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--print-plan: needs --protect sev or "
				    "sev-es: nothing is measured of another "
				    "guest");
	r = config_images_open(&images, c, err);
	if (r >= 0) {
		config_boot_args(c, &images, &a);
		r = measured_boot_create(&a, &b, err);
	}
	if (r >= 0)
		r = print(&(struct printer){h, &a, b, config_firmware_name(c),
					    err, 0},
			  out);
	config_images_close(&images);
	return r;
}
