/*
 * vmm/launch_host.h - what has to be found and opened on the host before a
 * protected guest is started: the limit of locked memory, the owner's files,
 * /dev/sev and what its platform says, and the hashes of what firmware will
 * start. Nothing is changed but the limit.
 */
#ifndef VMM_LAUNCH_HOST_H
#define VMM_LAUNCH_HOST_H

#include "vmm/kvm/sev_dev.h"
#include "vmm/launch.h"
#include "vmm/launch_files.h"
#include "vmm/launch_hashes.h"

struct err;
struct run_config;

struct launch_host {
	struct sev_dev dev; /* open */
	struct sev_platform_status platform;
	struct launch_files files;
	struct launch_params params; /* points into files */
	struct launch_hashes hashes;
};

/*
 * @c protects its guest, or nothing is done and dev.fd is -1. The operator is
 * told what is not protected: an open policy, no session, a simulation.
 * Errors of measured_boot_check(), memlock_raise(), launch_files_load(),
 * launch_hashes_find() and sev_dev.h, and
 * -EOPNOTSUPP  SEV-ES on a platform without it (ERR_HOST)
 */
int launch_host_open(struct run_config *c, struct launch_host *ret,
		     struct err *err);
/* Not before the VM has ended. */
void launch_host_close(struct launch_host *h);

#endif
