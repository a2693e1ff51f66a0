/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_fragment_test.c - fragments in any order become datagrams; what an attacker might send does not, and costs little */
#include <netinet/in.h>

#include "core/sysctl.h"
#include "inet/inet_reasons.h"
#include "ipv4/ipv4_test.h"
#include "socket/socket.h"

#define US   IP(10, 0, 0, 1)
#define THEM IP(10, 0, 0, 2)

#define PORT     9
#define MAX_UDP  65507u
#define MAX_FRAG 64

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth0;
	struct file *file;
	u32 random;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int size = 1 << 20;

	f->m = ipv4_machine();
	f->net = ipv4_net(f->m, "t");
	f->eth0 = test_netdev(f->net, "eth0", true);
	assert_int_equal(addr_add(f->eth0, US, 24), 0);
	neigh_set(f->eth0, THEM);
	assert_int_equal(sock_create_file(f->net, AF_INET, SOCK_DGRAM, 0, &f->file), 0);
	assert_int_equal(sys_bind(f->file, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_setsockopt(f->file, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)),
			 0);
	f->random = 1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	file_put(f->file);
	test_netdev_del(f->eth0);
	machine_destroy(f->m);
	free(f);
	return 0;
}

static u32 next_random(struct fixture *f, u32 n)
{
	f->random = f->random * 1664525 + 1013904223;
	return (f->random >> 8) % n;
}

/* ---- fragments by hand ---------------------------------------------------------------------------------------- */

struct frag_spec {
	u16 id;
	u32 offset, len;
	bool more, df;
	u8 tos;
	be32 src;
};

/* cpu lock held. Octets [offset, offset + len) of @data. */
static struct sk_buff *fragment(struct fixture *f, const u8 *data, struct frag_spec s)
{
	struct sk_buff *skb = ip_packet(
		f->eth0, (struct packet_spec){ .src = be32_zero(s.src) ? THEM : s.src,
					       .dst = US,
					       .protocol = IPPROTO_UDP,
					       .tos = s.tos,
					       .frag = (u16)(s.offset / 8 | (s.more ? IP_F_MF : 0) |
							     (s.df ? IP_F_DF : 0)),
					       .payload = (u16)s.len });

	ip_hdr(skb)->id = cpu_to_be16(s.id);
	ip_send_check(ip_hdr(skb));
	if (s.len)
		memcpy(skb->data + sizeof(struct ip_hdr), data + s.offset, s.len);
	return skb;
}

static void feed(struct fixture *f, const u8 *data, struct frag_spec s)
{
	cpu_lock(f->net->cpu);
	ip_input(fragment(f, data, s));
	cpu_unlock(f->net->cpu);
}

/* A UDP datagram of @len octets of payload at @buf: header, checksum, pattern. Its length. */
static u32 datagram(u8 *buf, u32 len, u8 seed)
{
	u16 words[4] = { BE16_INIT(77).v, cpu_to_be16(PORT).v, cpu_to_be16((u16)(len + 8)).v, 0 };

	for (u32 i = 0; i < len; i++)
		buf[8 + i] = (u8)(i * 7 + (i >> 8) + seed);
	memcpy(buf, words, 8);
	words[3] = csum_tcpudp_magic(THEM, US, len + 8, IPPROTO_UDP, csum_partial(buf, len + 8, 0));
	memcpy(buf + 6, &words[3], 2);
	return len + 8;
}

/* What the socket has received next: -EAGAIN or the length, compared with @buf's payload. */
static ssize_t receive(struct fixture *f, const u8 *buf)
{
	static u8 got[65536];
	struct iovec iov = { got, sizeof(got) };
	struct kmsghdr msg = { .flags = MSG_DONTWAIT };
	ssize_t n;

	iov_iter_init(&msg.iter, &iov, 1, sizeof(got));
	n = sys_recvmsg(f->file, &msg);
	if (n > 0 && buf)
		assert_memory_equal(got, buf + 8, (size_t)n);
	return n;
}

static u32 cut(struct frag_spec *specs, u32 total, u32 piece, u16 id)
{
	u32 n = 0;

	for (u32 at = 0; at < total; at += piece, n++)
		specs[n] = (struct frag_spec){ .id = id,
					       .offset = at,
					       .len = min(piece, total - at),
					       .more = at + piece < total };
	return n;
}

static void nothing_is_left(struct fixture *f)
{
	assert_int_equal(f->net->ipv4->frags.mem, 0);
	assert_int_equal(f->net->ipv4->frags.nqueues, 0);
}

/* ---- datagrams ------------------------------------------------------------------------------------------------- */

