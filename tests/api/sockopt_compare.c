/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_compare.c - every socket option on every kind of socket, told line by line
 *
 * "sockopt_compare kernel" asks the kernel (in a network namespace of its own), "sockopt_compare weir" the library. A line is
 * KIND/STATE/OPTION/ACTION = what happened; compare-test compares the lines of both, and those of the program under "weir run". Each action has a fresh socket, so
 * that lines do not depend on each other. Numbers that belong to one run (cookies, ports, time) are told as "set" or "0".
 * What the kernel's defaults depend on (sysctls) is given to the library first.
 */
#include "tests/api/any_socket.h"

#include <poll.h>

#include <sys/time.h>

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

#include <asm/socket.h>

#define SOL_UDPLITE_      136
#define UDPLITE_SEND_     10
#define UDPLITE_RECV_     11
#define SO_RESERVE_MEM_   73
#define SO_TXREHASH_      74
#define SO_RCVMARK_       75
#define SO_PASSPIDFD_     76
#define SO_PEERPIDFD_     77
#define SO_RCVPRIORITY_   82
#define IP_LOCAL_PORT_    51
#define IP_PROTOCOL__     52
#define UDP_NO_CHECK6_TX_ 101
#define UDP_NO_CHECK6_RX_ 102

/* ---- kinds and states ----------------------------------------------------------------------------------- */

