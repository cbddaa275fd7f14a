/*
 * vmm/supervisor/key_broker.h - the MKTME key of one start of a guest: asks the
 * kernel for it, lets the monitor see it, takes it back.
 *
 * KeyIDs are few (3 to 63 on most hosts), so no end of a start may keep one.
 * The key is linked in the supervisor's process keyring and nowhere else: it
 * goes when that process ends, however it ends. Until the guest's memory is
 * encrypted it also has a timeout. Then an unshared key is invalidated; the
 * memory keeps its KeyID until it is unmapped. A shared key (one tenant, many
 * guests) is linked by the supervisor of each of its guests, so the kernel
 * counts, and it goes with the last.
 *
 * The monitor gets a serial number and the right to look (VIEW), which is all
 * that encrypt_mprotect() asks for. It does not possess the key.
 */
#ifndef VMM_SUPERVISOR_KEY_BROKER_H
#define VMM_SUPERVISOR_KEY_BROKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "crypto/mktme_key.h"
#include "vmm/base/own.h"

struct err;
struct key_broker; /* opaque */
struct key_service;

enum {
	KEY_START_SECONDS = 60, /* from add_key to "memory is encrypted" */
	KEY_ID_MAX = 64,	/* bytes of a name */
};

/* Begins every description that is ours. */
#define KEY_PREFIX "coffer:"

struct key_request {
	enum mktme_type type;
	const struct mktme_secret *secret; /* MKTME_TYPE_USER; borrowed */
	const char *id;			   /* name, or NULL */
	bool share;			   /* id is given, too */
	int32_t handle;			   /* > 0: the caller's key */
	uint64_t syscall;		   /* 0: not configured */
	/*
	 * The monitor's group, when it has another uid than we: the key becomes
	 * visible to it. (gid_t)-1: it has our uid.
	 */
	gid_t viewers;
};

/*
 * Is this a kernel with MKTME, may we add keys, and does it have the call at
 * @syscall? Asks in this order and stops at the first no, so that no system
 * call of an unproven number is ever made on a kernel without the key type.
 * -ENODEV   ERR_HOST: no key type "mktme"
 * -EACCES   ERR_PERM: neither CAP_SYS_RESOURCE nor CAP_SYS_ADMIN
 * -EINVAL   ERR_USAGE: no number, or a dangerous one
 * -ENOSYS   ERR_HOST: the number is no call
 * -EPROTO   ERR_HOST: the number is another call
 */
int key_broker_check(struct key_service *s, uint64_t syscall, struct err *err);

/*
 * Check, then get the key. Nothing is left behind on failure.
 * -ENOKEY   ERR_BUSY: all KeyIDs are in use
 * -EEXIST   ERR_BUSY: an unshared key of the same id is being used
 * -EOPNOTSUPP ERR_HOST: this kernel takes no user keys
 * -EDQUOT   ERR_BUSY: the user's quota of keys
 * -EINVAL   ERR_HOST: the kernel refuses (unsafe memory topology)
 * for handle=: ERR_INPUT: no such key, of another type, of another user,
 *           revoked, expired; ERR_PERM: not ours to use
 */
int key_broker_create(struct key_service *s, const struct key_request *req,
		      struct key_broker **ret, struct err *err);
/* Takes back what is left. NULL is fine. */
void key_broker_destroy(struct key_broker *b);
DEFINE_CLEANUP(struct key_broker, key_broker_destroy)

int32_t key_broker_serial(const struct key_broker *b);
/* The guest's memory is encrypted. Idempotent. */
void key_broker_encrypted(struct key_broker *b);

/* Of our descriptions: "coffer:PID:ID:NONCE" or "coffer:share:ID:NONCE". */
struct key_name {
	bool share;
	int pid; /* 0 for shared ones */
	char id[KEY_ID_MAX + 1];
};
/* Is @description one of ours? */
bool key_name_parse(const char *description, struct key_name *ret);

#endif
