/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_input_test.c - received packets: every malformation has its reason and its counter; forwarding; ICMP errors */
#include <errno.h>
#include <netinet/in.h>

#include "core/nf_hook.h"
#include "inet/inet_reasons.h"
#include "ipv4/ipv4_test.h"
#include "socket/socket.h"

#define US   IP(10, 0, 0, 1)
#define THEM IP(10, 0, 0, 2)
#define FAR  IP(10, 0, 1, 2)

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth0, *eth1;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = ipv4_machine();
	f->net = ipv4_net(f->m, "t");
	f->eth0 = test_netdev(f->net, "eth0", true);
	f->eth1 = test_netdev(f->net, "eth1", true);
	assert_int_equal(addr_add(f->eth0, US, 24), 0);
	assert_int_equal(addr_add(f->eth1, IP(10, 0, 1, 1), 24), 0);
	neigh_set(f->eth0, THEM);
	neigh_set(f->eth1, FAR);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_netdev_del(f->eth0);
	test_netdev_del(f->eth1);
	machine_destroy(f->m);
	free(f);
	return 0;
}

static void set_forwarding(struct fixture *f)
{
	cpu_lock(f->net->cpu);
	ipv4_set_forwarding(f->net, true);
	cpu_unlock(f->net->cpu);
}

/* Feeds one packet and returns the reason of the one drop that it caused; 0: none. */
static u32 feed(struct fixture *f, struct sk_buff *skb)
{
	u64 before[SKB_DROP_MAX];
	u32 reason = 0;

	for (u16 i = 0; i < SKB_DROP_MAX; i++)
		before[i] = net_drops(f->net, i);
	ip_input(skb);
	for (u16 i = 0; i < SKB_DROP_MAX; i++) {
		if (net_drops(f->net, i) == before[i])
			continue;
		assert_int_equal(reason, 0);
		assert_int_equal(net_drops(f->net, i), before[i] + 1);
		reason = i;
	}
	return reason;
}

/* ---- the header ------------------------------------------------------------------------------------------- */

static void malform_version(struct sk_buff *skb)
{
	ip_hdr(skb)->ihl_version = 0x55;
}
static void malform_ihl(struct sk_buff *skb)
{
	ip_hdr(skb)->ihl_version = 0x44;
}
static void malform_ihl_long(struct sk_buff *skb)
{
	pskb_trim(skb, 24);
	ip_hdr(skb)->ihl_version = 0x4f;
}
static void malform_csum(struct sk_buff *skb)
{
	ip_hdr(skb)->ttl ^= 1;
}
static void malform_short(struct sk_buff *skb)
{
	pskb_trim(skb, 19);
}
static void malform_truncated(struct sk_buff *skb)
{
	pskb_trim(skb, skb->len - 1);
}
static void malform_tot_len(struct sk_buff *skb)
{
	ip_hdr(skb)->tot_len = BE16_INIT(19);
	ip_send_check(ip_hdr(skb));
}
static void malform_nothing(struct sk_buff *skb)
{
}

static void malformed_headers_have_reason_and_counter(void **state)
{
	struct fixture *f = *state;
	const struct {
		void (*malform)(struct sk_buff *skb);
		u32 reason, counter;
	} cases[] = {
		{ malform_version, SKB_DROP_IP_VERSION, MIB_Ip_InHdrErrors },
		{ malform_ihl, SKB_DROP_IP_IHL, MIB_Ip_InHdrErrors },
		{ malform_ihl_long, SKB_DROP_IP_HDR_SHORT, MIB_Ip_InHdrErrors },
		{ malform_csum, SKB_DROP_IP_CSUM, MIB_IpExt_InCsumErrors },
		{ malform_short, SKB_DROP_IP_HDR_SHORT, MIB_Ip_InHdrErrors },
		{ malform_truncated, SKB_DROP_IP_TRUNCATED, MIB_IpExt_InTruncatedPkts },
		{ malform_tot_len, SKB_DROP_IP_TOT_LEN, MIB_Ip_InHdrErrors },
		{ malform_nothing, SKB_DROP_IP_NOPROTO, MIB_Ip_InUnknownProtos },
	};

	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sk_buff *skb = ip_packet(
			f->eth0, (struct packet_spec){
					 .src = THEM, .dst = US, .protocol = 200, .payload = 30 });
		u64 before = f->net->mib[cases[i].counter],
		    received = f->net->mib[MIB_Ip_InReceives];
		u32 reason;

		cases[i].malform(skb);
		reason = feed(f, skb);
		if (reason != cases[i].reason)
			fail_msg("case %u: %s", i, drop_reason_name(f->m, (u16)reason));
		assert_int_equal(f->net->mib[cases[i].counter], before + 1);
		assert_int_equal(f->net->mib[MIB_Ip_InReceives], received + 1);
	}
	cpu_unlock(f->net->cpu);
}

