/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ip_rcv.c - frames of any content arrive at a net whose sockets of every kind are open
 *
 *      a (the victim)                       b
 *      eth0 10.0.0.1  ---------------  eth0 10.0.0.2      frames as they are
 *      eth1 10.0.1.1  ----[ 1 ms ]---  eth1 10.0.1.2      a link: GRO at both ends
 *
 * a forwards. Instructions: one octet of operation (enum op in the low four bits; the high four: time passes first, 2^n * 100 us), then
 * operands. OP_FRAME takes a whole frame, OP_IP an IP packet, OP_L4 a payload of the protocol of the next octet behind a good IPv4
 * header; the rest are calls on a's sockets.
 */

#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include "tests/fuzz/fuzz_net.h"

enum op {
	OP_FRAME,
	OP_IP,
	OP_L4,
	OP_ARP,
	OP_RECV,
	OP_SEND,
	OP_CONNECT,
	OP_OPTION,
	OP_FLAP,
	OP_MTU
};
enum { UDP_ANY, UDP_CONNECTED, PING, LISTENER, STREAM, RAW, GROUPS, NR_FILES };

#define MAX_FRAME 2048

struct bed {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *f[NR_FILES];
};

static struct sockaddr_in ip_port(u32 addr, u16 port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = htonl(addr);
	return a;
}

/* 224.1.1.1 from everybody, 224.1.1.2 from 10.0.0.2 only: for queries, and reports that tell of both kinds. */
static void join_groups(struct bed *b)
{
	struct ip_mreqn any = { .imr_multiaddr.s_addr = htonl(0xe0010101),
				.imr_address.s_addr = htonl(0x0a000001) };
	struct ip_mreq_source from = { .imr_multiaddr.s_addr = htonl(0xe0010102),
				       .imr_interface.s_addr = htonl(0x0a000001),
				       .imr_sourceaddr.s_addr = htonl(0x0a000002) };

	FUZZ_CHECK(
		!weir_setsockopt(b->f[GROUPS], IPPROTO_IP, IP_ADD_MEMBERSHIP, &any, sizeof(any)));
	FUZZ_CHECK(!weir_setsockopt(b->f[GROUPS], IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &from,
				    sizeof(from)));
}