static const struct kind {
	const char *name;
	int family, type, protocol;
	bool slow_close; /* by the kernel, which waits for all cpus: one socket for all actions on an option */
} kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, 0 },
	{ "udp", AF_INET, SOCK_DGRAM, 0 },
	{ "udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ "raw", AF_INET, SOCK_RAW, 253 }, /* RFC 3692: for experiments */
	{ "raw-icmp", AF_INET, SOCK_RAW, IPPROTO_ICMP },
	{ "raw-hdrincl", AF_INET, SOCK_RAW, IPPROTO_RAW },
	{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
	{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
	{ "udplite6", AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE },
	{ "raw6", AF_INET6, SOCK_RAW, 253 },
	{ "raw6-icmp", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
	{ "raw6-hdrincl", AF_INET6, SOCK_RAW, IPPROTO_RAW },
	{ "ping6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
	{ "packet", AF_PACKET, SOCK_RAW, 0, true },
	{ "packet-dgram", AF_PACKET, SOCK_DGRAM, 0, true },
};

enum state { FRESH, BOUND, LISTENING, CONNECTED, NR_STATES };
static const char *const state_names[NR_STATES] = { "fresh", "bound", "listening", "connected" };

#define LISTEN_PORT 5000
static struct any
	listeners[2]; /* TCP connections go there, IPv4's and IPv6's; datagrams to its number */

static bool is_inet(const struct kind *k)
{
	return k->family == AF_INET || k->family == AF_INET6;
}

static bool state_exists(const struct kind *k, enum state state)
{
	return state == FRESH || (state == LISTENING ? k->type == SOCK_STREAM : is_inet(k));
}

/* 0 or -errno; @peer: the other end of a TCP connection, else fd -1 */
static int open_kind(const struct kind *k, enum state state, struct any *s, struct any *peer)
{
	int err = any_socket(s, k->family, k->type, k->protocol);
	struct any listener = listeners[k->family == AF_INET6];
	union address here = loopback(k->family, 0), there = loopback(k->family, LISTEN_PORT);
	long r;

	/* The port of a raw address over IPv6 is a protocol, which is the socket's own. */
	if (k->family == AF_INET6 && k->type == SOCK_RAW)
		there.in6.sin6_port = 0;

	*peer = (struct any){ .fd = -1 };
	if (err)
		return err;
	if (state == BOUND || state == LISTENING)
		err = (int)any_bind(*s, &here);
	if (!err && state == LISTENING)
		err = (int)any_listen(*s);
	if (!err && state == CONNECTED) {
		r = any_connect(*s, &there);
		err = r == -EINPROGRESS ? 0 : (int)r;
		for (int i = 0; !err && k->type == SOCK_STREAM && i < 1000; i++) {
			settle();
			if (machine) {
				r = weir_accept(listener.f, NULL, NULL, SOCK_NONBLOCK, &peer->f);
			} else {
				peer->fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK);
				r = peer->fd < 0 ? -errno : 0;
			}
			if (r != -EAGAIN)
				break;
			usleep(100);
		}
		settle();
	}
	if (err)
		any_close(*s);
	return err;
}

static void close_kind(struct any s, struct any peer)
{
	struct linger now = { 1, 0 };

	if (peer.fd >= 0 || peer.f) {
		any_set(s, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		any_close(s);
		any_close(peer);
		settle();
	} else {
		any_close(s);
	}
}

/* ---- options ---------------------------------------------------------------------------------------------- */

enum { VOLATILE = 1 }; /* the value belongs to the run */

static const struct option {
	const char *name;
	int level, number;
	int flags;
} options[] = {
#define O(level, name)                                                                             \
	{                                                                                          \
#name, level, name, 0                                                              \
	}
#define V(level, name)                                                                             \
	{                                                                                          \
#name, level, name, VOLATILE                                                       \
	}
	O(SOL_SOCKET, SO_DEBUG),
	O(SOL_SOCKET, SO_REUSEADDR),
	O(SOL_SOCKET, SO_TYPE),
	O(SOL_SOCKET, SO_ERROR),
	O(SOL_SOCKET, SO_DONTROUTE),
	O(SOL_SOCKET, SO_BROADCAST),
	O(SOL_SOCKET, SO_SNDBUF),
	O(SOL_SOCKET, SO_RCVBUF),
	O(SOL_SOCKET, SO_SNDBUFFORCE),
	O(SOL_SOCKET, SO_RCVBUFFORCE),
	O(SOL_SOCKET, SO_KEEPALIVE),
	O(SOL_SOCKET, SO_OOBINLINE),
	O(SOL_SOCKET, SO_NO_CHECK),
	O(SOL_SOCKET, SO_PRIORITY),
	O(SOL_SOCKET, SO_LINGER),
	O(SOL_SOCKET, SO_BSDCOMPAT),
	O(SOL_SOCKET, SO_REUSEPORT),
	O(SOL_SOCKET, SO_PASSCRED),
	O(SOL_SOCKET, SO_PEERCRED),
	O(SOL_SOCKET, SO_RCVLOWAT),
	O(SOL_SOCKET, SO_SNDLOWAT),
	O(SOL_SOCKET, SO_RCVTIMEO_OLD),
	O(SOL_SOCKET, SO_SNDTIMEO_OLD),
	O(SOL_SOCKET, SO_RCVTIMEO_NEW),
	O(SOL_SOCKET, SO_SNDTIMEO_NEW),
	O(SOL_SOCKET, SO_BINDTODEVICE),
	O(SOL_SOCKET, SO_ATTACH_FILTER),
	O(SOL_SOCKET, SO_DETACH_FILTER),
	O(SOL_SOCKET, SO_PEERNAME),
	O(SOL_SOCKET, SO_TIMESTAMP_OLD),
	O(SOL_SOCKET, SO_ACCEPTCONN),
	O(SOL_SOCKET, SO_PEERSEC),
	O(SOL_SOCKET, SO_PASSSEC),
	O(SOL_SOCKET, SO_TIMESTAMPNS_OLD),
	O(SOL_SOCKET, SO_MARK),
	O(SOL_SOCKET, SO_TIMESTAMPING_OLD),
	O(SOL_SOCKET, SO_PROTOCOL),
	O(SOL_SOCKET, SO_DOMAIN),
	O(SOL_SOCKET, SO_RXQ_OVFL),
	O(SOL_SOCKET, SO_WIFI_STATUS),
	O(SOL_SOCKET, SO_PEEK_OFF),
	O(SOL_SOCKET, SO_NOFCS),
	O(SOL_SOCKET, SO_LOCK_FILTER),
	O(SOL_SOCKET, SO_SELECT_ERR_QUEUE),
	O(SOL_SOCKET, SO_BUSY_POLL),
	O(SOL_SOCKET, SO_MAX_PACING_RATE),
	O(SOL_SOCKET, SO_BPF_EXTENSIONS),
	O(SOL_SOCKET, SO_INCOMING_CPU),
	O(SOL_SOCKET, SO_ATTACH_BPF),
	O(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF),
	O(SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF),
	O(SOL_SOCKET, SO_DETACH_REUSEPORT_BPF),
	O(SOL_SOCKET, SO_CNX_ADVICE),
	O(SOL_SOCKET, SO_MEMINFO),
	V(SOL_SOCKET, SO_INCOMING_NAPI_ID),
	V(SOL_SOCKET, SO_COOKIE),
	O(SOL_SOCKET, SO_PEERGROUPS),
	O(SOL_SOCKET, SO_ZEROCOPY),
	O(SOL_SOCKET, SO_TXTIME),
	O(SOL_SOCKET, SO_BINDTOIFINDEX),
	O(SOL_SOCKET, SO_TIMESTAMP_NEW),
	O(SOL_SOCKET, SO_TIMESTAMPNS_NEW),
	O(SOL_SOCKET, SO_TIMESTAMPING_NEW),
	O(SOL_SOCKET, SO_PREFER_BUSY_POLL),
	O(SOL_SOCKET, SO_BUSY_POLL_BUDGET),
	V(SOL_SOCKET, SO_NETNS_COOKIE),
	O(SOL_SOCKET, SO_BUF_LOCK),
	{ "SO_RESERVE_MEM", SOL_SOCKET, SO_RESERVE_MEM_, 0 },
	{ "SO_TXREHASH", SOL_SOCKET, SO_TXREHASH_, 0 },
	{ "SO_RCVMARK", SOL_SOCKET, SO_RCVMARK_, 0 },
	{ "SO_PASSPIDFD", SOL_SOCKET, SO_PASSPIDFD_, 0 },
	{ "SO_PEERPIDFD", SOL_SOCKET, SO_PEERPIDFD_, 0 },
	{ "SO_RCVPRIORITY", SOL_SOCKET, SO_RCVPRIORITY_, 0 },
	{ "SOL_SOCKET.0", SOL_SOCKET, 0, 0 },
	{ "SOL_SOCKET.999", SOL_SOCKET, 999, 0 },

	O(SOL_IP, IP_TOS),
	O(SOL_IP, IP_TTL),
	O(SOL_IP, IP_HDRINCL),
	O(SOL_IP, IP_OPTIONS),
	O(SOL_IP, IP_ROUTER_ALERT),
	O(SOL_IP, IP_RECVOPTS),
	O(SOL_IP, IP_RETOPTS),
	O(SOL_IP, IP_PKTINFO),
	O(SOL_IP, IP_PKTOPTIONS),
	O(SOL_IP, IP_MTU_DISCOVER),
	O(SOL_IP, IP_RECVERR),
	O(SOL_IP, IP_RECVTTL),
	O(SOL_IP, IP_RECVTOS),
	O(SOL_IP, IP_MTU),
	O(SOL_IP, IP_FREEBIND),
	O(SOL_IP, IP_PASSSEC),
	O(SOL_IP, IP_TRANSPARENT),
	O(SOL_IP, IP_ORIGDSTADDR),
	O(SOL_IP, IP_MINTTL),
	O(SOL_IP, IP_NODEFRAG),
	O(SOL_IP, IP_CHECKSUM),
	O(SOL_IP, IP_BIND_ADDRESS_NO_PORT),
	O(SOL_IP, IP_RECVFRAGSIZE),
	O(SOL_IP, IP_RECVERR_RFC4884),
	O(SOL_IP, IP_MULTICAST_IF),
	O(SOL_IP, IP_MULTICAST_TTL),
	O(SOL_IP, IP_MULTICAST_LOOP),
	O(SOL_IP, IP_ADD_MEMBERSHIP),
	O(SOL_IP, IP_DROP_MEMBERSHIP),
	O(SOL_IP, IP_UNBLOCK_SOURCE),
	O(SOL_IP, IP_BLOCK_SOURCE),
	O(SOL_IP, IP_ADD_SOURCE_MEMBERSHIP),
	O(SOL_IP, IP_DROP_SOURCE_MEMBERSHIP),
	O(SOL_IP, IP_MSFILTER),
	O(SOL_IP, MCAST_JOIN_GROUP),
	O(SOL_IP, MCAST_LEAVE_GROUP),
	O(SOL_IP, MCAST_MSFILTER),
	O(SOL_IP, IP_MULTICAST_ALL),
	O(SOL_IP, IP_UNICAST_IF),
	{ "IP_LOCAL_PORT_RANGE", SOL_IP, IP_LOCAL_PORT_, 0 },
	{ "IP_PROTOCOL", SOL_IP, IP_PROTOCOL__, VOLATILE },
	{ "SOL_IP.999", SOL_IP, 999, 0 },

	O(SOL_IPV6, IPV6_ADDRFORM),
	O(SOL_IPV6, IPV6_2292PKTINFO),
	O(SOL_IPV6, IPV6_2292HOPOPTS),
	O(SOL_IPV6, IPV6_2292DSTOPTS),
	O(SOL_IPV6, IPV6_2292RTHDR),
	O(SOL_IPV6, IPV6_2292PKTOPTIONS),
	O(SOL_IPV6, IPV6_CHECKSUM),
	O(SOL_IPV6, IPV6_2292HOPLIMIT),
	O(SOL_IPV6, IPV6_NEXTHOP),
	O(SOL_IPV6, IPV6_AUTHHDR),
	{ "IPV6_FLOWINFO", SOL_IPV6, 11, 0 },
	O(SOL_IPV6, IPV6_UNICAST_HOPS),
	O(SOL_IPV6, IPV6_MULTICAST_IF),
	O(SOL_IPV6, IPV6_MULTICAST_HOPS),
	O(SOL_IPV6, IPV6_MULTICAST_LOOP),
	O(SOL_IPV6, IPV6_JOIN_GROUP),
	O(SOL_IPV6, IPV6_LEAVE_GROUP),
	O(SOL_IPV6, IPV6_ROUTER_ALERT),
	O(SOL_IPV6, IPV6_MTU_DISCOVER),
	O(SOL_IPV6, IPV6_MTU),
	O(SOL_IPV6, IPV6_RECVERR),
	O(SOL_IPV6, IPV6_V6ONLY),
	O(SOL_IPV6, IPV6_JOIN_ANYCAST),
	O(SOL_IPV6, IPV6_LEAVE_ANYCAST),
	O(SOL_IPV6, IPV6_MULTICAST_ALL),
	O(SOL_IPV6, IPV6_ROUTER_ALERT_ISOLATE),
	O(SOL_IPV6, IPV6_RECVERR_RFC4884),
	{ "IPV6_FLOWLABEL_MGR", SOL_IPV6, 32, 0 },
	{ "IPV6_FLOWINFO_SEND", SOL_IPV6, 33, 0 },
	O(SOL_IPV6, IPV6_IPSEC_POLICY),
	O(SOL_IPV6, IPV6_XFRM_POLICY),
	O(SOL_IPV6, IPV6_HDRINCL),
	{ "MCAST6_JOIN_GROUP", SOL_IPV6, MCAST_JOIN_GROUP, 0 },
	{ "MCAST6_LEAVE_GROUP", SOL_IPV6, MCAST_LEAVE_GROUP, 0 },
	{ "MCAST6_JOIN_SOURCE_GROUP", SOL_IPV6, MCAST_JOIN_SOURCE_GROUP, 0 },
	{ "MCAST6_MSFILTER", SOL_IPV6, MCAST_MSFILTER, 0 },
	O(SOL_IPV6, IPV6_RECVPKTINFO),
	O(SOL_IPV6, IPV6_PKTINFO),
	O(SOL_IPV6, IPV6_RECVHOPLIMIT),
	O(SOL_IPV6, IPV6_HOPLIMIT),
	O(SOL_IPV6, IPV6_RECVHOPOPTS),
	O(SOL_IPV6, IPV6_HOPOPTS),
	O(SOL_IPV6, IPV6_RTHDRDSTOPTS),
	O(SOL_IPV6, IPV6_RECVRTHDR),
	O(SOL_IPV6, IPV6_RTHDR),
	O(SOL_IPV6, IPV6_RECVDSTOPTS),
	O(SOL_IPV6, IPV6_DSTOPTS),
	O(SOL_IPV6, IPV6_RECVPATHMTU),
	O(SOL_IPV6, IPV6_PATHMTU),
	O(SOL_IPV6, IPV6_DONTFRAG),
	O(SOL_IPV6, IPV6_RECVTCLASS),
	O(SOL_IPV6, IPV6_TCLASS),
	O(SOL_IPV6, IPV6_AUTOFLOWLABEL),
	O(SOL_IPV6, IPV6_ADDR_PREFERENCES),
	O(SOL_IPV6, IPV6_MINHOPCOUNT),
	O(SOL_IPV6, IPV6_ORIGDSTADDR),
	O(SOL_IPV6, IPV6_TRANSPARENT),
	O(SOL_IPV6, IPV6_UNICAST_IF),
	O(SOL_IPV6, IPV6_RECVFRAGSIZE),
	O(SOL_IPV6, IPV6_FREEBIND),
	{ "SOL_IPV6.0", SOL_IPV6, 0, 0 },
	{ "SOL_IPV6.63", SOL_IPV6, 63, 0 },
	{ "SOL_IPV6.999", SOL_IPV6, 999, 0 },
	{ "ICMP6_FILTER", IPPROTO_ICMPV6, 1, 0 },
	{ "SOL_ICMPV6.2", IPPROTO_ICMPV6, 2, 0 },
	{ "SOL_RAW.IPV6_CHECKSUM", SOL_RAW, IPV6_CHECKSUM, 0 },

	{ "ICMP_FILTER", SOL_RAW, 1, 0 },
	{ "SOL_RAW.2", SOL_RAW, 2, 0 },

	O(SOL_UDP, UDP_CORK),
	{ "UDP_ENCAP", SOL_UDP, 100, 0 },
	{ "UDP_NO_CHECK6_TX", SOL_UDP, UDP_NO_CHECK6_TX_, 0 },
	{ "UDP_NO_CHECK6_RX", SOL_UDP, UDP_NO_CHECK6_RX_, 0 },
	{ "UDP_SEGMENT", SOL_UDP, 103, 0 },
	{ "UDP_GRO", SOL_UDP, 104, 0 },
	{ "SOL_UDP.999", SOL_UDP, 999, 0 },
	{ "UDPLITE_SEND_CSCOV", SOL_UDPLITE_, UDPLITE_SEND_, 0 },
	{ "UDPLITE_RECV_CSCOV", SOL_UDPLITE_, UDPLITE_RECV_, 0 },
	{ "UDPLITE.CORK", SOL_UDPLITE_, UDP_CORK, 0 },
	{ "UDPLITE.UDP_SEGMENT", SOL_UDPLITE_, 103, 0 },

	O(SOL_PACKET, PACKET_AUXDATA),
	O(SOL_PACKET, PACKET_ORIGDEV),
	O(SOL_PACKET, PACKET_VERSION),
	O(SOL_PACKET, PACKET_HDRLEN),
	O(SOL_PACKET, PACKET_RESERVE),
	O(SOL_PACKET, PACKET_LOSS),
	O(SOL_PACKET, PACKET_VNET_HDR),
	O(SOL_PACKET, PACKET_TX_TIMESTAMP),
	O(SOL_PACKET, PACKET_TIMESTAMP),
	O(SOL_PACKET, PACKET_FANOUT),
	O(SOL_PACKET, PACKET_TX_HAS_OFF),
	O(SOL_PACKET, PACKET_QDISC_BYPASS),
	O(SOL_PACKET, PACKET_IGNORE_OUTGOING),
	O(SOL_PACKET, PACKET_STATISTICS),
	O(SOL_PACKET, PACKET_ROLLOVER_STATS),
	O(SOL_PACKET, PACKET_FANOUT_DATA),
	{ "PACKET_VNET_HDR_SZ", SOL_PACKET, 24, 0 },
	O(SOL_PACKET, PACKET_COPY_THRESH),
	{ "SOL_PACKET.999", SOL_PACKET, 999, 0 },
};

/* What setsockopt() is tried with: an int, or as many octets of it repeated. */
static const struct {
	const char *name;
	int val;
	socklen_t len;
} tries[] = {
	{ "set-0", 0, 4 },
	{ "set-1", 1, 4 },
	{ "set-2", 2, 4 },
	{ "set-minus1", -1, 4 },
	{ "set-100", 100, 4 },
	{ "set-256", 256, 4 },
	{ "set-70000", 70000, 4 },
	{ "set-huge", 0x7fffffff, 4 },
	{ "set-least", (int)0x80000000, 4 },
	{ "set-1-len0", 1, 0 },
	{ "set-1-len1", 1, 1 },
	{ "set-1-len3", 1, 3 },
	{ "set-1-len5", 1, 5 },
	{ "set-1-len8", 1, 8 },
	{ "set-0-len16", 0, 16 },
	{ "set-1-len64", 1, 64 },
	{ "set-1-len-negative", 1, (socklen_t)-1 },
};

/* getsockopt() with room for @room octets */
static void tell_get(const struct option *o, struct any s, int room)
{
	uint8_t buf[256];
	socklen_t len = (socklen_t)room;
	long r;

	memset(buf, 0xee, sizeof(buf));
	r = any_get(s, o->level, o->number, buf, &len);
	if (r < 0) {
		printf("%s", error_name(r));
		return;
	}
	/* What fits into a few octets depends on the number, and one octet of it may be 0 by chance. */
	if (o->flags & VOLATILE && room > 0 && room < 4) {
		printf("a part");
		return;
	}
	/* What a raw socket has received so far: reports of group membership come when they like. */
	if (o->level == SOL_SOCKET && o->number == SO_MEMINFO)
		memset(buf, 0, 4);
	printf("len %d ", (int)len);
	if (o->flags & VOLATILE) {
		uint64_t v = 0;

		memcpy(&v, buf, len < 8 ? len : 8);
		printf("%s", v ? "set" : "0");
		return;
	}
	for (socklen_t i = 0; i < len && i < sizeof(buf); i++)
		printf("%02x", buf[i]);
}

static void tell_option(const struct kind *k, enum state state, const struct option *o)
{
	static const int rooms[] = { 256, 0, 1, 3, 4, 8, -1 };
	uint8_t val[64];
	struct any s, peer;

	if (open_kind(k, state, &s, &peer))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		printf("%s/%s/%s/get-%d = ", k->name, state_names[state], o->name, rooms[i]);
		tell_get(o, s, rooms[i]);
		printf("\n");
	}
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		for (size_t at = 0; at < sizeof(val); at += 4)
			memcpy(val + at, &tries[i].val, 4);
		if (!k->slow_close) {
			close_kind(s, peer);
			if (open_kind(k, state, &s, &peer))
				return;
		}
		printf("%s/%s/%s/%s = %s then ", k->name, state_names[state], o->name,
		       tries[i].name,
		       error_name(any_set(s, o->level, o->number, val, tries[i].len)));
		tell_get(o, s, sizeof(val));
		printf("\n");
	}
	close_kind(s, peer);
}

/* ---- options with a shape of their own ---------------------------------------------------------------------- */

static struct sock_filter accept_all[] = { { BPF_RET | BPF_K, 0, 0, 0xffff } };
static struct sock_filter bad_filter[] = { { BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 } };
static struct sock_fprog good_prog = { 1, accept_all }, bad_prog = { 1, bad_filter },
			 empty_prog = { 0, accept_all };

#define GROUP6                                                                                     \
	{                                                                                          \
		.s6_addr = { 0xff, 0x0e, [15] = 7 }                                                \
	}
static struct group_req join6 = { .gr_interface = 1 }, join4 = { .gr_interface = 1 };
static struct group_source_req source6 = { .gsr_interface = 1 };
static const uint8_t all_bits[32] = { [0 ... 31] = 0xff };

/* Addresses in a struct sockaddr_storage cannot be written as constants. */
static void fill_groups(void)
{
	struct sockaddr_in6 group = { .sin6_family = AF_INET6, .sin6_addr = GROUP6 };
	struct sockaddr_in6 source = { .sin6_family = AF_INET6,
				       .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in group4 = { .sin_family = AF_INET, .sin_addr.s_addr = 0x010000e0 };

	memcpy(&join6.gr_group, &group, sizeof(group));
	memcpy(&join4.gr_group, &group4, sizeof(group4));
	memcpy(&source6.gsr_group, &group, sizeof(group));
	memcpy(&source6.gsr_source, &source, sizeof(source));
}

/* Options of IPv6 are for its sockets only; one line says so for the others. */
static bool applies(const struct kind *k, int level, int number)
{
	return (level != SOL_IPV6 && level != IPPROTO_ICMPV6) || k->family == AF_INET6 ||
	       number == IPV6_V6ONLY;
}

static const struct shaped {
	const char *name;
	int level, number;
	const void *val;
	socklen_t len;
} shaped[] = {
	{ "SO_BINDTODEVICE/lo", SOL_SOCKET, SO_BINDTODEVICE, "lo", 3 },
	{ "SO_BINDTODEVICE/lo-unterminated", SOL_SOCKET, SO_BINDTODEVICE, "lo", 2 },
	{ "SO_BINDTODEVICE/none", SOL_SOCKET, SO_BINDTODEVICE, "nosuchdevice", 13 },
	{ "SO_BINDTODEVICE/empty", SOL_SOCKET, SO_BINDTODEVICE, "", 1 },
	{ "SO_BINDTODEVICE/long", SOL_SOCKET, SO_BINDTODEVICE, "lo\0xxxxxxxxxxxxxxxxxxxx", 20 },
	{ "SO_ATTACH_FILTER/good", SOL_SOCKET, SO_ATTACH_FILTER, &good_prog, sizeof(good_prog) },
	{ "SO_ATTACH_FILTER/bad", SOL_SOCKET, SO_ATTACH_FILTER, &bad_prog, sizeof(bad_prog) },
	{ "SO_ATTACH_FILTER/empty", SOL_SOCKET, SO_ATTACH_FILTER, &empty_prog, sizeof(empty_prog) },
	{ "SO_ATTACH_FILTER/short", SOL_SOCKET, SO_ATTACH_FILTER, &good_prog, 8 },
	{ "SO_ATTACH_REUSEPORT_CBPF/good", SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &good_prog,
	  sizeof(good_prog) },
	{ "SO_ATTACH_REUSEPORT_CBPF/bad", SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &bad_prog,
	  sizeof(bad_prog) },
	{ "SO_LINGER/10", SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 10 }, sizeof(struct linger) },
	{ "SO_LINGER/negative", SOL_SOCKET, SO_LINGER, &(struct linger){ 1, -1 },
	  sizeof(struct linger) },
	{ "SO_RCVTIMEO/1.5s", SOL_SOCKET, SO_RCVTIMEO_OLD, &(struct timeval){ 1, 500000 },
	  sizeof(struct timeval) },
	{ "SO_RCVTIMEO/usec", SOL_SOCKET, SO_RCVTIMEO_OLD, &(struct timeval){ 1, 1000000 },
	  sizeof(struct timeval) },
	{ "SO_RCVTIMEO/negative", SOL_SOCKET, SO_RCVTIMEO_OLD, &(struct timeval){ -1, 0 },
	  sizeof(struct timeval) },
	{ "SO_SNDTIMEO/1us", SOL_SOCKET, SO_SNDTIMEO_OLD, &(struct timeval){ 0, 1 },
	  sizeof(struct timeval) },
	{ "SO_TXTIME/monotonic", SOL_SOCKET, SO_TXTIME, &(struct { int c, f; }){ 1, 0 }, 8 },
	{ "SO_TXTIME/tai-report", SOL_SOCKET, SO_TXTIME, &(struct { int c, f; }){ 11, 2 }, 8 },
	{ "SO_TXTIME/flags", SOL_SOCKET, SO_TXTIME, &(struct { int c, f; }){ 1, 64 }, 8 },
	{ "SO_TIMESTAMPING/rx", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x18 }, 4 },
	{ "SO_TIMESTAMPING/tx", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x312 }, 4 },
	{ "SO_TIMESTAMPING/id", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x80 }, 4 },
	{ "SO_TIMESTAMPING/id-tcp", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x10080 }, 4 },
	{ "SO_TIMESTAMPING/id-tcp-only", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x10000 }, 4 },
	{ "SO_TIMESTAMPING/stats", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x1000 }, 4 },
	{ "SO_TIMESTAMPING/stats-tsonly", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x1800 }, 4 },
	{ "SO_TIMESTAMPING/filter", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x20000 }, 4 },
	{ "SO_TIMESTAMPING/bind-phc", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x8000 }, 4 },
	{ "SO_TIMESTAMPING/completion", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x40000 }, 4 },
	{ "SO_TIMESTAMPING/unknown", SOL_SOCKET, SO_TIMESTAMPING_OLD, &(int){ 0x100000 }, 4 },
	{ "IP_ADD_MEMBERSHIP/lo", SOL_IP, IP_ADD_MEMBERSHIP,
	  &(struct ip_mreqn){ { 0x010000e0 }, { 0 }, 1 }, sizeof(struct ip_mreqn) },
	{ "IP_ADD_MEMBERSHIP/unicast", SOL_IP, IP_ADD_MEMBERSHIP,
	  &(struct ip_mreqn){ { 0x0100007f }, { 0 }, 1 }, sizeof(struct ip_mreqn) },
	{ "IP_ADD_MEMBERSHIP/no-dev", SOL_IP, IP_ADD_MEMBERSHIP,
	  &(struct ip_mreqn){ { 0x010000e0 }, { 0 }, 77 }, sizeof(struct ip_mreqn) },
	{ "IP_DROP_MEMBERSHIP/absent", SOL_IP, IP_DROP_MEMBERSHIP,
	  &(struct ip_mreqn){ { 0x010000e0 }, { 0 }, 1 }, sizeof(struct ip_mreqn) },
	{ "IP_MULTICAST_IF/lo", SOL_IP, IP_MULTICAST_IF,
	  &(struct ip_mreqn){ { 0 }, { 0x0100007f }, 1 }, sizeof(struct ip_mreqn) },
	{ "IP_MULTICAST_IF/addr", SOL_IP, IP_MULTICAST_IF, &(int){ 0x0100007f }, 4 },
	{ "IP_MULTICAST_IF/no-addr", SOL_IP, IP_MULTICAST_IF, &(int){ 0x01010101 }, 4 },
	{ "IP_UNICAST_IF/lo", SOL_IP, IP_UNICAST_IF, &(int){ 0x01000000 }, 4 },
	{ "IP_OPTIONS/rr", SOL_IP, IP_OPTIONS, "\x07\x07\x04\0\0\0\0", 8 },
	{ "IP_OPTIONS/ra", SOL_IP, IP_OPTIONS, "\x94\x04\0", 4 },
	{ "IP_OPTIONS/bad", SOL_IP, IP_OPTIONS, "\x07\x02\x04\0", 4 },
	{ "IP_LOCAL_PORT_RANGE/ok", SOL_IP, IP_LOCAL_PORT_, &(unsigned){ 50000u << 16 | 40000u },
	  4 },
	{ "IP_LOCAL_PORT_RANGE/reverse", SOL_IP, IP_LOCAL_PORT_,
	  &(unsigned){ 40000u << 16 | 50000u }, 4 },
	{ "IPV6_JOIN_GROUP/lo", SOL_IPV6, IPV6_JOIN_GROUP, &(struct ipv6_mreq){ GROUP6, 1 },
	  sizeof(struct ipv6_mreq) },
	{ "IPV6_JOIN_GROUP/unicast", SOL_IPV6, IPV6_JOIN_GROUP,
	  &(struct ipv6_mreq){ IN6ADDR_LOOPBACK_INIT, 1 }, sizeof(struct ipv6_mreq) },
	{ "IPV6_JOIN_GROUP/no-dev", SOL_IPV6, IPV6_JOIN_GROUP, &(struct ipv6_mreq){ GROUP6, 77 },
	  sizeof(struct ipv6_mreq) },
	{ "IPV6_LEAVE_GROUP/absent", SOL_IPV6, IPV6_LEAVE_GROUP, &(struct ipv6_mreq){ GROUP6, 1 },
	  sizeof(struct ipv6_mreq) },
	{ "IPV6_JOIN_ANYCAST/lo", SOL_IPV6, IPV6_JOIN_ANYCAST,
	  &(struct ipv6_mreq){ IN6ADDR_LOOPBACK_INIT, 1 }, sizeof(struct ipv6_mreq) },
	{ "MCAST6_JOIN_GROUP/lo", SOL_IPV6, MCAST_JOIN_GROUP, &join6, sizeof(join6) },
	{ "MCAST6_JOIN_GROUP/inet", SOL_IPV6, MCAST_JOIN_GROUP, &join4, sizeof(join4) },
	{ "MCAST6_LEAVE_GROUP/absent", SOL_IPV6, MCAST_LEAVE_GROUP, &join6, sizeof(join6) },
	{ "MCAST6_JOIN_SOURCE_GROUP/lo", SOL_IPV6, MCAST_JOIN_SOURCE_GROUP, &source6,
	  sizeof(source6) },
	{ "MCAST6_BLOCK_SOURCE/absent", SOL_IPV6, MCAST_BLOCK_SOURCE, &source6, sizeof(source6) },
	{ "IPV6_UNICAST_IF/lo", SOL_IPV6, IPV6_UNICAST_IF, &(int){ 0x01000000 }, 4 },
	{ "IPV6_ADDRFORM/inet", SOL_IPV6, IPV6_ADDRFORM, &(int){ AF_INET }, 4 },
	{ "IPV6_ADDRFORM/inet6", SOL_IPV6, IPV6_ADDRFORM, &(int){ AF_INET6 }, 4 },
	{ "IPV6_MTU/1279", SOL_IPV6, IPV6_MTU, &(int){ 1279 }, 4 },
	{ "IPV6_MTU/1280", SOL_IPV6, IPV6_MTU, &(int){ 1280 }, 4 },
	{ "IPV6_HOPOPTS/pad", SOL_IPV6, IPV6_HOPOPTS, "\0\0\1\4\0\0\0", 8 },
	{ "IPV6_HOPOPTS/too-long", SOL_IPV6, IPV6_HOPOPTS, "\0\1\1\4\0\0\0", 8 },
	{ "IPV6_RTHDR/type-0", SOL_IPV6, IPV6_RTHDR,
	  "\0\2\0\1\0\0\0\0\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0", 24 },
	{ "IPV6_RTHDR/type-2", SOL_IPV6, IPV6_RTHDR,
	  "\0\2\2\1\0\0\0\0\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0", 24 },
	{ "IPV6_PKTINFO/lo", SOL_IPV6, IPV6_PKTINFO,
	  &(struct in6_pktinfo){ IN6ADDR_LOOPBACK_INIT, 1 }, sizeof(struct in6_pktinfo) },
	{ "IPV6_PKTINFO/no-dev", SOL_IPV6, IPV6_PKTINFO,
	  &(struct in6_pktinfo){ IN6ADDR_LOOPBACK_INIT, 77 }, sizeof(struct in6_pktinfo) },
	{ "IPV6_ADDR_PREFERENCES/both", SOL_IPV6, IPV6_ADDR_PREFERENCES, &(int){ 3 }, 4 },
	{ "IPV6_ADDR_PREFERENCES/coa", SOL_IPV6, IPV6_ADDR_PREFERENCES, &(int){ 4 }, 4 },
	{ "ICMP6_FILTER/block-all", IPPROTO_ICMPV6, 1, all_bits, 32 },
	{ "ICMP_FILTER/echo", SOL_RAW, 1, &(unsigned){ 1u << 8 }, 4 },
	{ "UDP_SEGMENT/65535", SOL_UDP, 103, &(int){ 65535 }, 4 },
	{ "UDP_SEGMENT/65536", SOL_UDP, 103, &(int){ 65536 }, 4 },
	{ "UDP_ENCAP/espinudp", SOL_UDP, 100, &(int){ 2 }, 4 },
	{ "UDPLITE_SEND_CSCOV/7", SOL_UDPLITE_, UDPLITE_SEND_, &(int){ 7 }, 4 },
	{ "UDPLITE_SEND_CSCOV/8", SOL_UDPLITE_, UDPLITE_SEND_, &(int){ 8 }, 4 },
	{ "UDPLITE_RECV_CSCOV/7", SOL_UDPLITE_, UDPLITE_RECV_, &(int){ 7 }, 4 },
	{ "UDPLITE_RECV_CSCOV/65536", SOL_UDPLITE_, UDPLITE_RECV_, &(int){ 65536 }, 4 },
};

