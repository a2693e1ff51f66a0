/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ipv6_rcv.c - IPv6 packets of any content arrive at a net whose sockets of every kind are open
 *
 *      a (the victim)                       b
 *      eth0 fd00::1  ----------------  eth0 fd00::2       packets as they are
 *      eth1 fd01::1  -----[ 1 ms ]---  eth1 fd01::2       a link: GRO at both ends
 *
 * a forwards, and takes advertisements of others all the same. Instructions: one octet of operation (enum op in the low four bits; the
 * high four: time passes first, 2^n * 100 us), then operands. OP_IP takes an IPv6 packet, OP_L4 what is behind the IPv6 header (extension
 * headers, fragments, transports) and the type of its first octets, OP_ICMP an ICMPv6 message with hop limit 255 (neighbour
 * discovery) or, behind a router alert, MLD; the rest are calls on a's sockets.
 */

#include <netinet/icmp6.h>
#include <netinet/udp.h>

#include "tests/fuzz/fuzz_net.h"
#include "wire/ipv6.h"

enum op { OP_IP, OP_L4, OP_ICMP, OP_MLD, OP_RECV, OP_SEND, OP_CONNECT, OP_OPTION, OP_FLAP, OP_MTU };
enum { UDP_ANY, UDP_CONNECTED, PING, LISTENER, STREAM, RAW, ALERT, GROUPS, NR_FILES };

#define MAX_FRAME 2048

struct bed {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *f[NR_FILES];
};

/* fd0N::H */
static struct in6_addr addr6(u8 n, u8 host)
{
	return (struct in6_addr){ .s6_addr = { 0xfd, n, [15] = host } };
}

static struct sockaddr_in6 addr_port(struct in6_addr addr, u16 port)
{
	return (struct sockaddr_in6){ .sin6_family = AF_INET6,
				      .sin6_addr = addr,
				      .sin6_port = htons(port) };
}

/* ff05::1 from everybody, ff05::2 from fd00::2 only: for queries, and reports that tell of both kinds. */
static void join_groups(struct bed *b)
{
	struct ipv6_mreq any = { { .s6_addr = { 0xff, 5, [15] = 1 } }, 0 };
	struct group_source_req from = { 0 };
	struct sockaddr_in6 group =
		addr_port((struct in6_addr){ .s6_addr = { 0xff, 5, [15] = 2 } }, 0);
	struct sockaddr_in6 source = addr_port(addr6(0, 2), 0);

	any.ipv6mr_interface = from.gsr_interface = (u32)fuzz_dev(b->net[0], "eth0")->ifindex;
	memcpy(&from.gsr_group, &group, sizeof(group));
	memcpy(&from.gsr_source, &source, sizeof(source));
	FUZZ_CHECK(
		!weir_setsockopt(b->f[GROUPS], IPPROTO_IPV6, IPV6_JOIN_GROUP, &any, sizeof(any)));
	FUZZ_CHECK(!weir_setsockopt(b->f[GROUPS], IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &from,
				    sizeof(from)));
}