static void martians_have_a_reason(void **state)
{
	struct fixture *f = *state;
	const struct {
		struct packet_spec s;
		u32 reason;
	} cases[] = {
		{ { .src = IP(224, 0, 0, 5), .dst = US }, SKB_DROP_IP_MARTIAN_SOURCE },
		{ { .src = IP(255, 255, 255, 255), .dst = US }, SKB_DROP_IP_MARTIAN_SOURCE },
		{ { .src = IP(0, 0, 0, 0), .dst = US }, SKB_DROP_IP_MARTIAN_SOURCE },
		{ { .src = IP(0, 1, 2, 3), .dst = US }, SKB_DROP_IP_MARTIAN_SOURCE },
		{ { .src = IP(127, 0, 0, 1), .dst = US }, SKB_DROP_IP_MARTIAN_SOURCE },
		{ { .src = IP(10, 0, 0, 255), .dst = US }, SKB_DROP_IP_MARTIAN_SOURCE },
		{ { .src = THEM, .dst = IP(127, 0, 0, 1) }, SKB_DROP_IP_MARTIAN_DEST },
		{ { .src = THEM, .dst = IP(0, 1, 0, 0) }, SKB_DROP_IP_MARTIAN_DEST },
		{ { .src = US, .dst = US }, SKB_DROP_IP_LOCAL_SOURCE },
		{ { .src = IP(10, 0, 1, 1), .dst = US }, SKB_DROP_IP_LOCAL_SOURCE },
		{ { .src = THEM, .dst = FAR }, SKB_DROP_IP_NOFORWARD },
		{ { .src = THEM, .dst = IP(8, 8, 8, 8) }, SKB_DROP_IP_IN_NOROUTE },
		{ { .src = THEM, .dst = IP(224, 1, 2, 3) }, SKB_DROP_IP_MULTICAST_NOT_JOINED },
		{ { .src = THEM, .dst = US, .frag = IP_F_MF }, SKB_DROP_FRAG_BAD },
		{ { .src = THEM, .dst = US, .frag = 5 }, SKB_DROP_FRAG_BAD },
		{ { .src = THEM, .dst = US, .pkt_type = SKB_PACKET_OTHERHOST },
		  SKB_DROP_OTHERHOST },
		/* delivered: nobody takes protocol 0 */
		{ { .src = THEM, .dst = IP(224, 0, 0, 1) }, SKB_DROP_IP_NOPROTO },
		{ { .src = THEM, .dst = IP(10, 0, 0, 255) }, SKB_DROP_IP_NOPROTO },
		{ { .src = THEM, .dst = IP(255, 255, 255, 255) }, SKB_DROP_IP_NOPROTO },
		{ { .src = IP(0, 0, 0, 0), .dst = IP(255, 255, 255, 255) }, SKB_DROP_IP_NOPROTO },
		{ { .src = IP(99, 0, 0, 1), .dst = US },
		  SKB_DROP_IP_NOPROTO }, /* rp_filter is off */
		{ { .src = THEM, .dst = IP(10, 0, 1, 1) },
		  SKB_DROP_IP_NOPROTO }, /* weak host model */
	};

	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 reason = feed(f, ip_packet(f->eth0, cases[i].s));

		if (reason != cases[i].reason)
			fail_msg("case %u: %s", i, drop_reason_name(f->m, (u16)reason));
	}
	((struct in_device *)f->eth0->ip_ptr)->rp_filter = 1;
	rt_cache_flush(f->net);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = IP(99, 0, 0, 1),
									  .dst = US })),
			 SKB_DROP_IP_RPFILTER);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = FAR, .dst = US })),
			 SKB_DROP_IP_RPFILTER);
	assert_int_equal(f->net->mib[MIB_TcpExt_IPReversePathFilter], 2);
	cpu_unlock(f->net->cpu);
}

static void link_padding_is_cut(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb;
	u8 buf[100];

	cpu_lock(f->net->cpu);
	skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US, .payload = 10 });
	memset(skb_put(skb, 16), 0xaa, 16);
	assert_int_equal(feed(f, skb), 0);
	cpu_unlock(f->net->cpu);
	assert_int_equal(sent_frame(f->eth0, buf, sizeof(buf), NULL), 30);
}

static void add_options(struct sk_buff *skb, const u8 *opts, u32 len)
{
	u32 old = skb->len;

	skb_put(skb, len);
	memmove(skb->data + 20 + len, skb->data + 20, old - 20);
	memcpy(skb->data + 20, opts, len);
	ip_hdr(skb)->ihl_version = (u8)(0x45 + len / 4);
	ip_hdr(skb)->tot_len = cpu_to_be16((u16)skb->len);
	ip_send_check(ip_hdr(skb));
}

static void options_are_checked(void **state)
{
	struct fixture *f = *state;
	const struct {
		u8 opts[12];
		u32 reason;
	} cases[] = {
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, SKB_DROP_IP_NOPROTO },
		{ { 148, 4, 0, 0 }, SKB_DROP_IP_NOPROTO },               /* router alert */
		{ { 7, 7, 4, 0, 0, 0, 0 }, SKB_DROP_IP_NOPROTO },        /* record route */
		{ { 131, 7, 4, 1, 2, 3, 4 }, SKB_DROP_IP_SOURCE_ROUTE }, /* loose source route */
		{ { 137, 7, 4, 1, 2, 3, 4 }, SKB_DROP_IP_SOURCE_ROUTE }, /* strict */
		{ { 7, 40, 4, 0 }, SKB_DROP_IP_OPTIONS }, /* longer than the header */
		{ { 7, 1, 4, 0 }, SKB_DROP_IP_OPTIONS },
		{ { 7, 7, 2, 0 }, SKB_DROP_IP_OPTIONS }, /* pointer */
	};

	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sk_buff *skb = ip_packet(
			f->eth0, (struct packet_spec){
					 .src = THEM, .dst = US, .protocol = 200, .payload = 30 });
		u32 reason;

		add_options(skb, cases[i].opts, 12);
		reason = feed(f, skb);
		if (reason != cases[i].reason)
			fail_msg("case %u: %s", i, drop_reason_name(f->m, (u16)reason));
	}
	cpu_unlock(f->net->cpu);
}

/* ---- ICMP --------------------------------------------------------------------------------------------------- */

/* The ICMP message in the next frame sent by @dev, or NULL. */
static const struct icmp_hdr *sent_icmp(struct net_device *dev, u8 *buf, u32 size)
{
	const struct ip_hdr *iph = (const struct ip_hdr *)buf;
	int len = sent_frame(dev, buf, size, NULL);
	u32 hlen;

	if (len < 0)
		return NULL;
	hlen = ip_hdr_len(iph);
	assert_true(ipv4_csum_ok(buf, hlen));
	assert_int_equal(be16_to_cpu(iph->tot_len), len);
	assert_int_equal(iph->protocol, IPPROTO_ICMP);
	assert_int_equal(csum_fold(csum_partial(buf + hlen, (u32)len - hlen, 0)), 0);
	return (const struct icmp_hdr *)(buf + hlen);
}

