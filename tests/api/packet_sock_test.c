/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_sock_test.c - packet sockets and socket filters through the public API, between two nets in virtual time */
#include "tests/api/two_nets.h"

#include <time.h>

#include <linux/errqueue.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct two_nets t;

static int setup(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
					   .start_realtime = 1000000000000000000ULL };

	two_nets_create(&t, &cfg);
	return 0;
}

static int teardown(void **state)
{
	two_nets_destroy(&t);
	return 0;
}

static struct weir_file *packet_socket(int net, int type, int proto)
{
	struct weir_file *f;

	assert_int_equal(weir_socket(t.net[net], AF_PACKET, type | SOCK_NONBLOCK,
				     htons((uint16_t)proto), &f),
			 0);
	return f;
}

/* eth0 is the first device after lo. */
static int eth0(int net)
{
	char *text;
	size_t len;
	int i;

	assert_int_equal(weir_view_read(t.net[net], "/sys/class/net/eth0/ifindex", &text, &len), 0);
	i = atoi(text);
	free(text);
	return i;
}

static void bind_eth0(struct weir_file *f, int net, int proto)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((uint16_t)proto),
				  .sll_ifindex = eth0(net) };

	assert_int_equal(weir_bind(f, (struct sockaddr *)&ll, sizeof(ll)), 0);
}

static struct weir_file *udp_socket(int net)
{
	struct weir_file *f;

	assert_int_equal(weir_socket(t.net[net], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&t.addr[net], sizeof(t.addr[net])), 0);
	return f;
}

/* @n datagrams from net 0 to port 7 of net 1, each of @len octets of its number. */
static void send_udp(unsigned n, size_t len)
{
	struct weir_file *f;
	char buf[1400];

	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &f), 0);
	for (unsigned i = 0; i < n; i++) {
		memset(buf, (int)i, len);
		assert_int_equal(weir_sendto(f, buf, len, 0, (struct sockaddr *)&t.addr[1],
					     sizeof(t.addr[1])),
				 len);
		weir_run(t.m, 1000000);
	}
	weir_run(t.m, 1000000);
	weir_close(f);
}

/* The next frame of UDP that @f has; its length, or -errno. */
static ssize_t next_udp(struct weir_file *f, uint8_t *buf, size_t size, struct sockaddr_ll *from,
			size_t net_off)
{
	for (;;) {
		socklen_t len = sizeof(*from);
		ssize_t n = weir_recvfrom(f, buf, size, 0, (struct sockaddr *)from, &len);

		if (n < 0 ||
		    (ntohs(from->sll_protocol) == ETH_P_IP && buf[net_off + 9] == IPPROTO_UDP))
			return n;
	}
}

static void raw_sees_both_directions_with_headers(void **state)
{
	struct weir_file *in = packet_socket(1, SOCK_RAW, ETH_P_ALL),
			 *out = packet_socket(0, SOCK_RAW, ETH_P_ALL);
	struct weir_file *sink = udp_socket(1);
	struct sockaddr_ll from;
	uint8_t buf[2000];

	send_udp(1, 100);
	assert_int_equal(next_udp(in, buf, sizeof(buf), &from, 14), 14 + 20 + 8 + 100);
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	assert_int_equal(from.sll_ifindex, eth0(1));
	assert_int_equal(from.sll_hatype, ARPHRD_ETHER);
	assert_int_equal(from.sll_halen, 6);
	assert_memory_equal(from.sll_addr, buf + 6, 6);
	assert_int_equal(next_udp(out, buf, sizeof(buf), &from, 14), 142);
	assert_int_equal(from.sll_pkttype, PACKET_OUTGOING);
	weir_close(in);
	weir_close(out);
	weir_close(sink);
}

