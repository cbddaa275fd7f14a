/*
 * vmm/monitor/monitor_proto.h - what supervisor and monitor say to each other.
 *
 * One SOCK_SEQPACKET pair joins them. A message is a type, a zero and a fixed
 * body, in the byte order of the machine, with at most MONITOR_FDS_MAX
 * descriptors (SCM_RIGHTS). Numbers, descriptors and labels cross; nothing
 * that would have to be parsed does.
 *
 *   supervisor                                  monitor
 *     JAIL            ----------------------->    drops what it has
 *     VM, LAUNCH, FILE, TEXT, DISK, NET, VSOCK, CONSOLE, CPUID
 *     START           ----------------------->    makes the VM
 *                     <-----------------------  READY, then STATE
 *                                               LAUNCH_INFO if protected
 *     PAUSE, RESUME, POWER_BUTTON, RESIZE, END, GET_COUNTERS; SECRET, FINISH,
 *     ATTEST
 *                     <-----------------------  STATE, COUNTERS, EVENT,
 *                                               LAUNCH_INFO, LAUNCH_ANSWER,
 *                                               ATTESTATION
 *                     <-----------------------  COUNTERS, TIMING, RESULT
 *
 * ERROR takes the place of whatever should have come, and is the last message.
 * Each side takes the other's bytes for an attack: monitor_msg_check() looks at
 * every field of a message before anybody else does.
 */
#ifndef VMM_MONITOR_MONITOR_PROTO_H
#define VMM_MONITOR_MONITOR_PROTO_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hash256.h"
#include "crypto/sev_abi.h"
#include "crypto/sev_cert.h"
#include "vmm/base/err.h"
#include "vmm/cpuid.h"
#include "vmm/launch_info.h"

struct monitor_msg;

/* The descriptors a monitor is started with; everything else is closed. */
enum {
	MONITOR_FD_STDERR = 2, /* a pipe; 0 and 1 are /dev/null */
	MONITOR_FD_CHANNEL = 3,
};

/*
 * It was started with another build's number as its argument, and has not
 * touched the channel: a status is what any two builds agree on.
 */
enum { MONITOR_EXIT_OTHER_BUILD = 3 };

enum {
	MONITOR_FDS_MAX = 16, /* in one message */
	MONITOR_LABEL_MAX = 256,
	MONITOR_TEXT_MAX = 1024, /* bytes of text in one message */
	MONITOR_CMDLINE_MAX = 65536,
	MONITOR_OEM_MAX = 32,
	MONITOR_COUNTERS_MAX = 32, /* in one message */
	MONITOR_SECRET_HEADER = 52,
	MONITOR_SECRET_MAX = 16384,
	MONITOR_TIMINGS_MAX = 24,
	MONITOR_CPUS_MAX = 64,
	MONITOR_DISKS_MAX = 64,
	MONITOR_LUN_MAX = 255,
	MONITOR_NETS_MAX = 16,
	MONITOR_SERIAL_MAX = 40, /* with the final zero */
};

