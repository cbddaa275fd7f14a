/*
 * vmm/base/locked.h - memory for secrets: never swapped, not in core dumps,
 * not in children, wiped when it is freed.
 */
#ifndef VMM_BASE_LOCKED_H
#define VMM_BASE_LOCKED_H

#include <stddef.h>

struct err;

/*
 * @len bytes (1..65536), zeroed.
 * -ENOMEM or -EPERM with ERR_HOST: RLIMIT_MEMLOCK is too small; the message
 *         says how much is needed
 */
int locked_alloc(size_t len, void **ret, struct err *err);
/* Wipes. @len as it was given. NULL is fine. */
void locked_free(void *p, size_t len);

#endif
