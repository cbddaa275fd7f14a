/* tests/system/stage0_host_vm.c - KVM, and the devices stage0 talks to. */
#include "tests/system/stage0_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware/stage0/s0_fw_cfg.h"
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_sev.h"
#include "firmware/stage0/s0_sha256.h"
#include "firmware/stage0_reason.h"
#include "mem/mem_map.h"
#include "vmm/base/bytes.h"

enum {
	KEY_E820 = 0x20,
	CONTROL_SELECT = 1 << 3,
	BSS_BEGIN_LEN = 128, /* of .bss: what start.S has there, and more */
};
#define MSR_EFER 0xc0000080

void fail(const struct host *h, const char *why)
{
	printf("FAILED: %s (reason %u, GHCB %#llx, said: %s)\n", why, h->reason,
	       (unsigned long long)h->last_ghcb, h->text);
	exit(1);
}

void skip(const char *what)
{
	printf("SKIPPED: %s\n", what);
	exit(SKIPPED);
}

int need(long r, const char *what)
{
	if (r < 0) {
		printf("SKIPPED: %s: %m\n", what);
		exit(SKIPPED);
	}
	return (int)r;
}

uint8_t *pages(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		skip("no memory");
	return p;
}

static void map(struct host *h, uint32_t slot, uint64_t gpa, uint8_t *at,
		size_t len, uint32_t flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)at,
	};

	need(ioctl(h->vm, KVM_SET_USER_MEMORY_REGION, &r), "memory region");
}

static struct kvm_cpuid_entry2 *leaf(struct host *h, uint32_t fn)
{
	for (uint32_t i = 0; i < h->cpuid.c.nent; i++)
		if (h->cpuid.e[i].function == fn && !h->cpuid.e[i].index)
			return &h->cpuid.e[i];
	if (h->cpuid.c.nent == CPUIDS)
		skip("too many CPUID entries");
	h->cpuid.e[h->cpuid.c.nent] = (struct kvm_cpuid_entry2){.function = fn};
	return &h->cpuid.e[h->cpuid.c.nent++];
}

/* Reads and writes of SEV's two MSRs exit. */
static void filter_msrs(struct host *h)
{
	static uint8_t none[1];
	bool efer = h->forget_bss || h->separate;
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args[0] = KVM_MSR_EXIT_REASON_FILTER,
	};
	struct kvm_msr_filter f = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {.flags = KVM_MSR_FILTER_READ |
				       KVM_MSR_FILTER_WRITE,
			      .nmsrs = 2,
			      .base = MSR_GHCB,
			      .bitmap = none},
		/* What is read right before paging. */
		.ranges[1] = {.flags = efer ? KVM_MSR_FILTER_READ : 0,
			      .nmsrs = efer,
			      .base = MSR_EFER,
			      .bitmap = none},
	};

	need(ioctl(h->vm, KVM_ENABLE_CAP, &cap), "MSRs in user space");
	need(ioctl(h->vm, KVM_X86_SET_MSR_FILTER, &f), "MSR filter");
}

void read_image(struct host *h, const char *path, uint8_t *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ret, S0_IMAGE_LEN) != S0_IMAGE_LEN)
		fail(h, "cannot read the image");
	close(fd);
}

static void load_image(struct host *h, const char *path)
{
	uint8_t *rom = pages(S0_IMAGE_LEN);

	read_image(h, path, rom);
	map(h, 1, MEM_FLASH_END - S0_IMAGE_LEN, rom, S0_IMAGE_LEN,
	    KVM_MEM_READONLY);
}

static void set_cpuid(struct host *h)
{
	uint32_t bits;

	bits = leaf(h, 0x80000008)->eax & 0xff;
	h->real_c_bit = bits - 2;
	leaf(h, 1)->ecx &= ~(1u << 31); /* no hypercalls */
	if (h->no_rdrand)
		leaf(h, 1)->ecx &= ~(1u << 30);
	else if (h->c_bit && !(leaf(h, 1)->ecx & 1u << 30))
		skip("KVM offers no RDRAND");
	if (h->c_bit == UINT32_MAX)
		h->c_bit = h->real_c_bit;
	leaf(h, 0x80000000)->eax = h->c_bit ? 0x8000001f : 0x80000008;
	*leaf(h, 0x8000001f) = (struct kvm_cpuid_entry2){
		.function = 0x8000001f,
		.eax = h->c_bit ? 2 : 0,
		.ebx = h->c_bit,
	};
	need(ioctl(h->vcpu, KVM_SET_CPUID2, &h->cpuid), "CPUID");
}