enum monitor_msg_type {
	/* to the monitor */
	MONITOR_MSG_JAIL = 1,	  /* first, once */
	MONITOR_MSG_VM,		  /* second, once; /dev/kvm */
	MONITOR_MSG_FILE,	  /* one for each kind; the file */
	MONITOR_MSG_TEXT,	  /* pieces, in order */
	MONITOR_MSG_DISK,	  /* in the order of LUNs; the image */
	MONITOR_MSG_NET,	  /* taps, or one stream */
	MONITOR_MSG_VSOCK,	  /* the broker's channel, or vhost */
	MONITOR_MSG_CONSOLE,	  /* a stream socket, or a file */
	MONITOR_MSG_MKTME,	  /* the key of the guest's memory */
	MONITOR_MSG_START,	  /* that was all: make it */
	MONITOR_MSG_PAUSE,	  /* answered by STATE */
	MONITOR_MSG_RESUME,	  /* answered by STATE */
	MONITOR_MSG_POWER_BUTTON, /* no answer */
	MONITOR_MSG_END,	  /* answered by RESULT */
	MONITOR_MSG_GET_COUNTERS, /* answered by COUNTERS with the same id */
	MONITOR_MSG_LAUNCH,	  /* SEV: after VM, once; /dev/sev */
	MONITOR_MSG_SECRET,	  /* SEV; answered by LAUNCH_ANSWER */
	MONITOR_MSG_FINISH,	  /* SEV; the same, and STATE when it runs */
	MONITOR_MSG_ATTEST,	  /* SEV; answered by ATTESTATION */
	MONITOR_MSG_RESIZE,	  /* a disk's file; no answer */
	MONITOR_MSG_CPUID,	  /* before START, once */
	MONITOR_MSG_TO_MONITOR_END,
	/* to the supervisor */
	MONITOR_MSG_ENCRYPTED = 100, /* MKTME: all memory has the key */
	MONITOR_MSG_READY,	     /* locked down, and going to run */
	MONITOR_MSG_STATE,
	MONITOR_MSG_TIMING,
	MONITOR_MSG_EVENT,
	MONITOR_MSG_COUNTERS,
	MONITOR_MSG_LAUNCH_INFO, /* SEV: measured, and after each change */
	MONITOR_MSG_LAUNCH_ANSWER,
	MONITOR_MSG_ATTESTATION, /* SEV */
	MONITOR_MSG_TRAP,	 /* a call that no list has: see `logged` */
	MONITOR_MSG_RESULT,	 /* the last message */
	MONITOR_MSG_ERROR,	 /* the last message */
	MONITOR_MSG_TO_SUPERVISOR_END,
};

/* --- to the monitor ------------------------------------------------------ */

enum {
	MONITOR_JAIL_ON = 1 << 0,   /* else: no namespaces, same user */
	MONITOR_JAIL_USER = 1 << 1, /* change to uid, gid (started as root) */
};

struct monitor_msg_jail {
	uint32_t flags; /* MONITOR_JAIL_* */
	uint32_t uid, gid;
	uint32_t n_files; /* RLIMIT_NOFILE */
	uint32_t n_procs; /* RLIMIT_NPROC: threads, and io_uring's workers */
	uint32_t log_level;
	uint64_t locked_bytes; /* RLIMIT_MEMLOCK */
	uint32_t seccomp;      /* enum monitor_seccomp */
	uint32_t fail_step;    /* test builds: fail there; else 0 */
};

enum monitor_seccomp {
	MONITOR_SECCOMP_ON = 0,
	MONITOR_SECCOMP_LOG,
	MONITOR_SECCOMP_OFF,
};

enum {
	MONITOR_VM_PREFAULT = 1 << 0,
	MONITOR_VM_SHARED = 1 << 1, /* a memfd */
	MONITOR_VM_DEBUG_EXIT = 1 << 2,
	MONITOR_VM_EMULATE_C_BIT = 1 << 3,
	MONITOR_VM_DMA_STRICT = 1 << 4,
	MONITOR_VM_RNG = 1 << 5,
	MONITOR_VM_CMDLINE = 1 << 6, /* given, though it may be empty */
	MONITOR_VM_PAUSED = 1 << 7,  /* wait for RESUME before it runs */
};

struct monitor_msg_vm {
	uint64_t ram_bytes;
	uint64_t hugepage_size; /* 0: none */
	uint32_t flags;		/* MONITOR_VM_* */
	uint32_t n_cpus;	/* 1..MONITOR_CPUS_MAX */
	uint32_t c_bit;		/* 0: chosen */
	uint32_t disk_queues;
	uint8_t uuid[16];
};

enum {
	MONITOR_LAUNCH_ATTESTED = 1 << 0, /* certificate and session */
	MONITOR_LAUNCH_EXPECTS = 1 << 1,  /* the digest */
	MONITOR_LAUNCH_HASHED = 1 << 2,	  /* kernel and initrd */
	MONITOR_LAUNCH_DEVICE = 1 << 3,	  /* /dev/sev is the driver's own */
};

