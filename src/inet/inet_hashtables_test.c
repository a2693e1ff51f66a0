/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports and tables: the bind(2) rules against a matrix recorded from Linux 6.18, growth, exhaustion, lookups. */
#include "inet/inet_hashtables.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/core_module.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "host/host.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_module.h"
#include "netlink/netlink_module.h"
#include "socket/socket_module.h"

struct fixture {
	struct machine *m;
	struct net *net;
	struct inet_hashinfo h;
};

static void test_hash(struct sock *sk)
{
	inet_hash(sk);
}

static void test_destroy(struct sock *sk)
{
	(void)sk;
}

static bool test_twsk_unique(struct sock *sk, struct sock_common *tw)
{
	return sk->sk_mark == 1 && tw->skc_state == SS_TCP_TIME_WAIT;
}

static int test_disconnect(struct sock *sk, int flags)
{
	(void)flags;
	sk->sk_state = SS_TCP_CLOSE;
	return 0;
}

static const struct proto test_prot = {
	.name = "TEST",
	.obj_size = sizeof(struct inet_connection_sock),
	.get_port = inet_csk_get_port,
	.hash = test_hash,
	.unhash = inet_unhash,
	.destroy = test_destroy,
	.disconnect = test_disconnect,
	.twsk_unique = test_twsk_unique,
};

static const struct net_module modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "socket", socket_machine_init, socket_machine_exit, socket_net_init, socket_net_exit },
	{ "netlink", netlink_machine_init, netlink_machine_exit, netlink_net_init,
	  netlink_net_exit },
	{ "inet", inet_machine_init, inet_machine_exit, inet_net_init, inet_net_exit },
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct machine_config cfg = { .host = host_sim_create(1, 0),
				      .modules = modules,
				      .nr_modules = ARRAY_SIZE(modules) };

	f->m = machine_create(&cfg);
	f->net = net_create(f->m, "test");
	cpu_lock(f->net->cpu);
	inet_hashinfo_init(&f->h, f->net);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	inet_hashinfo_fini(&f->h, f->net);
	cpu_unlock(f->net->cpu);
	net_destroy(f->net);
	machine_destroy(f->m);
	free(f);
	return 0;
}

static be32 ip(u8 a, u8 b, u8 c, u8 d)
{
	return cpu_to_be32((u32)a << 24 | b << 16 | c << 8 | d);
}

#define TUPLE(...) (&(struct inet_tuple[]){ inet_tuple_v4(__VA_ARGS__) }[0])

static struct sock *sock_new(struct fixture *f)
{
	struct sock *sk = sk_alloc(f->net, AF_INET, &test_prot);

	sock_init_data(sk, NULL, NULL, SOCK_STREAM);
	return sk;
}

static void sock_end(struct sock *sk)
{
	inet_unhash(sk);
	inet_put_port(sk);
	sock_put(sk);
}

static int do_bind(struct sock *sk, be32 addr, u16 port)
{
	sk->sk_rcv_saddr = inet_sk(sk)->inet_saddr = addr;
	return inet_csk_get_port(sk, port);
}

static void set_peer(struct sock *sk, be32 saddr, be32 daddr, u16 dport)
{
	sk->sk_rcv_saddr = inet_sk(sk)->inet_saddr = saddr;
	sk->sk_daddr = daddr;
	sk->sk_dport = cpu_to_be16(dport);
	sk->sk_state = SS_TCP_SYN_SENT;
}

/*
 * Recorded with real sockets. For each (reuse1, reuseport1, listening1, address1 any or 127.0.0.1) in that order, and for the
 * second socket each (reuse2, reuseport2, address2 any, 127.0.0.1, 127.0.0.2): '-' bind fails with EADDRINUSE, 'b' only
 * listen does, 'l' both work.
 */
static const char linux_tcp[] = "--------------l--l--l--l--------------l--l--l--l"
				"---lll---lll--llll--llll---lll---lll--llll--llll"
				"------llllll--l--lllllll--------------l--l--l--l"
				"---lllllllll--llllllllll---lll---lll--llll--llll";

static char try_pair(struct fixture *f, u32 first, u32 second)
{
	static const u32 addrs[] = { 0, 0x7f000001, 0x7f000002 };
	struct sock *a = sock_new(f), *b = sock_new(f);
	char result = '-';

	a->sk_reuse = first >> 3 & 1;
	a->sk_reuseport = first >> 2 & 1;
	assert_int_equal(do_bind(a, cpu_to_be32(addrs[first & 1]), 2000), 0);
	if (first >> 1 & 1)
		assert_int_equal(inet_csk_listen_start(a), 0);
	b->sk_reuse = second / 6;
	b->sk_reuseport = second / 3 % 2;
	if (do_bind(b, cpu_to_be32(addrs[second % 3]), 2000) == 0)
		result = inet_csk_listen_start(b) == 0 ? 'l' : 'b';
	sock_end(b);
	sock_end(a);
	return result;
}

