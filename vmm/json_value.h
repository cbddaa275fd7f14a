/* vmm/json_value.h - JSON of what the project's reports have in common. */
#ifndef VMM_JSON_VALUE_H
#define VMM_JSON_VALUE_H

#include <jansson.h>
#include <stdint.h>

struct counters;

/*
 * @text as a string. Names of files and messages that have one in them need
 * not be UTF-8, but JSON must: then bytes above 0x7f become '?'. NULL: null.
 */
json_t *json_value_text(const char *text);
/* What does not fit into JSON's (and jansson's) integers is its largest. */
json_t *json_value_u64(uint64_t v);
/* {"scsi0": {"requests": 5, ...}, ...} */
json_t *json_value_counters(const struct counters *c);

#endif
