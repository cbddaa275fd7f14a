/*
 * bench/kvm_calls.c - the KVM calls that coffer makes to start a small guest,
 * in coffer's order, one after the other, and nothing else: what the kernel
 * itself takes on this host. Prints the nanoseconds from its first KVM call to
 * the guest's first port write.
 *
 * kvm_calls PAYLOAD MIB CPUS   (an ELF payload of tests/guest, loaded at 1 MiB)
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CALL(e)                                                                \
	({                                                                     \
		long r_ = (long)(e);                                           \
		if (r_ < 0) {                                                  \
			perror(#e);                                            \
			exit(1);                                               \
		}                                                              \
		(int)r_;                                                       \
	})

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t load(const char *path, char *ram)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	int fd = CALL(open(path, O_RDONLY));

	CALL(pread(fd, &eh, sizeof(eh), 0));
	CALL(pread(fd, &ph, sizeof(ph), (off_t)eh.e_phoff));
	CALL(pread(fd, ram + ph.p_paddr, ph.p_filesz, (off_t)ph.p_offset));
	return eh.e_entry;
}

/* The pins of the PIC and of the IOAPIC; the kernel waits for a grace period.
 */
static void set_routes(int vm)
{
	struct kvm_irq_routing *r =
		calloc(1, sizeof(*r) + 40 * sizeof(r->entries[0]));

	if (!r)
		exit(1);
	for (uint32_t i = 0; i < 40; i++) {
		uint32_t pin = i < 16 ? i : i - 16;

		r->entries[i] = (struct kvm_irq_routing_entry){
			.gsi = pin, .type = KVM_IRQ_ROUTING_IRQCHIP};
		r->entries[i].u.irqchip.irqchip =
			i >= 16 ? KVM_IRQCHIP_IOAPIC
			: i < 8 ? KVM_IRQCHIP_PIC_MASTER
				: KVM_IRQCHIP_PIC_SLAVE;
		r->entries[i].u.irqchip.pin = i >= 16 ? pin : pin % 8;
	}
	r->nr = 40;
	CALL(ioctl(vm, KVM_SET_GSI_ROUTING, r));
	free(r);
}

static void set_msr(int vcpu, uint32_t index, uint64_t val)
{
	struct {
		struct kvm_msrs m;
		struct kvm_msr_entry e;
	} msrs = {.m.nmsrs = 1, .e = {.index = index, .data = val}};

	CALL(ioctl(vcpu, KVM_SET_MSRS, &msrs));
}

int main(int argc, char **argv)
{
	static struct {
		struct kvm_cpuid2 c;
		struct kvm_cpuid_entry2 e[256];
	} cpuid = {.c.nent = 256};
	size_t bytes = (size_t)atoi(argv[2]) << 20;
	int cpus = atoi(argv[3]), first = -1;
	char *ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t entry = load(argv[1], ram), start = now();
	struct kvm_userspace_memory_region m = {
		.memory_size = bytes, .userspace_addr = (uintptr_t)ram};
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	uint64_t ident = 0xfeffc000;
	int kvm = CALL(open("/dev/kvm", O_RDWR));
	int size = CALL(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	int vm = CALL(ioctl(kvm, KVM_CREATE_VM, 0));
	struct kvm_run *run = NULL;

	(void)argc;
	CALL(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m));
	CALL(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &ident));
	CALL(ioctl(vm, KVM_SET_TSS_ADDR, 0xfeffd000));
	CALL(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
	CALL(ioctl(vm, KVM_CREATE_PIT2, &pit));
	set_routes(vm);
	for (int i = 0; i < cpus; i++) {
		struct kvm_lapic_state l;
		struct kvm_regs r = {.rip = entry, .rflags = 2};
		struct kvm_sregs s;
		int fd = CALL(ioctl(vm, KVM_CREATE_VCPU, i));
		void *p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);

		if (!i) {
			CALL(ioctl(fd, KVM_GET_TSC_KHZ, 0));
			CALL(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid));
		}
		CALL(ioctl(fd, KVM_SET_CPUID2, &cpuid));
		set_msr(fd, 0x2ff, 0x806); /* MTRRs on, write-back */
		set_msr(fd, 0x1a0, 1);	   /* fast strings */
		CALL(ioctl(fd, KVM_GET_LAPIC, &l));
		CALL(ioctl(fd, KVM_SET_LAPIC, &l));
		if (i)
			continue;
		first = fd;
		run = p;
		CALL(ioctl(fd, KVM_GET_SREGS, &s));
		s.cs.base = s.ds.base = s.ss.base = s.es.base = 0;
		s.cs.limit = s.ds.limit = s.ss.limit = s.es.limit = 0xffffffff;
		s.cs.g = s.ds.g = s.ss.g = s.es.g = 1;
		s.cs.db = s.ds.db = s.ss.db = s.es.db = 1;
		s.cs.type = 11;
		s.cr0 |= 1;
		CALL(ioctl(fd, KVM_SET_SREGS, &s));
		CALL(ioctl(fd, KVM_SET_REGS, &r));
	}
	do
		CALL(ioctl(first, KVM_RUN, 0));
	while (run->exit_reason != KVM_EXIT_IO);
	printf("%llu\n", (unsigned long long)(now() - start));
	return 0;
}