static void open_sockets(struct bed *b)
{
	static const struct {
		int type, proto;
		u16 port;
	} kinds[NR_FILES] = {
		[UDP_ANY] = { SOCK_DGRAM, 0, 7 },           [UDP_CONNECTED] = { SOCK_DGRAM, 0, 8 },
		[PING] = { SOCK_DGRAM, IPPROTO_ICMPV6, 9 }, [LISTENER] = { SOCK_STREAM, 0, 7 },
		[STREAM] = { SOCK_STREAM, 0, 10 },          [RAW] = { SOCK_RAW, IPPROTO_ICMPV6, 0 },
		[ALERT] = { SOCK_RAW, IPPROTO_RAW, 0 },     [GROUPS] = { SOCK_DGRAM, 0, 11 },
	};
	static const int wanted[] = { IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS,
				      IPV6_RECVHOPOPTS, IPV6_RECVRTHDR,    IPV6_RECVDSTOPTS,
				      IPV6_RECVERR,     IPV6_RECVPATHMTU,  IPV6_RECVFRAGSIZE,
				      IPV6_ORIGDSTADDR };
	int one = 1, zero = 0;

	for (int i = 0; i < NR_FILES; i++) {
		struct sockaddr_in6 a = addr_port(in6addr_any, kinds[i].port);

		FUZZ_CHECK(!weir_socket(b->net[0], AF_INET6, kinds[i].type | SOCK_NONBLOCK,
					kinds[i].proto, &b->f[i]));
		FUZZ_CHECK(!weir_bind(b->f[i], (struct sockaddr *)&a, sizeof(a)));
	}
	FUZZ_CHECK(!weir_listen(b->f[LISTENER], 3));
	join_groups(b);
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++) {
		weir_setsockopt(b->f[UDP_ANY], IPPROTO_IPV6, wanted[i], &one, sizeof(one));
		weir_setsockopt(b->f[RAW], IPPROTO_IPV6, wanted[i], &one, sizeof(one));
	}
	weir_setsockopt(b->f[UDP_ANY], IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	weir_setsockopt(b->f[ALERT], IPPROTO_IPV6, IPV6_ROUTER_ALERT, &zero, sizeof(zero));
	for (int i = UDP_CONNECTED; i <= STREAM; i += STREAM - UDP_CONNECTED) {
		struct sockaddr_in6 a = addr_port(addr6(0, 2), i == STREAM ? 5 : 6);

		weir_connect(b->f[i], (struct sockaddr *)&a, sizeof(a));
	}
}

/* fd0N::H/64, at once */
static void add_addr(struct weir_net *wn, const char *dev, u8 n, u8 host)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg ifa;
		struct rtattr local;
		struct in6_addr addr;
	} q = {
		.h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_NEWADDR,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.ifa = { .ifa_family = AF_INET6,
			 .ifa_prefixlen = 64,
			 .ifa_flags = IFA_F_NODAD,
			 .ifa_index = (u32)fuzz_dev(wn, dev)->ifindex },
		.local = { sizeof(struct rtattr) + 16, IFA_LOCAL },
		.addr = addr6(n, host),
	};

	FUZZ_CHECK(!weir_netlink(wn, NETLINK_ROUTE, &q.h, NULL, NULL, NULL, 0));
}

static void bed_init(struct bed *b)
{
	b->m = fuzz_two_nets(b->net);
	for (u8 i = 0; i < 2; i++) {
		add_addr(b->net[i], "eth0", 0, (u8)(1 + i));
		add_addr(b->net[i], "eth1", 1, (u8)(1 + i));
	}
	weir_sysctl(b->net[0], "net.ipv6.conf.all.forwarding", "1");
	weir_sysctl(b->net[0], "net.ipv6.conf.eth0.accept_ra", "2");
	weir_sysctl(b->net[0], "net.ipv6.conf.eth0.accept_redirects", "1");
	weir_sysctl(b->net[0], "net.ipv6.conf.all.proxy_ndp", "1");
	fuzz_run(b->m, 2 * NSEC_PER_SEC); /* link-local addresses are there */
	open_sockets(b);
}

/* ---- packets ---------------------------------------------------------------------------------------------- */

/* Payload length and checksum right as far as the other fields permit. */
static void fix_ipv6(u8 *p, u32 len, bool fix_len)
{
	struct ipv6_hdr *h = (struct ipv6_hdr *)p;
	u32 off, l4len;
	u16 frag, sum;
	u8 next;
	int skip;

	if (len < sizeof(*h))
		return;
	if (fix_len)
		h->payload_len = cpu_to_be16((u16)(len - sizeof(*h)));
	l4len = be16_to_cpu(h->payload_len);
	next = h->nexthdr;
	if (l4len + sizeof(*h) > len)
		return;
	skip = ipv6_skip_exthdr(p + sizeof(*h), l4len, &next, &frag);
	if (skip < 0 || frag)
		return;
	p += sizeof(*h) + (u32)skip;
	l4len -= (u32)skip;
	off = next == IPPROTO_ICMPV6 ? 2 : next == IPPROTO_UDP ? 6 : next == IPPROTO_TCP ? 16 : ~0u;
	if (off == ~0u || l4len < off + 2)
		return;
	memset(p + off, 0, 2);
	sum = csum_ipv6_magic(&h->saddr, &h->daddr, l4len, next, csum_partial(p, l4len, 0));
	memcpy(p + off, &sum, 2);
}

