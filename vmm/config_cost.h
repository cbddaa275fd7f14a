/* vmm/config_cost.h - what the VM of a configuration takes from its host. */
#ifndef VMM_CONFIG_COST_H
#define VMM_CONFIG_COST_H

struct host_cost_args;
struct run_config;

/* All of it but measured_bytes, which only the images tell. */
void config_cost_args(const struct run_config *c, struct host_cost_args *ret);

#endif
