/* vmm/cli/owner_inputs.c - from the options of a launch to its plan. */
#include "vmm/cli/owner_inputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sev_policy.h"
#include "vmm/base/err.h"
#include "vmm/config_boot.h"
#include "vmm/config_bundle.h"
#include "vmm/config_firmware.h"

struct owner_inputs {
	const struct owner_config *c; /* borrowed */
	struct run_config run;
	struct owner_planner planner;
	struct config_images images;
	struct measured_boot *boot; /* of the last plan */
	/* Paths of a bundle's images; "": there is none. */
	char kernel[32], initrd[32], bundled[32];
	/* Otherwise "none" or a path; borrowed, or: */
	const char *firmware;
	char stage0[CONFIG_STAGE0_PATH_MAX];
};

/* The arguments that `coffer run` would have had. */
struct args {
	char *v[2 * (10 + CONFIG_OEM_STRINGS_MAX)];
	int n;
	char cpus[24];
};

static void add(struct args *a, const char *name, char *value)
{
	if (!value)
		return;
	a->v[a->n++] = (char *)name;
	a->v[a->n++] = value;
}

static void collect(const struct owner_config *c, struct args *a)
{
	a->v[a->n++] = (char *)"run";
	add(a, "--config", c->config);
	add(a, "--kernel", c->kernel);
	add(a, "--initrd", c->initrd);
	add(a, "--append", c->append);
	add(a, "--firmware", c->firmware);
	add(a, "--memory", c->memory);
	add(a, "--uuid", c->uuid);
	snprintf(a->cpus, sizeof(a->cpus), "%llu", (unsigned long long)c->cpus);
	add(a, "--cpus", c->cpus ? a->cpus : NULL);
	for (size_t i = 0; i < c->oem_strings.n; i++)
		add(a, "--oem-string", c->oem_strings.v[i]);
	add(a, "--bundle-key", c->bundle_key);
	add(a, "--", c->bundle);
}

static int plan(struct owner_planner *p, const struct owner_direct *d,
		const struct launch_plan **ret, struct err *err)
{
	struct owner_inputs *in = container_of(p, struct owner_inputs, planner);
	struct measured_boot *boot = NULL;
	struct measured_boot_args a;
	int r = config_images_open(&in->images, &in->run, err);

	if (r < 0)
		return r;
	config_boot_args(&in->run, &in->images, &a);
	a.is_es = d->is_es;
	a.vmsa_profile = d->profile;
	if (d->memory)
		a.ram_bytes = d->memory;
	if (d->cpus)
		a.n_cpus = (unsigned int)d->cpus;
	if (d->no_initrd)
		a.initrd.len = 0;
	r = measured_boot_create(&a, &boot, err);
	if (r < 0)
		return r;
	measured_boot_destroy(in->boot);
	in->boot = boot;
	*ret = boot->plan;
	return 0;
}

/* What was hashed is what is read again, by the name of its descriptor. */
static void name_file(const struct input_file *f, char *name, size_t size)
{
	*name = 0;
	if (f->fd >= 0)
		snprintf(name, size, "/proc/self/fd/%d", f->fd);
}

static int take_bundle(struct owner_inputs *in, struct err *err)
{
	const struct run_config *run = &in->run;
	int r;

	if (in->c->bundle && (in->c->firmware || in->c->digest))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--%s: the bundle '%s' fixes it; leave the "
				    "option out",
				    in->c->digest ? "digest" : "firmware",
				    in->c->bundle);
	r = config_bundle_apply(&in->run, err);
	name_file(&run->kernel_file, in->kernel, sizeof(in->kernel));
	name_file(&run->initrd_file, in->initrd, sizeof(in->initrd));
	name_file(&run->firmware_file, in->bundled, sizeof(in->bundled));
	return r;
}