static void bind_conflicts_are_those_of_linux(void **state)
{
	for (u32 first = 0; first < 16; first++)
		for (u32 second = 0; second < 12; second++) {
			char got = try_pair(*state, first, second),
			     want = linux_tcp[first * 12 + second];

			if (got != want)
				fail_msg("first %#x second %u: %c, Linux says %c", first, second,
					 got, want);
		}
}

static void bind_other_device_is_no_conflict(void **state)
{
	struct sock *a = sock_new(*state), *b = sock_new(*state);

	a->sk_bound_dev_if = 1;
	b->sk_bound_dev_if = 2;
	assert_int_equal(do_bind(a, (be32){ 0 }, 2000), 0);
	assert_int_equal(do_bind(b, (be32){ 0 }, 2000), 0);
	inet_put_port(b);
	b->sk_bound_dev_if = 0;
	assert_int_equal(do_bind(b, (be32){ 0 }, 2000), -EADDRINUSE);
	sock_end(a);
	sock_end(b);
}

static void bind_reuseport_needs_the_same_user(void **state)
{
	struct sock *a = sock_new(*state), *b = sock_new(*state);

	a->sk_reuseport = b->sk_reuseport = 1;
	b->sk_uid = 7;
	assert_int_equal(do_bind(a, (be32){ 0 }, 2000), 0);
	assert_int_equal(do_bind(b, (be32){ 0 }, 2000), -EADDRINUSE);
	b->sk_uid = 0;
	assert_int_equal(do_bind(b, (be32){ 0 }, 2000), 0);
	sock_end(a);
	sock_end(b);
}

static void bind_zero_takes_every_port_of_the_range_once(void **state)
{
	struct fixture *f = *state;
	struct sock *sks[1001], *extra = sock_new(f);
	bool seen[1001] = { 0 };

	f->net->inet->ip_local_port_lo = 20000;
	f->net->inet->ip_local_port_hi = 21000;
	for (u32 i = 0; i < 1001; i++) {
		sks[i] = sock_new(f);
		assert_int_equal(do_bind(sks[i], (be32){ 0 }, 0), 0);
		assert_in_range(sks[i]->sk_num, 20000, 21000);
		assert_false(seen[sks[i]->sk_num - 20000]);
		seen[sks[i]->sk_num - 20000] = true;
	}
	assert_true(f->h.bhash_bits > 8); /* it has grown */
	assert_int_equal(do_bind(extra, (be32){ 0 }, 0), -EADDRINUSE);
	for (u32 i = 0; i < 1001; i++)
		sock_end(sks[i]);
	assert_int_equal(f->h.bhash_count, 0);
	assert_int_equal(do_bind(extra, (be32){ 0 }, 0), 0);
	sock_end(extra);
}

