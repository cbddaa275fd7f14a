/* vmm/base/thread_start.c - one hook for all threads of the process. */
#include "vmm/base/thread_start.h"

#include <pthread.h>
#include <stddef.h>

/*
 * Static storage as in log.c: a lock-down is a property of the process, and
 * threads are created where nobody knows of it.
 */
static void (*start_hook)(enum thread_kind kind);
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int n; /* created and not started; below 0: a creator is behind */
} missing = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

void thread_start_set_hook(void (*hook)(enum thread_kind kind))
{
	start_hook = hook;
}

void thread_start(enum thread_kind kind)
{
	if (start_hook)
		start_hook(kind);
	pthread_mutex_lock(&missing.lock);
	missing.n--;
	pthread_cond_signal(&missing.changed);
	pthread_mutex_unlock(&missing.lock);
}

void thread_start_created(void)
{
	pthread_mutex_lock(&missing.lock);
	missing.n++;
	pthread_mutex_unlock(&missing.lock);
}

void thread_start_wait(void)
{
	pthread_mutex_lock(&missing.lock);
	while (missing.n > 0)
		pthread_cond_wait(&missing.changed, &missing.lock);
	pthread_mutex_unlock(&missing.lock);
}
