/* tests/unit/api_fixture.c - see the header. */
#include "tests/unit/api_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/hex.h"
#include "tests/unit/unit.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/unix_listen.h"

enum { PATIENCE_S = 30 }; /* a bound against hanging */

static struct api_fixture *fixture_of(struct api_vm *vm)
{
	return container_of(vm, struct api_fixture, vm);
}

/* --- the VM ----------------------------------------------------------------
 */

static void vm_info(struct api_vm *vm, struct api_vm_info *ret)
{
	struct api_fixture *f = fixture_of(vm);

	pthread_mutex_lock(&f->lock);
	*ret = (struct api_vm_info){
		.state = f->state,
		.monitor_pid = 1234,
		.uptime_ms = 5678,
		.n_starts = 1,
	};
	pthread_mutex_unlock(&f->lock);
}

static const struct launch_info *vm_launch(struct api_vm *vm)
{
	struct api_fixture *f = fixture_of(vm);

	return f->has_launch ? &f->launch : NULL;
}

static void finish(struct api_fixture *f, struct api_call *c)
{
	struct err err = {0};

	if (f->result < 0) {
		err_set_kind(&err, f->kind, f->result, "%s", f->message);
	} else if (c->verb == API_VERB_COUNTERS) {
		counters_add(&c->counters, "dma", "shared_bytes", 4096);
		counters_add(&c->counters, "scsi0", "requests", 7);
		counters_add(&c->counters, "scsi1", "requests", 8);
		counters_add(&c->counters, "scsi1", "read_bytes", 512);
	} else if (c->verb == API_VERB_PAUSE) {
		f->state = API_STATE_PAUSED;
	} else if (c->verb == API_VERB_RESIZE) {
		c->bytes = 512 * (uint64_t)c->lun;
	} else if (c->verb == API_VERB_RESUME || c->verb == API_VERB_FINISH) {
		f->state = API_STATE_RUNNING;
	}
	pthread_mutex_unlock(&f->lock);
	c->done(c, f->result, &err);
	pthread_mutex_lock(&f->lock);
}

