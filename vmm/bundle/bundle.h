/*
 * vmm/bundle/bundle.h - a launch bundle: kernel, initrd, firmware, command line
 * and what the machine must have, in one file that its owner signs and an
 * operator runs.
 *
 * The file is a FIT image (U-Boot, doc/uImage.FIT/source_file_format.txt), a
 * flattened device tree (Devicetree Specification 0.4, chapter 5) of this form,
 * which docs/bundles.md describes for people:
 *
 *	/  description, timestamp, #address-cells
 *	/images
 *	    NAME  description, type, arch, os, compression, timestamp, data
 *	        hash-N  algo = "sha256", value
 *	/configurations  default
 *	    NAME  description, kernel, ramdisk, firmware (names of images),
 *	          coffer,machine coffer,cmdline coffer,cpus coffer,memory
 *	          coffer,protect coffer,policy
 *	        signature-N  algo, key-name-hint, value
 *
 * A node or property that is not listed is an error: a reader that ignored one
 * would run something else than the writer meant. There is one configuration,
 * and no image that it does not name: nobody can choose another combination of
 * what was signed.
 */
#ifndef VMM_BUNDLE_BUNDLE_H
#define VMM_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hash256.h"

struct err;

enum {
	BUNDLE_TEXT_MAX = 255,	    /* bytes of a short text; ours */
	BUNDLE_CMDLINE_MAX = 65536, /* bytes; as much as `coffer run` takes */
	BUNDLE_SIGNATURE_MAX = 96,  /* bytes */
};
/* libfdt counts in int; a tree that is larger cannot be read by anybody. */
#define BUNDLE_MAX UINT64_C(0x7fffffff)

enum bundle_part {
	BUNDLE_KERNEL = 0,
	BUNDLE_RAMDISK,
	BUNDLE_FIRMWARE,
	BUNDLE_PARTS,
};

struct bundle_image {
	const void *data; /* NULL: there is none */
	uint64_t len;	  /* bytes; > 0 where there is data */
	uint8_t sha256[HASH256_LEN];
};

enum bundle_algo {
	BUNDLE_UNSIGNED = 0,
	BUNDLE_ED25519,	 /* RFC 8032; 64 bytes */
	BUNDLE_ECDSA384, /* NIST P-384 with SHA-384; r and s, 96 bytes */
	BUNDLE_ALGOS,
};

struct bundle_signature {
	enum bundle_algo algo;
	const char *key; /* key-name-hint: tells keys apart, proves nothing */
	uint8_t value[BUNDLE_SIGNATURE_MAX];
};

/* Texts and data point into the bytes that were parsed. NULL: not said. */
struct bundle {
	struct bundle_image image[BUNDLE_PARTS];
	const char *description; /* of the configuration */
	const char *machine;	 /* never NULL */
	const char *cmdline;
	const char *protect;
	uint64_t memory; /* bytes; 0: not said */
	uint32_t cpus;	 /* 0: not said */
	bool have_policy;
	uint32_t policy;
	struct bundle_signature signature;
};

/*
 * Find everything in @data (@len bytes), which must not change meanwhile. Any
 * bytes are fine. Neither hashes nor the signature are checked here, nor what a
 * text says, but that it is printable.
 * -ENOEXEC     not a FIT image at all; the message says what it looks like
 * -EBADMSG     one that was cut, contradicts itself, or is not a bundle
 * The kind is ERR_INPUT.
 */
int bundle_parse(const void *data, size_t len, struct bundle *ret,
		 struct err *err);

/* "kernel", "ramdisk", "firmware": property and image type. */
const char *bundle_part_name(enum bundle_part p);
/* "coffer-1,ed25519": the form of what is signed, and how. */
const char *bundle_algo_name(enum bundle_algo a);
/* Bytes of its signatures; 0 for BUNDLE_UNSIGNED. */
size_t bundle_algo_len(enum bundle_algo a);

/*
 * What is signed: lines of text, in which everything occurs that is used of a
 * bundle. Images stand for their hashes, which are therefore to be checked as
 * well (bundle_hash.h). Texts whose content could look like another line stand
 * for theirs. docs/bundles.md has the form.
 */
enum { BUNDLE_SIGNED_MAX = 2048 };
struct bundle_signed {
	char text[BUNDLE_SIGNED_MAX]; /* ends with a zero */
	size_t len;		      /* without it */
};
/* -EIO: @h failed. */
int bundle_signed_text(const struct bundle *b, struct hash256 *h,
		       struct bundle_signed *ret);

#endif
