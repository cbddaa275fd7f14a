/*
 * vmm/supervisor/key_service.h - the kernel's key service, as far as the key
 * broker asks it: keyrings(7), add_key(2), keyctl(2). Tests bring their own.
 */
#ifndef VMM_SUPERVISOR_KEY_SERVICE_H
#define VMM_SUPERVISOR_KEY_SERVICE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { KEY_DESCRIPTION_MAX = 160, KEY_TYPE_MAX = 32 };

/* What KEYCTL_DESCRIBE or a line of /proc/keys says. */
struct key_info {
	int32_t serial;
	uid_t uid;
	gid_t gid;
	uint32_t perm;
	char type[KEY_TYPE_MAX];
	char description[KEY_DESCRIPTION_MAX]; /* cut if longer */
	char expiry[8]; /* "perm", "57s", "expd": only from list() */
	uint32_t usage; /* references: only from list() */
};

/* All return 0 (or what is said) or a negative errno. */
struct key_service;
struct key_service_ops {
	/* A key of type mktme, linked in the process keyring. Its serial. */
	int32_t (*add)(struct key_service *s, const char *description,
		       const void *payload, size_t len);
	/*
	 * Is the type there? As mktme.md says, by a payload that no kernel
	 * takes: -ENODEV, -EACCES (it is, we may not), or 0 (-EINVAL).
	 */
	int (*probe_type)(struct key_service *s);
	/*
	 * Call @nr as encrypt_mprotect() with a key that does not exist: the
	 * negative errno it answered (-ENOKEY is the right one), or 0.
	 */
	int (*probe_call)(struct key_service *s, uint64_t nr);
	int (*describe)(struct key_service *s, int32_t serial,
			struct key_info *ret);
	int (*set_perm)(struct key_service *s, int32_t serial, uint32_t perm);
	int (*set_group)(struct key_service *s, int32_t serial, gid_t gid);
	int (*set_timeout)(struct key_service *s, int32_t serial,
			   unsigned int seconds);
	int (*invalidate)(struct key_service *s, int32_t serial);
	/* Into, out of the process keyring. */
	int (*link)(struct key_service *s, int32_t serial);
	int (*unlink)(struct key_service *s, int32_t serial);
	/* Every key that can be seen; @fn returns other than 0 to stop. */
	int (*list)(struct key_service *s,
		    int (*fn)(void *arg, const struct key_info *k), void *arg);
	/* One at a time among this user's processes. A descriptor to close. */
	int (*lock)(struct key_service *s);
};

struct key_service {
	const struct key_service_ops *ops;
};

/* The kernel's. Static, stateless. */
struct key_service *key_service_kernel(void);

/*
 * (vmm/supervisor/key_info.c) One line of /proc/keys, or the text of
 * KEYCTL_DESCRIBE. 1: *ret is filled; 0: it is something else. Pure.
 */
int key_info_parse_line(const char *line, struct key_info *ret);
int key_info_parse_describe(const char *text, struct key_info *ret);

#endif
