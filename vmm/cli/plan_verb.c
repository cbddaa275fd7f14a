/* vmm/cli/plan_verb.c - `coffer plan`: what a VM will cost its host. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/config_boot.h"
#include "vmm/config_bundle.h"
#include "vmm/config_cost.h"
#include "vmm/config_firmware.h"
#include "vmm/exit_status.h"
#include "vmm/host_cost.h"

/* A line of the table; the key of the JSON. */
struct row {
	const char *key, *what;
	uint64_t value;
	bool only_protected;
};

enum { ROWS = 15 };

static void make_rows(const struct host_cost *c, struct row rows[static ROWS])
{
	const struct row all[ROWS] = {
		{"ram", "guest RAM", c->ram, false},
		{"firmware", "firmware", c->firmware, false},
		{"images", "images of a bundle", c->images, false},
		{"tables", "page tables", c->tables, false},
		{"monitor", "supervisor and monitor", c->monitor, false},
		{"devices", "devices", c->devices, false},
		{"kernel", "KVM (estimate)", c->kernel, false},
		{"total", "in all, at most", c->total, false},
		{"memory_max", "cgroup memory.max to set", c->memory_max,
		 false},
		{"pinned", "pinned, cannot be swapped", c->pinned, true},
		{"memlock_need", "locked memory needed", c->memlock_need, true},
		{"memlock_set", "LimitMEMLOCK to set", c->memlock_set, true},
		{"measured", "measured at launch", c->measured, true},
		{"psp_ms", "security processor (estimate)", c->psp_ms, true},
		{"asids", "encryption keys (ASIDs)", 1, true},
	};

	for (size_t i = 0; i < ROWS; i++)
		rows[i] = all[i];
}

static void print_table(const struct row rows[static ROWS], bool is_protected,
			FILE *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		if (r->only_protected && !is_protected)
			continue;
		if (!strcmp(r->key, "psp_ms"))
			fprintf(out, "%-30s %12llu ms\n", r->what,
				(unsigned long long)r->value);
		else if (!strcmp(r->key, "asids"))
			fprintf(out, "%-30s %12llu\n", r->what,
				(unsigned long long)r->value);
		else
			fprintf(out, "%-30s %12llu KiB\n", r->what,
				(unsigned long long)((r->value + 1023) / 1024));
	}
	fprintf(out,
		"\nmemory.max has a margin of %d MiB and a quarter of what is "
		"not RAM",
		HOST_COST_CGROUP_MARGIN >> 20);
	if (is_protected)
		fprintf(out,
			";\nLimitMEMLOCK one of %d MiB. The security processor "
			"serves one launch at a time.",
			HOST_COST_MEMLOCK_MARGIN >> 20);
	fprintf(out, "\n");
}

static int print_json(const struct row rows[static ROWS], bool is_protected,
		      const char *protection, FILE *out)
{
	json_t *j = json_object();
	int r;

	for (size_t i = 0; i < ROWS; i++)
		if (!rows[i].only_protected || is_protected)
			json_object_set_new(
				j, rows[i].key,
				json_integer((json_int_t)rows[i].value));
	json_object_set_new(j, "protection", json_string(protection));
	r = json_dumpf(j, out, JSON_INDENT(2));
	json_decref(j);
	fputc('\n', out);
	return r;
}

/* Bytes of firmware, which is opened, and those that a launch would measure. */
static int image_bytes(struct run_config *c, struct host_cost_args *ret,
		       struct err *err)
{
	AUTO(measured_boot_destroyp) struct measured_boot *b = NULL;
	struct config_images images = {0};
	struct measured_boot_args a;
	int r = ret->is_protected ? config_images_open(&images, c, err)
				  : config_firmware_open(c, err);

	ret->firmware_bytes = c->firmware_file.size + c->nvram_file.size;
	if (r < 0 || !ret->is_protected)
		return r;

	config_boot_args(c, &images, &a);
	r = measured_boot_create(&a, &b, err);
	if (r >= 0)
		ret->measured_bytes = launch_plan_bytes(b->plan);
	config_images_close(&images);
	return r;
}

static int plan(struct run_config *c, FILE *out, struct err *err)
{
	struct host_cost_args a;
	struct row rows[ROWS];
	struct host_cost cost;
	int r = config_bundle_apply(c, err);

	if (r >= 0)
		r = run_config_finish(c, err);

	config_cost_args(c, &a);
	if (r >= 0)
		r = image_bytes(c, &a, err);
	if (r < 0)
		return r;
	host_cost(&a, &cost);
	make_rows(&cost, rows);
	if (c->json) {
		r = print_json(rows, a.is_protected, run_config_protection(c),
			       out);
		return r < 0 ? err_set_kind(err, ERR_HOST, -EIO, "cannot print")
			     : 0;
	}
	print_table(rows, a.is_protected, out);
	fprintf(out, "Protection: %s.\n", run_config_protection(c));
	return 0;
}

static int run(void *config, int *ret_status, struct err *err)
{
	int r = plan(config, stdout, err);

	(void)ret_status;
	if (r < 0)
		err_default_kind(err, ERR_INPUT);
	return r;
}

int cli_plan(int argc, char *const *argv)
{
	struct run_config c;
	int status = cli_frame(&plan_option_table, argc, argv, &c, run);

	run_config_destroy(&c);
	return status;
}