/* What the kernel of Linux 6.18 answered to the same packets; each ends in an ICMP message with these options or this pointer. */
static void options_are_honoured_and_echoed(void **state)
{
	struct fixture *f = *state;
	static const struct {
		u8 len, opts[20];
		u8 pointer, type;
		u8 ret_len, ret[20];
	} cases[] = {
		/* Arrival and departure are recorded. */
		{ 12, { 7, 11, 4 }, 0, 0, 12, { 7, 11, 12, 10, 0, 0, 1, 10, 0, 0, 1 } },
		{ 12,
		  { 7, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8 },
		  0,
		  0,
		  12,
		  { 7, 11, 12, 1, 2, 3, 4, 5, 6, 7, 8 } },
		{ 4, { 68, 4, 5, 0 }, 0, 0, 4, { 68, 4, 5, 0x10 } },
		{ 12, { 68, 12, 5, 2 }, 0, 0, 12, { 68, 12, 5, 2 } },
		{ 12, { 68, 12, 5, 3, 10, 0, 0, 7 }, 0, 0, 12, { 68, 12, 5, 3, 10, 0, 0, 7 } },
		{ 4, { 148, 4, 0, 0 }, 0, 0, 0, { 0 } },
		/* Malformed: the pointer of the parameter problem. */
		{ 12, { 7, 11, 3 }, 22, 12, 0, { 0 } },
		{ 12, { 7, 40, 4 }, 20, 12, 0, { 0 } },
		{ 8, { 68, 8, 9, 0xf0 }, 23, 12, 0, { 0 } },
		{ 8, { 68, 8, 4, 0 }, 22, 12, 0, { 0 } },
	};
	u8 buf[200];

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct icmp_hdr *h;
		struct sk_buff *skb;

		cpu_lock(f->net->cpu);
		f->net->ipv4->icmp_ratelimit_ms = 0;
		skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
		add_options(skb, cases[i].opts, cases[i].len);
		feed(f, skb);
		cpu_unlock(f->net->cpu);
		h = sent_icmp(f->eth0, buf, sizeof(buf));
		if (!h || h->type != cases[i].type)
			fail_msg("case %u: not answered, or otherwise", i);
		if (h->type == ICMP4_PARAMETERPROB &&
		    be32_to_cpu(h->un.rest) >> 24 != cases[i].pointer)
			fail_msg("case %u: pointer %u", i, be32_to_cpu(h->un.rest) >> 24);
		if (ip_hdr_len((struct ip_hdr *)buf) != 20u + cases[i].ret_len ||
		    memcmp(buf + 20, cases[i].ret, cases[i].ret_len))
			fail_msg("case %u: other options", i);
	}
}

static void accept_source_routes(struct fixture *f)
{
	f->net->ipv4->conf_all->accept_source_route = 1;
	((struct in_device *)f->eth0->ip_ptr)->accept_source_route = 1;
}

/* RFC 791 3.1: we are the hop a source route names; FAR is the next. */
static void source_routes_are_followed_when_accepted(void **state)
{
	struct fixture *f = *state;
	const u8 opts[12] = { 131, 11, 4, 10, 0, 1, 2, 10, 9, 9, 9 };
	const u8 strict[12] = { 137, 11, 4, 20, 0, 0, 1, 10, 9, 9, 9 };
	struct packet_spec spec = { .src = THEM, .dst = US };
	const struct icmp_hdr *h;
	struct sk_buff *skb;
	u8 buf[200];

	set_forwarding(f);
	cpu_lock(f->net->cpu);
	skb = echo_packet(f->eth0, spec);
	add_options(skb, opts, sizeof(opts));
	assert_int_equal(feed(f, skb), SKB_DROP_IP_SOURCE_ROUTE); /* off by default */
	accept_source_routes(f);
	skb = echo_packet(f->eth0, spec);
	add_options(skb, opts, sizeof(opts));
	assert_int_equal(feed(f, skb), 0);
	cpu_unlock(f->net->cpu);
	assert_non_null(sent_icmp(f->eth1, buf, sizeof(buf)));
	assert_int_equal(((struct ip_hdr *)buf)->daddr.v, FAR.v);
	/* We are where the next hop was, and the pointer stands at the one after it. */
	assert_memory_equal(buf + 20, ((u8[]){ 131, 11, 8, 10, 0, 1, 1, 10, 9, 9, 9 }), 11);

	/* A strict route must not pass a gateway: RFC 1812 5.2.7.1. */
	assert_int_equal(
		route_request(f->net,
			      (struct route_spec){ .dst = IP(20, 0, 0, 0), .plen = 8, .gw = FAR }),
		0);
	cpu_lock(f->net->cpu);
	skb = echo_packet(f->eth0, spec);
	add_options(skb, strict, sizeof(strict));
	assert_int_equal(feed(f, skb), SKB_DROP_IP_SOURCE_ROUTE_FAILED);
	cpu_unlock(f->net->cpu);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_non_null(h);
	assert_int_equal(h->type, ICMP4_DEST_UNREACH);
	assert_int_equal(h->code, ICMP4_SR_FAILED);
}

/* RFC 1122 3.2.2.6: the answer goes back the way the request came, reversed. */
static void an_answer_takes_the_source_route_back(void **state)
{
	struct fixture *f = *state;
	/* It came from 30.0.0.1 over 20.0.0.1, 10.0.0.7 and THEM, which was the last. */
	const u8 opts[16] = { 131, 15, 16, 20, 0, 0, 1, 10, 0, 0, 7, 10, 0, 0, 2 };
	struct sk_buff *skb;
	u8 buf[200];

	cpu_lock(f->net->cpu);
	accept_source_routes(f);
	skb = echo_packet(f->eth0, (struct packet_spec){ .src = IP(30, 0, 0, 1), .dst = US });
	add_options(skb, opts, sizeof(opts));
	assert_int_equal(feed(f, skb), 0);
	cpu_unlock(f->net->cpu);
	assert_non_null(sent_icmp(f->eth0, buf, sizeof(buf)));
	assert_int_equal(((struct ip_hdr *)buf)->daddr.v, THEM.v);
	assert_memory_equal(buf + 20,
			    ((u8[]){ 131, 15, 4, 10, 0, 0, 7, 20, 0, 0, 1, 30, 0, 0, 1, 0 }), 16);
}

static void a_sockets_options_are_given_back_as_they_were_set(void **state)
{
	static const u8 lsrr[] = { 131, 11, 4, 10, 0, 0, 2, 10, 0, 1, 2, 0 };
	static const struct {
		u8 len, opt[16];
	} bad[] = { { 4, { 131, 3, 4 } },
		    { 12, { 131, 11, 8, 1, 2, 3, 4, 5, 6, 7, 8 } },
		    { 4, { 7, 9, 4 } } };
	struct ip_options opt;
	u8 out[40];

	assert_int_equal(ip_options_compile(lsrr, sizeof(lsrr), &opt), 0);
	assert_int_equal(opt.faddr.v, IP(10, 0, 0, 2).v);
	assert_memory_equal(opt.data, ((u8[]){ 131, 11, 4, 10, 0, 1, 2, 0, 0, 0, 0, 0 }), 12);
	ip_options_undo(&opt, out);
	assert_memory_equal(out, lsrr, sizeof(lsrr));
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ip_options_compile(bad[i].opt, bad[i].len, &opt), -EINVAL);
}

