/* tests/unit/test_config_devices.c - options that add devices. */
#include "tests/unit/config_fixture.h"

#include <stdio.h>
#include <string.h>

#include "vmm/base/own.h"

#define PARSE(...) parse(WORDS("-k", "k"), WORDS(__VA_ARGS__))

static const struct disk_config *disk(size_t i)
{
	assert_true(i < c.devices.disks.n);
	return (const struct disk_config *)c.devices.disks.v + i;
}

static void luns_are_given_out_around_those_that_were_named(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-d", "a", "-d", "b,lun=0,ro", "-d",
			       "c,lun=2,direct,serial=S 1,queues=4", "-d", "d"),
			 0);
	assert_int_equal(c.devices.disks.n, 4);
	assert_int_equal(disk(0)->lun, 1);
	assert_int_equal(disk(1)->lun, 0);
	assert_true(disk(1)->ro);
	assert_string_equal(disk(2)->serial, "S 1");
	assert_int_equal(disk(2)->queues, 4);
	assert_true(disk(2)->direct);
	assert_int_equal(disk(3)->lun, 3);
}

static void bad_disks_are_refused(void **state)
{
	(void)state;
	refused(PARSE("-d", "a,lun=1", "-d", "b,lun=1"), "lun 1 is given");
	refused(PARSE("-d", "a,lun=256"), "lun");
	refused(PARSE("-d", ""), "--disk");
	refused(PARSE("-d", "a,queues=0"), "queues");
	refused(PARSE("-d", "a,serial=\001"), "printable");
	refused(PARSE("-d", "a,nosuch"), "nosuch");
}

static void a_network_card_has_one_back_end(void **state)
{
	const struct net_config *n;

	(void)state;
	assert_int_equal(PARSE("-n", "tap=t0,mac=52:54:00:Ab:cd:ef,mtu=9000",
			       "-n", "fd=5", "-n", "passt=/p", "-n", "user"),
			 0);
	n = c.devices.nets.v;
	assert_int_equal(c.devices.nets.n, 4);
	assert_string_equal(n[0].tap, "t0");
	assert_memory_equal(n[0].mac.bytes, "\x52\x54\x00\xab\xcd\xef", 6);
	assert_int_equal(n[0].mtu, 9000);
	assert_int_equal(n[1].fd, 5);
	assert_true(n[3].user);
	refused(PARSE("-n", "tap=t0,user"), "exactly one");
	refused(PARSE("-n", "mtu=1500"), "exactly one");
	refused(PARSE("-n", "user,queues=2"), "queues");
	refused(PARSE("-n", "fd=2"), "fd");
	refused(PARSE("-n", "fd=5", "-n", "user", "-n", "fd=5"), "twice");
	refused(PARSE("-n", "tap=sixteen-letters-"), "tap");
}

static void a_mac_is_six_bytes_of_one_host(void **state)
{
	static const char *const bad[] = {
		"user,mac=52:54:00:12:34",    "user,mac=52:54:00:12:34:56:",
		"user,mac=52-54-00-12-34-56", "user,mac=01:00:5e:00:00:01",
		"user,mac=00:00:00:00:00:00", "user,mac=5:54:00:12:34:567",
		"user,mac=52:54:00:12:34:5g", "user,mac=",
		"user,mac=ff:ff:ff:ff:ff:ff", "user,mac= 2:54:00:12:34:56",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(PARSE("-n", bad[i]), "mac");
}

static void publishing_needs_the_user_network(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-n", "user", "-p", "8080:80", "-p", "5:5/udp"),
			 0);
	assert_int_equal(c.devices.publish.n, 2);
	refused(PARSE("-n", "tap=t0", "-p", "8080:80"), "--net user");
	refused(PARSE("-p", "8080:80"), "--net user");
}

static void vsock_addresses_below_3_are_taken(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--vsock", "cid=3,path=/v"), 0);
	assert_int_equal(c.devices.vsock.cid, 3);
	assert_int_equal(PARSE("--vsock", "cid=4294967294,vhost"), 0);
	refused(PARSE("--vsock", "cid=2,path=/v"), "cid");
	refused(PARSE("--vsock", "cid=4294967295,path=/v"), "cid");
	refused(PARSE("--vsock", "path=/v"), "cid");
	refused(PARSE("--vsock", "cid=3"), "exactly one");
	refused(PARSE("--vsock", "cid=3,vhost,path=/v"), "exactly one");
}

static void a_socket_path_leaves_room_for_the_port(void **state)
{
	char arg[160];

	(void)state;
	snprintf(arg, sizeof(arg), "cid=3,path=/%0*d", 95, 0);
	assert_int_equal(PARSE("--vsock", arg), 0);
	snprintf(arg, sizeof(arg), "cid=3,path=/%0*d", 96, 0);
	refused(PARSE("--vsock", arg), "with a port behind it");
}