void start(struct host *h, const char *image)
{
	int kvm = need(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	int size = need(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "vCPU");

	h->cpuid.c.nent = CPUIDS;
	need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &h->cpuid), "CPUID");
	h->vm = need(ioctl(kvm, KVM_CREATE_VM, 0), "VM");
	ioctl(h->vm, KVM_SET_TSS_ADDR, MEM_KVM_TSS);
	h->ram = pages(RAM);
	h->alias = h->wrong_alias || h->separate ? pages(RAM) : h->ram;
	map(h, 0, 0, h->ram, RAM, 0);
	load_image(h, image);
	filter_msrs(h);
	h->vcpu = need(ioctl(h->vm, KVM_CREATE_VCPU, 0), "vCPU");
	set_cpuid(h);
	map(h, 2, UINT64_C(1) << h->real_c_bit, h->alias, RAM, 0);
	h->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      h->vcpu, 0);
	if (h->run == MAP_FAILED)
		skip("vCPU");
	close(kvm);
}

static const struct host_item *find(const struct host *h, uint16_t key)
{
	for (size_t i = 0; i < ITEMS_MAX && h->items[i].key; i++)
		if (h->items[i].key == key)
			return &h->items[i];
	return NULL;
}

/* Of up to two items, one behind the other. */
static void hash(const struct host *h, const uint16_t keys[2], uint8_t *ret)
{
	struct s0_sha256 s;

	s0_sha256_start(&s, s0_sha256_blocks_sse2);
	for (int i = 0; i < 2; i++) {
		const struct host_item *item = find(h, keys[i]);
		uint8_t *copy = item ? pages(item->len) : NULL;

		if (copy)
			s0_sha256_copy(&s, copy, item->data, item->len);
	}
	s0_sha256_finish(&s, ret);
}

void put_hashes(struct host *h)
{
	static const uint16_t keys[3][2] = {
		{S0_FW_CFG_CMDLINE_DATA},
		{S0_FW_CFG_INITRD_DATA},
		{S0_FW_CFG_SETUP_DATA, S0_FW_CFG_KERNEL_DATA},
	};
	static const uint8_t guids[4][16] = {
		{0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4, 0x79,
		 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21},
		{0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78,
		 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a},
		{0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1,
		 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d},
		{0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35,
		 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b},
	};
	uint8_t *p = h->ram + S0_HASHES;

	memcpy(p, guids[0], 16);
	store_le16(p + 16, 168);
	for (size_t i = 0; i < 3; i++) {
		memcpy(p + 18 + i * 50, guids[i + 1], 16);
		store_le16(p + 18 + i * 50 + 16, 50);
		hash(h, keys[i], p + 18 + i * 50 + 18);
	}
}

/*
 * fw_cfg: one CPU, and etc/e820 and what else the case has. What is not there
 * is zeros.
 */
static void item(struct host *h, uint16_t key, uint8_t *to, uint32_t at,
		 uint32_t len)
{
	static const uint8_t one_cpu[] = {1};
	static const uint8_t name[] = "etc/e820";
	uint8_t dir[4 + S0_FW_CFG_FILE_LEN] = {0};
	const uint8_t *from = NULL;
	uint32_t n = 0;

	if (find(h, key)) {
		from = find(h, key)->data;
		n = find(h, key)->len;
	} else if (key == S0_FW_CFG_NB_CPUS) {
		from = one_cpu;
		n = sizeof(one_cpu);
	} else if (key == S0_FW_CFG_FILE_DIR && h->e820) {
		store_be32(dir, 1);
		store_be32(dir + 4, h->e820_len);
		store_be16(dir + 8, KEY_E820);
		memcpy(dir + 12, name, sizeof(name));
		from = dir;
		n = sizeof(dir);
	} else if (key == KEY_E820) {
		from = h->e820;
		n = h->e820_len;
	}
	memset(to, 0, len);
	if (at < n)
		memcpy(to, from + at, len < n - at ? len : n - at);
}

