/* tests/unit/test_vsock_buf.c - a byte ring that grows. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/vsock_buf.h"

enum { LIMIT = 20000 };

static int add(struct vsock_buf *b, const char *text, size_t skip, size_t limit)
{
	struct iovec iov[3] = {
		{(void *)text, 1},
		{(void *)text, 0},
		{(void *)(text + 1), strlen(text) - 1},
	};

	return vsock_buf_append(b, iov, 3, skip, limit);
}

/* Take all of it as text. */
static void drain(struct vsock_buf *b, char *out)
{
	struct iovec piece[2];
	size_t n = vsock_buf_pieces(b, piece);

	for (size_t i = 0; i < n; i++) {
		memcpy(out, piece[i].iov_base, piece[i].iov_len);
		out += piece[i].iov_len;
	}
	*out = 0;
	vsock_buf_consume(b, b->len);
}

static void bytes_come_out_in_order(void **state)
{
	struct vsock_buf b = {0};
	char out[32];

	(void)state;
	assert_int_equal(add(&b, "hello ", 0, LIMIT), 0);
	assert_int_equal(add(&b, "world", 0, LIMIT), 0);
	vsock_buf_consume(&b, 2);
	drain(&b, out);
	assert_string_equal(out, "llo world");
	assert_null(b.data); /* empty holds nothing */
}

static void what_was_sent_already_is_skipped(void **state)
{
	struct vsock_buf b = {0};
	char out[32];

	(void)state;
	assert_int_equal(add(&b, "hello", 3, LIMIT), 0);
	drain(&b, out);
	assert_string_equal(out, "lo");
	assert_int_equal(add(&b, "hello", 5, LIMIT), 0);
	assert_int_equal(b.len, 0);
}

static void more_than_the_limit_is_refused(void **state)
{
	struct vsock_buf b = {0};

	(void)state;
	assert_int_equal(add(&b, "12345", 0, 4), -ENOSPC);
	assert_int_equal(add(&b, "12345", 1, 4), 0);
	assert_int_equal(add(&b, "12345", 0, 8), -ENOSPC);
	assert_int_equal(b.len, 4);
	assert_int_equal(add(&b, "12345", 1, 8), 0);
	vsock_buf_clear(&b);
}

/* Reads and writes of odd sizes, until the ring has wrapped and grown often. */
static void a_long_stream_survives_wrapping_and_growing(void **state)
{
	struct vsock_buf b = {0};
	uint8_t in[997], next_in = 0, next_out = 0;
	size_t wrapped = 0;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		size_t len = 1 + round * 7 % sizeof(in);
		struct iovec iov = {in, len}, piece[2];
		size_t n, take;

		for (size_t i = 0; i < len; i++)
			in[i] = (uint8_t)(next_in + i);
		if (!vsock_buf_append(&b, &iov, 1, 0, LIMIT))
			next_in = (uint8_t)(next_in + len);
		n = vsock_buf_pieces(&b, piece);
		wrapped += n == 2;
		take = 1 + round * 5 % 900;
		if (take > piece[0].iov_len)
			take = piece[0].iov_len;
		for (size_t i = 0; i < take; i++)
			assert_int_equal(((uint8_t *)piece[0].iov_base)[i],
					 next_out++);
		vsock_buf_consume(&b, take);
	}
	assert_true(wrapped > 10);
	assert_true(b.cap > 4096);
	vsock_buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_in_order),
		cmocka_unit_test(what_was_sent_already_is_skipped),
		cmocka_unit_test(more_than_the_limit_is_refused),
		cmocka_unit_test(a_long_stream_survives_wrapping_and_growing),
	};

	return cmocka_run_group_tests_name("vsock_buf", tests, NULL, NULL);
}
