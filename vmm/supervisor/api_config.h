/* vmm/supervisor/api_config.h - a run's configuration as JSON. */
#ifndef VMM_SUPERVISOR_API_CONFIG_H
#define VMM_SUPERVISOR_API_CONFIG_H

#include <jansson.h>

struct run_config;

/*
 * In the words of coffer-config(5), with every default filled in. OEM strings,
 * which may be credentials of the guest, are counted and not shown.
 */
json_t *api_config(const struct run_config *c);

#endif
