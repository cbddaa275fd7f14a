/* vmm/config_cost.c - picks what costs something. */
#include "vmm/config_cost.h"

#include "vmm/config.h"
#include "vmm/host_cost.h"

void config_cost_args(const struct run_config *c, struct host_cost_args *ret)
{
	*ret = (struct host_cost_args){
		.ram_bytes = c->memory.size,
		.hugepage_size = c->memory.hugepages,
		.n_cpus = (unsigned int)c->cpus,
		.n_disks = c->devices.disks.n,
		.n_nets = c->devices.nets.n,
		.vsock = c->devices.vsock.cid,
		.rng = c->devices.rng,
		.firmware_bytes = c->firmware_file.size + c->nvram_file.size,
		.bundle_bytes = c->bundle ? c->kernel_file.size +
						    c->initrd_file.size +
						    c->firmware_file.size
					  : 0,
		.is_protected = protect_is_sev(c->devices.protect),
	};
}