static void vm_start(struct api_vm *vm, struct api_call *c)
{
	struct api_fixture *f = fixture_of(vm);

	pthread_mutex_lock(&f->lock);
	f->n_calls++;
	f->last = c->verb;
	if (c->verb == API_VERB_SECRET) {
		memcpy(f->header, c->secret.header, API_SECRET_HEADER);
		memcpy(f->payload, c->secret.payload, c->secret.len);
		f->payload_len = c->secret.len;
		f->gpa = c->secret.gpa;
	}
	if (c->verb == API_VERB_ATTEST) {
		memcpy(f->nonce, c->nonce, sizeof(f->nonce));
		count_up(c->report, sizeof(c->report), 0);
	}
	if (f->hold)
		f->held = c;
	else
		finish(f, c);
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void vm_cancel(struct api_vm *vm, struct api_call *c)
{
	struct api_fixture *f = fixture_of(vm);

	pthread_mutex_lock(&f->lock);
	assert_ptr_equal(f->held, c);
	f->held = NULL;
	f->n_cancels++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static const struct api_vm_ops vm_ops = {
	.info = vm_info,
	.launch = vm_launch,
	.start = vm_start,
	.cancel = vm_cancel,
};

/* --- the server's thread ---------------------------------------------------
 */

static void on_wake(void *arg)
{
	struct api_fixture *f = arg;

	pthread_mutex_lock(&f->lock);
	if (f->release && f->held)
		finish(f, TAKE(f->held));
	f->release = false;
	if (f->event) {
		enum api_event e = f->event_kind;
		const char *detail = f->event_detail;

		pthread_mutex_unlock(&f->lock);
		for (unsigned int i = 0; i < f->n_events; i++)
			api_server_event(f->server, e, detail);
		pthread_mutex_lock(&f->lock);
		f->event = false;
	}
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

void fixture_release(struct api_fixture *f)
{
	pthread_mutex_lock(&f->lock);
	f->release = true;
	loop_wake(f->wake);
	while (f->release)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

void fixture_events(struct api_fixture *f, enum api_event e, const char *detail,
		    unsigned int n)
{
	pthread_mutex_lock(&f->lock);
	f->event = true;
	f->event_kind = e;
	f->event_detail = detail;
	f->n_events = n;
	loop_wake(f->wake);
	while (f->event)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

void fixture_wait_held(struct api_fixture *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->held)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

void fixture_wait_cancels(struct api_fixture *f, unsigned int n)
{
	pthread_mutex_lock(&f->lock);
	while (f->n_cancels < n)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static void *serve(void *arg)
{
	struct api_fixture *f = arg;

	assert_int_equal(api_server_run(f->server, f->loop), 0);
	return NULL;
}

void fixture_stop(struct api_fixture *f)
{
	if (f->running) {
		loop_quit(f->loop);
		pthread_join(f->thread, NULL);
	}
	f->running = false;
	api_server_destroy(TAKE(f->server));
}

static int setup(void **state, unsigned int ms)
{
	struct api_limits limits = {
		.request_ms = ms,
		.idle_ms = ms,
		.reply_ms = ms,
		.call_ms = ms,
	};
	struct api_fixture *f = calloc(1, sizeof(*f));

	f->vm.ops = &vm_ops;
	f->state = API_STATE_RUNNING;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-api-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	f->listen_fd = unix_listen(f->path, 64, "test", NULL);
	assert_true(f->listen_fd >= 0);
	assert_int_equal(loop_create(&f->loop, NULL), 0);
	assert_int_equal(loop_add_wake(f->loop, on_wake, f, &f->wake), 0);
	assert_int_equal(api_server_create(f->listen_fd, &f->vm, &limits,
					   &f->server, NULL),
			 0);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	f->running = true;
	*state = f;
	return 0;
}

int api_fixture_setup(void **state)
{
	return setup(state, 1000 * PATIENCE_S);
}

int api_fixture_setup_impatient(void **state)
{
	return setup(state, 300);
}

int api_fixture_teardown(void **state)
{
	struct api_fixture *f = *state;

	fixture_stop(f);
	loop_destroy(f->loop);
	close(f->listen_fd);
	unlink(f->path);
	rmdir(f->dir);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

/* --- the client ------------------------------------------------------------
 */

int client_connect(struct api_fixture *f)
{
	struct timeval tv = {.tv_sec = PATIENCE_S};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, f->path, strlen(f->path));
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

bool client_send(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* Bytes of the body by its head, or -1: until the end. */
static long body_length(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length: ");

	return at ? strtol(at + strlen("\r\nContent-Length: "), NULL, 10) : -1;
}

void client_read(int fd, struct reply *ret)
{
	char *end = NULL;
	size_t n = 0;
	long want;

	*ret = (struct reply){0};
	while (!end && n < sizeof(ret->head) - 1) {
		ssize_t r = recv(fd, ret->head + n, 1, 0);

		if (r <= 0)
			return;
		n++;
		end = strstr(ret->head, "\r\n\r\n");
	}
	assert_non_null(end);
	assert_memory_equal(ret->head, "HTTP/1.1 ", 9);
	ret->status = (int)strtol(ret->head + 9, NULL, 10);
	want = body_length(ret->head);
	while (want < 0 || ret->len < (size_t)want) {
		size_t room = want < 0 ? sizeof(ret->body) - 1 - ret->len
				       : (size_t)want - ret->len;
		ssize_t r = recv(fd, ret->body + ret->len, room, 0);

		if (r <= 0)
			break;
		ret->len += (size_t)r;
	}
	ret->body[ret->len] = 0;
}

void client_ask(struct api_fixture *f, const char *text, struct reply *ret)
{
	int fd = client_connect(f);

	client_send(fd, text, strlen(text));
	client_read(fd, ret);
	close(fd);
}

void client_request(struct api_fixture *f, const char *method, const char *path,
		    const char *body, struct reply *ret)
{
	char *text = NULL;

	assert_true(asprintf(&text,
			     "%s %s HTTP/1.1\r\nHost: x\r\n"
			     "Content-Length: %zu\r\n\r\n%s",
			     method, path, body ? strlen(body) : 0,
			     body ? body : "") > 0);
	client_ask(f, text, ret);
	free(text);
}

bool client_at_end(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}