static void tell_shaped(const struct kind *k, enum state state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shaped); i++) {
		const struct shaped *o = &shaped[i];
		struct option as_option = { o->name, o->level, o->number, 0 };
		struct any s, peer;

		if (!applies(k, o->level, o->number))
			continue;
		if (open_kind(k, state, &s, &peer))
			return;
		printf("%s/%s/%s = %s then ", k->name, state_names[state], o->name,
		       error_name(any_set(s, o->level, o->number, o->val, o->len)));
		tell_get(&as_option, s, 64);
		printf("\n");
		close_kind(s, peer);
	}
}

/* ---- ioctls --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned long cmd;
	int arg;
} ioctls[] = {
	{ "SIOCINQ", SIOCINQ, 0 },
	{ "SIOCOUTQ", SIOCOUTQ, 0 },
	{ "SIOCOUTQNSD", SIOCOUTQNSD, 0 },
	{ "SIOCATMARK", SIOCATMARK, 0 },
	{ "SIOCGSTAMP_OLD", SIOCGSTAMP_OLD, 0 },
	{ "SIOCGSTAMPNS_OLD", SIOCGSTAMPNS_OLD, 0 },
	{ "SIOCGSTAMP_NEW", (unsigned long)SIOCGSTAMP_NEW, 0 },
	{ "SIOCGSTAMPNS_NEW", (unsigned long)SIOCGSTAMPNS_NEW, 0 },
	{ "FIONBIO", FIONBIO, 1 },
	{ "FIOASYNC", FIOASYNC, 0 },
	{ "SIOCGPGRP", SIOCGPGRP, 0 },
	{ "FIOGETOWN", FIOGETOWN, 0 },
	{ "SIOCSPGRP", SIOCSPGRP, 0 },
	{ "FIOSETOWN", FIOSETOWN, 0 },
	{ "unknown", 0x89a9, 0 },
	{ "unknown-foreign", 0x12345678, 0 },
};

static void tell_ioctls(const struct kind *k, enum state state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		int arg[16] = { ioctls[i].arg };
		struct any s, peer;
		long r;

		if (open_kind(k, state, &s, &peer))
			return;
		r = any_ioctl(s, ioctls[i].cmd, arg);
		printf("%s/%s/ioctl/%s = %s value %d\n", k->name, state_names[state],
		       ioctls[i].name, error_name(r), r < 0 ? 0 : arg[0]);
		close_kind(s, peer);
	}
}

/* ---- binding: who may share a port with whom -------------------------------------------------------------------- */

