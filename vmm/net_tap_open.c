/* vmm/net_tap_open.c - /dev/net/tun, and messages for what it refuses. */
#include "vmm/net_tap_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/net_open.h"

enum {
	MTU_USUAL = 1500, /* what a guest takes without being told */
};

/* --- the interface, by name --------------------------------------------- */

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	/* a '%' would have the kernel make up a name */
	return len && len < IFNAMSIZ && !strpbrk(name, "/% \t\n:") &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* An attribute of the interface as a number; -1: it has none. */
static long attribute(const char *name, const char *what)
{
	AUTO(fd_closep) int fd = -1;
	char path[64 + IFNAMSIZ], text[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = 0;
	return strtol(text, NULL, 0);
}

/* One of SIOCGIF...; negative errno. */
static int ask(const char *name, unsigned long request, struct ifreq *ifr)
{
	AUTO(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(ifr, 0, sizeof(*ifr));
	snprintf(ifr->ifr_name, IFNAMSIZ, "%s", name);
	return fd < 0 || ioctl(fd, request, ifr) < 0 ? -errno : 0;
}

static uint16_t mtu_to_tell(const char *name)
{
	struct ifreq ifr;

	if (ask(name, SIOCGIFMTU, &ifr) < 0 || ifr.ifr_mtu == MTU_USUAL ||
	    ifr.ifr_mtu < 68 || ifr.ifr_mtu > UINT16_MAX)
		return 0;
	return (uint16_t)ifr.ifr_mtu;
}

static int no_such_tap(const char *name, unsigned int n_queues, struct err *err)
{
	return err_set_kind(err, ERR_HOST, -ENODEV,
			    "--net: there is no tap '%s' here; create it: ip "
			    "tuntap add dev %s mode tap%s user %u && ip link "
			    "set %s up",
			    name, name, n_queues > 1 ? " multi_queue" : "",
			    (unsigned int)geteuid(), name);
}

/*
 * Is it a tap, and how many queues can it have? Asked before TUNSETIFF, which
 * creates what is missing and says EINVAL to everything else.
 */
static int check_tap(const char *name, unsigned int n_queues, long *ret_flags,
		     struct err *err)
{
	struct ifreq ifr;
	long flags = attribute(name, "tun_flags");

	if (ask(name, SIOCGIFINDEX, &ifr) < 0)
		return no_such_tap(name, n_queues, err);
	if (flags < 0 && attribute(name, "ifindex") < 0)
		flags = IFF_TAP; /* no /sys: the kernel has the last word */
	if (flags < 0 || !(flags & IFF_TAP))
		return err_set_kind(err, ERR_HOST, -EINVAL,
				    "--net: '%s' is not a tap%s", name,
				    flags < 0 ? " (of a macvtap, open "
						"/dev/tapN and give fd=N)"
					      : " but a tun, which has no "
						"Ethernet frames");
	if (n_queues > 1 && !(flags & IFF_MULTI_QUEUE))
		return err_set_kind(err, ERR_HOST, -EINVAL,
				    "--net: tap '%s' has one queue; create it "
				    "with multi_queue: ip tuntap add dev %s "
				    "mode tap multi_queue user %u",
				    name, name, (unsigned int)geteuid());
	/* one with several queues lets a second VM join in silence */
	if (flags & IFF_MULTI_QUEUE && attribute(name, "carrier") == 1)
		return err_set_kind(err, ERR_HOST, -EBUSY,
				    "--net: tap '%s' is in use by another "
				    "process",
				    name);
	*ret_flags = flags;
	return 0;
}

/* --- /dev/net/tun ------------------------------------------------------- */

static int open_failed(int e, struct err *err)
{
	if (e == EACCES || e == EPERM)
		return err_set_kind(
			err, ERR_PERM, -e,
			"--net: /dev/net/tun: no permission; chmod "
			"666 /dev/net/tun is what distributions do");
	return err_set_kind(err, ERR_HOST, -e,
			    "--net: /dev/net/tun: %s; modprobe tun, or use "
			    "--net user",
			    strerror(e));
}

static int attach_failed(const char *name, int e, struct err *err)
{
	if (e == EPERM || e == EACCES)
		return err_set_kind(err, ERR_PERM, -e,
				    "--net: tap '%s' is not yours; as root: ip "
				    "tuntap del dev %s mode tap && ip tuntap "
				    "add dev %s mode tap user %u && ip link "
				    "set %s up",
				    name, name, name, (unsigned int)geteuid(),
				    name);
	if (e == EBUSY)
		return err_set_kind(err, ERR_HOST, -e,
				    "--net: tap '%s' is in use by another "
				    "process",
				    name);
	return err_set_kind(err, ERR_HOST, -e, "--net: tap '%s': %s", name,
			    strerror(e));
}

/* One more queue of the tap. */
static int attach(const char *name, short flags, int *ret, struct err *err)
{
	AUTO(fd_closep) int fd = -1;
	struct ifreq ifr = {0};

	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return open_failed(errno, err);
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	ifr.ifr_flags = flags;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return attach_failed(name, errno, err);
	*ret = TAKE_FD(fd);
	return 0;
}

/* Everything this kernel's TUNSETOFFLOAD takes; it is left with none. */
static uint32_t probe_offloads(int fd)
{
	static const uint32_t steps[] = {
		NET_OFFLOAD_CSUM,
		NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6 | NET_OFFLOAD_ECN,
		NET_OFFLOAD_UFO,
		NET_OFFLOAD_USO4 | NET_OFFLOAD_USO6,
	};
	uint32_t have = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (!ioctl(fd, TUNSETOFFLOAD, (unsigned long)(have | steps[i])))
			have |= steps[i];
	ioctl(fd, TUNSETOFFLOAD, 0UL);
	return have & NET_OFFLOAD_CSUM ? have : 0;
}

static int prepare(int fd, const char *name, struct net_host *h,
		   struct err *err)
{
	int len = NET_HDR_LEN;

	h->mtu = mtu_to_tell(name);
	if (!h->vnet_hdr)
		return 0;
	if (ioctl(fd, TUNSETVNETHDRSZ, &len) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "--net: tap '%s': TUNSETVNETHDRSZ: %s",
				    name, strerror(errno));
	h->offloads = probe_offloads(fd);
	return 0;
}

static void warn_if_down(const char *name)
{
	struct ifreq ifr;

	if (!ask(name, SIOCGIFFLAGS, &ifr) && !(ifr.ifr_flags & IFF_UP))
		log_warn("--net: tap '%s' is down; ip link set %s up", name,
			 name);
}

int net_tap_open(const char *name, unsigned int n_queues, struct net_host *h,
		 struct err *err)
{
	int flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	long have = 0;
	int r;

	if (!is_name(name))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--net: '%s' is not the name of an "
				    "interface (1 to %d characters)",
				    name, IFNAMSIZ - 1);
	r = check_tap(name, n_queues, &have, err);
	if (r < 0)
		return r;
	/* has to be as at its creation, even for one queue */
	if (have & IFF_MULTI_QUEUE)
		flags |= IFF_MULTI_QUEUE;
	for (h->n_fds = 0; h->n_fds < n_queues; h->n_fds++) {
		r = attach(name, (short)flags, &h->fds[h->n_fds], err);
		if (r < 0)
			return r;
	}
	h->kind = NET_HOST_TAP;
	h->vnet_hdr = true;
	warn_if_down(name);
	return prepare(h->fds[0], name, h, err);
}

int net_tap_adopt(int fd, struct net_host *h, char *ret_name, struct err *err)
{
	struct ifreq ifr = {0};
	int r;

	if (ioctl(fd, TUNGETIFF, &ifr) < 0) {
		if (errno != EBADFD)
			return 0;
		return err_set_kind(err, ERR_USAGE, -EBADFD,
				    "--net: fd=%d is /dev/net/tun, but "
				    "attached to no interface (TUNSETIFF)",
				    fd);
	}
	if (!(ifr.ifr_flags & IFF_TAP) || !(ifr.ifr_flags & IFF_NO_PI))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--net: fd=%d has to be a tap with "
				    "IFF_TAP and IFF_NO_PI",
				    fd);
	snprintf(ret_name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, ifr.ifr_name);
	h->vnet_hdr = ifr.ifr_flags & IFF_VNET_HDR;
	r = prepare(fd, ret_name, h, err);
	return r < 0 ? r : 1;
}