static void echo_is_answered(void **state)
{
	struct fixture *f = *state;
	const struct icmp_hdr *h;
	u8 buf[2000];

	cpu_lock(f->net->cpu);
	assert_int_equal(feed(f, echo_packet(f->eth0, (struct packet_spec){ .src = THEM,
									    .dst = US,
									    .payload = 1000,
									    .tos = 0x10 })),
			 0);
	cpu_unlock(f->net->cpu);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_non_null(h);
	assert_int_equal(h->type, ICMP4_ECHOREPLY);
	assert_int_equal(be16_to_cpu(h->un.echo.id), 7);
	assert_int_equal(((struct ip_hdr *)buf)->saddr.v, US.v);
	assert_int_equal(((struct ip_hdr *)buf)->daddr.v, THEM.v);
	assert_int_equal(((struct ip_hdr *)buf)->tos, 0x10);
	assert_int_equal(f->net->mib[MIB_Icmp_InEchos], 1);
	assert_int_equal(f->net->mib[MIB_Icmp_OutEchoReps], 1);
	f->net->ipv4->icmp_echo_ignore_all = 1;
	cpu_lock(f->net->cpu);
	assert_int_equal(
		feed(f, echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US })),
		SKB_DROP_ICMP_ECHO_IGNORED);
	cpu_unlock(f->net->cpu);
}

/* A driver that does not reserve two octets before the link-layer header: UBSan would say if that mattered. */
static void headers_may_lie_anywhere(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb, *moved;
	u8 buf[200];

	cpu_lock(f->net->cpu);
	skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US, .payload = 30 });
	moved = netdev_alloc_skb(f->eth0, 100);
	skb_reserve(moved, 33);
	skb_put_data(moved, skb->data, skb->len);
	moved->protocol = skb->protocol;
	moved->skb_iif = skb->skb_iif;
	skb_reset_network_header(moved);
	consume_skb(skb);
	assert_int_equal(feed(f, moved), 0);
	cpu_unlock(f->net->cpu);
	assert_non_null(sent_icmp(f->eth0, buf, sizeof(buf)));
}

/* RFC 2644: off unless the administrator wants it, twice. */
static void directed_broadcasts_are_forwarded_if_asked_for(void **state)
{
	struct fixture *f = *state;
	struct packet_spec spec = { .src = THEM, .dst = IP(10, 0, 1, 255) };
	u8 buf[100];

	set_forwarding(f);
	((struct in_device *)f->eth0->ip_ptr)->bc_forwarding = 1;
	cpu_lock(f->net->cpu);
	feed(f, echo_packet(f->eth0, spec));
	cpu_unlock(f->net->cpu);
	assert_int_equal(sent_frame(f->eth1, buf, sizeof(buf), NULL), -1);
	f->net->ipv4->conf_all->bc_forwarding = 1;
	cpu_lock(f->net->cpu);
	assert_int_equal(feed(f, echo_packet(f->eth0, spec)), 0);
	cpu_unlock(f->net->cpu);
	assert_non_null(sent_icmp(f->eth1, buf, sizeof(buf)));
	assert_int_equal(((struct ip_hdr *)buf)->daddr.v, spec.dst.v);
}

static void answers_carry_the_mark_if_asked_for(void **state)
{
	struct fixture *f = *state;

	for (u8 on = 0; on < 2; on++) {
		struct sk_buff *skb;

		cpu_lock(f->net->cpu);
		f->net->ipv4->fwmark_reflect = on;
		skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
		skb->mark = 5;
		assert_int_equal(feed(f, skb), 0);
		skb = skb_dequeue(&test_priv(f->eth0)->sent);
		assert_non_null(skb);
		assert_int_equal(skb->mark, on ? 5 : 0);
		consume_skb(skb);
		cpu_unlock(f->net->cpu);
	}
}

static void malformed_icmp_has_reason_and_counter(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb;

	cpu_lock(f->net->cpu);
	skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
	skb->data[22] ^= 1;
	assert_int_equal(feed(f, skb), SKB_DROP_ICMP_CSUM);
	assert_int_equal(f->net->mib[MIB_Icmp_InCsumErrors], 1);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
									  .dst = US,
									  .protocol = IPPROTO_ICMP,
									  .payload = 7 })),
			 SKB_DROP_ICMP_SHORT);
	skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
	skb->data[20] = 77;
	skb->data[22] = skb->data[23] = 0;
	*(u16 *)(skb->data + 22) = csum_fold(csum_partial(skb->data + 20, 8, 0));
	assert_int_equal(feed(f, skb), SKB_DROP_ICMP_TYPE);
	assert_int_equal(f->net->mib[MIB_Icmp_InErrors], 3);
	assert_int_equal(
		feed(f, echo_packet(f->eth0,
				    (struct packet_spec){ .src = THEM, .dst = IP(10, 0, 0, 255) })),
		SKB_DROP_ICMP_BROADCAST);
	/* an error with nothing in it */
	skb = echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
	skb->data[20] = ICMP4_DEST_UNREACH;
	skb->data[22] = skb->data[23] = 0;
	*(u16 *)(skb->data + 22) = csum_fold(csum_partial(skb->data + 20, 8, 0));
	assert_int_equal(feed(f, skb), SKB_DROP_ICMP_INNER);
	cpu_unlock(f->net->cpu);
}

static void unknown_protocol_is_reported_but_not_always(void **state)
{
	struct fixture *f = *state;
	struct packet_spec s = { .src = THEM, .dst = US, .protocol = 200, .payload = 1000 };
	const struct icmp_hdr *h;
	u8 buf[2000];

	cpu_lock(f->net->cpu);
	feed(f, ip_packet(f->eth0, s));
	cpu_unlock(f->net->cpu);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_non_null(h);
	assert_int_equal(h->type, ICMP4_DEST_UNREACH);
	assert_int_equal(h->code, ICMP4_PROT_UNREACH);
	assert_int_equal(be16_to_cpu(((struct ip_hdr *)buf)->tot_len), 576); /* RFC 1812 4.3.2.3 */
	assert_int_equal(((struct ip_hdr *)(h + 1))->daddr.v, US.v);
	assert_int_equal(((struct ip_hdr *)(h + 1))->protocol, 200);

	/* RFC 1122 3.2.2: not about broadcasts, link broadcasts, and sources that are no host. */
	cpu_lock(f->net->cpu);
	s.dst = IP(10, 0, 0, 255);
	feed(f, ip_packet(f->eth0, s));
	s.dst = US;
	s.pkt_type = SKB_PACKET_BROADCAST;
	feed(f, ip_packet(f->eth0, s));
	s.pkt_type = 0;
	s.src = IP(240, 0, 0, 1);
	feed(f, ip_packet(f->eth0, s));
	cpu_unlock(f->net->cpu);
	assert_null(sent_icmp(f->eth0, buf, sizeof(buf)));
}

