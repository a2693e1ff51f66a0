/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/net_group.h"

#include <errno.h>
#include <pthread.h>

#include "core/core_module.h"
#include "core/core_test.h"
#include "core/machine.h"
#include "drivers/drivers_internal.h"
#include "drivers/drivers_module.h"
#include "host/host.h"

static int drivers_reasons(struct machine *m)
{
	drop_reason_register(m, &drivers_drop_reasons);
	trace_point_register(m, &drivers_trace_points);
	return 0;
}

static const struct net_module modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "drivers", drivers_reasons, NULL, drivers_net_init, drivers_net_exit },
};

static struct net *wide_net(struct machine **m, u32 ncpus)
{
	struct machine_config cfg = { .host = host_sim_create(3, 0),
				      .ncpus = ncpus,
				      .modules = modules,
				      .nr_modules = ARRAY_SIZE(modules) };
	struct net *net;

	*m = machine_create(&cfg);
	assert_non_null(*m);
	net = net_create_on(*m, "wide", ncpus);
	assert_non_null(net);
	return net;
}

static be32 ip(u32 v)
{
	return cpu_to_be32(v);
}

static void a_flow_has_one_home_in_both_directions(void **state)
{
	struct machine *m;
	struct net *net = wide_net(&m, 4);
	u32 seen[4] = { 0 };

	for (u16 port = 1; port < 1000; port++) {
		be16 a = cpu_to_be16(port), b = cpu_to_be16(80);
		struct in6_addr s = { .s6_addr = { 0xfd, [15] = 1 } };
		struct in6_addr d = { .s6_addr = { 0xfd, [15] = 2 } };
		u64 out = net_flow_hash_v4(net->group, ip(1), a, ip(2), b);

		assert_true(out == net_flow_hash_v4(net->group, ip(2), b, ip(1), a));
		assert_true(net_flow_hash_v6(net->group, &s, a, &d, b) ==
			    net_flow_hash_v6(net->group, &d, b, &s, a));
		assert_true(net_flow_home(net->group, out) < 4);
		seen[net_flow_home(net->group, out)]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 150, 350);
	net_destroy(net);
	machine_destroy(m);
}

static u64 hash_of(u64 n) /* places that meet, hashes that differ */
{
	return (n % 7) << 32 | n << 8 | 0x5a;
}

static void named_flows_are_found_until_they_end(void **state)
{
	struct machine *m;
	struct net *net = wide_net(&m, 2), *other;
	struct net_group *g = net->group;
	u64 n;

	other = g->shards[!g->lead];
	for (int round = 0; round < 3; round++) {
		for (n = 0; n < GROUP_FLOWS_MAX; n++)
			assert_int_equal(net_flow_add(n & 1 ? net : other, hash_of(n)), 0);
		assert_int_equal(net_flow_add(net, hash_of(n)), -ENOBUFS);
		for (n = 0; n < GROUP_FLOWS_MAX; n += 64)
			assert_int_equal(net_flow_shard(g, hash_of(n)), other->shard);
		for (n = round; n < GROUP_FLOWS_MAX; n++)
			net_flow_del(net, hash_of(n));
		assert_int_equal(g->nr_flows, round);
		for (n = 0; n < (u64)round; n++)
			assert_int_equal(net_flow_shard(g, hash_of(n)),
					 n & 1 ? net->shard : other->shard);
		for (n = 0; n < (u64)round; n++)
			net_flow_del(net, hash_of(n));
		/* Nothing is left that a search would have to pass. */
		for (u32 i = 0; i < ARRAY_SIZE(g->flows); i++)
			assert_int_equal(g->flows[i] > 1, 0);
		assert_int_equal(g->flows[ARRAY_SIZE(g->flows) / 2], 0);
	}
	net_destroy(net);
	machine_destroy(m);
}

struct asker {
	struct net_group *g;
	u32 stop; /* atomic */
	u32 wrong;
};

static void *ask_for_flow(void *arg)
{
	struct asker *a = arg;

	while (!__atomic_load_n(&a->stop, __ATOMIC_RELAXED))
		a->wrong += net_flow_shard(a->g, hash_of(1)) >= a->g->n;
	return NULL;
}

/* Packets are steered on one cpu while a socket of another one ends: stress, since the moment is short. */
static void a_flow_that_ends_while_it_is_asked_for_is_some_shards(void **state)
{
	struct machine *m;
	struct net *net = wide_net(&m, 2);
	struct asker a = { .g = net->group };
	pthread_t t;

	assert_int_equal(net_flow_add(net, hash_of(2)), 0);
	assert_int_equal(pthread_create(&t, NULL, ask_for_flow, &a), 0);
	for (u32 i = 0; i < 3000000; i++) {
		assert_int_equal(net_flow_add(net, hash_of(1)), 0);
		net_flow_del(net, hash_of(1));
	}
	__atomic_store_n(&a.stop, 1, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	assert_int_equal(a.wrong, 0);
	net_destroy(net);
	machine_destroy(m);
}

static void a_port_is_one_shards_unless_all_share_it(void **state)
{
	struct machine *m;
	struct net *net = wide_net(&m, 2), *other = net->group->shards[!net->group->lead];

	assert_int_equal(net_udp_claim(net, 53, false), 0);
	assert_int_equal(net_udp_claim(net, 53, false), 0);
	assert_true(net_udp_elsewhere(other, 53));
	assert_false(net_udp_elsewhere(net, 53));
	assert_int_equal(net_udp_claim(other, 53, true), -EADDRINUSE);
	net_udp_unclaim(net, 53, false);
	assert_int_equal(net_udp_claim(other, 53, true), -EADDRINUSE);
	assert_int_equal(net_udp_claim(net, 53, true), 0);
	net_udp_unclaim(net, 53, false);
	assert_int_equal(net_udp_claim(other, 53, false), -EADDRINUSE);
	assert_int_equal(net_udp_claim(other, 53, true), 0);
	net_udp_unclaim(net, 53, true);
	assert_true(net_udp_elsewhere(net, 53));
	net_udp_unclaim(other, 53, true);
	assert_false(net_udp_elsewhere(net, 53));
	assert_null(net->group->claims[53]);
	net_destroy(net);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_has_one_home_in_both_directions),
		cmocka_unit_test(named_flows_are_found_until_they_end),
		cmocka_unit_test(a_flow_that_ends_while_it_is_asked_for_is_some_shards),
		cmocka_unit_test(a_port_is_one_shards_unless_all_share_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
