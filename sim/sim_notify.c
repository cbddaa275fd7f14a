/* sim/sim_notify.c - the loop's end of seccomp's user notification. */
#include "sim/sim_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"

/* Linux 6.6: answer on the caller's CPU, which saves a wake-up elsewhere. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

struct sim_notify {
	struct sim_host *host; /* borrowed */
	int listener;
	struct loop_source *source;
	/* As large as this kernel's structures, which may have grown. */
	struct seccomp_notif *req;	 /* owned */
	struct seccomp_notif_resp *resp; /* owned */
	size_t req_size, resp_size;
	void (*ended)(void *arg);
	void *arg;
};

static void send_response(struct sim_notify *n, const struct sim_answer *a)
{
	memset(n->resp, 0, n->resp_size);
	n->resp->id = n->req->id;
	if (a->kind == SIM_CONTINUE)
		n->resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (a->value < 0)
		n->resp->error = a->value;
	else
		n->resp->val = a->value;
	if (ioctl(n->listener, SECCOMP_IOCTL_NOTIF_SEND, n->resp) < 0 &&
	    errno != ENOENT) /* it was killed meanwhile */
		log_error("sim: cannot answer a call: %s", strerror(errno));
}

/* Hand out a descriptor and answer with its number, in one step. */
static void send_fd(struct sim_notify *n, const struct sim_answer *a)
{
	struct seccomp_notif_addfd add = {
		.id = n->req->id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)a->value,
		.newfd_flags = a->cloexec ? O_CLOEXEC : 0,
	};
	int r = ioctl(n->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	if (r < 0 && errno != ENOENT) /* its table is full, for one */
		send_response(n, &(struct sim_answer){.kind = SIM_RETURN,
						      .value = -errno});
	if (a->close_fd)
		close(a->value);
}

static void answer(struct sim_notify *n)
{
	struct sim_proc proc;
	struct sim_call call = {.nr = n->req->data.nr, .proc = &proc};
	struct sim_answer a;

	for (size_t i = 0; i < ARRAY_SIZE(call.args); i++)
		call.args[i] = n->req->data.args[i];
	sim_proc_init(&proc, (pid_t)n->req->pid, n->listener, n->req->id,
		      n->host->sev_files);
	/* A thread in a PID namespace that is not below ours has no number. */
	if (!n->req->pid) {
		log_error("sim: a call from outside of our PID namespace is "
			  "not simulated");
		a = (struct sim_answer){.kind = SIM_CONTINUE};
	} else {
		sim_host_answer(n->host, &call, &a);
	}
	if (a.kind == SIM_FD)
		send_fd(n, &a);
	else
		send_response(n, &a);
}

static void on_event(void *arg, int fd, uint32_t events)
{
	struct sim_notify *n = arg;

	if (events & EPOLLIN) {
		memset(n->req, 0, n->req_size);
		/* ENOENT: the caller was killed before we looked. */
		if (!ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, n->req))
			answer(n);
		return;
	}
	loop_remove(n->source);
	n->source = NULL;
	n->ended(n->arg);
}

static int allocate(struct sim_notify *n, struct err *err)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "no seccomp user notification: %s",
				    strerror(errno));
	n->req_size = sizes.seccomp_notif;
	if (n->req_size < sizeof(*n->req))
		n->req_size = sizeof(*n->req);
	n->resp_size = sizes.seccomp_notif_resp;
	if (n->resp_size < sizeof(*n->resp))
		n->resp_size = sizeof(*n->resp);
	n->req = calloc(1, n->req_size);
	n->resp = calloc(1, n->resp_size);
	return n->req && n->resp ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int sim_notify_create(struct sim_host *host, struct loop *loop, int listener,
		      void (*ended)(void *arg), void *arg,
		      struct sim_notify **ret, struct err *err)
{
	AUTO(sim_notify_destroyp) struct sim_notify *n = calloc(1, sizeof(*n));
	int r;

	if (!n) {
		close(listener);
		return err_set(err, -ENOMEM, "out of memory");
	}
	n->host = host;
	n->listener = listener;
	n->ended = ended;
	n->arg = arg;
	r = allocate(n, err);
	if (r < 0)
		return r;
	/* Optional: it is only faster. */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	      SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	r = loop_add_fd(loop, listener, EPOLLIN | EPOLLHUP, on_event, n,
			&n->source);
	if (r < 0)
		return err_set(err, r, "cannot wait for calls: %s",
			       strerror(-r));
	*ret = TAKE(n);
	return 0;
}

void sim_notify_destroy(struct sim_notify *n)
{
	if (!n)
		return;
	loop_remove(n->source);
	close(n->listener);
	free(n->req);
	free(n->resp);
	free(n);
}
