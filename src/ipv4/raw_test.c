/* SPDX-License-Identifier: BSD-2-Clause */
/* raw_test.c - raw sockets between two nets: what they receive, what they may send, errors; ping and traceroute by hand */
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/in.h>

#include "core/sysctl.h"
#include "drivers/veth.h"
#include "ipv4/ipv4_test.h"
#include "socket/socket.h"

#define A IP(10, 0, 0, 1)
#define B IP(10, 0, 0, 2)

#define ICMP_FILTER_ 1

struct fixture {
	struct machine *m;
	struct net *a, *b;
	struct net_device *va, *vb;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = ipv4_machine();
	f->a = ipv4_net(f->m, "a");
	f->b = ipv4_net(f->m, "b");
	rtnl_lock(f->m);
	assert_int_equal(veth_create(f->a, "eth0", f->b, "eth0", &f->va, &f->vb), 0);
	rtnl_unlock(f->m);
	link_up(f->va);
	link_up(f->vb);
	assert_int_equal(addr_add(f->va, A, 24), 0);
	assert_int_equal(addr_add(f->vb, B, 24), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	machine_destroy(f->m);
	free(f);
	return 0;
}

static struct file *raw_socket(struct net *net, int protocol)
{
	struct file *file;

	assert_int_equal(sock_create_file(net, AF_INET, SOCK_RAW, protocol, &file), 0);
	return file;
}

static int set_int(struct file *file, int level, int name, int v)
{
	return sys_setsockopt(file, level, name, &v, sizeof(v));
}

static ssize_t send_to(struct file *file, be32 dst, const void *data, size_t len)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct iovec iov = { (void *)data, len };
	struct kmsghdr msg = { .name = &ss, .namelen = sizeof(*sin), .flags = MSG_DONTWAIT };

	if (be32_zero(dst))
		msg.namelen = 0;
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = dst.v;
	iov_iter_init(&msg.iter, &iov, 1, len);
	return sys_sendmsg(file, &msg);
}

static ssize_t receive(struct file *file, u8 *buf, size_t len, be32 *ret_from)
{
	struct sockaddr_storage ss = { 0 };
	struct iovec iov = { buf, len };
	struct kmsghdr msg = { .name = &ss, .flags = MSG_DONTWAIT };
	ssize_t n;

	iov_iter_init(&msg.iter, &iov, 1, len);
	n = sys_recvmsg(file, &msg);
	if (ret_from)
		ret_from->v = ((struct sockaddr_in *)&ss)->sin_addr.s_addr;
	return n;
}

/* An echo request with identifier @id and @len octets in all. */
static void echo(u8 *buf, u32 len, u16 id)
{
	struct icmp_hdr *h = (struct icmp_hdr *)buf;

	memset(buf, 0x5a, len);
	*h = (struct icmp_hdr){ .type = ICMP4_ECHO };
	h->un.echo.id = cpu_to_be16(id);
	h->checksum.v = csum_fold(csum_partial(buf, len, 0));
}

