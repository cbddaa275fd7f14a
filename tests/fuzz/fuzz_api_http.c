/* tests/fuzz/fuzz_api_http.c - the head of a request to the control socket. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/supervisor/api_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request r;
	struct err err = {0};
	int n = http_head_length((const char *)data, size, &err);

	if (n <= 0) {
		assert(n == 0 || (*http_reason(-n) && *err.msg));
		return 0;
	}
	assert((size_t)n <= size && n <= HTTP_HEAD_MAX);
	n = http_request_parse((const char *)data, (size_t)n, &r, &err);
	if (n) {
		assert(n >= 400 && *http_reason(n) && *err.msg);
		return 0;
	}
	assert(r.path[0] == '/' && strlen(r.path) <= HTTP_TARGET_MAX);
	assert(r.body_len <= HTTP_BODY_MAX);
	return 0;
}
