/* vmm/cli/print_plan.h - `coffer run --print-plan`. */
#ifndef VMM_CLI_PRINT_PLAN_H
#define VMM_CLI_PRINT_PLAN_H

#include <stdio.h>

struct err;
struct run_config;

/*
 * Print as JSON what a protected guest with the options of @c would have in
 * its memory, and what is measured of it. Nothing of the host is looked at.
 * Errors are those of config_images_open() and measured_boot_create().
 */
int print_plan(struct run_config *c, FILE *out, struct err *err);

#endif
