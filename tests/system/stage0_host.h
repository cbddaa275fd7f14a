/*
 * tests/system/stage0_host.h - a VM for stage0 whose host plays SEV and
 * SEV-ES: what a case sets before it starts, and what happened in it.
 */
#ifndef TESTS_SYSTEM_STAGE0_HOST_H
#define TESTS_SYSTEM_STAGE0_HOST_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	RAM = 16 << 20,
	EXITS_MAX = 1000000,
	SECONDS_MAX = 100, /* against hanging */
	SKIPPED = 77,
	CPUIDS = 256,
	ITEMS_MAX = 8,
	INITRD_LEN = 4321,
	AP_TARGET = 0x70000,
	INJECTIONS_MAX = 300,
	VECTOR_GP = 13,
	VECTOR_VC = 29,
};

/* Of fw_cfg, instead of what there is otherwise; borrowed. */
struct host_item {
	uint16_t key;
	const uint8_t *data;
	uint32_t len;
};

struct host {
	int vm, vcpu;
	uint8_t *ram;	/* as the host sees it */
	uint8_t *alias; /* as the guest does with the C-bit; often @ram */
	struct kvm_run *run;
	uint64_t status; /* SEV_STATUS */
	uint32_t c_bit;	 /* in CPUID; 0: no leaf 0x8000001f */
	uint32_t real_c_bit;
	bool no_rdrand, wrong_alias;
	bool forget_bss; /* its begin reads as zeros once paging is on */
	/* From paging on, what is shared is not what is private. */
	bool separate;
	uint64_t ghcb_answer;	/* to the request for a version */
	uint64_t cpuid_request; /* the answer to those: 0: right ones */
	const uint8_t *e820;	/* fw_cfg's etc/e820; NULL: there is none */
	uint32_t e820_len;
	struct host_item items[ITEMS_MAX]; /* key 0: no more */
	/* An exception, made at each request in the GHCB's MSR. */
	uint8_t inject;	       /* VECTOR_GP, VECTOR_VC; 0: none */
	uint32_t inject_error; /* of #VC: what was intercepted */
	uint32_t inject_from;  /* the first request, its lower 12 bits */
	struct {
		struct kvm_cpuid2 c;
		struct kvm_cpuid_entry2 e[CPUIDS];
	} cpuid;

	/* What the guest did. */
	char text[512];
	uint32_t reason; /* 0: none */
	uint64_t last_ghcb, term;
	unsigned int ghcb_writes;
	uint64_t dma_lowest, dma_highest;
	bool halted, shut_down;
	unsigned int injected;

	uint8_t cmos_index;
	uint16_t key; /* by ports */
	unsigned int key_at;
	uint16_t dma_key;
	uint32_t dma_at;
};

/* Ends the test: failed, skipped; or skipped when @r is an error. */
__attribute__((noreturn)) void fail(const struct host *h, const char *why);
__attribute__((noreturn)) void skip(const char *what);
int need(long r, const char *what);

uint8_t *pages(size_t len);
/* S0_IMAGE_LEN bytes. */
void read_image(struct host *h, const char *path, uint8_t *ret);
/* A VM with stage0 at its reset vector, as @h wants it. */
void start(struct host *h, const char *image);
/* A table of hashes of the items at S0_HASHES, also of those it has not. */
void put_hashes(struct host *h);
/* Returns at a halt, a shutdown, or when the guest ends or waits by the GHCB.
 */
void run(struct host *h);

/* Items of h->items that are what the guest loads. */
enum { ITEM_SETUP = 1, ITEM_CODE = 3, ITEM_INITRD = 5, ITEM_CMDLINE = 7 };

/* A kernel that halts, an initrd of INITRD_LEN bytes and a command line. */
void offer_kernel(struct host *h);
/* A table with one secret at S0_SECRETS. */
void put_secret(struct host *h);
/* Run it: the kernel halts, and has got what was offered. */
void linux_was_entered(struct host *h);
/* It is in the archive, right behind the initrd, and nowhere else. */
void the_secret_is_in_its_file_only(struct host *h);
/* Is the page at @gpa reserved in the e820 map, in an entry of its own? */
bool is_reserved(const struct host *h, uint64_t gpa);

/* --- stage0_host.c: what a run must have come to --- */

/* It halts with this reason, and @in_words said so. */
void stops(struct host *h, uint32_t reason, bool in_words);
void only_the_shared_page_was_given_away(struct host *h);

/* --- stage0_host_start.c: cases --- */

void plain_start(struct host *h, const char *image);
void sev_start(struct host *h, const char *image);
void sev_es_start(struct host *h, const char *image);
void sev_with_another_setup_part(struct host *h, const char *image);
void sev_with_another_kernel(struct host *h, const char *image);
void sev_with_another_initrd(struct host *h, const char *image);
void sev_with_another_command_line(struct host *h, const char *image);
void sev_with_a_hash_that_ends_otherwise(struct host *h, const char *image);
void sev_with_a_long_setup_part(struct host *h, const char *image);
void sev_with_a_long_command_line(struct host *h, const char *image);
void sev_with_a_line_too_long_for_the_kernel(struct host *h, const char *image);
void sev_with_a_line_without_end(struct host *h, const char *image);

#endif
