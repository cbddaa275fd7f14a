/* tests/unit/test_debugcon.c */
#include "tests/unit/unit.h"

#include "devices/legacy/debugcon.h"
#include "tests/fake/fake_legacy.h"

struct fixture {
	struct debugcon_sink sink;
	uint8_t got[16];
	unsigned int n;
};

static void put(struct debugcon_sink *s, uint8_t byte)
{
	struct fixture *f = container_of(s, struct fixture, sink);

	assert_true(f->n < sizeof(f->got));
	f->got[f->n++] = byte;
}

static void every_byte_reaches_the_sink(void **state)
{
	static const struct debugcon_sink_ops ops = {.put = put};
	struct fixture f = {.sink.ops = &ops};
	AUTO(debugcon_destroyp) struct debugcon *d = NULL;

	(void)state;
	assert_int_equal(debugcon_create(&f.sink, &d, NULL), 0);
	out(debugcon_bus_dev(d), 0, 1, 'a');
	out(debugcon_bus_dev(d), 0, 1, 0);
	out(debugcon_bus_dev(d), 0, 1, UINT64_MAX);
	assert_int_equal(f.n, 3);
	assert_memory_equal(f.got, "a\0\xff", 3);
}

static void it_reads_as_e9(void **state)
{
	AUTO(debugcon_destroyp) struct debugcon *d = NULL;

	(void)state;
	assert_int_equal(debugcon_create(NULL, &d, NULL), 0);
	assert_int_equal(in(debugcon_bus_dev(d), 0, 1), 0xe9);
	out(debugcon_bus_dev(d), 0, 1, 'a'); /* nobody listens */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_reaches_the_sink),
		cmocka_unit_test(it_reads_as_e9),
	};

	return cmocka_run_group_tests_name("debugcon", tests, NULL, NULL);
}