/* AMD APM vol. 3, CPUID Fn0000_0001_EAX: the extended fields are added. */
static uint32_t signature(const struct owner_config *c)
{
	uint32_t family = (uint32_t)c->cpu_family;
	uint32_t model = (uint32_t)c->cpu_model;

	if (family == OWNER_NO_CPU)
		return 0;
	return (family > 0xf ? 0xf00 | (family - 0xf) << 20 : family << 8) |
	       (model >> 4) << 16 | (model & 0xf) << 4 |
	       (uint32_t)c->cpu_stepping;
}

static int check_cpu(const struct owner_config *c, struct err *err)
{
	bool family = c->cpu_family != OWNER_NO_CPU;

	if ((c->cpu_model != OWNER_NO_CPU) != family ||
	    (c->cpu_stepping != OWNER_NO_CPU) != family)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--cpu-family, --cpu-model and "
				    "--cpu-stepping go together");
	return 0;
}

/* The default is that of a protected guest: nobody measures another. */
static int find_firmware(struct owner_inputs *in, struct err *err)
{
	const struct owner_config *c = in->c;

	in->firmware = c->firmware;
	if (!c->digest && !c->bundle)
		in->firmware = in->run.firmware ? in->run.firmware
			       : in->run.kernel ? "stage0"
						: NULL;
	if (!in->firmware || strcmp(in->firmware, "stage0") != 0)
		return 0;
	in->firmware = in->stage0;
	return config_firmware_stage0(in->stage0, err);
}

int owner_inputs_create(const struct owner_config *c, struct owner_inputs **ret,
			struct err *err)
{
	static const struct owner_planner_ops ops = {.plan = plan};
	AUTO(owner_inputs_destroyp)
	struct owner_inputs *in = calloc(1, sizeof(*in));
	enum option_outcome outcome;
	struct args a = {0};
	int r;

	if (!in)
		return err_set(err, -ENOMEM, "out of memory");
	in->c = c;
	in->planner.ops = &ops;
	run_config_init(&in->run);
	collect(c, &a);
	r = option_parse_args(&run_option_table, a.n, a.v, &in->run, &outcome,
			      err);
	if (r >= 0)
		r = take_bundle(in, err);
	if (r >= 0)
		r = check_cpu(c, err);
	if (r >= 0)
		r = find_firmware(in, err);
	if (r < 0)
		return r;
	*ret = TAKE(in);
	return 0;
}

void owner_inputs_destroy(struct owner_inputs *in)
{
	if (!in)
		return;
	measured_boot_destroy(in->boot);
	config_images_close(&in->images);
	run_config_destroy(&in->run);
	free(in);
}

static struct owner_content bundle_content(struct owner_inputs *in)
{
	const struct owner_config *c = in->c;
	const struct run_config *run = &in->run;

	return (struct owner_content){
		.firmware = *in->bundled ? in->bundled : "none",
		.kernel = in->kernel,
		.initrd = *in->initrd ? in->initrd : NULL,
		.cmdline = run->append,
		.vmsa = {c->vmsa.v, c->vmsa.n},
		/* Of one page that is given, the bundle may leave the number.
		 */
		.cpus = c->cpus			      ? c->cpus
			: c->vmsa.n && run->cpus == 1 ? 0
						      : run->cpus,
		.planner = &in->planner,
		.vmsa_profile = c->vmsa_profile,
		.cpu_signature = signature(c),
	};
}

struct owner_content owner_inputs_content(struct owner_inputs *in)
{
	const struct owner_config *c = in->c;

	if (c->bundle)
		return bundle_content(in);
	return (struct owner_content){
		.digest = c->digest,
		.firmware = in->firmware,
		.kernel = in->run.kernel,
		.initrd = in->run.initrd,
		.cmdline = in->run.append,
		.vmsa = {c->vmsa.v, c->vmsa.n},
		.cpus = c->cpus,
		.planner = &in->planner,
		.vmsa_profile = c->vmsa_profile,
		.cpu_signature = signature(c),
	};
}

bool owner_inputs_is_es(const struct owner_inputs *in)
{
	const struct devices_config *d = &in->run.devices;

	return d->protect == PROTECT_SEV_ES ||
	       (in->c->bundle && d->sev.policy.given &&
		(d->sev.policy.value & SEV_POLICY_ES));
}
