/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "core/core_test.h"

#include <sys/epoll.h>

#include "core/netdevice.h"
#include "core/sock.h"
#include "core/sock_reasons.h"
#include "core/sysctl.h"

#define MS NSEC_PER_MSEC

struct bench {
	struct machine *m;
	struct net *net;
	struct cpu *cpu;
	struct sock *sk;
	struct wait_queue_head wq;
	struct sk_buff *held;
	struct timer_list timer;
	int destructed;
};

static struct proto test_proto = { .name = "TEST", .obj_size = sizeof(struct sock) + 64 };

static void count_destruct(struct sock *sk)
{
	++**(int **)(sk + 1);
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->m = test_machine();
	b->net = net_create(b->m, "n");
	assert_non_null(b->net);
	b->cpu = b->net->cpu;
	init_waitqueue_head(&b->wq);
	cpu_lock(b->cpu);
	b->sk = sk_alloc(b->net, AF_INET, &test_proto);
	sock_init_data(b->sk, NULL, &b->wq, SOCK_DGRAM);
	b->sk->sk_destruct = count_destruct;
	*(int **)(b->sk + 1) = &b->destructed;
	b->sk->sk_rcvbuf = b->sk->sk_sndbuf = 4096;
}

static void end(struct bench *b)
{
	struct skb_memory mem;

	skb_memory(b->cpu, &mem);
	assert_int_equal(mem.skb_live, 0);
	assert_int_equal(b->cpu->nr_socks, 0);
	cpu_unlock(b->cpu);
	machine_destroy(b->m);
}

static void a_sock_ends_with_its_last_reference(void **state)
{
	struct bench b;

	begin(&b);
	assert_true(b.sk->sk_cookie != 0);
	assert_int_equal(b.cpu->nr_socks, 1);
	assert_non_null(sock_rare(b.sk));
	assert_ptr_equal(sock_rare(b.sk), b.sk->sk_rare);
	assert_int_equal(b.sk->sk_rare->peek_off, -1);
	sock_hold(b.sk);
	sock_put(b.sk);
	assert_int_equal(b.destructed, 0);
	sock_put(b.sk);
	assert_int_equal(b.destructed, 1);
	end(&b);
}

static void read_protocols(struct bench *b, struct text *t)
{
	t->len = 0;
	cpu_unlock(b->cpu);
	assert_int_equal(view_read(b->net, "/proc/net/protocols", t), 0);
	cpu_lock(b->cpu);
}

static void transports_are_listed_with_their_sockets(void **state)
{
	static const struct proto shown = { .name = "SHOWN", .obj_size = sizeof(struct sock) };
	static const struct proto others[PROTO_MAX];
	struct text t = { 0 };
	struct bench b;
	struct sock *sk;
	char line[64];
	u32 n = 0;

	begin(&b);
	assert_int_equal(proto_register(b.m, &shown), 0);
	assert_int_equal(proto_register(b.m, &shown), 0);
	sk = sk_alloc(b.net, AF_INET, &shown);
	snprintf(line, sizeof(line), "\nSHOWN     %4zu      1 ", sizeof(struct sock));
	read_protocols(&b, &t);
	assert_non_null(strstr(t.buf, line));
	sock_put(sk);
	read_protocols(&b, &t);
	assert_null(strstr(t.buf, line));
	proto_unregister(b.m, &shown);
	read_protocols(&b, &t);
	assert_null(strstr(t.buf, "SHOWN"));
	while (n < PROTO_MAX && !proto_register(b.m, &others[n]))
		n++;
	assert_int_equal(proto_register(b.m, &shown), -ENFILE);
	while (n)
		proto_unregister(b.m, &others[--n]);
	text_free(&t);
	sock_put(b.sk);
	end(&b);
}

static void packets_on_their_way_keep_the_memory(void **state)
{
	struct bench b;
	struct sk_buff *skb, *queued;
	int err = 0;

	begin(&b);
	skb = sock_alloc_send_skb(b.sk, 100, 500, true, &err);
	assert_int_equal(skb->len, 500);
	assert_int_equal(b.sk->sk_wmem_alloc, skb->truesize);
	queued = sock_alloc_send_skb(b.sk, 100, 0, true, &err);
	skb_queue_tail(&b.sk->sk_write_queue, queued);
	sock_put(b.sk);
	assert_int_equal(b.destructed, 1);
	assert_int_equal(b.cpu->nr_socks, 1);
	assert_int_equal(net_drops(b.net, SKB_DROP_SOCKET_CLOSE), 1);
	consume_skb(skb);
	assert_int_equal(b.cpu->nr_socks, 0);
	end(&b);
}