static void cooked_begins_at_the_network_header(void **state)
{
	struct weir_file *f = packet_socket(1, SOCK_DGRAM, ETH_P_IP), *sink = udp_socket(1);
	struct sockaddr_ll from;
	uint8_t buf[2000];

	send_udp(1, 10);
	assert_int_equal(next_udp(f, buf, sizeof(buf), &from, 0), 38);
	assert_int_equal(buf[0], 0x45);
	weir_close(f);
	weir_close(sink);
}

static void one_protocol_sees_only_what_comes_in(void **state)
{
	struct weir_file *f = packet_socket(0, SOCK_RAW, ETH_P_IP),
			 *arp = packet_socket(1, SOCK_RAW, ETH_P_ARP);
	struct weir_file *sink = udp_socket(1);
	struct sockaddr_ll from;
	uint8_t buf[2000];
	socklen_t len = sizeof(from);

	send_udp(1, 10);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(weir_recvfrom(arp, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len),
			 42);
	assert_int_equal(from.sll_pkttype, PACKET_BROADCAST);
	assert_int_equal(weir_recv(arp, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(f);
	weir_close(arp);
	weir_close(sink);
}

static void sent_frames_arrive_and_the_sender_does_not_see_them(void **state)
{
	static const uint8_t body[60] = "hello";
	struct weir_file *a = packet_socket(0, SOCK_RAW, 0x88b5),
			 *b = packet_socket(1, SOCK_RAW, 0x88b5);
	struct weir_file *cooked = packet_socket(0, SOCK_DGRAM, 0),
			 *all = packet_socket(0, SOCK_RAW, ETH_P_ALL);
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = eth0(0),
				  .sll_halen = 6,
				  .sll_protocol = htons(0x88b5) };
	uint8_t frame
		[74] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5, 'x' },
	   buf[200];
	int one = 1;

	bind_eth0(all, 0, ETH_P_ALL);
	assert_int_equal(
		weir_sendto(all, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)),
		sizeof(frame));
	weir_run(t.m, 1000000);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), sizeof(frame));
	assert_memory_equal(buf, frame, sizeof(frame));
	assert_int_equal(weir_recv(all, buf, sizeof(buf), 0), -EAGAIN);

	memset(to.sll_addr, 0xff, 6);
	assert_int_equal(
		weir_sendto(cooked, body, sizeof(body), 0, (struct sockaddr *)&to, sizeof(to)),
		sizeof(body));
	weir_run(t.m, 1000000);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 14 + sizeof(body));
	assert_memory_equal(buf + 14, body, sizeof(body));
	assert_int_equal(weir_recv(all, buf, sizeof(buf), 0), 14 + sizeof(body)); /* another's */

	assert_int_equal(weir_setsockopt(all, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)),
			 0);
	assert_int_equal(weir_send(all, frame, sizeof(frame), 0), sizeof(frame));
	weir_run(t.m, 1000000);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), sizeof(frame));

	assert_int_equal(weir_send(all, frame, 10, 0), -EINVAL); /* no header */
	to.sll_ifindex = 99;
	assert_int_equal(
		weir_sendto(a, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)),
		-ENXIO);
	weir_close(a);
	weir_close(b);
	weir_close(all);
	weir_close(cooked);
}

static void frames_longer_than_the_mtu_are_refused(void **state)
{
	struct weir_file *f = packet_socket(0, SOCK_RAW, 0);
	uint8_t frame[1600] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };

	bind_eth0(f, 0, ETH_P_ALL);
	assert_int_equal(weir_send(f, frame, 1514, 0), 1514);
	assert_int_equal(weir_send(f, frame, 1515, 0), -EMSGSIZE);
	frame[12] = 0x81;
	frame[13] = 0;
	assert_int_equal(weir_send(f, frame, 1518, 0), 1518); /* with a VLAN tag */
	assert_int_equal(weir_send(f, frame, 1519, 0), -EMSGSIZE);
	weir_close(f);
}

static void attach(struct weir_file *f, struct sock_filter *insns, unsigned short n)
{
	struct sock_fprog prog = { n, insns };

	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
}

