/* sim/sim_vms.c - the table of simulated VMs, by sighting. */
#include "sim/sim_vms.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "sim/sim_proc.h"
#include "vmm/base/list.h"
#include "vmm/base/loop.h"

enum { SIGHTINGS_MAX = 8 };

struct vm {
	struct list link;
	struct sim_vms *all; /* borrowed */
	struct sim_vms_entry entry;
	pid_t tgid;
	int pidfd;
	struct loop_source *exited;
	uint32_t fd[SIGHTINGS_MAX];
	size_t n_fds;
	/* vCPU descriptors seen, with their numbers. */
	struct {
		uint32_t fd, id;
	} * vcpu; /* owned */
	size_t n_vcpus;
};

struct sim_vms {
	struct list vms; /* the newest last */
	struct sim_kvm *kvm;
	struct loop *loop;
	uint32_t n_ever;
};

struct sim_vms *sim_vms_create(struct sim_kvm *kvm, struct loop *loop)
{
	struct sim_vms *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->kvm = kvm;
	v->loop = loop;
	list_init(&v->vms);
	return v;
}

static void drop(struct vm *m)
{
	if (list_linked(&m->link))
		list_remove(&m->link);
	loop_remove(m->exited);
	if (m->pidfd >= 0)
		close(m->pidfd);
	sim_kvm_vm_destroy(m->entry.vm);
	free(m->vcpu);
	free(m);
}

void sim_vms_destroy(struct sim_vms *v)
{
	struct list *l;

	if (!v)
		return;
	while ((l = list_first(&v->vms)))
		drop(container_of(l, struct vm, link));
	free(v);
}

static void on_exit_of(void *arg, int fd, uint32_t events)
{
	(void)fd, (void)events;
	drop(arg);
}

static struct vm *add(struct sim_vms *v, pid_t tgid, uint32_t fd)
{
	struct vm *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->all = v;
	m->tgid = tgid;
	m->pidfd = pidfd_open(tgid, 0);
	m->entry.vm = sim_kvm_vm_create(v->kvm);
	m->entry.number = ++v->n_ever;
	m->fd[m->n_fds++] = fd;
	if (!m->entry.vm || m->pidfd < 0 ||
	    loop_add_fd(v->loop, m->pidfd, EPOLLIN, on_exit_of, m, &m->exited) <
		    0) {
		drop(m);
		return NULL;
	}
	list_add_tail(&v->vms, &m->link);
	return m;
}

static void sight(struct vm *m, uint32_t fd)
{
	for (size_t i = 0; i < m->n_fds; i++)
		if (m->fd[i] == fd)
			return;
	if (m->n_fds == SIGHTINGS_MAX)
		memmove(m->fd, m->fd + 1, --m->n_fds * sizeof(m->fd[0]));
	m->fd[m->n_fds++] = fd;
}

static bool is_at(const struct vm *m, pid_t tid, uint32_t fd)
{
	for (size_t i = 0; i < m->n_fds; i++)
		if (sim_proc_same_file(m->tgid, m->fd[i], tid, fd))
			return true;
	return false;
}

int sim_vms_find(struct sim_vms *v, pid_t tid, uint32_t fd,
		 struct sim_vms_entry *ret)
{
	pid_t tgid = sim_proc_tgid(tid);
	struct vm *found = NULL;

	if (tgid < 0)
		return tgid;
	for (struct list *l = list_first(&v->vms); l && !found;
	     l = list_next(&v->vms, l)) {
		struct vm *m = container_of(l, struct vm, link);

		if (is_at(m, tid, fd))
			found = m;
	}
	if (found && found->tgid != tgid)
		return -EIO;
	if (found)
		sight(found, fd);
	else
		found = add(v, tgid, fd);
	if (!found)
		return -ENOMEM;
	*ret = found->entry;
	return 0;
}

/* Was vCPU descriptor @fd, or with @fd < 0 vCPU @id, seen of this VM? */
static bool has_vcpu(const struct vm *m, int64_t fd, uint32_t id)
{
	for (size_t i = 0; i < m->n_vcpus; i++)
		if (m->vcpu[i].id == id && (fd < 0 || m->vcpu[i].fd == fd))
			return true;
	return false;
}

static struct vm *guess_vcpu(struct sim_vms *v, pid_t tgid, uint32_t id)
{
	for (struct list *l = list_first(&v->vms); l;
	     l = list_next(&v->vms, l)) {
		struct vm *m = container_of(l, struct vm, link);

		if (m->tgid == tgid && sim_kvm_vmsa(m->entry.vm, id) &&
		    !has_vcpu(m, -1, id))
			return m;
	}
	return NULL;
}

static bool remember_vcpu(struct vm *m, uint32_t fd, uint32_t id)
{
	void *list = reallocarray(m->vcpu, m->n_vcpus + 1, sizeof(*m->vcpu));

	if (!list)
		return false;
	m->vcpu = list;
	m->vcpu[m->n_vcpus].fd = fd;
	m->vcpu[m->n_vcpus++].id = id;
	return true;
}

struct sim_vmsa *sim_vms_vcpu(struct sim_vms *v, pid_t tid, uint32_t fd,
			      uint32_t vcpu, struct sim_vms_entry *ret)
{
	pid_t tgid = sim_proc_tgid(tid);
	struct vm *found = NULL;

	for (struct list *l = list_first(&v->vms); l && !found;
	     l = list_next(&v->vms, l)) {
		struct vm *m = container_of(l, struct vm, link);

		if (m->tgid == tgid && has_vcpu(m, fd, vcpu))
			found = m;
	}
	if (!found) {
		found = guess_vcpu(v, tgid, vcpu);
		if (!found || !remember_vcpu(found, fd, vcpu))
			return NULL;
	}
	*ret = found->entry;
	return sim_kvm_vmsa(found->entry.vm, vcpu);
}

/* Forget the places where it is not any more. */
static void look_again(struct vm *m)
{
	size_t n = 0;
	uint32_t vcpu;

	for (size_t i = 0; i < m->n_fds; i++)
		if (sim_proc_fd_kind(m->tgid, m->fd[i], &vcpu) == SIM_FD_VM)
			m->fd[n++] = m->fd[i];
	m->n_fds = n;
}

void sim_vms_revalidate(struct sim_vms *v)
{
	struct list *l, *next;

	for (l = list_first(&v->vms); l; l = next) {
		struct vm *m = container_of(l, struct vm, link);

		next = list_next(&v->vms, l);
		look_again(m);
		if (!m->n_fds)
			drop(m);
	}
}