/* What a packet of ours has in common: from the neighbour on that device, to us or to all nodes. */
static u32 ipv6_header(u8 *p, u8 how, u8 nexthdr, u8 hop_limit)
{
	struct ipv6_hdr *h = (struct ipv6_hdr *)p;

	h->ver_tc_flow = cpu_to_be32(6u << 28);
	h->nexthdr = nexthdr;
	h->hop_limit = hop_limit;
	h->saddr = addr6(how & 1, 2);
	if (how & 0x20)
		h->saddr = (struct in6_addr){ .s6_addr = { 0xfe, 0x80, [15] = 2 } };
	h->daddr = addr6(how & 1, how & 0x40 ? 9 : 1);
	if (how & 0x10)
		h->daddr = (struct in6_addr){ .s6_addr = { 0xff, 2, [15] = 1 } };
	return sizeof(*h);
}

/* One octet of what to do to it: 0x01 by eth1, 0x02 leave checksums, 0x04 leave the payload length, 0x08 in fragments of memory, 0x10 to
 * everybody, 0x20 from a link-local address, 0x40 to somebody else. Then one octet of length / 4 for what is taken from the input. */
static void packet(struct bed *b, struct fuzz_input *in, enum op op)
{
	static const u8 router_alert[8] = { IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };
	u8 how = fuzz_u8(in), buf[MAX_FRAME] __attribute__((aligned(8))) = { 0 }, *p = buf + 2;
	struct net_device *dev = fuzz_dev(b->net[0], how & 1 ? "eth1" : "eth0");
	u32 n = (u32)fuzz_u8(in) * 4, len = ETH_HLEN;
	u8 next = op == OP_L4 ? fuzz_u8(in) : op == OP_MLD ? 0 : IPPROTO_ICMPV6;

	if (n > in->left)
		n = (u32)in->left;
	memcpy(p, dev->dev_addr, ETH_ALEN);
	if (how & 0x10)
		memcpy(p, "\x33\x33\0\0\0\1", ETH_ALEN);
	memcpy(p + 6, dev->netdev_ops->ndo_get_peer_dev(dev)->dev_addr, ETH_ALEN);
	p[12] = 0x86;
	p[13] = 0xdd;
	if (op != OP_IP)
		len += ipv6_header(p + len, how, next, op == OP_L4 ? 64 : op == OP_MLD ? 1 : 255);
	if (op == OP_MLD) {
		memcpy(p + len, router_alert, sizeof(router_alert));
		len += sizeof(router_alert);
	}
	fuzz_take(in, p + len, n);
	len += n;
	if (!(how & 2))
		fix_ipv6(p + ETH_HLEN, len - ETH_HLEN, !(how & 4));
	fuzz_inject(dev, p, len, how & 8 ? 14 + n / 3 : len);
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

static void receive(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), data[2048];
	struct weir_file *f = b->f[what % NR_FILES], *child;
	struct sockaddr_in6 from;
	char control[512];
	struct iovec iov = { data, what & 0x80 ? 4 : sizeof(data) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	weir_recvmsg(f, &msg,
		     (what & 0x40 ? MSG_ERRQUEUE : 0) | (what & 0x20 ? MSG_PEEK : 0) |
			     MSG_DONTWAIT);
	if (what % NR_FILES == LISTENER && !weir_accept(f, NULL, NULL, SOCK_NONBLOCK, &child))
		weir_close(child);
}

/* With a control message of the input's, and perhaps to an address of the input's. */
static void transmit(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), data[4096] = { 128 };
	struct sockaddr_in6 to = addr_port(addr6(0, 2), 5);
	u32 len = fuzz_u8(in) * 16u;
	struct iovec iov = { data, len };
	char control[CMSG_SPACE(64)] = "";
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (what & 0x80)
		fuzz_take(in, &to.sin6_addr, 16);
	if (!(what & 0x40)) {
		msg.msg_name = &to;
		msg.msg_namelen = sizeof(to);
	}
	if (what & 0x20) {
		u32 n = fuzz_u8(in) % 64;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(n);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = fuzz_u8(in);
		c->cmsg_len = CMSG_LEN(n);
		fuzz_take(in, CMSG_DATA(c), n);
	}
	weir_sendmsg(b->f[what % NR_FILES], &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void connect_it(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in);
	struct sockaddr_in6 to = addr_port(addr6(what & 0x40 ? 1 : 0, 2), 5);

	if (what & 0x80)
		to.sin6_family = AF_UNSPEC;
	if (what % NR_FILES != LISTENER)
		weir_connect(b->f[what % NR_FILES], (struct sockaddr *)&to, sizeof(to));
}

static void option(struct bed *b, struct fuzz_input *in)
{
	static const int levels[] = { SOL_SOCKET, IPPROTO_IPV6, IPPROTO_UDP, IPPROTO_ICMPV6 };
	u8 what = fuzz_u8(in), name = fuzz_u8(in), len, val[256];

	len = fuzz_u8(in);
	fuzz_take(in, val, len);
	weir_setsockopt(b->f[what % NR_FILES], levels[what >> 6], name, val, len);
}

/* Down, and up again while packets are under way. */
static void flap(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in);
	struct net_device *dev = fuzz_dev(b->net[what >> 1 & 1], what & 1 ? "eth1" : "eth0");
	struct machine *m = dev->net->machine;

	rtnl_lock(m);
	dev_close(dev);
	dev_open(dev, NULL);
	rtnl_unlock(m);
}

