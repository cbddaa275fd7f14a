/* tests/unit/test_net_passt.c - frames in a stream, over a socket pair. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/virtio/net_backend.h"
#include "devices/virtio/net_passt.h"
#include "vmm/base/bytes.h"

struct fixture {
	struct net_backend *b;
	int peer;
	uint8_t hdr[NET_HDR_LEN];
	uint8_t data[NET_FRAME_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int sv[2];

	assert_non_null(f);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(net_passt_create(sv[0], &f->b, NULL), 0);
	f->peer = sv[1];
	for (size_t i = 0; i < sizeof(f->data); i++)
		f->data[i] = (uint8_t)(i * 13 + (i >> 9));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	net_backend_destroy(f->b);
	if (f->peer >= 0)
		close(f->peer);
	free(f);
	return 0;
}

/* Send one frame of @len bytes, in two pieces. */
static int send_one(struct fixture *f, size_t len)
{
	struct iovec iov[3] = {{f->hdr, NET_HDR_LEN},
			       {f->data, len / 3},
			       {f->data + len / 3, len - len / 3}};
	struct net_frame fr = {.iov = iov, .n_iov = 3, .len = len};

	return f->b->ops->send(f->b, 0, &fr, 1);
}

static bool is_blocked(struct fixture *f)
{
	return f->b->ops->wants_write(f->b, 0);
}

/* Exactly @len bytes from the far end. */
static void read_all(struct fixture *f, void *buf, size_t len)
{
	assert_int_equal(recv(f->peer, buf, len, MSG_WAITALL), (ssize_t)len);
}

static void assert_frame(struct fixture *f, size_t len)
{
	uint8_t *buf = malloc(4 + len);

	assert_non_null(buf);
	read_all(f, buf, 4 + len);
	assert_int_equal(load_be32(buf), len);
	assert_memory_equal(buf + 4, f->data, len);
	free(buf);
}