static void filters_choose_and_shorten(void **state)
{
	struct sock_filter udp_40[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 1),
					BPF_STMT(BPF_RET | BPF_K, 40),
					BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter in_only[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0xffff)
	};
	struct weir_file *f = packet_socket(1, SOCK_RAW, ETH_P_ALL),
			 *out = packet_socket(0, SOCK_RAW, ETH_P_ALL);
	struct weir_file *sink = udp_socket(1);
	struct tpacket_auxdata aux;
	char control[200];
	uint8_t buf[200];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct sockaddr_ll from;
	int one = 1;

	attach(f, udp_40, 4);
	attach(out, in_only, 4);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)), 0);
	send_udp(1, 100);
	assert_int_equal(weir_recvmsg(f, &h, MSG_TRUNC), 40);
	assert_non_null(CMSG_FIRSTHDR(&h));
	assert_int_equal(CMSG_FIRSTHDR(&h)->cmsg_type, PACKET_AUXDATA);
	memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(aux));
	assert_int_equal(aux.tp_len, 142);
	assert_int_equal(aux.tp_snaplen, 40);
	assert_int_equal(aux.tp_net, 14);
	assert_int_equal(next_udp(out, buf, sizeof(buf), &from, 14), -EAGAIN);
	weir_close(f);
	weir_close(out);
	weir_close(sink);
}

static void filters_of_udp_and_locks(void **state)
{
	/* The first payload octet, behind the UDP header, must be 1; four octets are kept. */
	struct sock_filter second[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
					BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
					BPF_STMT(BPF_RET | BPF_K, 12),
					BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter bad = BPF_STMT(BPF_LD | BPF_IMM, 0);
	struct sock_fprog prog = { 1, &bad };
	struct weir_file *f = udp_socket(1);
	int one = 1, zero = 0;
	char buf[200];

	attach(f, second, 4);
	send_udp(3, 100);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), 4);
	assert_int_equal(buf[0], 1);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)),
			 -EINVAL);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)), 0);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)),
			 -ENOENT);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)), 0);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)),
			 -EPERM);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_LOCK_FILTER, &zero, sizeof(zero)),
			 -EPERM);
	weir_close(f);
}

static void a_listener_passes_its_filter_on(void **state)
{
	/* Only segments with at most 40 octets after the IP header: the handshake, but no large data. */
	struct sock_filter small[] = { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
				       BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 60, 0, 1),
				       BPF_STMT(BPF_RET | BPF_K, 0),
				       BPF_STMT(BPF_RET | BPF_K, 0xffff) };
	struct weir_file *l, *c, *s;
	char buf[1000] = { 0 };

	assert_int_equal(weir_socket(t.net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	attach(l, small, 4);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
	weir_connect(c, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1]));
	weir_run(t.m, 10000000);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s), 0);
	weir_close(l); /* the child has a share of its own */
	assert_int_equal(weir_send(c, "abc", 3, 0), 3);
	weir_run(t.m, 10000000);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 3);
	assert_int_equal(weir_send(c, buf, sizeof(buf), 0), sizeof(buf));
	weir_run(t.m, 10000000);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), -EAGAIN);
	weir_close(c);
	weir_close(s);
}

static void *map_ring(struct weir_file *f, size_t want)
{
	size_t size;
	void *map;
	int fd;

	assert_int_equal(weir_packet_ring_fd(f, &fd, &size), 0);
	assert_int_equal(size, want);
	assert_int_equal(ftruncate(fd, 0), -1); /* sealed */
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	close(fd);
	return map;
}