static void dma(struct host *h, uint32_t low)
{
	uint64_t desc = be32toh(low), to;
	uint32_t control, len;

	if (desc > RAM - 16)
		fail(h, "a DMA request outside of RAM");
	control = load_be32(h->ram + desc);
	len = load_be32(h->ram + desc + 4);
	to = load_be64(h->ram + desc + 8);
	if (to > RAM || len > RAM - to)
		fail(h, "DMA outside of RAM");
	if (!h->dma_lowest || desc < h->dma_lowest)
		h->dma_lowest = desc;
	if (to < h->dma_lowest)
		h->dma_lowest = to;
	if (to + len > h->dma_highest)
		h->dma_highest = to + len;
	if (control & CONTROL_SELECT) {
		h->dma_key = (uint16_t)(control >> 16);
		h->dma_at = 0;
	}
	item(h, h->dma_key, h->ram + to, h->dma_at, len);
	h->dma_at += len;
	store_be32(h->ram + desc, 0);
}

static uint32_t port_read(struct host *h, uint16_t port)
{
	static const uint8_t items[2][4] = {"QEMU", {3}};

	if (port == PORT_FW_CFG + 1 && h->key < 2 && h->key_at < 4)
		return items[h->key][h->key_at++];
	if (port == PORT_RTC_INDEX + 1)
		return 0; /* 16 MiB */
	return UINT32_MAX;
}

static void port_write(struct host *h, uint16_t port, uint32_t v)
{
	size_t n = strlen(h->text);

	if (port == PORT_DEBUGCON && n + 1 < sizeof(h->text))
		h->text[n] = (char)v;
	if (port == PORT_STAGE0_STOP && !stage0_stop_parse(v, &h->reason))
		fail(h, "a stop without its magic");
	if (port == PORT_FW_CFG) {
		h->key = (uint16_t)v;
		h->key_at = 0;
	}
	if (port == PORT_FW_CFG + 8)
		dma(h, v);
}

static void on_port(struct host *h)
{
	uint8_t *data = (uint8_t *)h->run + h->run->io.data_offset;
	unsigned int size = h->run->io.size;
	uint32_t v = 0;

	for (uint32_t i = 0; i < h->run->io.count; i++, data += size) {
		if (h->run->io.direction == KVM_EXIT_IO_IN) {
			v = port_read(h, h->run->io.port);
			memcpy(data, &v, size);
		} else {
			memcpy(&v, data, size);
			port_write(h, h->run->io.port, v);
		}
	}
}

/* What a host answers to a request in the GHCB's MSR. */
static uint64_t ghcb_answer(struct host *h)
{
	uint64_t request = h->last_ghcb;
	struct kvm_cpuid_entry2 *e;
	uint32_t reg[4];

	switch (request & 0xfff) {
	case GHCB_MSR_INFO_REQ:
		return h->ghcb_answer;
	case GHCB_MSR_CPUID_REQ:
		if (h->cpuid_request)
			return h->cpuid_request;
		e = leaf(h, (uint32_t)(request >> 32));
		memcpy(reg, (uint32_t[]){e->eax, e->ebx, e->ecx, e->edx},
		       sizeof(reg));
		return (uint64_t)reg[request >> 30 & 3] << 32 |
		       GHCB_MSR_CPUID_RESP;
	default:
		return 0;
	}
}

/* What was written up to now is private; a few instructions are still to come.
 */
static void before_paging(struct host *h)
{
	if (h->forget_bss)
		memset(h->ram + S0_BASE + S0_IMAGE_LEN, 0, BSS_BEGIN_LEN);
	if (!h->separate)
		return;
	memcpy(h->alias, h->ram, RAM);
	memset(h->ram + S0_END, 0x5a, RAM - S0_END);
	memset(h->alias + S0_SHARED, 0x5a, S0_SHARED_LEN);
}

static void on_rdmsr(struct host *h)
{
	h->run->msr.error = 0;
	if (h->run->msr.index == MSR_GHCB) {
		h->run->msr.data = ghcb_answer(h);
		return;
	}
	if (h->run->msr.index == MSR_EFER) {
		h->run->msr.data = 0;
		before_paging(h);
		return;
	}
	h->run->msr.data = h->status;
	if (h->status == UINT64_MAX)
		h->run->msr.error = 1; /* no such register: #GP */
	if (h->wrong_alias) /* as it is now: what comes will be missing */
		memcpy(h->alias, h->ram, RAM);
}

