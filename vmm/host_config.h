/*
 * vmm/host_config.h - /etc/coffer.conf: what is true of this host for every
 * guest on it.
 */
#ifndef VMM_HOST_CONFIG_H
#define VMM_HOST_CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define HOST_CONFIG_PATH "/etc/coffer.conf"
enum { HOST_CONFIG_MAX = 65536 }; /* bytes of the file */

struct host_config {
	uint64_t mktme_syscall; /* 0: not set */
};

/*
 * Lines of "name = value"; empty ones and what follows a # are left out.
 * -EINVAL with ERR_INPUT: the line and what is wrong with it
 */
int host_config_parse(const char *text, size_t len, struct host_config *ret,
		      struct err *err);
/*
 * The file @path. All defaults when there is none.
 * ERR_INPUT, ERR_PERM: it cannot be read, or is wrong
 */
int host_config_read(const char *path, struct host_config *ret,
		     struct err *err);

#endif
