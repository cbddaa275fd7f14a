/* vmm/supervisor/api_metrics.h - counters as OpenMetrics text. */
#ifndef VMM_SUPERVISOR_API_METRICS_H
#define VMM_SUPERVISOR_API_METRICS_H

#include <stdint.h>

struct api_vm_info;
struct counters;

/* What the API server counts of itself. */
struct api_stats {
	uint64_t requests;    /* answered, by any status */
	uint64_t errors;      /* of them with a status of 400 or more */
	uint64_t clients;     /* connected now */
	uint64_t turned_away; /* clients over the limit, or of another user */
	uint64_t events;      /* sent, however many were listening */
	uint64_t streams_dropped; /* readers of events that were too slow */
};

/*
 * OpenMetrics 1.0, ending with "# EOF"; the caller frees it. NULL: no memory.
 * @c     NULL: no counters of the machine
 */
char *api_metrics_text(const struct api_vm_info *i, const struct counters *c,
		       const struct api_stats *s);

#endif