static void open_sockets(struct bed *b)
{
	static const struct {
		int type, proto;
		u16 port;
	} kinds[NR_FILES] = {
		[UDP_ANY] = { SOCK_DGRAM, 0, 7 },         [UDP_CONNECTED] = { SOCK_DGRAM, 0, 8 },
		[PING] = { SOCK_DGRAM, IPPROTO_ICMP, 9 }, [LISTENER] = { SOCK_STREAM, 0, 7 },
		[STREAM] = { SOCK_STREAM, 0, 10 },        [RAW] = { SOCK_RAW, IPPROTO_ICMP, 0 },
		[GROUPS] = { SOCK_DGRAM, 0, 11 },
	};
	int one = 1;

	for (int i = 0; i < NR_FILES; i++) {
		struct sockaddr_in a = ip_port(0, kinds[i].port);

		/* What the stack does not have yet stays NULL. */
		if (weir_socket(b->net[0], AF_INET, kinds[i].type | SOCK_NONBLOCK, kinds[i].proto,
				&b->f[i])) {
			b->f[i] = NULL;
			continue;
		}
		FUZZ_CHECK(!weir_bind(b->f[i], (struct sockaddr *)&a, sizeof(a)));
	}
	FUZZ_CHECK(!weir_listen(b->f[LISTENER], 3));
	join_groups(b);
	weir_setsockopt(b->f[UDP_ANY], IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	weir_setsockopt(b->f[UDP_ANY], IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
	weir_setsockopt(b->f[UDP_ANY], IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
	weir_setsockopt(b->f[UDP_ANY], IPPROTO_IP, IP_RECVOPTS, &one, sizeof(one));
	weir_setsockopt(b->f[UDP_ANY], IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	for (int i = UDP_CONNECTED; i <= STREAM; i += STREAM - UDP_CONNECTED) {
		struct sockaddr_in a = ip_port(0x0a000002, i == STREAM ? 5 : 6);

		weir_connect(b->f[i], (struct sockaddr *)&a, sizeof(a));
	}
}

static void bed_init(struct bed *b)
{
	b->m = fuzz_two_nets(b->net);
	for (u32 i = 0; i < 2; i++) {
		fuzz_addr(b->net[i], "eth0", 0x0a000001 + i);
		fuzz_addr(b->net[i], "eth1", 0x0a000101 + i);
	}
	weir_sysctl(b->net[0], "net.ipv4.ip_forward", "1");
	weir_sysctl(b->net[0], "net.ipv4.conf.all.accept_source_route", "1");
	weir_sysctl(b->net[0], "net.ipv4.icmp_echo_ignore_broadcasts", "0");
	open_sockets(b);
}

/* ---- frames ---------------------------------------------------------------------------------------------- */

/* One octet of what to do to it: 0x01 by eth1, 0x02 leave checksums, 0x04 leave the total length, 0x08 in fragments of memory, 0x10 to
 * everybody. Then one octet of length / 4 for what is taken from the input. */
static void frame(struct bed *b, struct fuzz_input *in, enum op op)
{
	u8 how = fuzz_u8(in), buf[MAX_FRAME] = { 0 };
	struct net_device *dev = fuzz_dev(b->net[0], how & 1 ? "eth1" : "eth0");
	u32 n = (u32)fuzz_u8(in) * 4, len;
	u8 proto = op == OP_L4 ? fuzz_u8(in) : 0;

	if (n > in->left)
		n = (u32)in->left;
	if (op == OP_FRAME) {
		fuzz_take(in, buf, n);
		fuzz_inject(dev, buf, n, how & 8 ? n / 2 : n);
		return;
	}
	memcpy(buf, dev->dev_addr, ETH_ALEN);
	if (how & 0x10)
		memset(buf, 0xff, ETH_ALEN);
	memcpy(buf + 6, dev->netdev_ops->ndo_get_peer_dev(dev)->dev_addr, ETH_ALEN);
	buf[12] = 8;
	buf[13] = op == OP_ARP ? 6 : 0;
	len = ETH_HLEN;
	if (op == OP_L4) {
		static const u8 ip[20] = { 0x45, 0, 0,  0, 0, 1, 0,  0, 64, 0,
					   0,    0, 10, 0, 0, 2, 10, 0, 0,  1 };

		memcpy(buf + len, ip, sizeof(ip));
		buf[len + 9] = proto;
		buf[len + 14] = buf[len + 18] = how & 1;
		len += (u32)sizeof(ip);
	}
	fuzz_take(in, buf + len, n);
	len += n;
	if (op != OP_ARP && !(how & 2))
		fuzz_fix_ipv4(buf + ETH_HLEN, len - ETH_HLEN, !(how & 4));
	fuzz_inject(dev, buf, len, how & 8 ? 14 + n / 3 : len);
}

/* ---- calls ----------------------------------------------------------------------------------------------- */

static void receive(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), data[2048];
	struct weir_file *f = b->f[what % NR_FILES], *child;
	struct sockaddr_in from;
	char control[256];
	struct iovec iov = { data, what & 0x80 ? 4 : sizeof(data) };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (!f)
		return;
	weir_recvmsg(f, &msg,
		     (what & 0x40 ? MSG_ERRQUEUE : 0) | (what & 0x20 ? MSG_PEEK : 0) |
			     MSG_DONTWAIT);
	if (what % NR_FILES == LISTENER && !weir_accept(f, NULL, NULL, SOCK_NONBLOCK, &child))
		weir_close(child);
}

static void transmit(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in), data[4096] = { 8 };
	struct weir_file *f = b->f[what % NR_FILES];
	struct sockaddr_in to = ip_port(0x0a000002, 5);
	u32 len = fuzz_u8(in) * 16u;

	if (what & 0x80)
		to.sin_addr.s_addr = fuzz_u32(in);
	if (f)
		weir_sendto(f, data, len, MSG_DONTWAIT | MSG_NOSIGNAL,
			    what & 0x40 ? NULL : (struct sockaddr *)&to, sizeof(to));
}

static void connect_it(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in);
	struct weir_file *f = b->f[what % NR_FILES];
	struct sockaddr_in to = ip_port(what & 0x40 ? 0x0a000102 : 0x0a000002, 5);

	if (what & 0x80)
		to.sin_family = AF_UNSPEC;
	if (f && what % NR_FILES != LISTENER)
		weir_connect(f, (struct sockaddr *)&to, sizeof(to));
}

static void option(struct bed *b, struct fuzz_input *in)
{
	static const int levels[] = { SOL_SOCKET, IPPROTO_IP, IPPROTO_UDP, IPPROTO_TCP };
	u8 what = fuzz_u8(in), name = fuzz_u8(in), len, val[64];
	struct weir_file *f = b->f[what % NR_FILES];

	len = fuzz_u8(in) % sizeof(val);
	fuzz_take(in, val, len);
	/* Sizes of buffers are not what is tested, and large ones need more than the machine may take. */
	if (f)
		weir_setsockopt(f, levels[what >> 6], name, val, len);
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
	dev_set_mtu(dev, 68 + (what >> 1) * 12, NULL);
	rtnl_unlock(m);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct weir_memory mem;
	struct bed b;

	bed_init(&b);
	while (in.left) {
		u8 op = fuzz_u8(&in);

		if (op >> 4)
			fuzz_run(b.m, (u64)100000 << (op >> 4));
		switch ((op & 15) % (OP_MTU + 1)) {
		case OP_FRAME:
		case OP_IP:
		case OP_L4:
		case OP_ARP:
			frame(&b, &in, (enum op)((op & 15) % (OP_MTU + 1)));
			break;
		case OP_RECV:
			receive(&b, &in);
			break;
		case OP_SEND:
			transmit(&b, &in);
			break;
		case OP_CONNECT:
			connect_it(&b, &in);
			break;
		case OP_OPTION:
			option(&b, &in);
			break;
		case OP_FLAP:
			flap(&b, &in);
			break;
		case OP_MTU:
			set_mtu(&b, &in);
			break;
		}
	}
	for (int i = 0; i < NR_FILES; i++)
		if (b.f[i])
			weir_close(b.f[i]);
	fuzz_run_until_idle(b.m, 0);
	weir_net_destroy(b.net[0]);
	weir_net_destroy(b.net[1]);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(b.m);
	return 0;
}

#define IP(tot, frag, proto) "\x45\0\0" tot "\0\1" frag "\x40" proto "\0\0\x0a\0\0\2\x0a\0\0\1"

FUZZ_SEEDS(
	/* echo request, then its reply is read */
	SEED("\2\0\3\1\x08\0\0\0\0\1\0\1abcd\4\2\4\5"),
	/* datagrams to the open ports and to a closed one */
	SEED("\2\0\3\x11\0\6\0\7\0\x0c\0\0wxyz\2\0\3\x11\0\6\0\x08\0\x0c\0\0wxyz\2\0\3\x11\0\6\0"
	     "\x63\0\x0c\0\0wxyz\4\0\4\1"),
	/* the same on the link with GRO, twice, in fragments of memory */
	SEED("\2\x09\3\x11\0\6\0\7\0\x0c\0\0wxyz\2\x09\3\x11\0\6\0\7\0\x0c\0\0wxyz\x54\0"),
	/* SYN and what follows it to the listener */
	SEED("\2\0\6\6\0\5\0\7\0\0\0\1\0\0\0\0\x60\2\xff\xff\0\0\0\0\2\4\5\xb4\x52\0\5\6\0\5\0\7\0"
	     "\0\0\2\0\0\0\0\x50\x10\xff\xff\0\0\0\0"),
	/* ARP: request, gratuitous */
	SEED("\3\x10\7\0\1\x08\0\6\4\0\1\2\0\0\0\0\1\x0a\0\0\2\0\0\0\0\0\0\x0a\0\0\1\3\0\7\0\1\x08"
	     "\0\6\4\0\2\2\0\0\0\0\3\x0a\0\0\2\2\0\0\0\0\1\x0a\0\0\1"),
	/* fragmentation needed, about the datagram that is sent first */
	SEED("\5\1\4\x92\0\x09\1\3\4\0\0\0\0\2\0\x45\0\0\x5c\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0"
	     "\2\0\x08\0\6\0\x48\0\0\5\1\x40\4\1\4\x40"),
	/* port unreachable to the unconnected one, source quench, redirect, parameter problem */
	SEED("\5\0\4\x92\0\x09\1\3\3\0\0\0\0\0\0\x45\0\0\x5c\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0"
	     "\2\0\7\0\5\0\x48\0\0\4\x40\2\0\x09\1\5\1\0\0\x0a\0\0\3\x45\0\0\x5c\0\0\0\0\x40\x11\0"
	     "\0\x0a\0\0\1\x0a\0\0\2\0\7\0\5\0\x48\0\0"),
	/* two fragments of one datagram, the second first */
	SEED("\1\0\7" IP("\x1c", "\0\1",
			 "\x11") "12345678\1\0\7" IP("\x1c", "\x20\0",
						     "\x11") "\0\6\0\7\0\x10\0\0\4\0"),
	/* forwarded to the other side, with a TTL that ends here, and with options */
	SEED("\1\0\7\x45\0\0\x1c\0\1\0\0\x40\x11\0\0\x0a\0\0\2\x0a\0\1\2\0\5\0\6\0\x08\0\0\1\0\7"
	     "\x45\0\0\x1c\0\1\0\0\1\x11\0\0\x0a\0\0\2\x0a\0\1\2\0\5\0\6\0\x08\0\0\1\0\x0a\x48\0\0"
	     "\x28\0\1\0\0\x40\x11\0\0\x0a\0\0\2\x0a\0\1\2\7\x0b\4\0\0\0\0\0\0\0\0\0\0\5\0\6\0\x08"
	     "\0\0"),
	/* source route, timestamp option, an oversized packet with DF after the MTU became small */
	SEED("\1\0\x09\x47\0\0\x24\0\1\0\0\x40\1\0\0\x0a\0\0\2\x0a\0\0\1\x83\7\4\x0a\0\1\2\0\x08\0"
	     "\0\0\0\1\0\1\1\0\x0a\x48\0\0\x28\0\1\0\0\x40\1\0\0\x0a\0\0\2\x0a\0\0\1\x44\x0c\5\1\0"
	     "\0\0\0\0\0\0\0\x08\0\0\0\0\1\0\1"),
	/* IGMP: general queries of versions 1 to 3, then one for a group and one for sources */
	SEED("\2\x10\2\2\x11\0\0\0\0\0\0\0\x52\x10\2\2\x11\x64\0\0\0\0\0\0\xa2\x10\3\2\x11\x64\0\0"
	     "\0\0\0\0\2"
	     "\x7d\0\0\xa2\x10\3\2\x11\x64\0\0\xe0\1\1\1\2\x7d\0\0\x92\x10\4\2\x11\x64\0\0\xe0\1\1"
	     "\2\2\x7d\0\1"
	     "\x0a\0\0\2\xf4\0"),
	/* broadcasts and multicast, raw frames: 802.3, short, unknown type */
	SEED("\1\x10\7\x45\0\0\x1c\0\1\0\0\x40\1\0\0\x0a\0\0\2\xff\xff\xff\xff\x08\0\0\0\0\1\0\1\0"
	     "\0\5\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\0\4\xaa\xaa\3\0\0\0"),
	/* connects, options, a flap with a packet in the neighbour's queue */
	SEED("\6\1\6\x44\5\4\x20\x08\0\5\0\x20\x99\1\7\x40\x0a\4\1\0\0\0\x84\1"));