static u32 count_errors(struct fixture *f, be32 src, u32 n)
{
	u32 sent = 0;
	u8 buf[2000];

	neigh_set(f->eth0, src);
	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < n; i++)
		ip_input(ip_packet(f->eth0,
				   (struct packet_spec){ .src = src, .dst = US, .protocol = 200 }));
	cpu_unlock(f->net->cpu);
	while (sent_icmp(f->eth0, buf, sizeof(buf)))
		sent++;
	return sent;
}

static void errors_are_limited_per_host_and_in_all(void **state)
{
	struct fixture *f = *state;
	u32 all = 0;

	assert_int_equal(count_errors(f, THEM, 20), 6);
	assert_int_equal(f->net->mib[MIB_Icmp_OutRateLimitHost] > 0, 1);
	test_run_for(f->m, 1100 * NSEC_PER_MSEC);
	assert_int_equal(count_errors(f, THEM, 20), 1);
	test_run_for(f->m, 10 * NSEC_PER_SEC);
	for (u32 i = 3; i < 200; i++)
		all += count_errors(f, IP(10, 0, 0, i), 1);
	assert_true(all <= 50 && all >= 50 / 3);
	assert_true(f->net->mib[MIB_Icmp_OutRateLimitGlobal] > 0);
}

/* An ICMP message of @type with @inner (an IP header and 8 octets) behind its own 8 octets, correctly summed. */
static struct sk_buff *icmp_packet(struct fixture *f, u8 type, const struct ip_hdr *inner)
{
	struct sk_buff *skb = ip_packet(
		f->eth0, (struct packet_spec){
				 .src = THEM, .dst = US, .protocol = IPPROTO_ICMP, .payload = 36 });
	u16 sum;

	skb->data[20] = type;
	if (inner)
		memcpy(skb->data + 28, inner, sizeof(*inner));
	sum = csum_fold(csum_partial(skb->data + 20, 36, 0));
	memcpy(skb->data + 22, &sum, 2);
	return skb;
}

/* RFC 1812 5.2.7.2: A and B are on one link, and A sends by way of us. */
static void misrouted_senders_are_redirected_but_not_for_ever(void **state)
{
	struct fixture *f = *state;
	struct packet_spec spec = { .src = THEM, .dst = IP(10, 0, 0, 3), .protocol = IPPROTO_UDP };
	u32 redirects = 0, frames = 0;
	u8 buf[100];
	u16 type;
	int len;

	set_forwarding(f);
	neigh_set(f->eth0, IP(10, 0, 0, 3));
	for (u32 i = 0; i < 2000; i++) { /* 100 s */
		cpu_lock(f->net->cpu);
		feed(f, ip_packet(f->eth0, spec));
		cpu_unlock(f->net->cpu);
		while ((len = sent_frame(f->eth0, buf, sizeof(buf), &type)) > 0) {
			frames++;
			if (buf[9] != IPPROTO_ICMP)
				continue;
			redirects++;
			assert_int_equal(buf[20], ICMP4_REDIRECT);
			assert_int_equal(buf[21], 1);
			assert_memory_equal(buf + 24, &spec.dst, 4);
		}
		test_run_for(f->m, 50 * NSEC_PER_MSEC);
	}
	assert_int_equal(frames - redirects, 2000);
	assert_int_equal(redirects, 9); /* redirect_number */
	test_run_for(f->m, 21 * NSEC_PER_SEC);
	cpu_lock(f->net->cpu);
	feed(f, ip_packet(f->eth0, spec));
	((struct in_device *)f->eth0->ip_ptr)->send_redirects = 0;
	f->net->ipv4->conf_all->send_redirects = 0;
	spec.src = IP(10, 0, 0, 4);
	feed(f, ip_packet(f->eth0, spec));
	cpu_unlock(f->net->cpu);
	while ((len = sent_frame(f->eth0, buf, sizeof(buf), &type)) > 0)
		redirects += buf[9] == IPPROTO_ICMP;
	assert_int_equal(redirects, 10);
}

static void icmp_that_hosts_ignore_has_a_reason(void **state)
{
	struct fixture *f = *state;
	struct ip_hdr inner = {
		.ihl_version = 0x45, .protocol = 17, .saddr = US, .daddr = IP(10, 0, 0, 255)
	};

	cpu_lock(f->net->cpu);
	assert_int_equal(feed(f, icmp_packet(f, ICMP4_SOURCE_QUENCH, NULL)),
			 SKB_DROP_ICMP_OBSOLETE);
	assert_int_equal(feed(f, icmp_packet(f, ICMP4_ADDRESS, NULL)), SKB_DROP_ICMP_OBSOLETE);
	assert_int_equal(feed(f, icmp_packet(f, ICMP4_REDIRECT, NULL)), SKB_DROP_ICMP_INNER);
	assert_int_equal(feed(f, icmp_packet(f, ICMP4_DEST_UNREACH, &inner)), SKB_DROP_ICMP_BOGUS);
	assert_int_equal(feed(f, icmp_packet(f, 1, NULL)), SKB_DROP_ICMP_TYPE);
	/* A reply that is limited: echo replies are when icmp_ratemask says so. */
	f->net->ipv4->icmp_ratemask |= 1;
	for (u32 i = 0; i < 6; i++)
		assert_int_equal(feed(f, echo_packet(f->eth0, (struct packet_spec){ .src = THEM,
										    .dst = US })),
				 0);
	assert_int_equal(
		feed(f, echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US })),
		SKB_DROP_ICMP_RATELIMIT);
	/* A request from where no route leads. */
	assert_int_equal(feed(f, echo_packet(f->eth0, (struct packet_spec){ .src = IP(99, 0, 0, 1),
									    .dst = US })),
			 SKB_DROP_ICMP_REPLY_FAILED);
	cpu_unlock(f->net->cpu);
}

static void timestamp_is_answered(void **state)
{
	struct fixture *f = *state;
	const struct icmp_hdr *h;
	u8 buf[200];

	cpu_lock(f->net->cpu);
	assert_int_equal(feed(f, icmp_packet(f, ICMP4_TIMESTAMP, NULL)), 0);
	cpu_unlock(f->net->cpu);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_non_null(h);
	assert_int_equal(h->type, ICMP4_TIMESTAMPREPLY);
	assert_int_equal(f->net->mib[MIB_Icmp_OutTimestampReps], 1);
}