static void ping_by_hand(void **state)
{
	static const u32 sizes[] = { 64, 1480, 4000, 60000 };
	struct fixture *f = *state;
	struct file *s = raw_socket(f->a, IPPROTO_ICMP), *other = raw_socket(f->a, IPPROTO_ICMP);
	static u8 buf[65536], got[65536];
	int size = 1 << 20;
	be32 from;

	assert_int_equal(sys_setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(sys_setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	assert_int_equal(sys_setsockopt(other, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), 0);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 n = sizes[i];

		echo(buf, n, 77);
		assert_int_equal(send_to(s, B, buf, n), n);
		test_run_for(f->m, NSEC_PER_MSEC);
		/* The whole packet, header included, put together from fragments; each socket has a copy. */
		assert_int_equal(receive(s, got, sizeof(got), &from), n + 20);
		assert_true(be32_eq(from, B));
		assert_int_equal(got[0], 0x45);
		assert_int_equal(got[9], IPPROTO_ICMP);
		assert_int_equal(got[20], ICMP4_ECHOREPLY);
		assert_memory_equal(got + 24, buf + 4, n - 4);
		assert_int_equal(receive(other, got, sizeof(got), NULL), n + 20);
		assert_int_equal(receive(s, got, sizeof(got), NULL), -EAGAIN);
	}
	assert_int_equal(f->a->ipv4->icmp_msg_out[ICMP4_ECHO], ARRAY_SIZE(sizes));
	file_put(s);
	file_put(other);
}

static void icmp_filter_holds_types_back(void **state)
{
	struct fixture *f = *state;
	struct file *s = raw_socket(f->a, IPPROTO_ICMP), *u = raw_socket(f->a, IPPROTO_UDP);
	u32 filter = 1u << ICMP4_ECHOREPLY, got = 0;
	socklen_t len = sizeof(got);
	u8 buf[64];

	assert_int_equal(sys_setsockopt(s, SOL_RAW, ICMP_FILTER_, &filter, sizeof(filter)), 0);
	assert_int_equal(sys_getsockopt(s, SOL_RAW, ICMP_FILTER_, &got, &len), 0);
	assert_int_equal(got, filter);
	assert_int_equal(sys_setsockopt(u, SOL_RAW, ICMP_FILTER_, &filter, sizeof(filter)),
			 -EOPNOTSUPP);
	assert_int_equal(sys_setsockopt(s, SOL_RAW, 2, &filter, sizeof(filter)), -ENOPROTOOPT);
	echo(buf, sizeof(buf), 1);
	assert_int_equal(send_to(s, B, buf, sizeof(buf)), sizeof(buf));
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->a->mib[MIB_Icmp_InEchoReps], 1);
	assert_int_equal(receive(s, buf, sizeof(buf), NULL), -EAGAIN);
	file_put(s);
	file_put(u);
}

static void protocols_without_transport_are_taken(void **state)
{
	struct fixture *f = *state;
	struct file *sa = raw_socket(f->a, 99), *sb;
	u8 got[64];

	assert_int_equal(send_to(sa, B, "hello", 5), 5);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->b->mib[MIB_Ip_InUnknownProtos], 1);
	sb = raw_socket(f->b, 99);
	assert_int_equal(send_to(sa, B, "hello", 5), 5);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->b->mib[MIB_Ip_InUnknownProtos], 1);
	assert_int_equal(receive(sb, got, sizeof(got), NULL), 25);
	assert_memory_equal(got + 20, "hello", 5);
	file_put(sa);
	file_put(sb);
}