/* A KVM that interprets instructions does not know all of them. */
static void odd_exit(struct host *h)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	need(ioctl(h->vcpu, KVM_GET_SREGS, &s), "registers");
	need(ioctl(h->vcpu, KVM_GET_REGS, &r), "registers");
	printf("exit %u at %#llx\n", h->run->exit_reason,
	       (unsigned long long)(s.cs.base + r.rip));
	if (h->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		skip("this KVM does not know an instruction");
	fail(h, "an exit nobody expects");
}

static void push(struct host *h, struct kvm_regs *r, uint64_t v)
{
	r->rsp -= 8;
	if (r->rsp > RAM - 8)
		fail(h, "the stack is not in RAM");
	store_le64(h->ram + r->rsp, v);
}

/*
 * As a CPU with SEV-ES does it (APM 2, 8.9 "Long-Mode Interrupt Control
 * Transfers"): others know no #VC, and push no error code for it.
 */
static void enter_vc(struct host *h, const struct kvm_sregs *s,
		     struct kvm_regs *r)
{
	uint64_t gate = s->idt.base + VECTOR_VC * 16, rsp = r->rsp;

	if (gate > RAM - 16)
		fail(h, "the IDT is not in RAM");
	r->rsp &= ~UINT64_C(15);
	push(h, r, s->ss.selector);
	push(h, r, rsp);
	push(h, r, r->rflags);
	push(h, r, s->cs.selector);
	push(h, r, r->rip);
	push(h, r, h->inject_error);
	r->rip = load_le16(h->ram + gate) |
		 (uint64_t)load_le16(h->ram + gate + 6) << 16;
}

static void inject_gp(struct host *h, bool protected_mode)
{
	struct kvm_vcpu_events e;

	need(ioctl(h->vcpu, KVM_GET_VCPU_EVENTS, &e), "events");
	e.exception.injected = 1;
	e.exception.nr = VECTOR_GP;
	e.exception.has_error_code = protected_mode;
	e.exception.error_code = 0;
	need(ioctl(h->vcpu, KVM_SET_VCPU_EVENTS, &e), "events");
}

/*
 * The instruction that made the exit is finished. #GP comes at the next one,
 * #VC as if that one had raised it.
 */
static void inject(struct host *h)
{
	enum { WRMSR_LEN = 2 };
	bool first = (h->last_ghcb & 0xfff) == h->inject_from;
	struct kvm_sregs s;
	struct kvm_regs r;

	if (!h->inject || (!h->injected && !first) ||
	    h->injected == INJECTIONS_MAX)
		return;
	h->injected++;
	h->run->immediate_exit = 1;
	if (!ioctl(h->vcpu, KVM_RUN, 0) || errno != EINTR)
		fail(h, "KVM_RUN");
	h->run->immediate_exit = 0;
	need(ioctl(h->vcpu, KVM_GET_REGS, &r), "registers");
	need(ioctl(h->vcpu, KVM_GET_SREGS, &s), "registers");
	if (h->inject == VECTOR_GP) {
		inject_gp(h, s.cr0 & 1);
		return;
	}
	r.rip -= WRMSR_LEN;
	enter_vc(h, &s, &r);
	need(ioctl(h->vcpu, KVM_SET_REGS, &r), "registers");
}

void run(struct host *h)
{
	for (unsigned int i = 0; i < EXITS_MAX; i++) {
		if (ioctl(h->vcpu, KVM_RUN, 0) < 0)
			fail(h, "KVM_RUN");
		switch (h->run->exit_reason) {
		case KVM_EXIT_IO:
			on_port(h);
			break;
		case KVM_EXIT_X86_RDMSR:
			on_rdmsr(h);
			break;
		case KVM_EXIT_X86_WRMSR:
			h->run->msr.error = 0;
			h->last_ghcb = h->run->msr.data;
			h->ghcb_writes++;
			if ((h->last_ghcb & 0xfff) == GHCB_MSR_TERM_REQ) {
				h->term = h->last_ghcb;
				return;
			}
			inject(h);
			if ((h->last_ghcb & 0xfff) == GHCB_MSR_AP_HOLD_REQ)
				return;
			break;
		case KVM_EXIT_SHUTDOWN:
			h->shut_down = true;
			return;
		case KVM_EXIT_HLT:
			h->halted = true;
			return;
		default:
			odd_exit(h);
		}
	}
	fail(h, "no end");
}
