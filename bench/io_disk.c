/*
 * io_disk DEVICE read|write BLOCK DEPTH COUNT [sequential]
 *
 * COUNT direct requests of BLOCK bytes, DEPTH of them in flight, at random
 * places of DEVICE or one after the other; with a depth of 1 by pread(2) and
 * pwrite(2), otherwise by Linux AIO. A tenth as many come before, not counted.
 * Prints the nanoseconds all of them took. The places are the same each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 256, BLOCK_MAX = 4 << 20 };

struct job {
	int fd;
	bool write, sequential;
	size_t block;
	unsigned int depth;
	unsigned long count;
	uint64_t n_blocks; /* of the device */
	uint64_t next, seed;
	char *buf; /* depth blocks */
	aio_context_t ctx;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* xorshift64, "Xorshift RNGs" (Marsaglia 2003), 3 */
static uint64_t random_next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static off_t next_place(struct job *j)
{
	uint64_t block = j->sequential ? j->next++ : random_next(&j->seed);

	return (off_t)(block % j->n_blocks * j->block);
}

static int one_by_one(struct job *j, unsigned long count)
{
	while (count--) {
		off_t at = next_place(j);
		ssize_t n = j->write ? pwrite(j->fd, j->buf, j->block, at)
				     : pread(j->fd, j->buf, j->block, at);

		if (n != (ssize_t)j->block)
			return -1;
	}
	return 0;
}

static void fill(struct job *j, struct iocb *cb, unsigned int slot)
{
	*cb = (struct iocb){
		.aio_data = slot,
		.aio_lio_opcode = j->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)j->fd,
		.aio_buf = (uint64_t)(uintptr_t)(j->buf + slot * j->block),
		.aio_nbytes = j->block,
		.aio_offset = next_place(j),
	};
}

/* What is complete makes room for as many new ones, submitted together. */
static int many(struct job *j, unsigned long count)
{
	struct iocb cb[DEPTH_MAX], *batch[DEPTH_MAX];
	struct io_event ev[DEPTH_MAX];
	unsigned long begun = 0, done = 0;
	unsigned int n = 0;

	for (; n < j->depth && begun < count; n++, begun++) {
		fill(j, &cb[n], n);
		batch[n] = &cb[n];
	}
	while (done < count) {
		long got;

		if (n && syscall(SYS_io_submit, j->ctx, (long)n, batch) != n)
			return -1;
		got = syscall(SYS_io_getevents, j->ctx, 1L, (long)j->depth, ev,
			      NULL);
		if (got < 1)
			return -1;
		n = 0;
		for (long i = 0; i < got; i++, done++) {
			unsigned int slot = (unsigned int)ev[i].data;

			if (ev[i].res != (int64_t)j->block) {
				errno = EIO;
				return -1;
			}
			if (begun == count)
				continue;
			fill(j, &cb[slot], slot);
			batch[n++] = &cb[slot];
			begun++;
		}
	}
	return 0;
}

static int run(struct job *j, unsigned long count)
{
	return j->depth == 1 ? one_by_one(j, count) : many(j, count);
}

static int open_device(struct job *j, const char *path)
{
	off_t size;

	j->fd = open(path,
		     (j->write ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	if (j->fd < 0)
		return -1;
	size = lseek(j->fd, 0, SEEK_END);
	if (size < (off_t)j->block) {
		errno = ENOSPC;
		return -1;
	}
	j->n_blocks = (uint64_t)size / j->block;
	j->buf = aligned_alloc(4096, j->block * j->depth);
	if (!j->buf)
		return -1;
	memset(j->buf, 0xa5, j->block * j->depth);
	/* never destroyed while the clock runs: that waits for an RCU period */
	return (int)syscall(SYS_io_setup, j->depth, &j->ctx);
}

int main(int argc, char **argv)
{
	struct job j = {.seed = 0x9e3779b97f4a7c15};
	uint64_t begin;

	if (argc < 6) {
		fprintf(stderr, "usage: io_disk DEVICE read|write BLOCK DEPTH "
				"COUNT [sequential]\n");
		return 64;
	}
	j.write = !strcmp(argv[2], "write");
	j.block = strtoul(argv[3], NULL, 0);
	j.depth = (unsigned int)strtoul(argv[4], NULL, 0);
	j.count = strtoul(argv[5], NULL, 0);
	j.sequential = argc > 6;
	if (j.block < 512 || j.block > BLOCK_MAX || j.block % 512 || !j.depth ||
	    j.depth > DEPTH_MAX || !j.count)
		return 64;
	if (open_device(&j, argv[1]) < 0 || run(&j, j.count / 10 + 1) < 0) {
		perror(argv[1]);
		return 66;
	}
	begin = now_ns();
	if (run(&j, j.count) < 0) {
		perror(argv[1]);
		return 66;
	}
	printf("%llu\n", (unsigned long long)(now_ns() - begin));
	return 0;
}
