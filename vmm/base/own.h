/* vmm/base/own.h - ownership of locals, by the cleanup attribute. */
#ifndef VMM_BASE_OWN_H
#define VMM_BASE_OWN_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * AUTO(fd_closep) int fd = -1;               closed when the scope ends
 * AUTO(thing_destroyp) struct thing *t = 0;  destroyed when the scope ends
 * *ret = TAKE(t);   *ret_fd = TAKE_FD(fd);   leaves the function instead
 */
#define AUTO(fn) __attribute__((cleanup(fn)))

#define TAKE(p)                                                                \
	({                                                                     \
		__typeof__(p) take_ = (p);                                     \
		(p) = NULL;                                                    \
		take_;                                                         \
	})

#define TAKE_FD(fd)                                                            \
	({                                                                     \
		int take_ = (fd);                                              \
		(fd) = -1;                                                     \
		take_;                                                         \
	})

/* Defines fn##p, the cleanup function of a `type *` freed by fn(). */
#define DEFINE_CLEANUP(type, fn)                                               \
	static inline void fn##p(type **p)                                     \
	{                                                                      \
		fn(*p);                                                        \
	}

#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

#endif