static void the_receive_buffer_is_bounded(void **state)
{
	struct bench b;
	struct sk_buff *skb;
	int n = 0, err;

	begin(&b);
	while (sock_queue_rcv_skb(b.sk, alloc_skb(b.cpu, 100)) == 0)
		assert_true(++n < 100);
	assert_int_equal(n, 4096 / 768);
	assert_int_equal(b.sk->sk_drops, 1);
	assert_int_equal(net_drops(b.net, SKB_DROP_SOCKET_RCVBUFF),
			 0); /* it had no device and no socket yet */
	assert_true(b.sk->sk_rmem_alloc <= b.sk->sk_rcvbuf);

	skb = skb_recv_datagram(b.sk, MSG_PEEK, &err);
	assert_ptr_equal(skb, skb_peek(&b.sk->sk_receive_queue));
	skb_free_datagram(b.sk, skb);
	skb = skb_recv_datagram(b.sk, 0, &err);
	skb_free_datagram(b.sk, skb);
	assert_int_equal(b.sk->sk_rmem_alloc, (n - 1) * 768);
	sock_put(b.sk);
	assert_int_equal(net_drops(b.net, SKB_DROP_SOCKET_CLOSE), n - 1);
	end(&b);
}

static void what_waits_for_a_reader_names_no_device(void **state)
{
	struct bench b;
	struct sk_buff *skb;
	struct net_device dev = { 0 };

	begin(&b);
	skb = alloc_skb(b.cpu, 100);
	skb->dev = &dev; /* gone before the reader comes */
	skb_set_owner_r(skb, b.sk);
	assert_null(skb->dev);
	skb_queue_tail(&b.sk->sk_receive_queue, skb);
	sock_put(b.sk);
	assert_int_equal(net_drops(b.net, SKB_DROP_SOCKET_CLOSE), 1);
	end(&b);
}

static void the_charge_follows_the_truesize(void **state)
{
	struct bench b;
	struct sk_buff *skb;
	u8 buf[1000] = "";
	struct iovec iov = { buf, sizeof(buf) };
	struct iov_iter it;
	int err;

	begin(&b);
	skb = sock_alloc_send_skb(b.sk, 100, 0, true, &err);
	iov_iter_init(&it, &iov, 1, sizeof(buf));
	assert_int_equal(skb_append_iter(skb, &it, sizeof(buf), false), 1000);
	b.sk->sk_wmem_alloc += 1000; /* the contract of skb_append_iter() */
	assert_int_equal(b.sk->sk_wmem_alloc, skb->truesize);
	assert_int_equal(pskb_expand_head(skb, 2000, 0), 0);
	assert_int_equal(b.sk->sk_wmem_alloc, skb->truesize);
	assert_int_equal(pskb_trim(skb, 10), 0);
	assert_int_equal(b.sk->sk_wmem_alloc, skb->truesize);
	skb_set_owner_r(skb, b.sk);
	assert_int_equal(b.sk->sk_wmem_alloc, 0);
	assert_int_equal(b.sk->sk_rmem_alloc, skb->truesize);
	consume_skb(skb);
	assert_int_equal(b.sk->sk_rmem_alloc, 0);
	sock_put(b.sk);
	end(&b);
}