static void bind_zero_prefers_the_parity_connect_leaves(void **state)
{
	struct sock *a = sock_new(*state), *b = sock_new(*state);

	assert_int_equal(do_bind(a, (be32){ 0 }, 0), 0);
	set_peer(b, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	assert_int_equal(inet_hash_connect(b), 0);
	assert_int_equal(a->sk_num & 1, 1);
	assert_int_equal(b->sk_num & 1, 0);
	sock_end(a);
	sock_end(b);
}

static void socket_port_range_narrows_the_nets(void **state)
{
	struct sock *a = sock_new(*state);
	u16 lo, hi;

	inet_sk(a)->local_port_range_lo = 40000;
	inet_sk(a)->local_port_range_hi = 40000;
	assert_int_equal(do_bind(a, (be32){ 0 }, 0), 0);
	assert_int_equal(a->sk_num, 40000);
	inet_sk(a)->local_port_range_lo = 10; /* outside of the net's: does not count */
	inet_sk_get_local_port_range(a, &lo, &hi);
	assert_int_equal(lo, 32768);
	sock_end(a);
}

static void connect_shares_a_port_between_destinations(void **state)
{
	struct fixture *f = *state;
	struct sock *a = sock_new(f), *b = sock_new(f), *c = sock_new(f);

	f->net->inet->ip_local_port_lo = f->net->inet->ip_local_port_hi = 30000;
	set_peer(a, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	set_peer(b, ip(10, 0, 0, 1), ip(10, 0, 0, 3), 80);
	set_peer(c, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	assert_int_equal(inet_hash_connect(a), 0);
	assert_int_equal(inet_hash_connect(b), 0);
	assert_int_equal(a->sk_num, b->sk_num);
	assert_int_equal(inet_hash_connect(c), -EADDRNOTAVAIL);
	sock_end(a);
	assert_int_equal(inet_hash_connect(c), 0);
	sock_end(b);
	sock_end(c);
	assert_int_equal(f->h.ehash_count, 0);
}

static void connect_leaves_bound_ports_alone(void **state)
{
	struct fixture *f = *state;
	struct sock *a = sock_new(f), *b = sock_new(f);

	f->net->inet->ip_local_port_lo = f->net->inet->ip_local_port_hi = 30000;
	assert_int_equal(do_bind(a, ip(10, 0, 0, 9), 30000), 0);
	set_peer(b, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	assert_int_equal(inet_hash_connect(b), -EADDRNOTAVAIL);
	sock_end(a);
	sock_end(b);
}

static void connect_from_a_bound_port_needs_a_free_tuple(void **state)
{
	struct sock *a = sock_new(*state), *b = sock_new(*state);

	a->sk_reuse = b->sk_reuse = 1;
	do_bind(a, ip(10, 0, 0, 1), 3000);
	do_bind(b, ip(10, 0, 0, 1), 3000);
	set_peer(a, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	set_peer(b, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	assert_int_equal(inet_hash_connect(a), 0);
	assert_int_equal(inet_hash_connect(b), -EADDRNOTAVAIL);
	sock_end(a);
	sock_end(b);
}

static void ehash_grows_and_still_finds_all(void **state)
{
	struct fixture *f = *state;
	struct sock *sks[500];

	for (u32 i = 0; i < 500; i++) {
		sks[i] = sock_new(f);
		set_peer(sks[i], ip(10, 0, 0, 1), ip(10, 0, (u8)(i >> 8), (u8)i), 80);
		assert_int_equal(inet_hash_connect(sks[i]), 0);
	}
	assert_true(f->h.ehash_bits >= 8);
	for (u32 i = 0; i < 500; i++)
		assert_ptr_equal(
			__inet_lookup_established(&f->h, TUPLE(sks[i]->sk_daddr, cpu_to_be16(80),
							       ip(10, 0, 0, 1), sks[i]->sk_num, 1)),
			sks[i]);
	assert_null(__inet_lookup_established(&f->h, TUPLE(sks[0]->sk_daddr, cpu_to_be16(81),
							   ip(10, 0, 0, 1), sks[0]->sk_num, 1)));
	for (u32 i = 0; i < 500; i++)
		sock_end(sks[i]);
}

static struct sock *listener(struct fixture *f, be32 addr, u16 port, int dev, bool reuseport)
{
	struct sock *sk = sock_new(f);

	sk->sk_bound_dev_if = dev;
	sk->sk_reuseport = reuseport;
	assert_int_equal(do_bind(sk, addr, port), 0);
	assert_int_equal(inet_csk_listen_start(sk), 0);
	return sk;
}

static struct sock *find_listener(struct fixture *f, be32 daddr, u16 sport, int dif)
{
	return __inet_lookup_listener(
		&f->h, TUPLE(ip(9, 9, 9, 9), cpu_to_be16(sport), daddr, 80, dif), NULL);
}

static void listener_lookup_prefers_address_then_device(void **state)
{
	struct fixture *f = *state;
	struct sock *one = listener(f, ip(10, 0, 0, 1), 80, 0, true);
	struct sock *dev = listener(f, (be32){ 0 }, 80, 3, true), *any;

	assert_ptr_equal(find_listener(f, ip(10, 0, 0, 1), 1, 3), one);
	assert_ptr_equal(find_listener(f, ip(10, 0, 0, 2), 1, 3), dev);
	assert_null(find_listener(f, ip(10, 0, 0, 2), 1, 4));
	sock_end(one);
	any = listener(f, (be32){ 0 }, 80, 0, true);
	assert_ptr_equal(find_listener(f, ip(10, 0, 0, 2), 1, 3), dev);
	assert_ptr_equal(find_listener(f, ip(10, 0, 0, 2), 1, 4), any);
	sock_end(dev);
	sock_end(any);
	assert_int_equal(f->h.lhash2_count, 0);
}

static void reuseport_listeners_share_by_flow(void **state)
{
	struct fixture *f = *state;
	struct sock *sks[4];
	u32 hits[4] = { 0 };

	for (u32 i = 0; i < 4; i++)
		sks[i] = listener(f, (be32){ 0 }, 80, 0, true);
	for (u16 port = 1; port <= 400; port++) {
		struct sock *sk = find_listener(f, ip(10, 0, 0, 1), port, 1);

		assert_ptr_equal(sk, find_listener(f, ip(10, 0, 0, 1), port, 1));
		for (u32 i = 0; i < 4; i++)
			hits[i] += sk == sks[i];
	}
	for (u32 i = 0; i < 4; i++) {
		assert_in_range(hits[i], 50, 150);
		sock_end(sks[i]);
	}
}

static struct inet_timewait_sock *make_tw(struct fixture *f, u16 port, bool reuse)
{
	struct sock *sk = sock_new(f);
	struct inet_timewait_sock *tw;

	sk->sk_reuse = reuse;
	assert_int_equal(do_bind(sk, ip(10, 0, 0, 1), port), 0);
	set_peer(sk, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	assert_int_equal(inet_hash_connect(sk), 0);
	tw = inet_twsk_alloc(sk, sizeof(*tw), 10, SS_TCP_TIME_WAIT);
	inet_twsk_hashdance(tw, sk, 60 * NSEC_PER_SEC);
	sock_end(sk);
	return tw;
}

static void timewait_keeps_tuple_and_port(void **state)
{
	struct fixture *f = *state;
	struct inet_timewait_sock *tw = make_tw(f, 3000, false);
	struct sock *a = sock_new(f);

	assert_ptr_equal(__inet_lookup_established(&f->h, TUPLE(ip(10, 0, 0, 2), cpu_to_be16(80),
								ip(10, 0, 0, 1), 3000, 1)),
			 tw);
	a->sk_reuse = 1;
	assert_int_equal(do_bind(a, (be32){ 0 }, 3000), -EADDRINUSE);
	inet_twsk_deschedule_put(tw);
	assert_int_equal(do_bind(a, (be32){ 0 }, 3000), 0);
	assert_int_equal(f->net->inet->tw_count, 0);
	sock_end(a);
}

static void timewait_with_reuseaddr_lets_a_server_restart(void **state)
{
	struct fixture *f = *state;
	struct inet_timewait_sock *tw = make_tw(f, 3000, true);
	struct sock *a = sock_new(f);

	a->sk_reuse = 1;
	assert_int_equal(do_bind(a, (be32){ 0 }, 3000), 0);
	assert_int_equal(inet_csk_listen_start(a), 0);
	sock_end(a);
	inet_twsk_deschedule_put(tw);
}

static void timewait_gives_way_when_the_protocol_says_so(void **state)
{
	struct fixture *f = *state;
	struct sock *a = sock_new(f);

	make_tw(f, 3000, true);
	a->sk_reuse = 1;
	assert_int_equal(do_bind(a, ip(10, 0, 0, 1), 3000), 0);
	set_peer(a, ip(10, 0, 0, 1), ip(10, 0, 0, 2), 80);
	assert_int_equal(inet_hash_connect(a), -EADDRNOTAVAIL);
	a->sk_mark = 1; /* test_twsk_unique() agrees */
	assert_int_equal(inet_hash_connect(a), 0);
	assert_int_equal(f->net->inet->tw_count, 0);
	sock_end(a);
}

static void timewait_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct sock *a = sock_new(f);
	struct inet_timewait_sock *tw = inet_twsk_alloc(a, sizeof(*tw), 1, SS_TCP_TIME_WAIT);

	assert_non_null(tw);
	assert_null(inet_twsk_alloc(a, sizeof(*tw), 1, SS_TCP_TIME_WAIT));
	inet_twsk_free(tw);
	sock_end(a);
}

static const struct request_sock_ops test_req_ops = { .family = AF_INET,
						      .obj_size = sizeof(struct request_sock) };

static struct request_sock *make_request(struct fixture *f, struct sock *lsk)
{
	struct request_sock *req = inet_reqsk_alloc(&test_req_ops, lsk);

	req->c.skc_rcv_saddr = ip(10, 0, 0, 1);
	req->c.skc_num = 80;
	req->c.skc_daddr = ip(10, 0, 0, 2);
	req->c.skc_dport = cpu_to_be16(1234);
	assert_int_equal(inet_csk_reqsk_queue_hash_add(lsk, req, NSEC_PER_SEC), 0);
	(void)f;
	return req;
}

static void request_becomes_a_child_that_is_accepted(void **state)
{
	struct fixture *f = *state;
	struct sock *lsk = listener(f, (be32){ 0 }, 80, 0, false), *child, *accepted;
	struct request_sock *req;
	int err = 0;

	assert_null(inet_csk_accept(lsk, O_NONBLOCK, &err));
	assert_int_equal(err, -EAGAIN);
	req = make_request(f, lsk);
	assert_int_equal(inet_csk(lsk)->icsk_accept_queue.qlen, 1);
	assert_ptr_equal(__inet_lookup_established(&f->h, TUPLE(ip(10, 0, 0, 2), cpu_to_be16(1234),
								ip(10, 0, 0, 1), 80, 1)),
			 req);
	child = inet_csk_clone_lock(lsk, req);
	assert_int_equal(__inet_inherit_port(lsk, child), 0);
	assert_true(inet_ehash_insert(child, (struct sock *)req));
	assert_false(inet_ehash_insert(child, (struct sock *)req));
	assert_true(inet_csk_complete_hashdance(lsk, child, req));
	assert_int_equal(inet_csk(lsk)->icsk_accept_queue.qlen, 0);
	assert_int_equal(lsk->sk_ack_backlog, 1);
	reqsk_put(req);
	accepted = inet_csk_accept(lsk, O_NONBLOCK, &err);
	assert_ptr_equal(accepted, child);
	assert_int_equal(child->sk_num, 80);
	assert_int_equal(be16_to_cpu(child->sk_dport), 1234);
	assert_int_equal(f->h.ehash_count, 1);
	sock_end(child);
	assert_int_equal(lsk->sk_refcnt, 2); /* ours and the table's: the request let it go */
	sock_end(lsk);
}

static void closing_listener_forgets_children_and_requests(void **state)
{
	struct fixture *f = *state;
	struct sock *lsk = listener(f, (be32){ 0 }, 80, 0, false), *child;
	struct request_sock *req = make_request(f, lsk);

	child = inet_csk_clone_lock(lsk, req);
	assert_int_equal(__inet_inherit_port(lsk, child), 0);
	assert_true(inet_ehash_insert(child, (struct sock *)req));
	inet_csk_complete_hashdance(lsk, child, req);
	reqsk_put(req);
	inet_unhash(lsk);
	lsk->sk_state = SS_TCP_CLOSE;
	inet_csk_listen_stop(lsk);
	assert_int_equal(lsk->sk_ack_backlog, 0);
	assert_int_equal(f->h.ehash_count, 0);
	sock_end(lsk);
}

/* A request left behind would count down a queue that the next connect(2) uses for something else. */
static void closing_listener_ends_its_pending_requests_at_once(void **state)
{
	struct fixture *f = *state;
	struct sock *lsk = listener(f, (be32){ 0 }, 80, 0, false);
	struct sock *other = listener(f, (be32){ 0 }, 81, 0, false);
	struct request_sock *req = make_request(f, lsk), *kept;

	reqsk_put(req); /* the queue's reference stays */
	kept = inet_reqsk_alloc(&test_req_ops, other);
	kept->c.skc_num = 81;
	assert_int_equal(inet_csk_reqsk_queue_hash_add(other, kept, NSEC_PER_SEC), 0);
	reqsk_put(kept);
	inet_unhash(lsk);
	lsk->sk_state = SS_TCP_CLOSE;
	inet_csk_listen_stop(lsk);
	assert_int_equal(f->h.ehash_count, 1);
	assert_int_equal(inet_csk(other)->icsk_accept_queue.qlen, 1);
	assert_int_equal(lsk->sk_refcnt, 1);
	sock_end(lsk);
	inet_csk_reqsk_queue_drop(other, kept);
	sock_end(other);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bind_conflicts_are_those_of_linux),
		T(bind_other_device_is_no_conflict),
		T(bind_reuseport_needs_the_same_user),
		T(bind_zero_takes_every_port_of_the_range_once),
		T(bind_zero_prefers_the_parity_connect_leaves),
		T(socket_port_range_narrows_the_nets),
		T(connect_shares_a_port_between_destinations),
		T(connect_leaves_bound_ports_alone),
		T(connect_from_a_bound_port_needs_a_free_tuple),
		T(ehash_grows_and_still_finds_all),
		T(listener_lookup_prefers_address_then_device),
		T(reuseport_listeners_share_by_flow),
		T(timewait_keeps_tuple_and_port),
		T(timewait_with_reuseaddr_lets_a_server_restart),
		T(timewait_gives_way_when_the_protocol_says_so),
		T(timewait_is_bounded),
		T(request_becomes_a_child_that_is_accepted),
		T(closing_listener_forgets_children_and_requests),
		T(closing_listener_ends_its_pending_requests_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