static void v2_ring_fills_wraps_and_counts(void **state)
{
	struct weir_file *f = packet_socket(1, SOCK_RAW, 0), *sink = udp_socket(1);
	struct tpacket_req req = {
		.tp_block_size = 4096, .tp_block_nr = 2, .tp_frame_size = 2048, .tp_frame_nr = 4
	};
	int version = TPACKET_V2;
	struct tpacket_stats st;
	socklen_t len = sizeof(st);
	uint8_t *map, *frame;

	send_udp(1, 10); /* addresses are resolved: no ARP in what follows */
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)),
			 0);
	req.tp_frame_nr = 5;
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)),
			 -EINVAL);
	req.tp_frame_nr = 4;
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)), 0);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)), -EBUSY);
	bind_eth0(f, 1, ETH_P_IP);
	map = map_ring(f, 8192);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(weir_poll_now(f) & POLLIN, 0);
		send_udp(3, 100);
		assert_int_equal(weir_poll_now(f) & POLLIN, POLLIN);
		for (int i = 0; i < 3; i++) {
			struct tpacket2_hdr *h = (void *)(map + (round * 3 + i) % 4 * 2048);

			assert_true(h->tp_status & TP_STATUS_USER);
			assert_int_equal(h->tp_len, 142);
			assert_int_equal(h->tp_snaplen, 142);
			assert_int_equal(h->tp_net - h->tp_mac, 14);
			assert_true(h->tp_sec >= 1000000000);
			frame = (uint8_t *)h + h->tp_mac;
			assert_int_equal(frame[14], 0x45);
			assert_int_equal(frame[42], i);
			assert_int_equal(
				((struct sockaddr_ll *)((uint8_t *)h + TPACKET_ALIGN(sizeof(*h))))
					->sll_family,
				AF_PACKET);
			__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		}
	}
	send_udp(6, 100);
	assert_int_equal(weir_getsockopt(f, SOL_PACKET, PACKET_STATISTICS, &st, &len), 0);
	assert_int_equal(st.tp_packets, 15);
	assert_int_equal(st.tp_drops, 2);
	weir_getsockopt(f, SOL_PACKET, PACKET_STATISTICS, &st, &len);
	assert_int_equal(st.tp_packets, 0);
	munmap(map, 8192);
	weir_close(f);
	weir_close(sink);
}

static void v3_blocks_are_given_when_full_or_old(void **state)
{
	struct weir_file *f = packet_socket(1, SOCK_RAW, 0), *sink = udp_socket(1);
	struct tpacket_req3 req = { .tp_block_size = 4096,
				    .tp_block_nr = 2,
				    .tp_frame_size = 2048,
				    .tp_frame_nr = 4,
				    .tp_retire_blk_tov = 50 };
	int version = TPACKET_V3;
	struct tpacket_stats_v3 st;
	struct tpacket_block_desc *b;
	struct tpacket3_hdr *h;
	socklen_t len = sizeof(st);
	uint8_t *map;

	send_udp(1, 10);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)),
			 0);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)), 0);
	bind_eth0(f, 1, ETH_P_IP);
	map = map_ring(f, 8192);
	b = (void *)map;
	send_udp(2, 100);
	assert_int_equal(b->hdr.bh1.block_status, TP_STATUS_KERNEL);
	assert_int_equal(weir_poll_now(f) & POLLIN, 0);
	weir_sleep(t.m, 120000000);
	assert_true(b->hdr.bh1.block_status & TP_STATUS_USER);
	assert_true(b->hdr.bh1.block_status & TP_STATUS_BLK_TMO);
	assert_int_equal(weir_poll_now(f) & POLLIN, POLLIN);
	assert_int_equal(b->hdr.bh1.num_pkts, 2);
	h = (void *)(map + b->hdr.bh1.offset_to_first_pkt);
	assert_int_equal(h->tp_len, 142);
	assert_true(h->tp_next_offset > 0);
	h = (void *)((uint8_t *)h + h->tp_next_offset);
	assert_int_equal(((uint8_t *)h)[h->tp_mac + 42], 1);
	assert_int_equal(h->tp_next_offset, 0);
	/* The second block takes three frames of 1242 octets; the first is still ours: the queue freezes. */
	send_udp(5, 1200);
	b = (void *)(map + 4096);
	assert_true(b->hdr.bh1.block_status & TP_STATUS_USER);
	assert_int_equal(weir_getsockopt(f, SOL_PACKET, PACKET_STATISTICS, &st, &len), 0);
	assert_int_equal(st.tp_packets, 7);
	assert_int_equal(st.tp_drops, 5 - b->hdr.bh1.num_pkts);
	assert_int_equal(st.tp_freeze_q_cnt, 1);
	munmap(map, 8192);
	weir_close(f);
	weir_close(sink);
}