static void queue_report(struct bench *b, u8 origin, u32 err)
{
	struct sk_buff *skb = alloc_skb(b->cpu, 0);

	assert_non_null(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	SOCK_ERR_CB(skb)->ee = (struct sock_extended_err){ .ee_errno = err, .ee_origin = origin };
	assert_int_equal(sock_queue_err_skb(b->sk, skb), 0);
}

static void reading_a_notification_leaves_the_pending_error_alone(void **state)
{
	struct bench b;

	begin(&b);
	b.sk->sk_err = ETIMEDOUT;
	queue_report(&b, SO_EE_ORIGIN_ZEROCOPY, 0);
	queue_report(&b, SO_EE_ORIGIN_TIMESTAMPING, ENOMSG);
	consume_skb(sock_dequeue_err_skb(b.sk));
	assert_int_equal(b.sk->sk_err, ETIMEDOUT);
	consume_skb(sock_dequeue_err_skb(b.sk));
	assert_int_equal(b.sk->sk_err, ETIMEDOUT);
	/* An ICMP error's goes with it, and the next one's comes. */
	queue_report(&b, SO_EE_ORIGIN_ICMP, EHOSTUNREACH);
	queue_report(&b, SO_EE_ORIGIN_ICMP6, ECONNREFUSED);
	consume_skb(sock_dequeue_err_skb(b.sk));
	assert_int_equal(b.sk->sk_err, ECONNREFUSED);
	consume_skb(sock_dequeue_err_skb(b.sk));
	assert_int_equal(b.sk->sk_err, 0);
	assert_null(sock_dequeue_err_skb(b.sk));
	sock_put(b.sk);
	end(&b);
}

static void send_says_why_it_cannot(void **state)
{
	struct bench b;
	struct sk_buff *skb;
	int err = 0;

	begin(&b);
	b.sk->sk_sndbuf = 1000;
	skb = sock_alloc_send_skb(b.sk, 1500, 0, true, &err);
	assert_non_null(skb); /* one packet fits always */
	assert_null(sock_alloc_send_skb(b.sk, 10, 0, true, &err));
	assert_int_equal(err, -EAGAIN);
	assert_true(sock_flag(b.sk, SOCK_NOSPACE));
	b.sk->sk_sndtimeo = 3 * MS;
	assert_null(sock_alloc_send_skb(b.sk, 10, 0, false, &err));
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(b.cpu->now, 3 * MS);
	b.sk->sk_err = ECONNREFUSED;
	assert_null(sock_alloc_send_skb(b.sk, 10, 0, true, &err));
	assert_int_equal(err, -ECONNREFUSED);
	b.sk->sk_shutdown = SK_SHUTDOWN_SEND;
	assert_null(sock_alloc_send_skb(b.sk, 10, 0, true, &err));
	assert_int_equal(err, -EPIPE);
	consume_skb(skb);
	sock_put(b.sk);
	end(&b);
}

static void free_held(struct cpu *cpu, struct timer_list *t)
{
	struct bench *b = container_of(t, struct bench, timer);

	consume_skb(b->held);
}

static void a_writer_sleeps_until_there_is_room(void **state)
{
	struct bench b;
	struct sk_buff *skb;
	int err = 0;

	begin(&b);
	timer_setup(&b.timer, free_held);
	b.held = sock_alloc_send_skb(b.sk, 4000, 0, true, &err);
	mod_timer(b.cpu, &b.timer, 5 * MS);
	skb = sock_alloc_send_skb(b.sk, 10, 0, false, &err);
	assert_non_null(skb);
	assert_true(b.cpu->now >= 5 * MS && b.cpu->now < 7 * MS);
	assert_false(waitqueue_active(&b.wq));
	consume_skb(skb);
	sock_put(b.sk);
	end(&b);
}

static void deliver(struct cpu *cpu, struct timer_list *t)
{
	struct bench *b = container_of(t, struct bench, timer);

	sock_queue_rcv_skb(b->sk, b->held);
}

static void a_reader_sleeps_until_something_comes(void **state)
{
	struct bench b;
	struct sk_buff *skb;
	int err = 1;

	begin(&b);
	timer_setup(&b.timer, deliver);
	b.held = alloc_skb(b.cpu, 100);
	mod_timer(b.cpu, &b.timer, 5 * MS);
	skb = skb_recv_datagram(b.sk, 0, &err);
	assert_ptr_equal(skb, b.held);
	assert_true(b.cpu->now >= 5 * MS);
	skb_free_datagram(b.sk, skb);

	assert_null(skb_recv_datagram(b.sk, MSG_DONTWAIT, &err));
	assert_int_equal(err, -EAGAIN);
	b.sk->sk_rcvtimeo = 2 * MS;
	assert_null(skb_recv_datagram(b.sk, 0, &err));
	assert_int_equal(err, -EAGAIN);
	b.sk->sk_err = EHOSTUNREACH;
	assert_null(skb_recv_datagram(b.sk, 0, &err));
	assert_int_equal(err, -EHOSTUNREACH);
	b.sk->sk_shutdown = SK_SHUTDOWN_RCV;
	assert_null(skb_recv_datagram(b.sk, 0, &err));
	assert_int_equal(err, 0);
	sock_put(b.sk);
	end(&b);
}

static void the_error_queue_is_charged_and_reported(void **state)
{
	struct bench b;
	struct sk_buff *skb = NULL;

	begin(&b);
	assert_int_equal(sock_queue_err_skb(b.sk, alloc_skb(b.cpu, 10)), 0);
	assert_int_equal(b.sk->sk_rare->error_queue.qlen, 1);
	assert_int_equal(b.sk->sk_rmem_alloc, 768);
	skb = alloc_skb(b.cpu, 10);
	b.sk->sk_rcvbuf = 1000;
	assert_int_equal(sock_queue_err_skb(b.sk, skb), -ENOMEM);
	sock_orphan(b.sk);
	assert_null(b.sk->sk_wq);
	assert_true(sock_flag(b.sk, SOCK_DEAD));
	sock_wake(b.sk, EPOLLIN); /* nobody there */
	sock_put(b.sk);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sock_ends_with_its_last_reference),
		cmocka_unit_test(transports_are_listed_with_their_sockets),
		cmocka_unit_test(packets_on_their_way_keep_the_memory),
		cmocka_unit_test(the_receive_buffer_is_bounded),
		cmocka_unit_test(what_waits_for_a_reader_names_no_device),
		cmocka_unit_test(the_charge_follows_the_truesize),
		cmocka_unit_test(send_says_why_it_cannot),
		cmocka_unit_test(a_writer_sleeps_until_there_is_room),
		cmocka_unit_test(a_reader_sleeps_until_something_comes),
		cmocka_unit_test(the_error_queue_is_charged_and_reported),
		cmocka_unit_test(reading_a_notification_leaves_the_pending_error_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
