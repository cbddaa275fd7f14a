/* vmm/json_value.c - values that more than one report has. */
#include "vmm/json_value.h"

#include <string.h>

#include "vmm/base/own.h"
#include "vmm/counters.h"

json_t *json_value_text(const char *text)
{
	AUTO(freep) char *ascii = NULL;
	json_t *j;

	if (!text)
		return json_null();
	j = json_string(text);
	if (j)
		return j;
	ascii = strdup(text);
	for (char *p = ascii; p && *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	return ascii ? json_string(ascii) : NULL;
}

json_t *json_value_u64(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

json_t *json_value_counters(const struct counters *c)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < c->n; i++) {
		json_t *dev = json_object_get(all, c->v[i].device);

		if (!dev) {
			dev = json_object();
			json_object_set_new(all, c->v[i].device, dev);
		}
		json_object_set_new(dev, c->v[i].name,
				    json_value_u64(c->v[i].value));
	}
	return all;
}
