/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

#include "core/net.h"
#include "core/sock_mem.h"

static struct sock_mem mem;

static struct sock_mem *memory(const struct net *net)
{
	(void)net;
	return &mem;
}

static void pressure_that_began_on_a_cpu_whose_clock_is_ahead_took_no_time(void **state)
{
	struct proto prot = { .name = "TEST", .obj_size = sizeof(struct sock), .memory = memory };
	struct machine *m = test_machine();
	struct net *net = net_create(m, "n");
	struct sock *sk;

	(void)state;
	assert_non_null(net);
	sock_mem_init(&mem, 1000);
	mem.has_pressure = true;
	mem.pressures = MIB_TcpExt_TCPMemoryPressures;
	mem.pressures_chrono = MIB_TcpExt_TCPMemoryPressuresChrono;
	cpu_lock(net->cpu);
	sk = sk_alloc(net, AF_INET, &prot);
	mem.pressure_ns = net->cpu->now + NSEC_PER_MSEC;
	assert_true(sk_mem_schedule(sk, 2 * SK_MEM_QUANTUM, SK_MEM_RECV));
	assert_int_equal(mem.pressure_ns, 0);
	assert_int_equal(net->mib[MIB_TcpExt_TCPMemoryPressuresChrono], 0);
	sock_put(sk);
	assert_int_equal(mem.allocated, 0);
	cpu_unlock(net->cpu);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pressure_that_began_on_a_cpu_whose_clock_is_ahead_took_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