static void set_mtu(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in);
	struct net_device *dev = fuzz_dev(b->net[0], what & 1 ? "eth1" : "eth0");
	struct machine *m = dev->net->machine;

	rtnl_lock(m);
	dev_set_mtu(dev, 1232 + (what >> 1) * 12, NULL); /* below 1,280 IPv6 ends there */
	rtnl_unlock(m);
}

static void (*const calls[])(struct bed *, struct fuzz_input *) = {
	[OP_RECV] = receive,  [OP_SEND] = transmit, [OP_CONNECT] = connect_it,
	[OP_OPTION] = option, [OP_FLAP] = flap,     [OP_MTU] = set_mtu,
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct weir_memory mem;
	struct bed b;

	bed_init(&b);
	while (in.left) {
		u8 octet = fuzz_u8(&in);
		enum op op = (octet & 15) % (OP_MTU + 1);

		if (octet >> 4)
			fuzz_run(b.m, (u64)100000 << (octet >> 4));
		if (calls[op])
			calls[op](&b, &in);
		else
			packet(&b, &in, op);
	}
	for (int i = 0; i < NR_FILES; i++)
		weir_close(b.f[i]);
	fuzz_run_until_idle(b.m, 0);
	weir_net_destroy(b.net[0]);
	weir_net_destroy(b.net[1]);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(b.m);
	return 0;
}

#define B0 "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"
#define A0 "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