static void the_emulated_c_bit_excludes_vhost(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--sev", "emulate-cbit", "--dma", "strict"), 0);
	assert_true(c.devices.sev.emulate_cbit);
	assert_int_equal(c.devices.dma, DMA_CHOICE_STRICT);
	assert_int_equal(PARSE("--sev", "emulate-cbit,cbitpos=38"), 0);
	refused(PARSE("--sev", "cbitpos=38"), "emulate-cbit");
	refused(PARSE("--sev", "emulate-cbit,cbitpos=35"), "cbitpos");
	refused(PARSE("--sev", "emulate-cbit", "--vsock", "cid=3,vhost"),
		"plain guests");
	refused(PARSE("--dma", "maybe"), "--dma");
}

static void protection_keeps_its_system_call_filter(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--seccomp", "off"), 0);
	assert_int_equal(c.seccomp, SECCOMP_CHOICE_OFF);
	assert_int_equal(PARSE("--seccomp", "log"), 0);
	refused(PARSE("--protect", "sev", "--seccomp", "off"), "force-off");
	refused(PARSE("--protect", "sev", "--seccomp", "log"), "force-log");
	assert_int_equal(PARSE("--protect", "sev", "--seccomp", "force-off"),
			 0);
	assert_int_equal(PARSE("--protect", "sev", "--seccomp", "force-log"),
			 0);
	assert_int_equal(PARSE("--protect", "sev", "--seccomp", "on"), 0);
}

static void protection_has_a_policy_of_its_kind(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--protect", "sev"), 0);
	assert_int_equal(c.devices.protect, PROTECT_SEV);
	assert_int_equal(c.devices.sev.policy.value, 1);
	assert_int_equal(PARSE("--protect", "sev-es"), 0);
	assert_int_equal(c.devices.sev.policy.value, 5);
	assert_int_equal(PARSE("--protect", "sev", "--sev", "policy=0x23"), 0);
	assert_int_equal(c.devices.sev.policy.value, 0x23);
	assert_int_equal(PARSE("--protect", "sev-es", "--sev",
			       "policy=nodbg,,es,,api=1.51"),
			 0);
	assert_int_equal(c.devices.sev.policy.value, 0x33010005);
	refused(PARSE("--protect", "sev", "--sev", "policy=5"), "sev-es");
	refused(PARSE("--protect", "sev-es", "--sev", "policy=1"), "nodbg");
	refused(PARSE("--protect", "sev", "--sev", "policy=0x40"), "0x40");
	refused(PARSE("--protect", "sev", "--sev", "policy=x"), "policy");
	refused(PARSE("--protect", "tdx"), "--protect");
}

static void what_does_not_go_together_with_protection_is_refused(void **state)
{
	static const char all[] = "dh-cert=a,session=b,cbitpos=51,"
				  "reduced-phys-bits=5";

	(void)state;
	assert_int_equal(PARSE("--protect", "sev", "--sev", all, "--expect",
			       "x", "--dma", "strict", "--paused"),
			 0);
	refused(PARSE("--protect", "sev", "--sev", "session=b"), "dh-cert");
	refused(PARSE("--protect", "sev", "--sev", "dh-cert=b"), "session");
	refused(PARSE("--protect", "sev", "--vsock", "cid=3,vhost"), "vhost");
	refused(PARSE("--protect", "sev", "--on-reboot", "restart"),
		"--on-reboot");
	refused(PARSE("--protect", "sev-es", "-c", "2", "--firmware", "none"),
		"--cpus");
	refused(PARSE("--protect", "sev-es", "--sev", "emulate-cbit"),
		"emulate-cbit");
	refused(PARSE("--sev", "policy=1"), "--protect");
	refused(PARSE("--sev", "dh-cert=a,session=b"), "--protect");
	refused(PARSE("--sev", "emulate-cbit,reduced-phys-bits=1"),
		"--protect");
	refused(PARSE("--expect", "x"), "--protect");
	refused(PARSE("--paused"), "--protect");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(luns_are_given_out_around_those_that_were_named),
		CASE(bad_disks_are_refused),
		CASE(a_network_card_has_one_back_end),
		CASE(a_mac_is_six_bytes_of_one_host),
		CASE(publishing_needs_the_user_network),
		CASE(vsock_addresses_below_3_are_taken),
		CASE(a_socket_path_leaves_room_for_the_port),
		CASE(the_emulated_c_bit_excludes_vhost),
		CASE(protection_has_a_policy_of_its_kind),
		CASE(protection_keeps_its_system_call_filter),
		CASE(what_does_not_go_together_with_protection_is_refused),
	};

	return cmocka_run_group_tests_name("config_devices", tests, NULL, NULL);
}