static void tx_ring_sends_what_is_marked(void **state)
{
	struct weir_file *f = packet_socket(0, SOCK_RAW, 0),
			 *b = packet_socket(1, SOCK_RAW, 0x88b5);
	struct tpacket_req req = {
		.tp_block_size = 4096, .tp_block_nr = 1, .tp_frame_size = 2048, .tp_frame_nr = 2
	};
	int version = TPACKET_V2;
	uint8_t *map, buf[200];

	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)),
			 0);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)), 0);
	bind_eth0(f, 0, 0x88b5);
	map = map_ring(f, 4096);
	for (int i = 0; i < 2; i++) {
		struct tpacket2_hdr *h = (void *)(map + 2048 * i);
		uint8_t *p = (uint8_t *)h + TPACKET2_HDRLEN - sizeof(struct sockaddr_ll);

		memcpy(p, "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x09\x88\xb5", 14);
		p[14] = (uint8_t)i;
		h->tp_len = i ? 4000 : 60;
		h->tp_status = TP_STATUS_SEND_REQUEST;
	}
	assert_int_equal(weir_send(f, NULL, 0, 0), 60);
	weir_run(t.m, 1000000);
	assert_int_equal(weir_recv(b, buf, sizeof(buf), 0), 60);
	assert_int_equal(((struct tpacket2_hdr *)map)->tp_status, TP_STATUS_AVAILABLE);
	assert_int_equal(((struct tpacket2_hdr *)(map + 2048))->tp_status, TP_STATUS_WRONG_FORMAT);
	munmap(map, 4096);
	weir_close(f);
	weir_close(b);
}

/* How many of the waiting frames. */
static unsigned drain(struct weir_file *f)
{
	uint8_t buf[100];
	unsigned n = 0;

	while (weir_recv(f, buf, sizeof(buf), 0) > 0)
		n++;
	return n;
}

static void fanout_shares_frames(void **state)
{
	struct weir_file *f[2], *sink = udp_socket(1);
	unsigned a, b;

	send_udp(1, 10);
	for (int type = PACKET_FANOUT_HASH; type <= PACKET_FANOUT_QM; type++) {
		for (int i = 0; i < 2; i++) {
			int arg = 7 | type << 16;

			f[i] = packet_socket(1, SOCK_RAW, 0);
			assert_int_equal(
				weir_setsockopt(f[i], SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)),
				-EINVAL);
			bind_eth0(f[i], 1, ETH_P_IP);
			assert_int_equal(
				weir_setsockopt(f[i], SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)),
				0);
			assert_int_equal(
				weir_setsockopt(f[i], SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)),
				-EALREADY);
		}
		send_udp(8, 50);
		a = drain(f[0]);
		b = drain(f[1]);
		assert_int_equal(a + b, 8);
		if (type == PACKET_FANOUT_LB)
			assert_int_equal(a, 4);
		if (type == PACKET_FANOUT_HASH) /* one flow */
			assert_true(a == 0 || b == 0);
		weir_close(f[0]);
		send_udp(1, 50);
		assert_int_equal(drain(f[1]), 1);
		weir_close(f[1]);
	}
	weir_close(sink);
}