static void datagrams_of_all_sizes_arrive_in_any_order(void **state)
{
	static const u32 sizes[] = { 1473, 2000, 2953, 8000, 20000, 65000, MAX_UDP };
	struct fixture *f = *state;
	static u8 buf[65536];
	struct frag_spec specs[MAX_FRAG], tmp;
	u16 id = 0;

	for (u32 round = 0; round < 8; round++) {
		for (u32 s = 0; s < ARRAY_SIZE(sizes); s++) {
			u32 len = datagram(buf, sizes[s], (u8)round);
			u32 n = cut(specs, len, 1480, ++id);

			/* Shuffled, with a duplicate of every fourth. */
			for (u32 i = n - 1; i > 0 && round; i--) {
				u32 j = round == 1 ? i / 2 : next_random(f, i + 1);

				tmp = specs[i], specs[i] = specs[j], specs[j] = tmp;
			}
			for (u32 i = 0; i < n; i++) {
				feed(f, buf, specs[i]);
				if (i % 4 == 0 && i + 1 < n)
					feed(f, buf, specs[next_random(f, i + 1)]);
			}
			assert_int_equal(receive(f, buf), sizes[s]);
			nothing_is_left(f);
		}
	}
	assert_int_equal(f->net->mib[MIB_Ip_ReasmOKs], 8 * ARRAY_SIZE(sizes));
	assert_int_equal(f->net->mib[MIB_Ip_ReasmFails], 0);
	assert_true(drops(f->net, SKB_DROP_FRAG_DUP) > 0);
}

static void damage_in_a_fragment_is_found_by_the_checksum(void **state)
{
	struct fixture *f = *state;
	struct frag_spec specs[MAX_FRAG];
	static u8 buf[8192];
	u32 n = cut(specs, datagram(buf, 4000, 1), 1480, 7);

	buf[2000] ^= 1;
	for (u32 i = 0; i < n; i++)
		feed(f, buf, specs[i]);
	assert_int_equal(receive(f, NULL), -EAGAIN);
	assert_int_equal(f->net->mib[MIB_Udp_InCsumErrors], 1);
}

static void datagrams_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct frag_spec one[MAX_FRAG], two[MAX_FRAG];
	static u8 a[8192], b[8192];
	u32 n = cut(one, datagram(a, 4000, 1), 1480, 7);

	cut(two, datagram(b, 4000, 2), 1480, 8);
	for (u32 i = 0; i < n; i++) {
		feed(f, a, one[i]);
		feed(f, b, two[n - 1 - i]);
	}
	assert_int_equal(receive(f, a), 4000);
	assert_int_equal(receive(f, b), 4000);
	nothing_is_left(f);
}

static void header_is_made_whole(void **state)
{
	struct fixture *f = *state;
	static u8 buf[4096];
	struct sk_buff *skb;
	struct ip_hdr *iph;

	datagram(buf, 2000, 1);
	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < 2; i++) {
		skb = fragment(f, buf,
			       (struct frag_spec){ .id = 3,
						   .offset = i ? 0 : 1480,
						   .len = i ? 1480 : 528,
						   .more = i,
						   .df = true,
						   .tos = i ? 2 : 3 });
		skb_set_transport_header(skb, sizeof(*iph));
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		skb = ip_defrag(f->net, skb, IP_DEFRAG_CONNTRACK);
		assert_int_equal(skb != NULL, i);
	}
	iph = ip_hdr(skb);
	assert_int_equal(skb->len, 2028);
	assert_int_equal(be16_to_cpu(iph->tot_len), 2028);
	assert_int_equal(be16_to_cpu(iph->frag_off), IP_F_DF);
	assert_int_equal(iph->tos, 3); /* one had met congestion */
	assert_true(ipv4_csum_ok((const u8 *)iph, sizeof(*iph)));
	assert_int_equal(IPCB(skb)->frag_max_size, 1500);
	/* Not copied: the payload of the second fragment lies where it was. */
	assert_non_null(skb_shinfo(skb)->frag_list);
	consume_skb(skb);
	cpu_unlock(f->net->cpu);
}

static void fragments_of_different_ecn_are_refused(void **state)
{
	struct fixture *f = *state;
	static u8 buf[4096];

	datagram(buf, 2000, 1);
	feed(f, buf, (struct frag_spec){ .id = 3, .len = 1480, .more = true, .tos = 0 });
	feed(f, buf, (struct frag_spec){ .id = 3, .offset = 1480, .len = 528, .tos = 3 });
	assert_int_equal(drops(f->net, SKB_DROP_FRAG_ECN), 2);
	nothing_is_left(f);
	/* RFC 3168 5.3 */
	assert_int_equal(inet_frag_ecn(1), -2);
	assert_int_equal(inet_frag_ecn(2 | 4), -2);
	assert_int_equal(inet_frag_ecn(2 | 8), 3);
	assert_int_equal(inet_frag_ecn(1 | 8), -1);
	assert_int_equal(inet_frag_ecn(1 | 4), -1);
}