static void routes_of_other_types_drop_with_their_reason(void **state)
{
	struct fixture *f = *state;
	struct in_device *in_dev = f->eth0->ip_ptr;
	struct sk_buff *skb;
	void *ip_ptr;

	set_forwarding(f);
	route_request(f->net, (struct route_spec){
				      .dst = IP(1, 0, 0, 0), .plen = 8, .type = RTN_UNREACHABLE });
	route_request(f->net, (struct route_spec){
				      .dst = IP(2, 0, 0, 0), .plen = 8, .type = RTN_BLACKHOLE });
	cpu_lock(f->net->cpu);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
									  .dst = IP(1, 1, 1, 1) })),
			 SKB_DROP_IP_UNREACHABLE);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
									  .dst = IP(2, 1, 1, 1) })),
			 SKB_DROP_IP_BLACKHOLE);
	in_dev->drop_unicast_in_l2_multicast = 1;
	assert_int_equal(
		feed(f,
		     ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
							      .dst = US,
							      .pkt_type = SKB_PACKET_BROADCAST })),
		SKB_DROP_IP_UNICAST_IN_L2_MULTICAST);
	ip_ptr = f->eth0->ip_ptr;
	f->eth0->ip_ptr = NULL;
	assert_int_equal(
		feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US })),
		SKB_DROP_IP_NO_INDEV);
	f->eth0->ip_ptr = ip_ptr;
	/* A received packet's route leads in, not out. */
	skb = ip_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
	assert_int_equal(ip_route_input(skb, US, THEM, 0, f->eth0), 0);
	assert_int_equal(dst_output(f->net, NULL, skb), -EINVAL);
	assert_int_equal(drops(f->net, SKB_DROP_IP_BAD_DST), 1);
	cpu_unlock(f->net->cpu);
}

/* ---- forwarding --------------------------------------------------------------------------------------------- */

static void forwarding_takes_one_off_the_ttl(void **state)
{
	struct fixture *f = *state;
	struct ip_hdr *iph;
	u8 buf[200];

	set_forwarding(f);
	cpu_lock(f->net->cpu);
	assert_int_equal(
		feed(f, ip_packet(f->eth0,
				  (struct packet_spec){
					  .src = THEM, .dst = FAR, .ttl = 9, .payload = 50 })),
		0);
	cpu_unlock(f->net->cpu);
	assert_int_equal(sent_frame(f->eth1, buf, sizeof(buf), NULL), 70);
	iph = (struct ip_hdr *)buf;
	assert_int_equal(iph->ttl, 8);
	assert_true(ipv4_csum_ok(buf, 20));
	assert_int_equal(f->net->mib[MIB_Ip_ForwDatagrams], 1);
	cpu_lock(f->net->cpu);
	assert_int_equal(
		feed(f,
		     ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
							      .dst = FAR,
							      .pkt_type = SKB_PACKET_BROADCAST })),
		SKB_DROP_IP_FORWARD_L2);
	cpu_unlock(f->net->cpu);
}

static void forwarding_reports_what_it_cannot_pass_on(void **state)
{
	struct fixture *f = *state;
	const struct icmp_hdr *h;
	u8 buf[2000];

	set_forwarding(f);
	f->eth1->mtu = 1000;
	cpu_lock(f->net->cpu);
	assert_int_equal(
		feed(f,
		     ip_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = FAR, .ttl = 1 })),
		SKB_DROP_IP_TTL);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
									  .dst = FAR,
									  .frag = IP_F_DF,
									  .payload = 1200 })),
			 SKB_DROP_IP_PKT_TOO_BIG);
	assert_int_equal(feed(f, ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
									  .dst = IP(8, 8, 8, 8) })),
			 SKB_DROP_IP_IN_NOROUTE);
	cpu_unlock(f->net->cpu);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_int_equal(h->type, ICMP4_TIME_EXCEEDED);
	assert_int_equal(((struct ip_hdr *)buf)->saddr.v, US.v);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_int_equal(h->type, ICMP4_DEST_UNREACH);
	assert_int_equal(h->code, ICMP4_FRAG_NEEDED);
	assert_int_equal(be16_to_cpu(h->un.frag.mtu), 1000);
	h = sent_icmp(f->eth0, buf, sizeof(buf));
	assert_int_equal(h->code, ICMP4_NET_UNREACH);
	assert_null(sent_icmp(f->eth0, buf, sizeof(buf)));
}

static void forwarding_fragments(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb;
	u8 buf[2000], whole[1400], seen[1400] = { 0 };
	int len;

	set_forwarding(f);
	f->eth1->mtu = 600;
	cpu_lock(f->net->cpu);
	skb = ip_packet(
		f->eth0,
		(struct packet_spec){ .src = THEM, .dst = FAR, .payload = 1400, .protocol = 17 });
	for (u32 i = 0; i < 1400; i++)
		skb->data[20 + i] = (u8)(i * 7);
	memcpy(whole, skb->data + 20, 1400);
	assert_int_equal(feed(f, skb), 0);
	cpu_unlock(f->net->cpu);
	for (u32 i = 0; i < 3; i++) {
		struct ip_hdr *iph = (struct ip_hdr *)buf;
		u32 off;

		len = sent_frame(f->eth1, buf, sizeof(buf), NULL);
		assert_true(len > 20 && len <= 600);
		assert_true(ipv4_csum_ok(buf, 20));
		off = (be16_to_cpu(iph->frag_off) & IP_F_OFFSET) * 8u;
		assert_int_equal((be16_to_cpu(iph->frag_off) & IP_F_MF) != 0, i < 2);
		memcpy(seen + off, buf + 20, (u32)len - 20);
	}
	assert_int_equal(sent_frame(f->eth1, buf, sizeof(buf), NULL), -1);
	assert_memory_equal(seen, whole, 1400);
	assert_int_equal(f->net->mib[MIB_Ip_FragCreates], 3);
	assert_int_equal(f->net->mib[MIB_Ip_FragOKs], 1);
}

/* "Fragmentation needed, 600 octets" about a packet of ours to FAR whose transport header begins with @word. */
static struct sk_buff *frag_needed_packet(struct fixture *f, u8 protocol, be16 word)
{
	const u16 len = sizeof(struct icmp_hdr) + sizeof(struct ip_hdr) + 8;
	struct sk_buff *skb = ip_packet(f->eth0, (struct packet_spec){ .src = THEM,
								       .dst = US,
								       .protocol = IPPROTO_ICMP,
								       .payload = len });
	struct icmp_hdr *h = (struct icmp_hdr *)(skb->data + sizeof(struct ip_hdr));
	struct ip_hdr *inner = (struct ip_hdr *)(h + 1);