/* The payload's first octet, behind 14 + 20 + 8, is the member; there are two. */
static void a_program_shares_frames(void **state)
{
	struct sock_filter by_octet[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 42),
					  BPF_STMT(BPF_RET | BPF_A, 0) };
	struct sock_fprog prog = { 2, by_octet };
	struct weir_file *f[2], *sink = udp_socket(1);
	int arg = 9 | PACKET_FANOUT_CBPF << 16, ebpf = 8 | PACKET_FANOUT_EBPF << 16;

	send_udp(1, 10);
	for (int i = 0; i < 2; i++) {
		f[i] = packet_socket(1, SOCK_RAW, 0);
		bind_eth0(f[i], 1, ETH_P_IP);
		assert_int_equal(
			weir_setsockopt(f[i], SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)),
			-EINVAL);
		assert_int_equal(
			weir_setsockopt(f[i], SOL_PACKET, PACKET_FANOUT, &ebpf, sizeof(ebpf)),
			-EINVAL);
		assert_int_equal(
			weir_setsockopt(f[i], SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)), 0);
	}
	send_udp(4, 50);
	assert_int_equal(drain(f[0]), 4); /* without a program */
	assert_int_equal(weir_setsockopt(f[1], SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)),
			 0);
	send_udp(5, 50); /* 0 to 4 */
	assert_int_equal(drain(f[0]), 3);
	assert_int_equal(drain(f[1]), 2);
	for (int i = 0; i < 2; i++)
		weir_close(f[i]);
	weir_close(sink);
}

static void set_vlan_offload(int net, const char *name)
{
	struct ethtool_value v = { .cmd = ETHTOOL_SFLAGS, .data = ETH_FLAG_RXVLAN };
	struct ifreq r = { .ifr_data = (void *)&v };
	struct weir_file *f;

	strcpy(r.ifr_name, name);
	assert_int_equal(weir_socket(t.net[net], AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_ioctl(f, SIOCETHTOOL, &r), 0);
	weir_close(f);
}

/* @n rounds of work, each of a second at most. */
static void run_seconds(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		weir_run(t.m, 1000000000);
}

/* send(2): who knows that its datagrams arrive keeps the neighbour from being asked whether it is still there (RFC 4861 7.3.1). */
static void a_confirmed_neighbour_is_not_probed(void **state)
{
	static const int flags[] = { MSG_CONFIRM, 0 };
	struct weir_file *arp = packet_socket(1, SOCK_RAW, ETH_P_ARP), *sink = udp_socket(1), *f;

	send_udp(1, 10);
	assert_true(drain(arp) > 0);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &f), 0);
	for (int i = 0; i < 2; i++) {
		run_seconds(50); /* it may have gone, for all that is known */
		drain(arp);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(weir_sendto(f, "x", 1, n ? flags[i] : 0,
						     (struct sockaddr *)&t.addr[1],
						     sizeof(t.addr[1])),
					 1);
			run_seconds(3); /* at most */
		}
		run_seconds(20);
		if (flags[i])
			assert_int_equal(drain(arp), 0);
		else
			assert_true(drain(arp) > 0);
	}
	weir_close(f);
	weir_close(arp);
	weir_close(sink);
}