/* struct launch_params, and what the operator said of the C-bit. */
struct monitor_msg_launch {
	uint32_t kind; /* enum launch_kind, a protected one */
	uint32_t policy;
	uint32_t flags;		  /* MONITOR_LAUNCH_* */
	uint32_t c_bit_reduction; /* 0: not given */
	uint8_t api_major, api_minor, build, zero;
	uint8_t dh_cert[SEV_CERT_LEN];
	uint8_t session[SEV_SESSION_LEN];
	uint8_t expect[SEV_DIGEST_LEN];
	/* As in struct launch_hashes; the host's, believed for the plan only */
	uint8_t kernel_sha256[HASH256_LEN], initrd_sha256[HASH256_LEN];
};

enum monitor_file {
	MONITOR_FILE_KERNEL = 0,
	MONITOR_FILE_INITRD,
	MONITOR_FILE_FIRMWARE,
	MONITOR_FILE_NVRAM, /* for writing, too */
	MONITOR_FILE_COUNT,
};

struct monitor_msg_file {
	uint32_t kind; /* enum monitor_file */
	uint32_t zero;
	char label[MONITOR_LABEL_MAX]; /* for messages */
};

enum monitor_text { MONITOR_TEXT_CMDLINE = 0, MONITOR_TEXT_OEM };

/* The next piece of the command line, or one OEM string. */
struct monitor_msg_text {
	uint32_t kind; /* enum monitor_text */
	uint32_t len;  /* bytes, none of them zero */
	char bytes[MONITOR_TEXT_MAX];
};

enum {
	MONITOR_DISK_READ_ONLY = 1 << 0,
	MONITOR_DISK_DIRECT = 1 << 1,
	MONITOR_DISK_BLOCK_DEV = 1 << 2,
};

/* struct scsi_file, and what the guest sees of it. */
struct monitor_msg_disk {
	uint64_t bytes;
	uint32_t flags; /* MONITOR_DISK_* */
	uint32_t lun;
	uint32_t block_size, phys_block_size;
	uint32_t mem_align, off_align;
	uint32_t discard_granularity;
	uint32_t zero;
	char serial[MONITOR_SERIAL_MAX]; /* "": derived */
};

enum {
	MONITOR_NET_STREAM = 1 << 0, /* one stream socket; else taps */
	MONITOR_NET_VNET_HDR = 1 << 1,
};

struct monitor_msg_net {
	uint32_t flags;	   /* MONITOR_NET_* */
	uint32_t offloads; /* net_offload bits */
	uint32_t mtu;	   /* 0: not told */
	uint8_t mac[6];
	uint8_t zero[2];
};

struct monitor_msg_vsock {
	uint64_t cid;
	uint32_t vhost; /* 1: /dev/vhost-vsock, 0: the broker's channel */
	uint32_t zero;
};

struct monitor_msg_console {
	uint32_t input; /* 1: a stream socket, also read; 0: written only */
	uint32_t zero;
};

/* A key that may be looked at, and the call that takes it. */
struct monitor_msg_mktme {
	int32_t serial;	  /* > 0 */
	uint32_t syscall; /* as mktme_syscall_check() likes it */
};

/*
 * What KVM supports of CPUID: the supervisor has the time to ask while the
 * monitor starts.
 */
struct monitor_msg_cpuid {
	uint32_t n; /* of e */
	uint32_t zero;
	struct cpuid_entry e[CPUID_MAX_ENTRIES];
};

struct monitor_msg_end {
	uint32_t how; /* enum run_how */
	uint32_t zero;
	char why[ERR_MSG_MAX];
};

struct monitor_msg_get_counters {
	uint64_t id;
};

struct monitor_msg_resize {
	uint64_t bytes; /* as in DISK */
	uint32_t lun;
	uint32_t zero;
};

