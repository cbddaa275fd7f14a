/* vmm/cli/run_vm.h - the machine's side of `coffer run`. */
#ifndef VMM_CLI_RUN_VM_H
#define VMM_CLI_RUN_VM_H

#include "vmm/config.h"
#include "vmm/exit_status.h"

/*
 * Run one guest to its end. @c went through run_config_finish() and
 * run_config_open(); its input files are read, not closed.
 * 0: the guest ran and *res says how that ended (never RUN_ERROR).
 * Negative errno: nothing ran, or we failed while it ran; @err has the message
 * and, where known, the kind.
 */
int run_vm(struct run_config *c, struct run_result *res, struct err *err);

#endif
