/* vmm/base/thread_start.c - one hook for all threads of the process. */
#include "vmm/base/thread_start.h"

#include <stddef.h>

/*
 * Static storage as in log.c: a lock-down is a property of the process, and
 * threads are created where nobody knows of it.
 */
static void (*start_hook)(enum thread_kind kind);

void thread_start_set_hook(void (*hook)(enum thread_kind kind))
{
	start_hook = hook;
}

void thread_start(enum thread_kind kind)
{
	if (start_hook)
		start_hook(kind);
}
