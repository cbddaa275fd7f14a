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
	struct kvm_vcpu *kvm;	/* NULL: not yet */
	struct bus *pio, *mmio; /* borrowed */
	struct vcpu_owner *owner;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* hold, held, quit */
	pthread_cond_t changed;
	bool hold, quit;
	bool held; /* the thread waits, or is about to see that it need not */
};

int vcpu_create(unsigned int id, struct bus *pio, struct bus *mmio,
		struct vcpu_owner *owner, struct vcpu **ret, struct err *err)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	v->id = id;
	v->pio = pio;
	v->mmio = mmio;
	v->owner = owner;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	*ret = v;
	return 0;
}

void vcpu_destroy(struct vcpu *v)
{
	if (!v)
		return;
	kvm_vcpu_destroy(v->kvm);
	pthread_cond_destroy(&v->changed);
	pthread_mutex_destroy(&v->lock);
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

static void run_error(struct vcpu *v, enum kvm_exit_kind kind)
{
	char why[256];

	kvm_vcpu_error(v->kvm, why, sizeof(why));
	if (kind == KVM_EXIT_KIND_NOT_EMULATED)
		v->owner->ops->not_emulated(v->owner, why);
	else
		v->owner->ops->failed(v->owner, why);
}

/*
 * Somebody wants this thread to stop: for good (false), or until it is
 * released.
 */
static bool wait_held(struct vcpu *v)
{
	bool quit;

	pthread_mutex_lock(&v->lock);
	v->held = true;
	if (v->hold)
		v->owner->ops->held(v->owner);
	while (v->hold && !v->quit)
		pthread_cond_wait(&v->changed, &v->lock);
	v->held = false;
	quit = v->quit;
	if (!quit)
		kvm_vcpu_go_on(v->kvm);
	pthread_mutex_unlock(&v->lock);
	return !quit;
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct kvm_exit x;
	char name[16];

	snprintf(name, sizeof(name), "vcpu %u", v->id & 0xff);
	pthread_setname_np(pthread_self(), name);
	thread_start(THREAD_VCPU);
	if (!wait_held(v))
		return NULL;
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
		case KVM_EXIT_KIND_NOT_EMULATED:
		case KVM_EXIT_KIND_ERROR:
			run_error(v, x.kind);
			return NULL;
		case KVM_EXIT_KIND_STOPPED:
			if (!wait_held(v))
				return NULL;
			break;
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
	v->hold = true;
	r = pthread_create(&v->thread, NULL, vcpu_main, v);
	if (r)
		return err_set_kind(err, ERR_HOST, -r, "vCPU %u: thread: %s",
				    v->id, strerror(r));
	thread_start_created();
	v->started = true;
	return 0;
}

void vcpu_give(struct vcpu *v, struct kvm_vcpu *kvm)
{
	pthread_mutex_lock(&v->lock);
	v->kvm = kvm;
	pthread_mutex_unlock(&v->lock);
}

void vcpu_hold(struct vcpu *v)
{
	pthread_mutex_lock(&v->lock);
	v->hold = true;
	if (v->held) { /* released a moment ago, and has not noticed */
		v->owner->ops->held(v->owner);
	} else if (v->started) {
		kvm_vcpu_stop(v->kvm);
		pthread_kill(v->thread, KICK_SIGNAL);
	}
	pthread_mutex_unlock(&v->lock);
}

void vcpu_release(struct vcpu *v)
{
	pthread_mutex_lock(&v->lock);
	v->hold = false;
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

bool vcpu_is_held(struct vcpu *v)
{
	bool is;

	pthread_mutex_lock(&v->lock);
	is = v->hold && v->held;
	pthread_mutex_unlock(&v->lock);
	return is;
}

void vcpu_stop(struct vcpu *v)
{
	pthread_mutex_lock(&v->lock);
	v->quit = true;
	if (v->kvm)
		kvm_vcpu_stop(v->kvm);
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
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
