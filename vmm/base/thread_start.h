/*
 * vmm/base/thread_start.h - what a new thread does before anything else.
 *
 * Threads are created in components that know nothing of a process's lock-down
 * (vCPUs, I/O threads, disk workers). The process that has one sets the hook
 * once, before it creates the first thread, and waits for all of them to have
 * called it before the first that a guest can reach goes on.
 */
#ifndef VMM_BASE_THREAD_START_H
#define VMM_BASE_THREAD_START_H

/* What a thread is for; seccomp has a list for each. */
enum thread_kind {
	THREAD_MAIN = 0, /* the main thread's event loop */
	THREAD_VCPU,	 /* runs a vCPU */
	THREAD_IO,	 /* a device's event loop */
	THREAD_WORKER,	 /* does blocking disk I/O for a device */
	THREAD_KIND_COUNT,
};

/* NULL, the default: nothing. Before the first thread. */
void thread_start_set_hook(void (*hook)(enum thread_kind kind));
/* Called by every thread function, first of all. */
void thread_start(enum thread_kind kind);

/* Called by whoever has created a thread, once for each. */
void thread_start_created(void);
/*
 * Wait until all threads that were created are through with thread_start().
 * By the thread that creates them: nobody else may, meanwhile.
 */
void thread_start_wait(void);

#endif