FUZZ_SEEDS(
	/* echo request, then the raw socket reads it and the ping socket sends one */
	SEED("\2\0\3\x80\0\0\0\0\1\0\1abcd\4\5\5\2\1"),
	/* datagrams to the open ports and to a closed one, read with their control messages */
	SEED("\1\0\3\x11\0\6\0\7\0\x0c\0\0wxyz\1\0\3\x11\0\6\0\x08\0\x0c\0\0wxyz\1\0\3\x11\0\6\0"
	     "\x63\0\x0c\0\0wxyz\4\0\4\1"),
	/* SYN and what follows it to the listener */
	SEED("\1\0\6\6\0\5\0\7\0\0\0\1\0\0\0\0\x60\2\xff\xff\0\0\0\0\2\4\5\xb4\x51\0\5\6\0\5\0\7\0"
	     "\0\0\2\0\0\0\0\x50\x10\xff\xff\0\0\0\0"),
	/* hop-by-hop options, destination options, a routing header with nothing left, then UDP */
	SEED("\1\0\x0b\0\x3c\0\1\4\0\0\0\0\x2b\0\1\4\0\0\0\0\x11\2\2\0\0\0\0\0" A0
	     "\0\6\0\7\0\x08\0\0\4\0"),
	/* an unknown option of each kind, a routing header of type 0 that goes on */
	SEED("\1\0\2\0\x3b\0\x3e\4\0\0\0\0\1\0\2\0\x3b\0\x7e\4\0\0\0\0\1\0\2\0\x3b\0\xbe\4\0\0\0\0"
	     "\1\0\2\0\x3b\0\xfe\4\0\0\0\0\1\0\6\x2b\x3b\2\0\1\0\0\0\0" A0),
	/* two fragments of one datagram, the second first; an atomic one; an overlap */
	SEED("\1\0\4\x2c\x11\0\0\x08\0\0\0\1zzzzzzzz\1\0\4\x2c\x11\0\0\1\0\0\0\1\0\6\0\7\0\x10\0\0"
	     "\1\0\4\x2c\x11\0\0\0\0\0\0\2\0\6\0\7\0\x08\0\0\1\0\4\x2c\x11\0\0\1\0\0\0\3\0\6\0\7"
	     "\0\x10\0\0\1\0\4\x2c\x11\0\0\1\0\0\0\3\0\6\0\7\0\x11\0\0"),
	/* neighbour solicitation and advertisement with link-layer addresses */
	SEED("\2\0\x08\x87\0\0\0\0\0\0\0" A0 "\1\1\2\0\0\0\0\3\2\0\x08\x88\0\0\0\x60\0\0\0" B0
	     "\2\1\2\0\0\0\0\4"),
	/* router advertisement: lifetime, MTU, prefix, route information, RDNSS; then solicitation */
	SEED("\2\x30\x18\x86\0\0\0\x40\0\7\x08\0\0\0\0\0\0\0\0\1\1\2\0\0\0\0\3\5\1\0\0\0\0\5\xdc\3"
	     "\4"
	     "\x40\xc0\0\0\x0e\x10\0\0\7\x08\0\0\0\0\xfd\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x18\2\x40\0"
	     "\0\0\0\x64\xfd\3\0\0\0\0\0\0\x94\x20\x10\2\x85\0\0\0\0\0\0\0"),
	/* a redirect for the connected socket's peer, then it sends */
	SEED("\2\x20\x0a\x89\0\0\0\0\0\0\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\7" B0 "\5\1\4"),
	/* packet too big about a datagram that was sent, port unreachable about another */
	SEED("\5\1\4\2\0\x0e\2\0\0\0\0\0\5\0\x60\0\0\0\0\x48\x11\x40" A0 B0 "\0\x08\0\6\0\x48\0\0"
	     "\5\1\x60\2\0\x0e\1\4\0\0\0\0\0\0\x60\0\0\0\0\x48\x11\x40" A0 B0
	     "\0\x08\0\6\0\x48\0\0\4\x41"),
	/* MLD: general queries of versions 1 and 2, for a group, for a source; a report of somebody else */
	SEED("\3\x30\6\x82\0\0\0\x03\xe8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xa3\x30\7\x82\0\0\0"
	     "\x03"
	     "\xe8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\x7d\0\0\xa3\x30\7\x82\0\0\0\x03\xe8\0\0"
	     "\xff"
	     "\5\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2\x7d\0\0\xa3\x30\x0b\x82\0\0\0\x03\xe8\0\0\xff\5\0\0"
	     "\0"
	     "\0\0\0\0\0\0\0\0\0\0\2\2\x7d\0\1" B0 "\xf4\0"),
	/* forwarded to the other side, and with a hop limit that ends here */
	SEED("\0\0\x0c\x60\0\0\0\0\x08\x11\x40" B0
	     "\xfd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\5\0\6\0\x08"
	     "\0\0\0\0\x0c\x60\0\0\0\0\x08\x11\1" B0
	     "\xfd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\5\0\6\0\x08\0\0"),
	/* control messages: hop limit, routing header, packet information; a flow label; checksum offset */
	SEED("\5\x20\1\4\x34\7\0\0\0\5\x20\1\x18\x39\0\2\2\1\0\0\0\0" B0 "\5\x20\1\x14\x32" A0
	     "\2\0\0\0\7\x40\x20\x20" B0 "\0\0\0\7\0\xff\1\0\x0a\0\x0a\0\7\x45\7\4\4\0\0\0\5\5\1"),
	/* a flap with a packet in the neighbour's queue, a small MTU with a large datagram */
	SEED("\5\0\4\x08\0\x09\x08\5\0\xff\x09\2\5\0\x20"));