static void put(struct fixture *f, const void *buf, size_t len)
{
	assert_int_equal(send(f->peer, buf, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void put_frame(struct fixture *f, size_t len)
{
	uint8_t be[4];

	store_be32(be, (uint32_t)len);
	put(f, be, 4);
	put(f, f->data, len);
}

/* Receive into pieces of @cut bytes and the rest; the length, or an error. */
static ssize_t receive(struct fixture *f, size_t cut)
{
	uint8_t hdr[NET_HDR_LEN], *buf = malloc(NET_FRAME_MAX);
	struct iovec iov[3] = {{hdr, NET_HDR_LEN},
			       {buf, cut},
			       {buf + cut, NET_FRAME_MAX - cut}};
	static const uint8_t zero[NET_HDR_LEN];
	ssize_t r;

	assert_non_null(buf);
	memset(hdr, 0xff, sizeof(hdr));
	r = f->b->ops->recv(f->b, 0, iov, 3);
	if (r > 0) {
		assert_memory_equal(hdr, zero, sizeof(zero));
		assert_memory_equal(buf, f->data, (size_t)r);
	}
	free(buf);
	return r;
}

/* --- sending ------------------------------------------------------------ */

static void a_frame_follows_its_length(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_one(f, 60), 1);
	assert_false(is_blocked(f));
	assert_frame(f, 60);
}

static void a_batch_arrives_in_order(void **state)
{
	enum { N = 100 };
	struct fixture *f = *state;
	struct iovec iov[N][2];
	struct net_frame fr[N];

	for (size_t i = 0; i < N; i++) {
		iov[i][0] = (struct iovec){f->hdr, NET_HDR_LEN};
		iov[i][1] = (struct iovec){f->data, 60 + i};
		fr[i] = (struct net_frame){iov[i], 2, 60 + i};
	}
	assert_int_equal(f->b->ops->send(f->b, 0, fr, N), N);
	for (size_t i = 0; i < N; i++)
		assert_frame(f, 60 + i);
}

static void frames_in_many_pieces_arrive(void **state)
{
	enum { N = 20 };
	struct fixture *f = *state;
	struct iovec iov[NET_FRAME_IOV];
	struct net_frame fr[N];

	iov[0] = (struct iovec){f->hdr, NET_HDR_LEN};
	for (size_t i = 1; i < NET_FRAME_IOV; i++)
		iov[i] = (struct iovec){f->data + 3 * (i - 1), 3};
	for (size_t i = 0; i < N; i++)
		fr[i] = (struct net_frame){iov, NET_FRAME_IOV,
					   (size_t)3 * (NET_FRAME_IOV - 1)};
	assert_int_equal(f->b->ops->send(f->b, 0, fr, N), N);
	for (size_t i = 0; i < N; i++)
		assert_frame(f, fr[i].len);
}

/* Fill the socket with frames of @len; how many were taken. */
static size_t fill(struct fixture *f, size_t len)
{
	size_t n = 0;

	while (send_one(f, len) == 1 && n < 10000)
		n++;
	assert_true(n < 10000);
	return n;
}

static void a_full_socket_takes_no_more_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	/* not a divisor of anything, so that a frame is cut somewhere */
	size_t len = 60001, n = fill(f, len);

	assert_true(n > 1);
	assert_int_equal(send_one(f, 60), 0);
	for (size_t i = 0; i < n - 1; i++)
		assert_frame(f, len);
	/* the rest goes out before anything else */
	assert_int_equal(send_one(f, 60), 1);
	assert_false(is_blocked(f));
	assert_frame(f, len);
	assert_frame(f, 60);
}

static void a_socket_can_be_full_between_frames(void **state)
{
	struct fixture *f = *state;
	size_t n = fill(f, 60); /* each is one piece to the kernel */

	assert_false(is_blocked(f));
	assert_int_equal(send_one(f, 60), 0);
	for (size_t i = 0; i < n; i++)
		assert_frame(f, 60);
	assert_int_equal(send_one(f, 60), 1);
}

/* A socket so small that a large frame needs it several times. */
static void make_small(struct fixture *f)
{
	int small = 4608;

	assert_int_equal(setsockopt(f->b->ops->fd(f->b, 0), SOL_SOCKET,
				    SO_SNDBUF, &small, sizeof(small)),
			 0);
}

static void a_frame_that_was_begun_goes_on_before_others(void **state)
{
	struct fixture *f = *state;

	make_small(f);
	assert_int_equal(send_one(f, 60000), 1);
	assert_true(is_blocked(f));
	assert_int_equal(send_one(f, 60), 0);
}

static void every_cut_of_a_frame_is_continued(void **state)
{
	struct fixture *f = *state;

	make_small(f);
	for (size_t len = 40000; len < 40040; len++) {
		uint8_t *buf = malloc(4 + len);
		size_t at = 0;

		assert_non_null(buf);
		assert_int_equal(send_one(f, len), 1);
		while (at < 4 + len) {
			ssize_t r = recv(f->peer, buf + at, 4 + len - at,
					 MSG_DONTWAIT);

			if (r > 0)
				at += (size_t)r;
			assert_int_equal(f->b->ops->send(f->b, 0, NULL, 0), 0);
		}
		assert_int_equal(load_be32(buf), len);
		assert_memory_equal(buf + 4, f->data, len);
		free(buf);
	}
}

/*
 * What the kernel takes as a unit, a reader gets as one. The units show where
 * a socket is full: nothing of the next one is in it.
 */
static void a_reader_never_gets_a_part_of_a_length(void **state)
{
	enum { FRAMES = 32, LEN = 9001 };
	struct fixture *f = *state;
	struct iovec iov[2] = {{f->hdr, NET_HDR_LEN}, {f->data, LEN}};
	struct net_frame fr[FRAMES];
	int n = 0, done;

	for (size_t i = 0; i < FRAMES; i++)
		fr[i] = (struct net_frame){.iov = iov, .n_iov = 2, .len = LEN};
	do {
		done = f->b->ops->send(f->b, 0, fr, FRAMES);
		n += done;
	} while (done == FRAMES);
	assert_in_range(n, FRAMES / 2, 10000);
	assert_false(is_blocked(f));
	while (n--)
		assert_frame(f, LEN);
}

static void sending_to_nobody_is_an_error(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	f->peer = -1;
	assert_int_equal(send_one(f, 60), -EPIPE);
}

static void a_rest_for_nobody_is_an_error(void **state)
{
	struct fixture *f = *state;

	make_small(f);
	assert_int_equal(send_one(f, 60000), 1);
	assert_true(is_blocked(f));
	close(f->peer);
	f->peer = -1;
	assert_int_equal(f->b->ops->send(f->b, 0, NULL, 0), -EPIPE);
}

/* --- receiving ---------------------------------------------------------- */

static void a_frame_is_received_without_its_length(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(receive(f, 20), -EAGAIN);
	put_frame(f, 60);
	assert_int_equal(receive(f, 20), 60);
	assert_int_equal(receive(f, 20), -EAGAIN);
}

static void frames_that_come_together_are_told_apart(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 50; i++)
		put_frame(f, 14 + 31 * i);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(receive(f, 20), 14 + 31 * i);
	assert_int_equal(receive(f, 20), -EAGAIN);
}