/* ---- attacks --------------------------------------------------------------------------------------------------- */

static void overlaps_end_the_datagram(void **state)
{
	struct fixture *f = *state;
	static u8 buf[4096];
	static const struct {
		u32 off, len;
		u32 reason;
	} cases[] = {
		/* there are [800, 1600) and [1600, 2400) */
		{ 792, 16, SKB_DROP_FRAG_OVERLAP },  { 792, 2000, SKB_DROP_FRAG_OVERLAP },
		{ 2392, 16, SKB_DROP_FRAG_OVERLAP }, { 1592, 1000, SKB_DROP_FRAG_OVERLAP },
		{ 0, 808, SKB_DROP_FRAG_OVERLAP },   { 800, 800, SKB_DROP_FRAG_DUP },
		{ 800, 8, SKB_DROP_FRAG_DUP },       { 1592, 16, SKB_DROP_FRAG_DUP },
		{ 800, 1600, SKB_DROP_FRAG_DUP },    { 2392, 8, SKB_DROP_FRAG_DUP },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 overlaps = f->net->mib[MIB_IpExt_ReasmOverlaps];
		u64 before = drops(f->net, cases[i].reason);
		bool dup = cases[i].reason == SKB_DROP_FRAG_DUP;
		u16 id = (u16)(i + 1);

		feed(f, buf, (struct frag_spec){ .id = id, .offset = 1600, .len = 800, .more = 1 });
		feed(f, buf, (struct frag_spec){ .id = id, .offset = 800, .len = 800, .more = 1 });
		feed(f, buf,
		     (struct frag_spec){
			     .id = id, .offset = cases[i].off, .len = cases[i].len, .more = 1 });
		assert_int_equal(drops(f->net, cases[i].reason) - before, dup ? 1 : 3);
		assert_int_equal(f->net->mib[MIB_IpExt_ReasmOverlaps] - overlaps, !dup);
		assert_int_equal(f->net->ipv4->frags.nqueues, dup);
		if (dup) /* an overlap, to make room for the next */
			feed(f, buf,
			     (struct frag_spec){ .id = id, .offset = 792, .len = 16, .more = 1 });
	}
	nothing_is_left(f);
	assert_int_equal(receive(f, NULL), -EAGAIN);
}

static void contradictory_ends_end_the_datagram(void **state)
{
	struct fixture *f = *state;
	static u8 buf[66000];

	/* An end before octets that are there. */
	feed(f, buf, (struct frag_spec){ .id = 1, .offset = 800, .len = 800, .more = true });
	feed(f, buf, (struct frag_spec){ .id = 1, .offset = 8, .len = 100 });
	nothing_is_left(f);
	/* More behind the end. */
	feed(f, buf, (struct frag_spec){ .id = 2, .offset = 80, .len = 100 });
	feed(f, buf, (struct frag_spec){ .id = 2, .offset = 800, .len = 800, .more = true });
	nothing_is_left(f);
	/* Two ends. */
	feed(f, buf, (struct frag_spec){ .id = 3, .offset = 800, .len = 100 });
	feed(f, buf, (struct frag_spec){ .id = 3, .offset = 1600, .len = 100 });
	nothing_is_left(f);
	/* Behind the longest datagram. */
	feed(f, buf, (struct frag_spec){ .id = 4, .offset = 65528, .len = 100 });
	nothing_is_left(f);
	assert_int_equal(drops(f->net, SKB_DROP_FRAG_BAD), 7);
	/* A piece that is no multiple of eight loses what is over. */
	feed(f, buf, (struct frag_spec){ .id = 5, .offset = 800, .len = 803, .more = true });
	assert_int_equal(f->net->ipv4->frags.nqueues, 1);
}

static void memory_is_bounded_and_the_newest_datagram_survives(void **state)
{
	struct fixture *f = *state;
	struct fqdir *d = &f->net->ipv4->frags;
	struct frag_spec specs[MAX_FRAG];
	static u8 buf[8192];
	u32 n = cut(specs, datagram(buf, 4000, 1), 1480, 60000), fed = 0;
	static const char high[] = "262144", low[] = "131072";

	assert_int_equal(view_write(f->net, "/proc/sys/net/ipv4/ipfrag_high_thresh", high, 6), 0);
	assert_int_equal(view_write(f->net, "/proc/sys/net/ipv4/ipfrag_low_thresh", low, 6), 0);
	for (u32 i = 0; i < 5000; i++) {
		feed(f, buf,
		     (struct frag_spec){ .id = (u16)i,
					 .offset = 800,
					 .len = 800,
					 .more = true,
					 .src = IP(10, 0, 0, 3 + i % 200) });
		assert_true(d->mem <= d->high_thresh);
		if (i > 4900 && i % 10 == 0 && fed < n)
			feed(f, buf, specs[fed++]);
	}
	assert_int_equal(fed, n);
	assert_int_equal(receive(f, buf), 4000);
	assert_true(drops(f->net, SKB_DROP_FRAG_MEM) > 4000);
	/* Nothing at all is kept when nothing may be. */
	assert_int_equal(view_write(f->net, "/proc/sys/net/ipv4/ipfrag_high_thresh", "0", 1), 0);
	feed(f, buf, (struct frag_spec){ .id = 1, .offset = 800, .len = 800, .more = true });
	nothing_is_left(f);
}