	h->type = ICMP4_DEST_UNREACH;
	h->code = ICMP4_FRAG_NEEDED;
	h->un.frag.mtu = BE16_INIT(600);
	inner->ihl_version = 0x45;
	inner->protocol = protocol;
	inner->saddr = US;
	inner->daddr = FAR;
	memcpy(inner + 1, &word, sizeof(word));
	h->checksum.v = csum_fold(csum_partial(h, len, 0));
	return skb;
}

static u32 mtu_after_frag_needed(struct fixture *f, u8 protocol, be16 word)
{
	struct route_answer r = { 0 };

	cpu_lock(f->net->cpu);
	assert_int_equal(feed(f, frag_needed_packet(f, protocol, word)), 0);
	cpu_unlock(f->net->cpu);
	assert_int_equal(route_get(f->net, FAR, &r), 0);
	return r.mtu;
}

/* Anybody can make up an ICMP error: without a socket that sent such an echo it says nothing. */
static void path_mtu_for_an_unknown_echo_is_not_believed(void **state)
{
	assert_int_equal(mtu_after_frag_needed(*state, IPPROTO_ICMP, BE16_INIT(ICMP4_ECHO << 8)),
			 1500);
}

/* ip(7): IP_PMTUDISC_INTERFACE is for whom a forged error must not make send small fragments (DNS servers). */
static void path_mtu_is_not_learnt_for_who_does_not_want_it(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct fixture *f = *state;
	int disc = IP_PMTUDISC_INTERFACE;
	struct file *file;

	assert_int_equal(sock_create_file(f->net, AF_INET, SOCK_DGRAM, 0, &file), 0);
	assert_int_equal(sys_bind(file, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(sys_setsockopt(file, IPPROTO_IP, IP_MTU_DISCOVER, &disc, sizeof(disc)), 0);
	assert_int_equal(mtu_after_frag_needed(f, IPPROTO_UDP, BE16_INIT(9)), 1500);
	disc = IP_PMTUDISC_WANT;
	assert_int_equal(sys_setsockopt(file, IPPROTO_IP, IP_MTU_DISCOVER, &disc, sizeof(disc)), 0);
	assert_int_equal(mtu_after_frag_needed(f, IPPROTO_UDP, BE16_INIT(9)), 600);
	file_put(file);
}

static struct sk_buff *gro_look(struct sk_buff_head *held, struct sk_buff *skb)
{
	NAPI_GRO_CB(skb)->age_ms = skb->len; /* a note for the test */
	return NULL;
}

/* Passed over unseen, it would overtake what is held of its own flow. */
static void padded_frame_is_shown_to_the_transports_gro(void **state)
{
	static const struct offload_callbacks look = { .gro_receive = gro_look };
	static const struct net_protocol proto = { .handler = consume_skb, .offload = &look };
	struct fixture *f = *state;
	struct sk_buff_head held;
	struct sk_buff *skb;

	skb_queue_head_init(&held);
	cpu_lock(f->net->cpu);
	assert_int_equal(inet_add_protocol(f->net, 201, &proto), 0);
	skb = ip_packet(f->eth0, (struct packet_spec){
					 .src = THEM, .dst = US, .protocol = 201, .payload = 20 });
	skb_put_zero(skb, 6);
	memset(NAPI_GRO_CB(skb), 0, sizeof(*NAPI_GRO_CB(skb)));
	assert_null(inet_offload.gro_receive(&held, skb));
	assert_int_equal(NAPI_GRO_CB(skb)->age_ms, 40);
	assert_int_equal(skb->len, 40);
	consume_skb(skb);
	inet_del_protocol(f->net, 201);
	cpu_unlock(f->net->cpu);
}

static void known_flows_skip_the_fib(void **state)
{
	struct fixture *f = *state;
	struct sk_buff *skb;
	struct rtable *rt;

	set_forwarding(f);
	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < 3; i++) {
		skb = ip_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = FAR });
		assert_int_equal(ip_route_input(skb, FAR, THEM, 0, f->eth0), 0);
		if (i == 0)
			rt = skb_rtable(skb);
		assert_ptr_equal(skb_rtable(skb), rt);
		consume_skb(skb);
	}
	cpu_unlock(f->net->cpu);
}

/* ---- lists ---------------------------------------------------------------------------------------------------- */

/* Packets of every kind, a few of each kind in a row. */
static struct sk_buff *any_packet(struct fixture *f, u32 i)
{
	static const struct packet_spec kinds[] = {
		{ .src = THEM, .dst = US, .protocol = 200, .payload = 30 },
		{ .src = THEM, .dst = FAR, .protocol = 200, .payload = 30 },
		{ .src = THEM, .dst = FAR, .protocol = 200, .payload = 30, .tos = 4 },
		{ .src = THEM, .dst = FAR, .protocol = 200, .payload = 30, .ttl = 1 },
		{ .src = THEM, .dst = IP(10, 0, 1, 3), .protocol = 200, .payload = 30 },
		{ .src = THEM, .dst = IP(192, 0, 2, 1), .protocol = 200, .payload = 30 },
		{ .src = IP(127, 0, 0, 1), .dst = US, .protocol = 200 },
		{ .src = THEM, .dst = US, .protocol = 200, .frag = 0x2000, .payload = 64 },
		{ .src = THEM, .dst = US, .protocol = 200, .frag = 8, .payload = 64 },
		{ .src = THEM, .dst = IP(10, 0, 0, 255), .protocol = 200, .payload = 8 },
		{ .src = THEM, .dst = FAR, .pkt_type = SKB_PACKET_OTHERHOST },
		{ .src = THEM, .dst = FAR, .pkt_type = SKB_PACKET_BROADCAST },
	};
	static void (*const malformed[])(struct sk_buff *) = { malform_csum,    malform_version,
							       malform_nothing, malform_truncated,
							       malform_nothing, malform_nothing };
	struct packet_spec s = kinds[i * 7 / 20 % ARRAY_SIZE(kinds)];
	struct sk_buff *skb;

	if (i % 13 == 4)
		return echo_packet(f->eth0, (struct packet_spec){ .src = THEM, .dst = US });
	skb = ip_packet(f->eth0, s);
	skb->mark = i / 3 % 2;
	if (i % 5 == 2)
		malformed[i / 5 % ARRAY_SIZE(malformed)](skb);
	return skb;
}

