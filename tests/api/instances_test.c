/* SPDX-License-Identifier: BSD-2-Clause */
/* instances_test.c - instances share nothing, and ten thousand of them fit in a process */
#include "tests/api/two_nets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR_INSTANCES 10000

static size_t resident_octets(void)
{
	unsigned long total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &total, &resident), 2);
	fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void ten_thousand_idle_instances_fit(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net **nets = calloc(NR_INSTANCES, sizeof(struct weir_net *));
	struct net_error err;
	size_t before, each;

	assert_non_null(m);
	before = resident_octets();
	for (int i = 0; i < NR_INSTANCES; i++) {
		nets[i] = weir_net_create(m, "idle");
		assert_non_null(nets[i]);
		assert_int_equal(net_link_up(nets[i], "lo", &err), 0);
	}
	each = (resident_octets() - before) / NR_INSTANCES;
	print_message("%d idle instances: %zu octets each\n", NR_INSTANCES, each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(each <= 36 * 1024);
#endif
	for (int i = 0; i < NR_INSTANCES; i++)
		weir_net_destroy(nets[i]);
	weir_machine_destroy(m);
	free(nets);
}

/* The same address and port, twice, in one machine and in another: nobody notices the others. */
static void instances_share_nothing(void **state)
{
	struct weir_machine *m[2] = { weir_machine_create(NULL), weir_machine_create(NULL) };
	struct weir_net *net[3] = { weir_net_create(m[0], "x"), weir_net_create(m[0], "y"),
				    weir_net_create(m[1], "x") };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct weir_file *f[3], *c;
	char buf[16], *text;
	size_t len;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 3; i++) {
		struct net_error err;

		assert_int_equal(net_link_up(net[i], "lo", &err), 0);
		assert_int_equal(weir_socket(net[i], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f[i]),
				 0);
		assert_int_equal(weir_bind(f[i], (struct sockaddr *)&a, sizeof(a)), 0);
	}
	assert_int_equal(weir_socket(net[1], AF_INET, SOCK_DGRAM, 0, &c), 0);
	assert_int_equal(weir_sendto(c, "hello", 5, 0, (struct sockaddr *)&a, sizeof(a)), 5);
	weir_run(m[0], 0);
	assert_int_equal(weir_recv(f[1], buf, sizeof(buf), 0), 5);
	assert_int_equal(weir_recv(f[0], buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(weir_recv(f[2], buf, sizeof(buf), 0), -EAGAIN);
	/* counters too */
	assert_int_equal(weir_view_read(net[0], "/proc/net/snmp", &text, &len), 0);
	assert_non_null(strstr(text, "Udp: 0 0 0 0"));
	free(text);
	weir_close(c);
	for (int i = 0; i < 3; i++)
		weir_close(f[i]);
	for (int i = 0; i < 3; i++)
		weir_net_destroy(net[i]);
	weir_machine_destroy(m[0]);
	weir_machine_destroy(m[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_share_nothing),
		cmocka_unit_test(ten_thousand_idle_instances_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