static const struct bind_addr {
	const char *name;
	int family;
	struct in6_addr addr; /* IPv4: the last four octets */
} bind_addrs[] = {
	{ "any", AF_INET, { { { 0 } } } },
	{ "lo", AF_INET, { .s6_addr = { [12] = 127, 0, 0, 1 } } },
	{ "lo2", AF_INET, { .s6_addr = { [12] = 127, 0, 0, 2 } } },
	{ "any6", AF_INET6, IN6ADDR_ANY_INIT },
	{ "lo6", AF_INET6, IN6ADDR_LOOPBACK_INIT },
	{ "mapped", AF_INET6, { .s6_addr = { [10] = 0xff, 0xff, 127, 0, 0, 1 } } },
};
#define NR_BIND_ADDRS ARRAY_SIZE(bind_addrs)

/* A socket of the address's family, bound to it with SO_REUSEADDR and SO_REUSEPORT as the bits of @how say. */
static long bind_one(const struct kind *k, const struct bind_addr *b, unsigned how, struct any *s)
{
	union address a = loopback(b->family, 5555);
	int one = 1, err = any_socket(s, b->family, k->type, k->protocol);

	if (err)
		return err;
	if (how & 1)
		any_set(*s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (how & 2)
		any_set(*s, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (b->family == AF_INET6)
		a.in6.sin6_addr = b->addr;
	else
		memcpy(&a.in.sin_addr, &b->addr.s6_addr[12], 4);
	return any_bind(*s, &a);
}

static void tell_bind(const struct kind *k)
{
	for (unsigned i = 0; i < NR_BIND_ADDRS * NR_BIND_ADDRS * 4 * 4; i++) {
		unsigned how[2] = { i % 4, i / 4 % 4 };
		const struct bind_addr *where[2] = { &bind_addrs[i / 16 % NR_BIND_ADDRS],
						     &bind_addrs[i / 16 / NR_BIND_ADDRS] };
		struct any s[2] = { { 0 } };
		long r[2];

		/* IPv4 among itself with the IPv4 kind, everything else with the IPv6 kind. */
		if ((where[0]->family == AF_INET6 || where[1]->family == AF_INET6) !=
		    (k->family == AF_INET6))
			continue;
		for (int n = 0; n < 2; n++)
			r[n] = bind_one(k, where[n], how[n], &s[n]);
		printf("%s/bind/%s-%u/%s-%u = %s", k->name, where[0]->name, how[0], where[1]->name,
		       how[1], error_name(r[0]));
		printf(" %s\n", error_name(r[1]));
		any_close(s[0]);
		any_close(s[1]);
	}
}

/* ---- flags of sendmsg() and recvmsg() ------------------------------------------------------------------------------ */

/* Two sockets that send to each other: @a's packets come to @b. */
static int open_pair(const struct kind *k, struct any *a, struct any *b)
{
	union address name, here = loopback(k->family, 0);
	int err = open_kind(k, k->type == SOCK_STREAM ? CONNECTED : BOUND, a, b);

	if (err || k->type == SOCK_STREAM)
		return err;
	err = any_socket(b, k->family, k->type, k->protocol);
	if (err)
		return err;
	any_bind(*b, &here);
	any_name(*b, &name);
	here = loopback(k->family,
			ntohs(k->family == AF_INET6 ? name.in6.sin6_port : name.in.sin_port));
	if (k->family == AF_INET6 && k->type == SOCK_RAW)
		here.in6.sin6_port = 0;
	return (int)any_connect(*a, &here);
}

static long transfer(struct any s, bool send, char *octets, size_t len, int flags, int *ret_flags)
{
	struct iovec iov = { octets, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	long r = send ? any_sendmsg(s, &msg, flags) : any_recvmsg(s, &msg, flags);

	*ret_flags = r < 0 ? 0 : msg.msg_flags;
	settle();
	return r;
}

static void tell_result(const char *what, long r, int flags)
{
	printf(" %s %s %ld flags %x", what, error_name(r), r < 0 ? 0 : r, (unsigned)flags);
}

/* Sends from @a; under "weir run" somebody else delivers it to @b. */
static long transmit(const struct kind *k, struct any a, struct any b, char *octets, size_t len,
		     int flags)
{
	bool wait = behind && k->type == SOCK_STREAM;
	int before = wait ? octets_waiting(b) : 0, f;
	long r = transfer(a, true, octets, len, flags, &f);

	for (int i = 0; wait && r > 0 && i < 200 && octets_waiting(b) == before; i++)
		usleep(1000);
	return r;
}

/* @due: datagrams that must come before it is empty. Echo requests are not for @s. */
static long receive(const struct kind *k, struct any s, char *octets, size_t len, int flags,
		    int *due, int *ret_flags)
{
	bool ping = k->type == SOCK_DGRAM &&
		    (k->protocol == IPPROTO_ICMP || k->protocol == IPPROTO_ICMPV6);
	long r;

	if (behind && *due > 0 && k->type != SOCK_STREAM && !ping)
		poll(&(struct pollfd){ .fd = s.fd, .events = POLLIN }, 1, 200);
	r = transfer(s, false, octets, len, MSG_DONTWAIT | flags, ret_flags);
	*due -= r >= 0 && !(flags & MSG_PEEK);
	return r;
}

/* ten octets and two, then received in parts: each flag of sendmsg(), then each of recvmsg(). */
static void tell_flags(const struct kind *k)
{
	for (unsigned i = 0; i < 64; i++) {
		int flag = (int)(1u << i % 32), due, f = 0;
		bool sending = i < 32;
		struct any a, b;
		/* An echo reply: raw and ping sockets see it as it is. */
		char out[12] = "\x08\0\0\0\0\0\0\0zz", in[64];
		long r;

		if (k->family == AF_INET6 && k->protocol == IPPROTO_ICMPV6)
			out[0] = (char)128;
		/* MSG_ZEROCOPY and MSG_CMSG_CLOEXEC concern others; MSG_SPLICE_PAGES and the like are internal. */
		if (open_pair(k, &a, &b))
			return;
		printf("%s/flags/%s-%x =", k->name, sending ? "send" : "recv", (unsigned)flag);
		r = transmit(k, a, b, out, 10, sending ? flag : 0);
		due = r >= 0;
		tell_result("send", r, 0);
		r = transmit(k, a, b, out, 8, 0);
		due += r >= 0;
		tell_result("send", r, 0);
		r = receive(k, b, in, 4, sending ? 0 : flag, &due, &f);
		tell_result("recv", r, f);
		r = receive(k, b, in, sizeof(in), 0, &due, &f);
		tell_result("recv", r, f);
		r = receive(k, b, in, sizeof(in), 0, &due, &f);
		tell_result("recv", r, f);
		printf("\n");
		close_kind(a, k->type == SOCK_STREAM ? b : (struct any){ .fd = -1 });
		if (k->type != SOCK_STREAM)
			any_close(b);
	}
}

int main(int argc, char **argv)
{
	int err = any_setup(argc, argv);

	if (err)
		return err;
	fill_groups();
	for (int i = 0; i < 2; i++) {
		int family = i ? AF_INET6 : AF_INET;
		union address here = loopback(family, LISTEN_PORT);

		if (any_socket(&listeners[i], family, SOCK_STREAM, 0) ||
		    any_bind(listeners[i], &here) || any_listen(listeners[i]))
			return 1;
	}
	for (const struct kind *k = kinds; k < kinds + ARRAY_SIZE(kinds); k++) {
		for (enum state state = FRESH; state < NR_STATES; state++) {
			if (!state_exists(k, state))
				continue;
			for (size_t i = 0; i < ARRAY_SIZE(options); i++)
				if (applies(k, options[i].level, options[i].number))
					tell_option(k, state, &options[i]);
			tell_shaped(k, state);
			tell_ioctls(k, state);
		}
		if (is_inet(k)) {
			if (k->type != SOCK_RAW)
				tell_bind(k);
			tell_flags(k);
		}
	}
	any_close(listeners[0]);
	any_close(listeners[1]);
	any_teardown();
	return 0;
}