static void a_frame_in_single_bytes_is_put_together(void **state)
{
	struct fixture *f = *state;
	uint8_t all[4 + 40];

	store_be32(all, 40);
	memcpy(all + 4, f->data, 40);
	for (size_t i = 0; i < sizeof(all); i++) {
		assert_int_equal(receive(f, 20), -EAGAIN);
		put(f, all + i, 1);
	}
	assert_int_equal(receive(f, 20), 40);
}

static void the_largest_frames_pass_one_after_another(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 20; i++) {
		put_frame(f, NET_FRAME_MAX);
		put(f, "\0\0", 2); /* the next length is cut */
		assert_int_equal(receive(f, 1000 * (size_t)i), NET_FRAME_MAX);
		put(f, "\0\16", 2);
		put(f, f->data, 14);
		assert_int_equal(receive(f, 3), 14);
	}
}

/* @n frames of @len bytes after one of @first, all at once. */
static void put_many(struct fixture *f, size_t first, size_t len, size_t n)
{
	uint8_t *all = malloc(4 + first + n * (4 + len)), *p = all;

	assert_non_null(all);
	for (size_t i = 0; i <= n; i++, first = len) {
		store_be32(p, (uint32_t)first);
		memcpy(p + 4, f->data, first);
		p += 4 + first;
	}
	put(f, all, (size_t)(p - all));
	free(all);
}

/* A guest that restarts: what its predecessor had read is gone. */
static void what_is_left_in_a_socket_begins_with_a_frame(void **state)
{
	enum { LEN = 60, FRAMES = 2200 };

	/* so that reads end at every byte of a frame */
	for (size_t first = LEN; first <= LEN + 4 + LEN; first++) {
		struct fixture *f = *state;
		int fd = fcntl(f->b->ops->fd(f->b, 0), F_DUPFD_CLOEXEC, 3);

		put_many(f, first, LEN, FRAMES);
		assert_int_equal(receive(f, 1), first);
		net_backend_destroy(f->b);
		assert_int_equal(net_passt_create(fd, &f->b, NULL), 0);
		assert_int_equal(receive(f, 1), LEN);
		assert_int_equal(receive(f, 1), LEN);
		teardown(state);
		setup(state);
	}
}

static void a_length_out_of_range_ends_the_stream(void **state)
{
	static const uint32_t bad[] = {0, 13, NET_FRAME_MAX + 1, 0x80000000,
				       0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct fixture *f;
		uint8_t be[4];

		teardown(state);
		setup(state);
		f = *state;
		store_be32(be, bad[i]);
		put_frame(f, 20);
		put(f, be, 4);
		assert_int_equal(receive(f, 20), 20);
		assert_int_equal(receive(f, 20), -EPROTO);
		put_frame(f, 20);
		assert_int_equal(receive(f, 20), -EPROTO);
	}
}

static void the_far_end_can_go_away(void **state)
{
	struct fixture *f = *state;

	put_frame(f, 99);
	put(f, "\0\0\0\20half", 8);
	close(f->peer);
	f->peer = -1;
	assert_int_equal(receive(f, 20), 99);
	assert_int_equal(receive(f, 20), -ECONNRESET);
	assert_int_equal(receive(f, 20), -ECONNRESET);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_frame_follows_its_length),
		CASE(a_batch_arrives_in_order),
		CASE(frames_in_many_pieces_arrive),
		CASE(a_full_socket_takes_no_more_and_loses_nothing),
		CASE(a_frame_that_was_begun_goes_on_before_others),
		CASE(a_socket_can_be_full_between_frames),
		CASE(every_cut_of_a_frame_is_continued),
		CASE(a_reader_never_gets_a_part_of_a_length),
		CASE(sending_to_nobody_is_an_error),
		CASE(a_rest_for_nobody_is_an_error),
		CASE(a_frame_is_received_without_its_length),
		CASE(frames_that_come_together_are_told_apart),
		CASE(a_frame_in_single_bytes_is_put_together),
		CASE(the_largest_frames_pass_one_after_another),
		CASE(what_is_left_in_a_socket_begins_with_a_frame),
		CASE(a_length_out_of_range_ends_the_stream),
		CASE(the_far_end_can_go_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
