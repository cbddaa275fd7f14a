/*
 * Loaded into the QEMU of the outer machine (LD_PRELOAD): the lock that version
 * 7.2 forgets. A guest that writes CR8 while an interrupt waits for its window
 * (SVM's V_IRQ) comes to cpu_interrupt() from helper_write_crN() without the
 * lock that it has to hold, and tcg_handle_interrupt() ends QEMU:
 *
 *   tcg_handle_interrupt: assertion failed: (qemu_mutex_iothread_locked())
 *
 * OVMF writes CR8 at the end of each interrupt; with more than one CPU the next
 * one often waits then. Where QEMU has these functions under other names, or
 * in one piece, nothing of this is used.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef void handle_interrupt(void *cpu, int mask);

bool qemu_mutex_iothread_locked(void) __attribute__((weak));
void qemu_mutex_lock_iothread_impl(const char *file, int line)
	__attribute__((weak));
void qemu_mutex_unlock_iothread(void) __attribute__((weak));
handle_interrupt tcg_handle_interrupt;

static int find(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	if (!strstr(info->dlpi_name, "/accel-tcg-"))
		return 0;
	*(void **)ret = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
	return 1;
}

/* QEMU's own, in its module for TCG. */
static handle_interrupt *find_real(void)
{
	handle_interrupt *real = NULL;
	void *module = NULL, *p;

	dl_iterate_phdr(find, &module);
	p = module ? dlsym(module, "tcg_handle_interrupt") : NULL;
	if (!p)
		abort();
	memcpy(&real, &p, sizeof(real));
	return real;
}

void tcg_handle_interrupt(void *cpu, int mask)
{
	static handle_interrupt *_Atomic real;
	bool lock = qemu_mutex_iothread_locked &&
		    qemu_mutex_lock_iothread_impl &&
		    qemu_mutex_unlock_iothread && !qemu_mutex_iothread_locked();

	if (!real)
		real = find_real();
	if (lock)
		qemu_mutex_lock_iothread_impl(__FILE__, __LINE__);
	real(cpu, mask);
	if (lock)
		qemu_mutex_unlock_iothread();
}
