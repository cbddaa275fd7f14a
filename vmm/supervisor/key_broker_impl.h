/* vmm/supervisor/key_broker_impl.h - errors of the key service, in words. */
#ifndef VMM_SUPERVISOR_KEY_BROKER_IMPL_H
#define VMM_SUPERVISOR_KEY_BROKER_IMPL_H

#include <stdint.h>

#include "crypto/mktme_key.h"

struct err;

/* Of add_key(2) with a payload of @type; returns a negative errno. */
int key_explain_add(int r, enum mktme_type type, struct err *err);
/* Of KEYCTL_DESCRIBE of a handle. */
int key_explain_handle(int r, int32_t handle, struct err *err);

#endif
