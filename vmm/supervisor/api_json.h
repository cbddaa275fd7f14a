/* vmm/supervisor/api_json.h - what the API says, as JSON text. */
#ifndef VMM_SUPERVISOR_API_JSON_H
#define VMM_SUPERVISOR_API_JSON_H

#include <stdint.h>

#define API_TYPE_JSON "application/json"
#define API_TYPE_PROBLEM "application/problem+json" /* RFC 9457 */
#define API_TYPE_EVENTS "application/x-ndjson"
#define API_TYPE_METRICS                                                       \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

struct api_vm_info;
struct counters;
struct launch_info;

/*
 * Each returns text with a newline at its end, which the caller frees, or NULL
 * when there is no memory. docs/api.yaml describes them.
 */
/* @c NULL: the counters are not to be had now. */
char *api_json_vm(const struct api_vm_info *i, const struct counters *c);
/* Of a disk that was resized. */
char *api_json_disk(unsigned int lun, uint64_t bytes);
char *api_json_state(const struct api_vm_info *i);
char *api_json_launch(const struct launch_info *l);
/* @report: of ATTESTATION, SEV_REPORT_LEN bytes. */
char *api_json_attestation(const uint8_t *report);
/* @state, @detail may be NULL. */
char *api_json_problem(int status, const char *detail, const char *state);
/* One line. @time_ms since 1970; @detail may be NULL. */
char *api_json_event(uint64_t seq, uint64_t time_ms, const char *event,
		     const char *state, const char *detail);

#endif