/* Each frame that leaves is told of by the error queue: the frame itself, its number, and when. */
static void frames_sent_are_stamped(void **state)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
					   0,    0,    0,    0,    9,    0x88, 0xb5 };
	struct weir_file *f = packet_socket(0, SOCK_RAW, 0);
	int flags =
		SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID;
	struct sock_extended_err ee;
	struct timespec ts[3];
	struct cmsghdr *c;
	char control[200], buf[200];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };

	bind_eth0(f, 0, ETH_P_ALL);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)), 0);
	for (uint32_t i = 0; i < 2; i++) {
		h.msg_controllen = sizeof(control);
		assert_int_equal(weir_recvmsg(f, &h, MSG_ERRQUEUE), -EAGAIN);
		assert_int_equal(weir_send(f, frame, sizeof(frame), 0), sizeof(frame));
		for (int n = 0; n < 10; n++)
			weir_run(t.m, 1000000);
		h.msg_controllen = sizeof(control);
		assert_int_equal(weir_recvmsg(f, &h, MSG_ERRQUEUE), sizeof(frame));
		assert_true(h.msg_flags & MSG_ERRQUEUE);
		assert_memory_equal(buf, frame, sizeof(frame));
		c = CMSG_FIRSTHDR(&h);
		assert_int_equal(c->cmsg_type, SO_TIMESTAMPING);
		memcpy(ts, CMSG_DATA(c), sizeof(ts));
		assert_int_equal(ts[0].tv_sec, 1000000000);
		c = CMSG_NXTHDR(&h, c);
		assert_int_equal(c->cmsg_level, SOL_PACKET);
		assert_int_equal(c->cmsg_type, PACKET_TX_TIMESTAMP);
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		assert_int_equal(ee.ee_errno, ENOMSG);
		assert_int_equal(ee.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
		assert_int_equal(ee.ee_data, i);
	}
	weir_close(f);
}

/* A card that strips tags tells of them beside the octets; so do the frames of rings. */
static void a_stripped_tag_is_in_the_auxiliary_data(void **state)
{
	static const uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    0,    0,  0,
					   0,    9,    0x81, 0,    0x60, 0x2a, 0x88, 0xb5, 'x' };
	struct weir_file *a, *b;
	struct tpacket_auxdata aux;
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88b5) };
	char control[200], buf[200];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct net_error err;
	struct ifreq r;
	int one = 1;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(net_nic_add(t.net[0], i ? "n0" : NULL, t.net[i], "n0", &err), 0);
		assert_int_equal(net_link_up(t.net[i], "n0", &err), 0);
	}
	set_vlan_offload(1, "n0");
	a = packet_socket(0, SOCK_RAW, 0);
	b = packet_socket(1, SOCK_RAW, 0x88b5);
	assert_int_equal(weir_setsockopt(b, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)), 0);
	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, "n0");
	assert_int_equal(weir_ioctl(a, SIOCGIFINDEX, &r), 0);
	ll.sll_ifindex = r.ifr_ifindex;
	assert_int_equal(
		weir_sendto(a, frame, sizeof(frame), 0, (struct sockaddr *)&ll, sizeof(ll)),
		sizeof(frame));
	run_seconds(20);
	assert_int_equal(weir_recvmsg(b, &h, 0), sizeof(frame) - 4);
	assert_int_equal(buf[12], (char)0x88);
	memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(aux));
	assert_int_equal(aux.tp_status & (TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID),
			 TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID);
	assert_int_equal(aux.tp_vlan_tci, 0x602a);
	assert_int_equal(aux.tp_vlan_tpid, ETH_P_8021Q);
	weir_close(a);
	weir_close(b);
}

static void a_device_that_goes_down_is_an_error(void **state)
{
	struct weir_file *f = packet_socket(1, SOCK_RAW, 0);
	struct sockaddr_ll ll;
	struct {
		struct nlmsghdr n;
		struct ifinfomsg i;
	} req = { { sizeof(req), RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		  { .ifi_index = eth0(0) } };
	socklen_t len = sizeof(ll);
	uint8_t buf[100];

	bind_eth0(f, 1, ETH_P_ALL);
	assert_int_equal(weir_getsockname(f, (struct sockaddr *)&ll, &len), 0);
	assert_int_equal(len, 18);
	assert_int_equal(ll.sll_ifindex, eth0(1));
	assert_int_equal(weir_netlink(t.net[0], NETLINK_ROUTE, &req.n, NULL, NULL, NULL, 0), 0);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), -ENETDOWN);
	len = sizeof(ll);
	assert_int_equal(weir_getsockname(f, (struct sockaddr *)&ll, &len), 0);
	assert_int_equal(ll.sll_ifindex, -1);
	weir_close(f);
}