/* LAUNCH_SECRET's input (AMD SEV API 0.24): packet header and data. */
struct monitor_msg_secret {
	uint64_t gpa;
	uint32_t len; /* bytes of data, 1..MONITOR_SECRET_MAX */
	uint8_t header[MONITOR_SECRET_HEADER];
	uint8_t data[MONITOR_SECRET_MAX];
};

/* ATTESTATION's input: the nonce of whoever wants the report. */
struct monitor_msg_attest {
	uint8_t nonce[SEV_NONCE_LEN];
};

/* --- to the supervisor --------------------------------------------------- */

struct monitor_msg_encrypted {
	uint32_t verified; /* 1: the kernel prints the KeyIDs, and so it is */
	uint32_t zero;
};

enum monitor_state {
	MONITOR_STATE_RUNNING = 0,
	MONITOR_STATE_PAUSED,
	MONITOR_STATE_LAUNCH, /* measured, not finished: SECRET or FINISH */
};

struct monitor_msg_state {
	uint32_t state; /* enum monitor_state */
	uint32_t zero;
};

/* CLOCK_MONOTONIC in nanoseconds by enum timing_mark; 0: not reached. */
struct monitor_msg_timing {
	uint64_t at[MONITOR_TIMINGS_MAX];
};

enum monitor_event {
	MONITOR_EVENT_CRASH_KERNEL = 0, /* panicked, and runs another */
	MONITOR_EVENT_NEEDS_RESET,	/* a driver broke its device */
	MONITOR_EVENT_COUNT,
};

struct monitor_msg_event {
	uint32_t kind; /* enum monitor_event */
	uint32_t zero;
	char device[16]; /* as in struct monitor_counter; "vm": none */
};

struct monitor_counter {
	char device[16]; /* both: a-z, 0-9, '.', '_' */
	char name[24];
	uint64_t value;
};

struct monitor_msg_counters {
	uint64_t id;   /* of the question; 0: the final ones */
	uint32_t n;    /* of v */
	uint32_t last; /* 0: more follow */
	struct monitor_counter v[MONITOR_COUNTERS_MAX];
};

/* To SECRET and FINISH, after a LAUNCH_INFO that shows what changed. */
struct monitor_msg_launch_answer {
	uint32_t kind; /* enum err_kind */
	int32_t code;  /* 0, or a negative errno */
	char msg[ERR_MSG_MAX];
};

/* To the ATTEST with this nonce. */
struct monitor_msg_attestation {
	uint32_t kind; /* enum err_kind */
	int32_t code;  /* 0, or a negative errno */
	uint8_t nonce[SEV_NONCE_LEN];
	uint8_t report[SEV_REPORT_LEN]; /* when code is 0 */
	char msg[ERR_MSG_MAX];
};

struct monitor_msg_trap {
	uint64_t args[6];
	int32_t nr;	 /* of the system call */
	uint32_t kind;	 /* enum thread_kind */
	uint32_t logged; /* 1: --seccomp log; 0: the last message */
	uint32_t zero;
	char thread[16]; /* its name */
};

struct monitor_msg_result {
	uint32_t how; /* enum run_how */
	uint32_t zero;
	uint64_t value;
	char why[ERR_MSG_MAX];
};

struct monitor_msg_error {
	uint32_t kind; /* enum err_kind */
	int32_t code;  /* a negative errno */
	char msg[ERR_MSG_MAX];
};

/* --- all ----------------------------------------------------------------- */

struct monitor_msg {
	uint32_t type; /* enum monitor_msg_type */
	uint32_t zero;
	union {
		struct monitor_msg_jail jail;
		struct monitor_msg_vm vm;
		struct monitor_msg_launch launch;
		struct monitor_msg_file file;
		struct monitor_msg_text text;
		struct monitor_msg_disk disk;
		struct monitor_msg_net net;
		struct monitor_msg_vsock vsock;
		struct monitor_msg_console console;
		struct monitor_msg_mktme mktme;
		struct monitor_msg_cpuid cpuid;
		struct monitor_msg_encrypted encrypted;
		struct monitor_msg_end end;
		struct monitor_msg_get_counters get_counters;
		struct monitor_msg_secret secret;
		struct monitor_msg_attest attest;
		struct monitor_msg_resize resize;
		struct monitor_msg_state state;
		struct monitor_msg_timing timing;
		struct monitor_msg_event event;
		struct monitor_msg_counters counters;
		struct launch_info launch_info;
		struct monitor_msg_launch_answer launch_answer;
		struct monitor_msg_attestation attestation;
		struct monitor_msg_trap trap;
		struct monitor_msg_result result;
		struct monitor_msg_error error;
	};
};

