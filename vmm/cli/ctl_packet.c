/* vmm/cli/ctl_packet.c - two small files, or a nonce, into JSON. */
#include "vmm/cli/ctl_packet.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/sev_report.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/input_file.h"

enum {
	HEADER_LEN = 52,     /* AMD SEV API 0.24, LAUNCH_SECRET */
	PAYLOAD_MAX = 16384, /* of the firmware */
	FILE_MAX = 65536,    /* base64 with line ends */
};

struct blob {
	uint8_t data[FILE_MAX];
	size_t len;
};

static int read_file(const char *what, const char *path, struct blob *b,
		     struct err *err)
{
	struct input_file f = {.fd = -1};
	int r = input_file_open(&f, what, path, err);

	if (r < 0)
		return r;
	b->len = 0;
	while (b->len < FILE_MAX) {
		ssize_t n = read(f.fd, b->data + b->len, FILE_MAX - b->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = err_set_kind(err, ERR_INPUT, -errno, "%s '%s': %s",
					 what, path, strerror(errno));
		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
	input_file_close(&f);
	if (!r && b->len == FILE_MAX)
		r = err_set_kind(err, ERR_INPUT, -EFBIG,
				 "%s '%s': too long for a packet", what, path);
	return r;
}

/* What is not base64 from end to end is taken as it is. */
static void decode(struct blob *b)
{
	AUTO(freep) struct blob *plain = malloc(sizeof(*plain));

	if (plain && base64_decode((const char *)b->data, b->len, plain->data,
				   FILE_MAX, &plain->len) >= 0) {
		memcpy(b->data, plain->data, plain->len);
		b->len = plain->len;
	}
}

/* Its size is all that tells a raw header. */
static int load_header(const char *path, struct blob *b, struct err *err)
{
	int r = read_file("HEADER", path, b, err);

	if (r < 0)
		return r;
	if (b->len != HEADER_LEN)
		decode(b);
	if (b->len == HEADER_LEN)
		return 0;
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "HEADER '%s': %zu bytes; the header of a packet "
			    "has %d (is it the payload?)",
			    path, b->len, HEADER_LEN);
}

static int load_payload(const char *path, struct blob *b, struct err *err)
{
	int r = read_file("PAYLOAD", path, b, err);

	if (r < 0)
		return r;
	decode(b);
	if (b->len == HEADER_LEN)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "PAYLOAD '%s': %d bytes: that is a header",
				    path, HEADER_LEN);
	if (!b->len || b->len > PAYLOAD_MAX)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "PAYLOAD '%s': %zu bytes; a packet has 1 "
				    "to %d",
				    path, b->len, PAYLOAD_MAX);
	return 0;
}

static int set_base64(json_t *j, const char *key, const struct blob *b)
{
	AUTO(freep) char *text = malloc(BASE64_TEXT_LEN(b->len));

	if (!text)
		return -ENOMEM;
	base64_encode(b->data, b->len, text);
	return json_object_set_new(j, key, json_string(text)) ? -ENOMEM : 0;
}

int ctl_packet_body(const char *header, const char *payload, uint64_t address,
		    char **ret, struct err *err)
{
	AUTO(freep) struct blob *b = calloc(1, sizeof(*b));
	json_t *j = json_object();
	int r;

	if (!b || !j) {
		json_decref(j);
		return err_set(err, -ENOMEM, "out of memory");
	}
	r = load_header(header, b, err);
	if (!r)
		r = set_base64(j, "header", b);
	if (!r)
		r = load_payload(payload, b, err);
	if (!r)
		r = set_base64(j, "payload", b);
	if (!r && address)
		json_object_set_new(j, "address",
				    json_integer((json_int_t)address));
	if (!r) {
		*ret = json_dumps(j, JSON_COMPACT);
		r = *ret ? 0 : -ENOMEM;
	}
	json_decref(j);
	return r;
}

int ctl_nonce_body(const char *nonce, char **ret, struct err *err)
{
	uint8_t bytes[SEV_NONCE_LEN];
	char text[BASE64_TEXT_LEN(SEV_NONCE_LEN)];
	int r = sev_nonce_parse(nonce, bytes, err);

	if (r < 0)
		return r;
	base64_encode(bytes, sizeof(bytes), text);
	return asprintf(ret, "{\"nonce\":\"%s\"}", text) < 0 ? -ENOMEM : 0;
}