static void bound_and_connected_sockets_get_what_fits(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in us = { .sin_family = AF_INET, .sin_addr.s_addr = B.v };
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = A.v };
	struct sockaddr_in nobody = { .sin_family = AF_INET, .sin_addr.s_addr = IP(10, 0, 0, 9).v };
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct file *sa = raw_socket(f->a, 99), *bound = raw_socket(f->b, 99),
		    *connected = raw_socket(f->b, 99), *away = raw_socket(f->b, 99);
	u8 got[64];

	assert_int_equal(sys_bind(bound, (struct sockaddr *)&us, sizeof(us)), 0);
	assert_int_equal(sys_bind(bound, (struct sockaddr *)&nobody, sizeof(nobody)),
			 -EADDRNOTAVAIL);
	assert_int_equal(sys_connect(connected, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_int_equal(sys_connect(away, (struct sockaddr *)&nobody, sizeof(nobody)), 0);
	assert_int_equal(send_to(sa, (be32){ 0 }, "x", 1), -EDESTADDRREQ);
	assert_int_equal(send_to(sa, B, "x", 1), 1);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(receive(bound, got, sizeof(got), NULL), 21);
	assert_int_equal(receive(connected, got, sizeof(got), NULL), 21);
	assert_int_equal(receive(away, got, sizeof(got), NULL), -EAGAIN);
	/* Connected: no address is needed, and disconnecting leaves the protocol. */
	assert_int_equal(send_to(connected, (be32){ 0 }, "y", 1), 1);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(receive(sa, got, sizeof(got), NULL), 21);
	assert_int_equal(sys_connect(away, &unspec, sizeof(unspec)), 0);
	assert_int_equal(send_to(sa, B, "x", 1), 1);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(receive(away, got, sizeof(got), NULL), 21);
	file_put(sa);
	file_put(bound);
	file_put(connected);
	file_put(away);
}

static void own_header_is_completed(void **state)
{
	struct fixture *f = *state;
	struct file *sa = raw_socket(f->a, IPPROTO_RAW), *sb = raw_socket(f->b, 99);
	struct ip_hdr h = { .ihl_version = 0x45, .ttl = 3, .protocol = 99, .daddr = B };
	static u8 big[2000];
	u8 got[64];
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(sys_getsockopt(sa, IPPROTO_IP, IP_HDRINCL, &v, &len), 0);
	assert_int_equal(v, 1);
	assert_int_equal(send_to(sa, B, &h, sizeof(h)), sizeof(h));
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(receive(sb, got, sizeof(got), NULL), 20);
	assert_int_equal(got[8], 3);
	assert_int_equal(got[3], 20);
	assert_true(got[4] || got[5]);
	assert_true(ipv4_csum_ok(got, 20));
	assert_memory_equal(got + 12, &A, 4);
	/* Not shorter than a header, nor than it says, nor longer than the link takes. */
	assert_int_equal(send_to(sa, B, &h, 19), -EINVAL);
	h.ihl_version = 0x46;
	assert_int_equal(send_to(sa, B, &h, sizeof(h)), -EINVAL);
	h.ihl_version = 0x44;
	assert_int_equal(send_to(sa, B, &h, sizeof(h)), -EINVAL);
	big[0] = 0x45;
	assert_int_equal(send_to(sa, B, big, sizeof(big)), -EMSGSIZE);
	assert_int_equal(drops(f->a, SKB_DROP_RAW_HEADER), 2);
	/* A socket of another protocol asks for it. */
	assert_int_equal(set_int(sb, IPPROTO_IP, IP_HDRINCL, 1), 0);
	file_put(sa);
	file_put(sb);
}

/* What traceroute does: TTL 1 towards a router's other side, the error tells the first hop. */
static void traceroute_by_hand(void **state)
{
	struct fixture *f = *state;
	struct file *s = raw_socket(f->a, IPPROTO_ICMP);
	u8 buf[64], got[128], control[256];
	struct iovec iov = { got, sizeof(got) };
	struct kmsghdr msg = { .flags = MSG_ERRQUEUE | MSG_DONTWAIT,
			       .control = control,
			       .controllen = sizeof(control) };
	struct sockaddr_storage ss;
	const struct cmsghdr *c = (const struct cmsghdr *)control;
	struct sock_extended_err ee;

	cpu_lock(f->b->cpu);
	ipv4_set_forwarding(f->b, true);
	cpu_unlock(f->b->cpu);
	assert_int_equal(route_request(f->a, (struct route_spec){ .dst = IP(10, 9, 0, 0),
								  .plen = 16,
								  .gw = B,
								  .dev = f->va }),
			 0);
	assert_int_equal(set_int(s, IPPROTO_IP, IP_TTL, 1), 0);
	assert_int_equal(set_int(s, IPPROTO_IP, IP_RECVERR, 1), 0);
	assert_int_equal(route_request(f->b, (struct route_spec){ .dst = IP(10, 9, 0, 0),
								  .plen = 16,
								  .gw = IP(10, 0, 0, 3),
								  .dev = f->vb }),
			 0);
	echo(buf, sizeof(buf), 5);
	assert_int_equal(send_to(s, IP(10, 9, 0, 1), buf, sizeof(buf)), sizeof(buf));
	test_run_for(f->m, NSEC_PER_MSEC);
	/* The packet, as any other ... */
	assert_int_equal(receive(s, got, sizeof(got), NULL), -EHOSTUNREACH);
	assert_true(receive(s, got, sizeof(got), NULL) > 28);
	assert_int_equal(got[20], ICMP4_TIME_EXCEEDED);
	/* ... and the error, with where it came from. */
	msg.name = &ss;
	iov_iter_init(&msg.iter, &iov, 1, sizeof(got));
	assert_true(sys_recvmsg(s, &msg) >= 8);
	assert_int_equal(got[0], ICMP4_ECHO); /* what was sent */
	assert_int_equal(c->cmsg_type, IP_RECVERR);
	memcpy(&ee, CMSG_DATA(c), sizeof(ee));
	assert_int_equal(ee.ee_errno, EHOSTUNREACH);
	assert_int_equal(ee.ee_type, ICMP4_TIME_EXCEEDED);
	assert_memory_equal(CMSG_DATA(c) + sizeof(ee) + 4, &B, 4);
	file_put(s);
}

static void router_alert_goes_to_who_asked_for_it(void **state)
{
	static const u8 alert[4] = { 148, 4, 0, 0 };
	struct fixture *f = *state;
	struct file *sa = raw_socket(f->a, 46), *sb = raw_socket(f->b, 46),
		    *raw = raw_socket(f->b, IPPROTO_RAW);
	u8 got[64];

	cpu_lock(f->b->cpu);
	ipv4_set_forwarding(f->b, true);
	cpu_unlock(f->b->cpu);
	assert_int_equal(route_request(f->a, (struct route_spec){ .dst = IP(10, 9, 0, 0),
								  .plen = 16,
								  .gw = B,
								  .dev = f->va }),
			 0);
	assert_int_equal(route_request(f->b, (struct route_spec){ .dst = IP(10, 9, 0, 0),
								  .plen = 16,
								  .gw = IP(10, 0, 0, 3),
								  .dev = f->vb }),
			 0);
	assert_int_equal(sys_setsockopt(sa, IPPROTO_IP, IP_OPTIONS, alert, 4), 0);
	assert_int_equal(set_int(raw, IPPROTO_IP, IP_ROUTER_ALERT, 1), -EINVAL);
	assert_int_equal(set_int(sb, IPPROTO_IP, IP_ROUTER_ALERT, 0), -ENOBUFS);
	assert_int_equal(set_int(sb, IPPROTO_IP, IP_ROUTER_ALERT, 1), 0);
	assert_int_equal(set_int(sb, IPPROTO_IP, IP_ROUTER_ALERT, 1), -EADDRINUSE);
	assert_int_equal(send_to(sa, IP(10, 9, 0, 1), "path", 4), 4);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(receive(sb, got, sizeof(got), NULL), 28);
	assert_int_equal(f->b->mib[MIB_Ip_ForwDatagrams], 0);
	assert_int_equal(set_int(sb, IPPROTO_IP, IP_ROUTER_ALERT, 0), 0);
	assert_int_equal(send_to(sa, IP(10, 9, 0, 1), "path", 4), 4);
	test_run_for(f->m, NSEC_PER_MSEC);
	assert_int_equal(f->b->mib[MIB_Ip_ForwDatagrams], 1);
	assert_int_equal(set_int(sb, IPPROTO_IP, IP_ROUTER_ALERT, 1), 0);
	file_put(sa);
	file_put(sb); /* leaves the chain */
	file_put(raw);
	assert_true(list_empty(&f->b->ipv4->ra_chain));
}

static void proc_net_raw_shows_sockets(void **state)
{
	struct fixture *f = *state;
	struct file *s = raw_socket(f->a, 99);
	struct text t = { 0 };

	assert_int_equal(view_read(f->a, "/proc/net/raw", &t), 0);
	assert_non_null(strstr(t.buf, " 00000000:0063 00000000:0000 07 00000000:00000000 "));
	text_free(&t);
	file_put(s);
}

static void protocol_zero_is_refused(void **state)
{
	struct fixture *f = *state;
	struct file *s;

	assert_int_equal(sock_create_file(f->a, AF_INET, SOCK_RAW, 0, &s), -EPROTONOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(ping_by_hand),
		TEST(icmp_filter_holds_types_back),
		TEST(protocols_without_transport_are_taken),
		TEST(bound_and_connected_sockets_get_what_fits),
		TEST(own_header_is_completed),
		TEST(traceroute_by_hand),
		TEST(router_alert_goes_to_who_asked_for_it),
		TEST(proc_net_raw_shows_sockets),
		TEST(protocol_zero_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
