/* vmm/supervisor/key_info.c - what the kernel says of a key, as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/supervisor/key_service.h"

/* Copy @text up to its end, @stop or a newline; cut it if it is too long. */
static void take(char *to, size_t max, const char *text)
{
	size_t n = strcspn(text, "\n");

	if (n >= max)
		n = max - 1;
	memcpy(to, text, n);
	to[n] = 0;
}

/* "mktme;0;0;39010000;coffer:..." (keyctl_describe(3)) */
int key_info_parse_describe(const char *text, struct key_info *ret)
{
	struct key_info k = {0};
	int at = 0;

	if (sscanf(text, "%31[^;];%" SCNu32 ";%" SCNu32 ";%" SCNx32 ";%n",
		   k.type, &k.uid, &k.gid, &k.perm, &at) != 4 ||
	    !at)
		return 0;
	take(k.description, sizeof(k.description), text + at);
	*ret = k;
	return 1;
}

/*
 * "29d32113 I--Q---     1 perm 39010000     0     0 mktme     k1" (keyrings(7)
 * and proc_keys(5)): serial, flags, usage, expiry, permissions, uid, gid, type,
 * description. Types describe themselves after a colon and a space.
 */
int key_info_parse_line(const char *line, struct key_info *ret)
{
	struct key_info k = {0};
	uint32_t serial;
	int uid, gid, at = 0;
	char *colon;

	if (sscanf(line,
		   "%" SCNx32 " %*7s %" SCNu32 " %7s %" SCNx32 " %d %d %31s %n",
		   &serial, &k.usage, k.expiry, &k.perm, &uid, &gid, k.type,
		   &at) != 7 ||
	    !at)
		return 0;
	k.serial = (int32_t)serial;
	k.uid = (uid_t)uid;
	k.gid = (gid_t)gid;
	take(k.description, sizeof(k.description), line + at);
	colon = strstr(k.description, ": ");
	if (colon)
		*colon = 0;
	*ret = k;
	return 1;
}
