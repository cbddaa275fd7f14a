/* vmm/config_mktme.h - `--mktme`, as plain, checked data. */
#ifndef VMM_CONFIG_MKTME_H
#define VMM_CONFIG_MKTME_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/option.h"

/*
 * --mktme [type=cpu|user|no-encrypt][,id=NAME][,algorithm=aes-xts-128]
 * [,key-file=FILE|,fd=N|,key-command=COMMAND][,share][,handle=SERIAL]
 * [,syscall=N]
 */
struct mktme_config {
	bool given;
	int type;      /* enum mktme_type; MKTME_TYPE_COUNT: not given */
	char *id;      /* NULL: none */
	int algorithm; /* -1: not given */
	char *key_file;
	uint64_t fd; /* UINT64_MAX: none */
	char *key_command;
	bool share;
	uint64_t handle;  /* 0: none */
	uint64_t syscall; /* MKTME_SYSCALL_NONE: as /etc/coffer.conf says */
};

extern const struct option_desc config_mktme_subs[];
void config_mktme_init(void *group);
/* -EINVAL: suboptions that do not go together, or a dangerous number. */
int config_mktme_check(void *group, struct err *err);

struct run_config;
/*
 * What else was asked for: memory and devices that cannot work with keys.
 * -EINVAL with ERR_USAGE and the reason.
 */
int config_mktme_finish(const struct run_config *c, struct err *err);

/* What an operator must know of it, wherever protection is named. */
#define MKTME_PROTECTS                                                         \
	"encrypted against physical attack; not protected from the host"

/* The same, for this key: with type=no-encrypt it does not even do that. */
const char *mktme_protects(const struct mktme_config *m);

#endif