static void memberships_count_and_end(void **state)
{
	struct weir_file *f = packet_socket(1, SOCK_RAW, 0);
	struct packet_mreq mr = { .mr_ifindex = eth0(1), .mr_type = PACKET_MR_PROMISC };
	size_t len;
	char *text;

	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)), 0);
	assert_int_equal(weir_view_read(t.net[1], "/sys/class/net/eth0/flags", &text, &len), 0);
	assert_true(strtoul(text, NULL, 0) & 0x100);
	free(text);
	mr.mr_type = PACKET_MR_MULTICAST;
	mr.mr_alen = 6;
	memcpy(mr.mr_address, "\x01\0\x5e\0\0\x09", 6);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)), 0);
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &mr, sizeof(mr)),
			 0);
	mr.mr_ifindex = 77;
	assert_int_equal(weir_setsockopt(f, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)),
			 -ENODEV);
	weir_close(f);
	assert_int_equal(weir_view_read(t.net[1], "/sys/class/net/eth0/flags", &text, &len), 0);
	assert_false(strtoul(text, NULL, 0) & 0x100);
	free(text);
}

static void proc_net_packet_lists_sockets(void **state)
{
	struct weir_file *f = packet_socket(1, SOCK_RAW, ETH_P_ALL);
	size_t len;
	char *text;

	assert_int_equal(weir_view_read(t.net[1], "/proc/net/packet", &text, &len), 0);
	assert_non_null(
		strstr(text, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"));
	assert_non_null(strstr(text, " 3    0003   0     1 "));
	free(text);
	weir_close(f);
}

/* A tap that shares the octets must not disturb the stream it looks at. */
static void a_stream_is_whole_under_capture(void **state)
{
	struct weir_file *taps[2] = { packet_socket(0, SOCK_RAW, ETH_P_ALL),
				      packet_socket(1, SOCK_DGRAM, ETH_P_ALL) };
	struct weir_file *c, *s;
	uint8_t out[8192], in[8192], expect = 0, next = 0;
	size_t sent = 0, got = 0, total = 3000000, captured = 0;
	uint8_t frame[100];

	two_nets_connect(&t, &c, &s);
	while (got < total) {
		ssize_t n;

		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (uint8_t)(next + i);
		n = sent < total ? weir_send(c, out, sizeof(out), 0) : 0;
		if (n > 0) {
			sent += (size_t)n;
			next = (uint8_t)(next + n);
		}
		weir_run(t.m, 1000000);
		while ((n = weir_recv(s, in, sizeof(in), 0)) > 0) {
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(in[i], expect++);
			got += (size_t)n;
		}
		/* One of them reads, the other's buffer is full all the time. */
		while (weir_recv(taps[1], frame, sizeof(frame), 0) > 0)
			captured++;
	}
	assert_true(captured > 20);
	weir_close(c);
	weir_close(s);
	weir_close(taps[0]);
	weir_close(taps[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(raw_sees_both_directions_with_headers),
		TEST(cooked_begins_at_the_network_header),
		TEST(one_protocol_sees_only_what_comes_in),
		TEST(sent_frames_arrive_and_the_sender_does_not_see_them),
		TEST(frames_longer_than_the_mtu_are_refused),
		TEST(filters_choose_and_shorten),
		TEST(filters_of_udp_and_locks),
		TEST(a_listener_passes_its_filter_on),
		TEST(v2_ring_fills_wraps_and_counts),
		TEST(v3_blocks_are_given_when_full_or_old),
		TEST(tx_ring_sends_what_is_marked),
		TEST(fanout_shares_frames),
		TEST(a_program_shares_frames),
		TEST(frames_sent_are_stamped),
		TEST(a_confirmed_neighbour_is_not_probed),
		TEST(a_stripped_tag_is_in_the_auxiliary_data),
		TEST(a_device_that_goes_down_is_an_error),
		TEST(memberships_count_and_end),
		TEST(proc_net_packet_lists_sockets),
		TEST(a_stream_is_whole_under_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