/* Both programs are of one build; this is against padding and surprises. */
static_assert(offsetof(struct monitor_msg, jail) == 8, "head");
static_assert(sizeof(struct monitor_msg_jail) == 40, "jail");
static_assert(sizeof(struct monitor_msg_vm) == 48, "vm");
static_assert(sizeof(struct monitor_msg_file) == 8 + MONITOR_LABEL_MAX, "file");
static_assert(sizeof(struct monitor_msg_text) == 8 + MONITOR_TEXT_MAX, "text");
static_assert(sizeof(struct monitor_msg_disk) == 80, "disk");
static_assert(sizeof(struct monitor_msg_net) == 20, "net");
static_assert(sizeof(struct monitor_msg_vsock) == 16, "vsock");
static_assert(sizeof(struct monitor_msg_cpuid) == 8 + 28 * CPUID_MAX_ENTRIES,
	      "cpuid");
static_assert(sizeof(struct monitor_msg_end) == 8 + ERR_MSG_MAX, "end");
static_assert(sizeof(struct monitor_msg_secret) == 64 + MONITOR_SECRET_MAX,
	      "secret");
static_assert(sizeof(struct monitor_msg_counters) == 1552, "counters");
static_assert(sizeof(struct monitor_msg_launch_answer) == 8 + ERR_MSG_MAX,
	      "launch_answer");
static_assert(sizeof(struct monitor_msg_attestation) ==
		      8 + SEV_NONCE_LEN + SEV_REPORT_LEN + ERR_MSG_MAX,
	      "attestation");
static_assert(sizeof(struct monitor_msg_launch) == 2328, "launch");
static_assert(sizeof(struct monitor_msg_trap) == 80, "trap");
static_assert(sizeof(struct monitor_msg_result) == 16 + ERR_MSG_MAX, "result");
static_assert(sizeof(struct monitor_msg_error) == 8 + ERR_MSG_MAX, "error");

enum monitor_dir { MONITOR_TO_MONITOR, MONITOR_TO_SUPERVISOR };

/*
 * Is @m, of which @len bytes arrived with @n_fds descriptors, a message in
 * this direction? Type, length, number of descriptors, and the range of every
 * field; texts end in a zero. 0 or -EBADMSG. Pure: for tests and fuzzing.
 */
int monitor_msg_check(const struct monitor_msg *m, size_t len, size_t n_fds,
		      enum monitor_dir dir);

/*
 * Send @m, of which only type and body need to be set, with @n_fds borrowed
 * descriptors. Any thread; async-signal-safe.
 * -EAGAIN      (only on a non-blocking channel) the other side is behind
 * -EPIPE       the other side is gone
 * or another errno of sendmsg(2)
 */
int monitor_msg_send(int channel, const struct monitor_msg *m, const int *fds,
		     size_t n_fds);

/*
 * Receive one message that monitor_msg_check() likes. 1: *ret is filled (bytes
 * behind the body are not), and the *ret_n_fds descriptors are the caller's,
 * close-on-exec.
 * 0            the other side is gone
 * -EAGAIN      nothing is there, on a non-blocking channel
 * -EBADMSG     something else than a message; what came with it is closed
 */
int monitor_msg_recv(int channel, enum monitor_dir dir, struct monitor_msg *ret,
		     int fds[static MONITOR_FDS_MAX], size_t *ret_n_fds);

/* Text that is not ours, for a terminal: control characters become '?'. */
void monitor_text_clean(char *text);

#endif
