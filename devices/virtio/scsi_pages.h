/*
 * devices/virtio/scsi_pages.h - what a disk says about itself: INQUIRY and its
 * pages, READ CAPACITY, mode pages. Bytes only, no state.
 */
#ifndef DEVICES_VIRTIO_SCSI_PAGES_H
#define DEVICES_VIRTIO_SCSI_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scsi_cdb;
struct scsi_sense;

struct scsi_facts {
	uint64_t blocks;
	uint32_t block_size;
	uint32_t phys_block_size;
	uint32_t discard_granularity;
	bool read_only; /* then nothing can be unmapped either */
	bool wce;	/* the write cache is on now */
	const char *serial;
};

enum { SCSI_PAGES_MAX = 128 }; /* bytes of the longest answer */

/*
 * The whole answer, to be cut to the allocation length by the caller. Returns
 * its length, or -EINVAL and *ret_sense.
 */
int scsi_pages_inquiry(const struct scsi_cdb *c, const struct scsi_facts *f,
		       uint8_t buf[static SCSI_PAGES_MAX],
		       struct scsi_sense *ret_sense);
/*
 * INQUIRY of a unit that is not there (SPC-4, 6.6.2 "PERIPHERAL QUALIFIER"):
 * @could: one could be there; it may have @type then.
 */
int scsi_pages_no_unit(const struct scsi_cdb *c, bool could, uint8_t type,
		       uint8_t buf[static SCSI_PAGES_MAX],
		       struct scsi_sense *ret_sense);
int scsi_pages_capacity(const struct scsi_cdb *c, const struct scsi_facts *f,
			uint8_t buf[static SCSI_PAGES_MAX]);
int scsi_pages_mode_sense(const struct scsi_cdb *c, const struct scsi_facts *f,
			  uint8_t buf[static SCSI_PAGES_MAX],
			  struct scsi_sense *ret_sense);

enum { SCSI_MODE_LIST_MAX = 256 }; /* a parameter list that is looked at */

/*
 * MODE SELECT with the @len bytes of @list. 0, and in *ret_wce what the write
 * cache is to be; or -EINVAL and *ret_sense. All of the list is checked before
 * anything is said.
 */
int scsi_pages_mode_select(const struct scsi_cdb *c, const struct scsi_facts *f,
			   const uint8_t *list, size_t len, bool *ret_wce,
			   struct scsi_sense *ret_sense);

#endif
