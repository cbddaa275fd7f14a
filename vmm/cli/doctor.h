/*
 * vmm/cli/doctor.h - what this host offers to guests: a list of checks, each
 * a function that adds lines of fact, verdict and fix.
 */
#ifndef VMM_CLI_DOCTOR_H
#define VMM_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum doctor_verdict {
	DOCTOR_OK = 0,
	DOCTOR_WARN, /* a guest starts, something is slower or not possible */
	DOCTOR_FAIL, /* no guest starts */
};

/* KVM_CAP_VM_TYPES (Linux, include/uapi/linux/kvm.h). */
enum { DOCTOR_CAP_VM_TYPES = 235 };

enum { DOCTOR_LINES_MAX = 96, DOCTOR_TEXT_MAX = 256 };

struct doctor_line {
	const char *name; /* "kvm.device": stable, for scripts; static */
	enum doctor_verdict verdict;
	char fact[DOCTOR_TEXT_MAX];
	char fix[DOCTOR_TEXT_MAX]; /* "" where nothing is to be done */
};

struct err;
struct key_service;
struct sev_dev;

struct doctor {
	/* Where /sys, /proc and /dev are looked for; "" but in tests. */
	const char *root;
	int kvm_fd; /* -1 until doctor_check_kvm_device() opened it; owned */
	struct key_service *keys; /* the kernel's but in tests */
	bool has_mktme;		  /* doctor_check_mktme_kernel() found it */
	int (*kvm_cap)(int kvm_fd, int cap); /* kvm_sys_cap() but in tests */
	int (*sev_usable)(int kvm_fd);	     /* kvm_sev_usable() but in tests */
	/* CPUID 0x8000001f, EAX to EDX; false: no such leaf. */
	bool (*sev_leaf)(unsigned int regs[static 4]);
	/* sev_dev_open() but in tests. */
	int (*sev_open)(const char *path, struct sev_dev *ret, struct err *err);
	size_t n;
	struct doctor_line line[DOCTOR_LINES_MAX];
};

void doctor_init(struct doctor *d, const char *root);
void doctor_close(struct doctor *d);

/* Lines beyond DOCTOR_LINES_MAX are our bug. */
void doctor_ok(struct doctor *d, const char *name, const char *fact, ...)
	__attribute__((format(printf, 3, 4)));
/* @fix is a complete text, copied. */
void doctor_warn(struct doctor *d, const char *name, const char *fix,
		 const char *fact, ...) __attribute__((format(printf, 4, 5)));
void doctor_fail(struct doctor *d, const char *name, const char *fix,
		 const char *fact, ...) __attribute__((format(printf, 4, 5)));

/* First line of <root>@path without its newline, or a negative errno. */
int doctor_read_line(const struct doctor *d, const char *path, char *buf,
		     size_t len);

/* The checks. They may use what an earlier one left in the doctor. */
typedef void doctor_check_fn(struct doctor *d);
doctor_check_fn doctor_check_kvm_device; /* first: opens kvm_fd */
doctor_check_fn doctor_check_kvm_api;
doctor_check_fn doctor_check_kvm_module;
doctor_check_fn doctor_check_kvm_required;
doctor_check_fn doctor_check_kvm_optional;
doctor_check_fn doctor_check_kernel;
doctor_check_fn doctor_check_memory;
doctor_check_fn doctor_check_memlock;
doctor_check_fn doctor_check_hugepages;
doctor_check_fn doctor_check_thp;
doctor_check_fn doctor_check_tun;
doctor_check_fn doctor_check_vhost_net;
doctor_check_fn doctor_check_vhost_vsock;
doctor_check_fn doctor_check_io_uring;
doctor_check_fn doctor_check_userns;
doctor_check_fn doctor_check_landlock;
doctor_check_fn doctor_check_cgroup;
bool doctor_cpuid_sev(unsigned int regs[static 4]);
doctor_check_fn doctor_check_sev_cpu;
doctor_check_fn doctor_check_sev_asids;
doctor_check_fn doctor_check_sev_use;
doctor_check_fn doctor_check_sev_module;
doctor_check_fn doctor_check_sev_device;
doctor_check_fn doctor_check_sev_kvm;
doctor_check_fn doctor_check_mktme_cpu;
doctor_check_fn doctor_check_mktme_firmware;
doctor_check_fn doctor_check_mktme_kernel; /* before the next two */
doctor_check_fn doctor_check_mktme_syscall;
doctor_check_fn doctor_check_mktme_keys;

/* All of them, in the order in which they are shown. */
void doctor_run_all(struct doctor *d);
/* Those of MKTME. */
void doctor_run_mktme(struct doctor *d);
/* No line says DOCTOR_FAIL. */
bool doctor_can_start(const struct doctor *d);

/* For people; @colour is for terminals. */
/* The lines alone. */
void doctor_print_lines(const struct doctor *d, FILE *f, bool colour);
void doctor_print(const struct doctor *d, FILE *f, bool colour);
/* {"coffer_version", "can_start", "checks": [...]}. -ENOMEM, or -EIO. */
int doctor_print_json(const struct doctor *d, FILE *f);

#endif
