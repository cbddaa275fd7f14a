/* vmm/supervisor/supervisor_counters.c - questions, and answers in pieces. */
#include <errno.h>

#include "vmm/base/own.h"
#include "vmm/supervisor/supervisor_impl.h"

static struct question *find(struct supervisor *s, int64_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->questions); i++)
		if (s->questions[i].id == id)
			return &s->questions[i];
	return NULL;
}

int64_t supervisor_get_counters(struct supervisor *s, supervisor_counters_fn fn,
				void *arg)
{
	struct question *q = find(s, 0);
	struct monitor_msg m = {.type = MONITOR_MSG_GET_COUNTERS};
	int r;

	if (!s->proc || !s->ready)
		return -EBUSY;
	if (!q)
		return -EAGAIN;
	m.get_counters.id = (uint64_t)(s->last_id + 1);
	r = supervisor_ask(s, &m);
	if (r < 0)
		return -EBUSY;
	*q = (struct question){.id = ++s->last_id, .fn = fn, .arg = arg};
	return q->id;
}

void supervisor_cancel_counters(struct supervisor *s, int64_t id)
{
	struct question *q = id > 0 ? find(s, id) : NULL;

	if (q)
		q->fn = NULL;
}

static void answer(struct question *q, const struct counters *c)
{
	struct question was = *q;

	*q = (struct question){0};
	if (was.fn)
		was.fn(was.arg, c);
}

void supervisor_take_counters(struct supervisor *s,
			      const struct monitor_msg_counters *m)
{
	struct question *q = NULL;

	if (m->id && (m->id > INT64_MAX || !(q = find(s, (int64_t)m->id))))
		return; /* nobody asked */
	for (uint32_t i = 0; i < m->n; i++)
		counters_add(&s->answer, m->v[i].device, m->v[i].name,
			     m->v[i].value);
	if (!m->last)
		return;
	if (q) {
		answer(q, &s->answer);
	} else {
		counters_free(&s->result.counters);
		s->result.counters = s->answer;
		s->answer = (struct counters){0};
	}
	counters_clear(&s->answer);
}

void supervisor_drop_questions(struct supervisor *s)
{
	counters_clear(&s->answer);
	for (size_t i = 0; i < ARRAY_SIZE(s->questions); i++)
		if (s->questions[i].id)
			answer(&s->questions[i], NULL);
}