static enum nf_verdict some_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state,
				 skb_drop_reason_t *ret_reason)
{
	u32 *n = priv;

	return ++*n % 11 ? NF_VERDICT_ACCEPT : NF_VERDICT_DROP;
}

/* Gives 200 packets to the net, @lump at a time. */
static void feed_lumps(struct fixture *f, u32 lump)
{
	struct skb_list list;

	cpu_lock(f->net->cpu);
	for (u32 i = 0; i < 200; i += lump) {
		if (lump == 1) {
			ip_input(any_packet(f, i));
			continue;
		}
		skb_list_init(&list);
		for (u32 k = 0; k < lump; k++)
			skb_list_add(&list, any_packet(f, i + k));
		ip_list_rcv(&list, f->eth0, NULL);
	}
	cpu_unlock(f->net->cpu);
}

/* What @a and @b count, drop and send is the same. */
static void assert_same_story(struct fixture *a, struct fixture *b)
{
	static const u32 counters[] = { MIB_Ip_InReceives,      MIB_IpExt_InOctets,
					MIB_Ip_InHdrErrors,     MIB_Ip_ForwDatagrams,
					MIB_Ip_InUnknownProtos, MIB_IpExt_InBcastPkts,
					MIB_Ip_ReasmOKs,        MIB_Ip_OutRequests,
					MIB_IpExt_InNoRoutes,   MIB_Ip_InAddrErrors };
	u8 x[2048], y[2048];
	int len;

	for (u32 i = 0; i < ARRAY_SIZE(counters); i++) {
		assert_int_equal(a->net->mib[counters[i]], b->net->mib[counters[i]]);
		/* The packets were chosen so that most of them happen. */
		assert_true(a->net->mib[counters[i]] || i >= 8);
	}
	for (u16 i = 0; i < SKB_DROP_MAX; i++)
		assert_int_equal(net_drops(a->net, i), net_drops(b->net, i));
	/* By each device what has the same source and destination in the same order; who is answered waits for nobody. */
	for (;;) {
		len = sent_frame(a->eth1, x, sizeof(x), NULL);
		assert_int_equal(sent_frame(b->eth1, y, sizeof(y), NULL), len);
		if (len < 0)
			break;
		assert_memory_equal(x, y, len);
	}
	assert_int_equal(test_priv(a->eth0)->sent.qlen, test_priv(b->eth0)->sent.qlen);
	assert_true(test_priv(a->eth0)->sent.qlen > 0);
}

static void a_list_does_what_its_packets_do_one_by_one(void **state)
{
	static const u32 lumps[] = { 2, 5, 8, 40, 200 };

	for (u32 i = 0; i < ARRAY_SIZE(lumps) * 2; i++) {
		bool hooked = i % 2;
		struct fixture *f[2];
		void *s;

		for (u32 k = 0; k < 2; k++) {
			u32 n = 0;
			const struct nf_hook_ops ops = { some_hook, &n, NFPROTO_INDEX_IPV4,
							 NF_INET_PRE_ROUTING, 0 };

			setup(&s);
			f[k] = s;
			set_forwarding(f[k]);
			rtnl_lock(f[k]->m);
			if (hooked)
				assert_int_equal(nf_register_net_hook(f[k]->net, &ops), 0);
			feed_lumps(f[k], k ? lumps[i / 2] : 1);
			if (hooked)
				nf_unregister_net_hook(f[k]->net, &ops);
			rtnl_unlock(f[k]->m);
		}
		assert_same_story(f[0], f[1]);
		for (u32 k = 0; k < 2; k++) {
			s = f[k];
			teardown(&s);
		}
	}
}

/* What the one in front was told serves who asks the same, and nobody else. */
static void a_hint_serves_the_same_addresses_only(void **state)
{
	const struct packet_spec same = { .src = THEM, .dst = FAR };
	const struct packet_spec others[] = { { .src = THEM, .dst = US },
					      { .src = IP(10, 0, 0, 3), .dst = FAR },
					      { .src = THEM, .dst = FAR, .tos = 8 } };
	struct fixture *f = *state;
	struct sk_buff *hint, *skb;

	set_forwarding(f);
	cpu_lock(f->net->cpu);
	hint = ip_packet(f->eth0, same);
	assert_int_equal(ip_route_input(hint, FAR, THEM, 0, f->eth0), 0);
	skb = ip_packet(f->eth0, same);
	assert_true(ip_route_use_hint(skb, hint));
	assert_ptr_equal(skb->dst, hint->dst);
	consume_skb(skb);
	for (u32 i = 0; i < ARRAY_SIZE(others) + 2; i++) {
		skb = ip_packet(f->eth0, i < ARRAY_SIZE(others) ? others[i] : same);
		if (i == ARRAY_SIZE(others))
			skb->mark = 1;
		else if (i > ARRAY_SIZE(others))
			skb->dev = f->eth1;
		assert_false(ip_route_use_hint(skb, hint));
		assert_null(skb->dst);
		consume_skb(skb);
	}
	consume_skb(hint);
	cpu_unlock(f->net->cpu);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(malformed_headers_have_reason_and_counter),
		T(martians_have_a_reason),
		T(link_padding_is_cut),
		T(options_are_checked),
		T(options_are_honoured_and_echoed),
		T(source_routes_are_followed_when_accepted),
		T(an_answer_takes_the_source_route_back),
		T(a_sockets_options_are_given_back_as_they_were_set),
		T(echo_is_answered),
		T(headers_may_lie_anywhere),
		T(directed_broadcasts_are_forwarded_if_asked_for),
		T(answers_carry_the_mark_if_asked_for),
		T(malformed_icmp_has_reason_and_counter),
		T(unknown_protocol_is_reported_but_not_always),
		T(errors_are_limited_per_host_and_in_all),
		T(icmp_that_hosts_ignore_has_a_reason),
		T(misrouted_senders_are_redirected_but_not_for_ever),
		T(timestamp_is_answered),
		T(routes_of_other_types_drop_with_their_reason),
		T(forwarding_takes_one_off_the_ttl),
		T(forwarding_reports_what_it_cannot_pass_on),
		T(forwarding_fragments),
		T(path_mtu_for_an_unknown_echo_is_not_believed),
		T(path_mtu_is_not_learnt_for_who_does_not_want_it),
		T(padded_frame_is_shown_to_the_transports_gro),
		T(known_flows_skip_the_fib),
		T(a_hint_serves_the_same_addresses_only),
		cmocka_unit_test(a_list_does_what_its_packets_do_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