static void other_fragments_of_the_source_in_between_start_it_afresh(void **state)
{
	struct fixture *f = *state;
	static u8 buf[4096];

	datagram(buf, 2000, 1);
	feed(f, buf, (struct frag_spec){ .id = 1, .len = 1480, .more = true });
	for (u16 i = 0; i < 65; i++)
		feed(f, buf, (struct frag_spec){ .id = (u16)(100 + i), .len = 800, .more = true });
	feed(f, buf, (struct frag_spec){ .id = 1, .offset = 1480, .len = 528 });
	assert_int_equal(receive(f, NULL), -EAGAIN);
	assert_int_equal(drops(f->net, SKB_DROP_FRAG_DISTANCE), 1);
	feed(f, buf, (struct frag_spec){ .id = 1, .len = 1480, .more = true });
	assert_int_equal(receive(f, buf), 2000);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

static void time_exceeded_is_sent_if_the_first_fragment_is_there(void **state)
{
	struct fixture *f = *state;
	const struct icmp_hdr *icmp;
	static u8 buf[4096];
	u8 pkt[1600];

	feed(f, buf, (struct frag_spec){ .id = 1, .offset = 800, .len = 800, .more = true });
	feed(f, buf, (struct frag_spec){ .id = 2, .offset = 0, .len = 800, .more = true });
	test_run_for(f->m, 29 * NSEC_PER_SEC);
	assert_int_equal(f->net->ipv4->frags.nqueues, 2);
	test_run_for(f->m, 2 * NSEC_PER_SEC);
	nothing_is_left(f);
	assert_int_equal(drops(f->net, SKB_DROP_FRAG_TIMEOUT), 2);
	assert_int_equal(f->net->mib[MIB_Ip_ReasmTimeout], 2);
	assert_int_equal(f->net->mib[MIB_Ip_ReasmFails], 2);
	assert_int_equal(f->net->mib[MIB_Icmp_OutTimeExcds], 1);
	assert_true(sent_frame(f->eth0, pkt, sizeof(pkt), NULL) > 28);
	icmp = (const struct icmp_hdr *)(pkt + 20);
	assert_int_equal(icmp->type, ICMP4_TIME_EXCEEDED);
	assert_int_equal(icmp->code, 1);
	/* It quotes the fragment from its IP header on. */
	assert_int_equal(pkt[28], 0x45);
	assert_int_equal(pkt[28 + 5], 2);
	assert_int_equal(sent_frame(f->eth0, pkt, sizeof(pkt), NULL), -1);
}

static void a_device_takes_its_fragments_with_it(void **state)
{
	struct fixture *f = *state;
	struct net_device *eth1 = test_netdev(f->net, "eth1", true);
	static u8 buf[4096];

	assert_int_equal(addr_add(eth1, IP(10, 0, 1, 1), 24), 0);
	feed(f, buf, (struct frag_spec){ .id = 1, .offset = 800, .len = 800, .more = true });
	cpu_lock(f->net->cpu);
	ip_input(ip_packet(eth1, (struct packet_spec){ .src = IP(10, 0, 1, 2),
						       .dst = US,
						       .frag = IP_F_MF | 1,
						       .payload = 80 }));
	cpu_unlock(f->net->cpu);
	assert_int_equal(f->net->ipv4->frags.nqueues, 2);
	test_netdev_del(eth1);
	assert_int_equal(f->net->ipv4->frags.nqueues, 1);
	assert_int_equal(drops(f->net, SKB_DROP_FRAG_GONE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(datagrams_of_all_sizes_arrive_in_any_order),
		TEST(damage_in_a_fragment_is_found_by_the_checksum),
		TEST(datagrams_are_told_apart),
		TEST(header_is_made_whole),
		TEST(fragments_of_different_ecn_are_refused),
		TEST(overlaps_end_the_datagram),
		TEST(contradictory_ends_end_the_datagram),
		TEST(memory_is_bounded_and_the_newest_datagram_survives),
		TEST(other_fragments_of_the_source_in_between_start_it_afresh),
		TEST(time_exceeded_is_sent_if_the_first_fragment_is_there),
		TEST(a_device_takes_its_fragments_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
