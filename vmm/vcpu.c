/* vmm/vcpu.c - exit dispatch: the first code of ours that a guest reaches. */
#include "vmm/vcpu.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/thread_start.h"
#include "vmm/bus.h"
#include "vmm/kvm/kvm_vcpu.h"

/* Only to interrupt KVM_RUN and system calls: the handler does nothing. */
#define KICK_SIGNAL SIGRTMIN

struct vcpu {
	unsigned int id;
	struct kvm_vcpu *kvm;
	struct bus *pio, *mmio; /* borrowed */
	struct vcpu_owner *owner;
	pthread_t thread;
	bool started;
};

int vcpu_create(unsigned int id, struct kvm_vcpu *kvm, struct bus *pio,
		struct bus *mmio, struct vcpu_owner *owner, struct vcpu **ret,
		struct err *err)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	if (!v) {
		kvm_vcpu_destroy(kvm);
		return err_set(err, -ENOMEM, "out of memory");
	}
	v->id = id;
	v->kvm = kvm;
	v->pio = pio;
	v->mmio = mmio;
	v->owner = owner;
	*ret = v;
	return 0;
}

void vcpu_destroy(struct vcpu *v)
{
	if (!v)
		return;
	kvm_vcpu_destroy(v->kvm);
	free(v);
}

static uint64_t load(const uint8_t *p, unsigned int width)
{
	uint8_t b[8] = {0};

	memcpy(b, p, width);
	return load_le64(b);
}

static void store(uint8_t *p, unsigned int width, uint64_t val)
{
	uint8_t b[8];

	store_le64(b, val);
	memcpy(p, b, width);
}

/* One or, for string instructions on a port, several accesses. */
static void access_bus(struct bus *bus, const struct kvm_exit *x)
{
	uint8_t *p = x->data;

	if (x->width > 8)
		return;
	for (uint32_t i = 0; i < x->count; i++, p += x->width) {
		if (x->is_write)
			bus_write(bus, x->addr, x->width, load(p, x->width));
		else
			store(p, x->width, bus_read(bus, x->addr, x->width));
	}
}

static void access_msr(struct vcpu *v, const struct kvm_exit *x)
{
	*x->refuse = !v->owner->ops->msr(v->owner, (uint32_t)x->addr,
					 x->is_write, x->value);
}

static void map_gpa(struct vcpu *v, const struct kvm_exit *x)
{
	int r = v->owner->ops->map_gpa(v->owner, x->addr, x->len,
				       x->is_private);

	*x->value = (uint64_t)(r < 0 ? KVM_RESULT_EINVAL : KVM_RESULT_OK);
}

static void run_error(struct vcpu *v)
{
	char why[256];

	kvm_vcpu_error(v->kvm, why, sizeof(why));
	v->owner->ops->failed(v->owner, why);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_exit x;
	char name[16];

	snprintf(name, sizeof(name), "vcpu %u", v->id & 0xff);
	pthread_setname_np(pthread_self(), name);
	thread_start(THREAD_VCPU);
	for (;;) {
		kvm_vcpu_run(v->kvm, &x);
		switch (x.kind) {
		case KVM_EXIT_KIND_NONE:
			break;
		case KVM_EXIT_KIND_IO:
			access_bus(v->pio, &x);
			v->owner->ops->port_done(v->owner);
			break;
		case KVM_EXIT_KIND_MMIO:
			access_bus(v->mmio, &x);
			break;
		case KVM_EXIT_KIND_MSR:
			access_msr(v, &x);
			break;
		case KVM_EXIT_KIND_MAP_GPA:
			map_gpa(v, &x);
			break;
		case KVM_EXIT_KIND_SHUTDOWN:
			v->owner->ops->shutdown(v->owner, v->id);
			return NULL;
		case KVM_EXIT_KIND_ERROR:
			run_error(v);
			return NULL;
		case KVM_EXIT_KIND_STOPPED:
			return NULL;
		}
	}
}

static void on_kick(int signo)
{
	(void)signo;
}

int vcpu_start(struct vcpu *v, struct err *err)
{
	struct sigaction sa = {.sa_handler = on_kick}; /* no SA_RESTART */
	int r;

	sigaction(KICK_SIGNAL, &sa, NULL);
	r = pthread_create(&v->thread, NULL, vcpu_main, v);
	if (r)
		return err_set_kind(err, ERR_HOST, -r, "vCPU %u: thread: %s",
				    v->id, strerror(r));
	v->started = true;
	return 0;
}

void vcpu_stop(struct vcpu *v)
{
	kvm_vcpu_stop(v->kvm);
	if (v->started)
		pthread_kill(v->thread, KICK_SIGNAL);
}

void vcpu_join(struct vcpu *v)
{
	if (!v->started)
		return;
	pthread_join(v->thread, NULL);
	v->started = false;
}

struct kvm_vcpu *vcpu_kvm(struct vcpu *v)
{
	return v->kvm;
}
