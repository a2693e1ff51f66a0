/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt_page.c - prints weir-sockopt(7): the socket options, with what new sockets say about them
 *
 * Names and sentences are rows here; whether an option can be read and set and what its default is, sockets are asked.
 * With --check nothing is printed but the options that a socket answers and that have no row (status 1 if there are any): all numbers
 * below PROBE_MAX of each level are tried.
 */
#include <asm/socket.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <weir/crypto.h>
#include <weir/weir.h>

#include "tools/man/page.h"

#define PROBE_MAX 160

struct option {
	int number;
	const char *name, *text;
};

struct level {
	const char *heading, *see;
	int level;
	int domain, type, protocol; /* of the socket that is asked */
	const struct option *options;
	size_t nr_options;
	/* A second one, for options that the first refuses; type2 0: none */
	int domain2, type2, protocol2;
};

/* Younger than some headers. */
enum {
	SO_RESERVE_MEM_ = 73,
	SO_TXREHASH_ = 74,
	SO_RCVMARK_ = 75,
	SO_PASSPIDFD_ = 76,
	SO_PEERPIDFD_ = 77,
	SO_RCVPRIORITY_ = 82,
	IP_LOCAL_PORT_RANGE_ = 51,
	IP_PROTOCOL_ = 52,
	UDPLITE_SEND_CSCOV_ = 10,
	UDPLITE_RECV_CSCOV_ = 11,
	UDP_NO_CHECK6_TX_ = 101,
	UDP_NO_CHECK6_RX_ = 102,
	SOL_UDPLITE_ = 136,
};

static const struct option sol_socket[] = {
	{ SO_DEBUG, "SO_DEBUG", "kept without effect" },
	{ SO_REUSEADDR, "SO_REUSEADDR", "a port may be shared by sockets that do not listen" },
	{ SO_TYPE, "SO_TYPE", "SOCK_STREAM, SOCK_DGRAM and so on" },
	{ SO_ERROR, "SO_ERROR", "the pending error, which this clears" },
	{ SO_DONTROUTE, "SO_DONTROUTE", "only to hosts on the same link" },
	{ SO_BROADCAST, "SO_BROADCAST", "may send to broadcast addresses" },
	{ SO_SNDBUF, "SO_SNDBUF", "room for what is sent; doubled, up to net.core.wmem_max" },
	{ SO_RCVBUF, "SO_RCVBUF", "room for what is received; doubled, up to net.core.rmem_max" },
	{ SO_SNDBUFFORCE, "SO_SNDBUFFORCE", "SO_SNDBUF without its limit" },
	{ SO_RCVBUFFORCE, "SO_RCVBUFFORCE", "SO_RCVBUF without its limit" },
	{ SO_KEEPALIVE, "SO_KEEPALIVE", "asks a silent peer whether it is there" },
	{ SO_OOBINLINE, "SO_OOBINLINE", "urgent data stays in the stream" },
	{ SO_NO_CHECK, "SO_NO_CHECK", "UDP is sent without a checksum" },
	{ SO_PRIORITY, "SO_PRIORITY", "of what is sent, for queueing disciplines" },
	{ SO_LINGER, "SO_LINGER", "whether close() waits for what was sent, or resets" },
	{ SO_BSDCOMPAT, "SO_BSDCOMPAT", "without effect" },
	{ SO_REUSEPORT, "SO_REUSEPORT",
	  "a port may be shared by sockets that all say so; packets are spread" },
	{ SO_PASSCRED, "SO_PASSCRED",
	  "credentials of the sender come with messages (AF_UNIX, AF_NETLINK)" },
	{ SO_PASSSEC, "SO_PASSSEC", "there are no security labels" },
	{ SO_PASSPIDFD_, "SO_PASSPIDFD", "there are no pidfds" },
	{ SO_PEERPIDFD_, "SO_PEERPIDFD", "there are no pidfds" },
	{ SO_PEERGROUPS, "SO_PEERGROUPS", "groups of the peer are not known" },
	{ SO_PEERCRED, "SO_PEERCRED", "credentials of the peer (AF_UNIX)" },
	{ SO_PEERSEC, "SO_PEERSEC", "there are no security labels" },
	{ SO_PEERNAME, "SO_PEERNAME", "the address of the peer" },
	{ SO_BUF_LOCK, "SO_BUF_LOCK", "which buffer sizes were set by hand" },
	{ SO_RESERVE_MEM_, "SO_RESERVE_MEM", "memory set aside; checked, without effect" },
	{ SO_TXREHASH_, "SO_TXREHASH", "whether a flow may be hashed anew" },
	{ SO_RCVMARK_, "SO_RCVMARK", "the mark of a packet comes with it" },
	{ SO_RCVPRIORITY_, "SO_RCVPRIORITY", "the priority of a packet comes with it" },
	{ SO_CNX_ADVICE, "SO_CNX_ADVICE", "a hint that the path does not work" },
	{ SO_RCVLOWAT, "SO_RCVLOWAT", "how much makes a socket readable" },
	{ SO_SNDLOWAT, "SO_SNDLOWAT", "always 1" },
	{ SO_RCVTIMEO_OLD, "SO_RCVTIMEO", "how long receiving waits (struct timeval)" },
	{ SO_SNDTIMEO_OLD, "SO_SNDTIMEO", "how long sending waits (struct timeval)" },
	{ SO_RCVTIMEO_NEW, "SO_RCVTIMEO_NEW", "SO_RCVTIMEO with 64 bits" },
	{ SO_SNDTIMEO_NEW, "SO_SNDTIMEO_NEW", "SO_SNDTIMEO with 64 bits" },
	{ SO_BINDTODEVICE, "SO_BINDTODEVICE", "only by this device (its name)" },
	{ SO_BINDTOIFINDEX, "SO_BINDTOIFINDEX", "only by this device (its index)" },
	{ SO_ATTACH_FILTER, "SO_ATTACH_FILTER",
	  "a classic BPF program decides what is received; read: SO_GET_FILTER" },
	{ SO_DETACH_FILTER, "SO_DETACH_FILTER", "no filter any more" },
	{ SO_LOCK_FILTER, "SO_LOCK_FILTER", "the filter stays as it is" },
	{ SO_ATTACH_BPF, "SO_ATTACH_BPF", "there are no eBPF programs" },
	{ SO_ATTACH_REUSEPORT_CBPF, "SO_ATTACH_REUSEPORT_CBPF", "the flow's hash spreads packets" },
	{ SO_ATTACH_REUSEPORT_EBPF, "SO_ATTACH_REUSEPORT_EBPF", "there are no eBPF programs" },
	{ SO_DETACH_REUSEPORT_BPF, "SO_DETACH_REUSEPORT_BPF", "the flow's hash spreads packets" },
	{ SO_BPF_EXTENSIONS, "SO_BPF_EXTENSIONS", "how many ancillary words filters may load" },
	{ SO_TIMESTAMP_OLD, "SO_TIMESTAMP",
	  "the time of arrival comes with a packet, in microseconds" },
	{ SO_TIMESTAMPNS_OLD, "SO_TIMESTAMPNS", "the same in nanoseconds" },
	{ SO_TIMESTAMPING_OLD, "SO_TIMESTAMPING", "times of sending and arrival, by flags" },
	{ SO_TIMESTAMP_NEW, "SO_TIMESTAMP_NEW", "SO_TIMESTAMP with 64 bits" },
	{ SO_TIMESTAMPNS_NEW, "SO_TIMESTAMPNS_NEW", "SO_TIMESTAMPNS with 64 bits" },
	{ SO_TIMESTAMPING_NEW, "SO_TIMESTAMPING_NEW", "SO_TIMESTAMPING with 64 bits" },
	{ SO_ACCEPTCONN, "SO_ACCEPTCONN", "whether the socket listens" },
	{ SO_MARK, "SO_MARK", "of what is sent, for routing and filters" },
	{ SO_PROTOCOL, "SO_PROTOCOL", "IPPROTO_TCP and so on" },
	{ SO_DOMAIN, "SO_DOMAIN", "AF_INET and so on" },
	{ SO_RXQ_OVFL, "SO_RXQ_OVFL", "how many packets were dropped comes with a packet" },
	{ SO_WIFI_STATUS, "SO_WIFI_STATUS", "kept without effect" },
	{ SO_PEEK_OFF, "SO_PEEK_OFF", "where MSG_PEEK begins" },
	{ SO_NOFCS, "SO_NOFCS", "kept without effect" },
	{ SO_SELECT_ERR_QUEUE, "SO_SELECT_ERR_QUEUE", "the error queue counts as POLLPRI" },
	{ SO_BUSY_POLL, "SO_BUSY_POLL", "kept without effect" },
	{ SO_PREFER_BUSY_POLL, "SO_PREFER_BUSY_POLL", "kept without effect" },
	{ SO_BUSY_POLL_BUDGET, "SO_BUSY_POLL_BUDGET", "checked, without effect" },
	{ SO_MAX_PACING_RATE, "SO_MAX_PACING_RATE", "octets a second that TCP sends at most" },
	{ SO_INCOMING_CPU, "SO_INCOMING_CPU", "kept; the cpu of the last packet is not recorded" },
	{ SO_INCOMING_NAPI_ID, "SO_INCOMING_NAPI_ID", "always 0" },
	{ SO_MEMINFO, "SO_MEMINFO", "the memory of the socket, as ss -m shows it" },
	{ SO_COOKIE, "SO_COOKIE", "a number that no other socket has" },
	{ SO_NETNS_COOKIE, "SO_NETNS_COOKIE", "a number that no other instance has" },
	{ SO_ZEROCOPY, "SO_ZEROCOPY",
	  "MSG_ZEROCOPY sends the memory itself, and tells when it is free" },
	{ SO_TXTIME, "SO_TXTIME", "departure times (SCM_TXTIME), by which clock" },
};

static const struct option sol_ip[] = {
	{ IP_TOS, "IP_TOS", "type of service of what is sent" },
	{ IP_TTL, "IP_TTL", "time to live of what is sent; -1: the default" },
	{ IP_HDRINCL, "IP_HDRINCL", "the program writes the IP header (raw sockets)" },
	{ IP_OPTIONS, "IP_OPTIONS", "IP options of what is sent" },
	{ IP_ROUTER_ALERT, "IP_ROUTER_ALERT",
	  "receives forwarded packets with this option (raw sockets)" },
	{ IP_RECVOPTS, "IP_RECVOPTS", "IP options come with a packet" },
	{ IP_RETOPTS, "IP_RETOPTS", "IP options come with a packet, as an answer would have them" },
	{ IP_PKTINFO, "IP_PKTINFO", "device and addresses come with a packet" },
	{ IP_PKTOPTIONS, "IP_PKTOPTIONS", "control messages of what opened a stream" },
	{ IP_MTU_DISCOVER, "IP_MTU_DISCOVER", "whether packets may be fragmented" },
	{ IP_RECVERR, "IP_RECVERR", "errors wait in the error queue" },
	{ IP_RECVERR_RFC4884, "IP_RECVERR_RFC4884", "where extended ICMP data begins comes along" },
	{ IP_RECVTTL, "IP_RECVTTL", "the time to live comes with a packet" },
	{ IP_RECVTOS, "IP_RECVTOS", "the type of service comes with a packet" },
	{ IP_MTU, "IP_MTU", "the path MTU of a connected socket" },
	{ IP_FREEBIND, "IP_FREEBIND", "may bind to addresses that are not there yet" },
	{ IP_IPSEC_POLICY, "IP_IPSEC_POLICY", "there is no IPsec" },
	{ IP_XFRM_POLICY, "IP_XFRM_POLICY", "there is no IPsec" },
	{ IP_PASSSEC, "IP_PASSSEC", "kept without effect" },
	{ IP_TRANSPARENT, "IP_TRANSPARENT", "may bind to and send from foreign addresses" },
	{ IP_ORIGDSTADDR, "IP_ORIGDSTADDR", "the address it was sent to comes with a packet" },
	{ IP_MINTTL, "IP_MINTTL", "packets with less time to live are dropped" },
	{ IP_NODEFRAG, "IP_NODEFRAG", "kept without effect" },
	{ IP_CHECKSUM, "IP_CHECKSUM", "the checksum of the payload comes with a packet" },
	{ IP_BIND_ADDRESS_NO_PORT, "IP_BIND_ADDRESS_NO_PORT",
	  "the port is chosen by connect(), not by bind()" },
	{ IP_RECVFRAGSIZE, "IP_RECVFRAGSIZE",
	  "the size of the largest fragment comes with a packet" },
	{ IP_MULTICAST_IF, "IP_MULTICAST_IF", "the device of multicasts that are sent" },
	{ IP_MULTICAST_TTL, "IP_MULTICAST_TTL", "time to live of multicasts that are sent" },
	{ IP_MULTICAST_LOOP, "IP_MULTICAST_LOOP", "multicasts come back to members on this host" },
	{ IP_MULTICAST_ALL, "IP_MULTICAST_ALL", "hears of groups that others here have joined" },
	{ IP_ADD_MEMBERSHIP, "IP_ADD_MEMBERSHIP", "joins a group" },
	{ IP_DROP_MEMBERSHIP, "IP_DROP_MEMBERSHIP", "leaves a group" },
	{ IP_UNBLOCK_SOURCE, "IP_UNBLOCK_SOURCE", "hears a source again" },
	{ IP_BLOCK_SOURCE, "IP_BLOCK_SOURCE", "does not hear a source" },
	{ IP_ADD_SOURCE_MEMBERSHIP, "IP_ADD_SOURCE_MEMBERSHIP", "joins a group, for one source" },
	{ IP_DROP_SOURCE_MEMBERSHIP, "IP_DROP_SOURCE_MEMBERSHIP",
	  "leaves a group, for one source" },
	{ IP_MSFILTER, "IP_MSFILTER", "all sources of a group at once" },
	{ MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP", "joins a group (RFC 3678)" },
	{ MCAST_BLOCK_SOURCE, "MCAST_BLOCK_SOURCE", "does not hear a source" },
	{ MCAST_UNBLOCK_SOURCE, "MCAST_UNBLOCK_SOURCE", "hears a source again" },
	{ MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP", "leaves a group" },
	{ MCAST_JOIN_SOURCE_GROUP, "MCAST_JOIN_SOURCE_GROUP", "joins a group, for one source" },
	{ MCAST_LEAVE_SOURCE_GROUP, "MCAST_LEAVE_SOURCE_GROUP", "leaves a group, for one source" },
	{ MCAST_MSFILTER, "MCAST_MSFILTER", "all sources of a group at once" },
	{ IP_UNICAST_IF, "IP_UNICAST_IF", "the device of what is sent otherwise" },
	{ IP_LOCAL_PORT_RANGE_, "IP_LOCAL_PORT_RANGE", "ports that are chosen from" },
	{ IP_PROTOCOL_, "IP_PROTOCOL", "the IP protocol of a raw socket" },
};

static const struct option sol_tcp[] = {
	{ TCP_NODELAY, "TCP_NODELAY", "small segments do not wait for acknowledgements" },
	{ TCP_MAXSEG, "TCP_MAXSEG", "the largest segment" },
	{ TCP_CORK, "TCP_CORK", "only full segments until it is lifted" },
	{ TCP_KEEPIDLE, "TCP_KEEPIDLE", "seconds of silence before keepalive asks" },
	{ TCP_KEEPINTVL, "TCP_KEEPINTVL", "seconds between its questions" },
	{ TCP_KEEPCNT, "TCP_KEEPCNT", "how often it asks" },
	{ TCP_SYNCNT, "TCP_SYNCNT", "how often a SYN is repeated" },
	{ TCP_LINGER2, "TCP_LINGER2", "seconds in FIN_WAIT2 without an owner" },
	{ TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT", "accept() waits so many seconds for data" },
	{ TCP_WINDOW_CLAMP, "TCP_WINDOW_CLAMP", "the largest window that is offered" },
	{ TCP_INFO, "TCP_INFO", "the state of the connection, as ss -i shows it" },
	{ TCP_QUICKACK, "TCP_QUICKACK", "acknowledgements do not wait, for now" },
	{ TCP_CONGESTION, "TCP_CONGESTION", "the name of the congestion control" },
	{ TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT", "milliseconds that data may stay unacknowledged" },
	{ TCP_REPAIR, "TCP_REPAIR",
	  "the connection is taken apart or put together: nothing is sent" },
	{ TCP_REPAIR_QUEUE, "TCP_REPAIR_QUEUE", "which queue: 1 received, 2 sent" },
	{ TCP_QUEUE_SEQ, "TCP_QUEUE_SEQ", "the sequence number of that queue" },
	{ TCP_REPAIR_OPTIONS, "TCP_REPAIR_OPTIONS", "what the handshake had agreed on" },
	{ TCP_REPAIR_WINDOW, "TCP_REPAIR_WINDOW", "both windows" },
	{ 16, "TCP_THIN_LINEAR_TIMEOUTS", "a thin stream does not back off its timeouts" },
	{ TCP_FASTOPEN, "TCP_FASTOPEN",
	  "connections of a listener that began with data and are not acknowledged" },
	{ TCP_FASTOPEN_CONNECT, "TCP_FASTOPEN_CONNECT",
	  "connect() sends its SYN with the first data" },
	{ TCP_FASTOPEN_KEY, "TCP_FASTOPEN_KEY", "one or two keys of the cookies" },
	{ TCP_FASTOPEN_NO_COOKIE, "TCP_FASTOPEN_NO_COOKIE", "data in the SYN without a cookie" },
	{ TCP_TIMESTAMP, "TCP_TIMESTAMP", "the clock of the timestamps" },
	{ TCP_CC_INFO, "TCP_CC_INFO", "what the congestion control tells of itself" },
	{ TCP_SAVE_SYN, "TCP_SAVE_SYN",
	  "keeps the headers of SYNs: 1 from IP on, 2 from the link layer on" },
	{ TCP_SAVED_SYN, "TCP_SAVED_SYN", "those of this connection; once" },
	{ 14, "TCP_MD5SIG", "a key for a peer, whose segments are signed (RFC 2385)" },
	{ 32, "TCP_MD5SIG_EXT", "the same, for a range of peers" },
	{ 38, "TCP_AO_ADD_KEY", "a master key tuple (RFC 5925)" },
	{ 39, "TCP_AO_DEL_KEY", "one that is not in use goes" },
	{ 40, "TCP_AO_INFO",
	  "which keys are in use, whether unsigned segments are taken, counters" },
	{ 41, "TCP_AO_GET_KEYS", "the tuples" },
	{ 42, "TCP_AO_REPAIR", "initial sequence numbers, and how often numbers have wrapped" },
	{ TCP_ULP, "TCP_ULP", "an upper layer protocol: there is none" },
	{ TCP_INQ, "TCP_INQ", "recvmsg() tells how much is left" },
	{ 37, "TCP_TX_DELAY", "microseconds that each segment is held back by a fair queue" },
	{ 43, "TCP_IS_MPTCP", "0" },
	{ 44, "TCP_RTO_MAX_MS", "the longest retransmission timeout" },
	{ 45, "TCP_RTO_MIN_US", "the shortest retransmission timeout" },
	{ TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT",
	  "a socket is writable while less than this is unsent" },
};

static const struct option sol_udp[] = {
	{ UDP_CORK, "UDP_CORK", "collects one datagram until it is lifted" },
	{ UDP_SEGMENT, "UDP_SEGMENT", "what is sent at once is cut into datagrams of this size" },
	{ UDP_GRO, "UDP_GRO", "datagrams of a flow are received together" },
	{ UDP_NO_CHECK6_TX_, "UDP_NO_CHECK6_TX", "sends over IPv6 without a checksum" },
	{ UDP_NO_CHECK6_RX_, "UDP_NO_CHECK6_RX", "takes datagrams over IPv6 without a checksum" },
	{ UDPLITE_SEND_CSCOV_, "UDPLITE_SEND_CSCOV", "for UDP-Lite" },
	{ UDPLITE_RECV_CSCOV_, "UDPLITE_RECV_CSCOV", "for UDP-Lite" },
};

static const struct option sol_udplite[] = {
	{ UDP_CORK, "UDP_CORK", "collects one datagram until it is lifted" },
	{ UDPLITE_SEND_CSCOV_, "UDPLITE_SEND_CSCOV", "octets that the checksum covers; 0: all" },
	{ UDPLITE_RECV_CSCOV_, "UDPLITE_RECV_CSCOV",
	  "coverage that is wanted of what is received" },
	{ UDP_NO_CHECK6_TX_, "UDP_NO_CHECK6_TX", "sends over IPv6 without a checksum" },
	{ UDP_NO_CHECK6_RX_, "UDP_NO_CHECK6_RX", "takes datagrams over IPv6 without a checksum" },
	{ UDP_SEGMENT, "UDP_SEGMENT", "as for UDP" },
	{ UDP_GRO, "UDP_GRO", "as for UDP" },
};

static const struct option sol_raw[] = {
	{ 1, "ICMP_FILTER", "which types of ICMP are not wanted" },
};

static const struct option sol_packet[] = {
	{ PACKET_ADD_MEMBERSHIP, "PACKET_ADD_MEMBERSHIP", "receives a group, or everything" },
	{ PACKET_DROP_MEMBERSHIP, "PACKET_DROP_MEMBERSHIP", "no more" },
	{ PACKET_RX_RING, "PACKET_RX_RING", "a ring in memory that frames are received into" },
	{ PACKET_STATISTICS, "PACKET_STATISTICS", "frames received and dropped since it was read" },
	{ PACKET_COPY_THRESH, "PACKET_COPY_THRESH",
	  "frames too large for the ring are queued too" },
	{ PACKET_AUXDATA, "PACKET_AUXDATA",
	  "lengths, checksum state and VLAN tag come with a frame" },
	{ PACKET_ORIGDEV, "PACKET_ORIGDEV", "the device that a frame first came in by" },
	{ PACKET_VERSION, "PACKET_VERSION", "the layout of rings: TPACKET_V1 to V3" },
	{ PACKET_HDRLEN, "PACKET_HDRLEN", "octets of a version's header" },
	{ PACKET_RESERVE, "PACKET_RESERVE", "room before each frame of a ring" },
	{ PACKET_TX_RING, "PACKET_TX_RING", "a ring in memory that frames are sent from" },
	{ PACKET_LOSS, "PACKET_LOSS", "a malformed frame of the ring is skipped" },
	{ PACKET_TIMESTAMP, "PACKET_TIMESTAMP", "which clock stamps the frames of a ring" },
	{ PACKET_FANOUT, "PACKET_FANOUT", "several sockets share the frames" },
	{ PACKET_FANOUT_DATA, "PACKET_FANOUT_DATA",
	  "the program that chooses among them (struct sock_fprog)" },
	{ PACKET_TX_HAS_OFF, "PACKET_TX_HAS_OFF", "frames of the ring say where they begin" },
	{ PACKET_VNET_HDR, "PACKET_VNET_HDR", "a virtio-net header in front of each frame" },
	{ 24, "PACKET_VNET_HDR_SZ", "its length: 10 or 12 octets, or 0: none" },
	{ PACKET_QDISC_BYPASS, "PACKET_QDISC_BYPASS", "sends straight to the driver" },
	{ PACKET_ROLLOVER_STATS, "PACKET_ROLLOVER_STATS",
	  "how often a fanout went to the next socket" },
	{ PACKET_IGNORE_OUTGOING, "PACKET_IGNORE_OUTGOING", "only what comes in" },
};

static const struct option sol_netlink[] = {
	{ NETLINK_ADD_MEMBERSHIP, "NETLINK_ADD_MEMBERSHIP", "joins a group of events" },
	{ NETLINK_DROP_MEMBERSHIP, "NETLINK_DROP_MEMBERSHIP", "leaves it" },
	{ NETLINK_PKTINFO, "NETLINK_PKTINFO", "the group comes with a message" },
	{ NETLINK_BROADCAST_ERROR, "NETLINK_BROADCAST_ERROR",
	  "a full queue is an error of the sender" },
	{ NETLINK_NO_ENOBUFS, "NETLINK_NO_ENOBUFS", "a full queue is not reported" },
	{ NETLINK_LISTEN_ALL_NSID, "NETLINK_LISTEN_ALL_NSID", "hears of other nets too" },
	{ NETLINK_LIST_MEMBERSHIPS, "NETLINK_LIST_MEMBERSHIPS", "the groups that were joined" },
	{ NETLINK_CAP_ACK, "NETLINK_CAP_ACK", "acknowledgements do not repeat the request" },
	{ NETLINK_EXT_ACK, "NETLINK_EXT_ACK", "errors come with a sentence" },
	{ NETLINK_GET_STRICT_CHK, "NETLINK_GET_STRICT_CHK", "requests are checked strictly" },
};

#define OPTIONS(rows) .options = (rows), .nr_options = sizeof(rows) / sizeof((rows)[0])

static const struct level levels[] = {
	{ "SOL_SOCKET", "socket 7", SOL_SOCKET, AF_INET, SOCK_STREAM, 0, OPTIONS(sol_socket),
	  AF_UNIX, SOCK_STREAM },
	{ "SOL_IP", "ip 7", SOL_IP, AF_INET, SOCK_DGRAM, 0, OPTIONS(sol_ip), SOCK_RAW,
	  IPPROTO_UDP },
	{ "SOL_TCP", "tcp 7", SOL_TCP, AF_INET, SOCK_STREAM, 0, OPTIONS(sol_tcp) },
	{ "SOL_UDP", "udp 7", SOL_UDP, AF_INET, SOCK_DGRAM, 0, OPTIONS(sol_udp) },
	{ "SOL_UDPLITE", "udplite 7", SOL_UDPLITE_, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE,
	  OPTIONS(sol_udplite) },
	{ "SOL_RAW", "raw 7", SOL_RAW, AF_INET, SOCK_RAW, IPPROTO_ICMP, OPTIONS(sol_raw) },
	{ "SOL_PACKET", "packet 7", SOL_PACKET, AF_PACKET, SOCK_RAW, 0, OPTIONS(sol_packet) },
	{ "SOL_NETLINK", "netlink 7", SOL_NETLINK, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE,
	  OPTIONS(sol_netlink) },
};

/* ---- asking ------------------------------------------------------------------------------------------------- */

struct answer {
	bool known, readable, settable;
	socklen_t len;
	unsigned char value[256];
};

static bool is_unknown(int err)
{
	return err == -ENOPROTOOPT || err == -EOPNOTSUPP;
}

/* Nothing, as a value, is refused by all options that want one: what is not refused as unknown can be set. */
static void ask(struct weir_net *net, const struct level *l, int domain, int type, int protocol,
		int number, struct answer *a)
{
	struct weir_file *s;
	socklen_t len = sizeof(a->value);
	int err, none = 0;

	if (weir_socket(net, domain, type | SOCK_NONBLOCK, protocol, &s))
		return;
	err = weir_getsockopt(s, l->level, number, a->value, &len);
	if (!err && !a->readable)
		a->len = len;
	a->readable |= !err;
	a->known |= !is_unknown(err);
	err = weir_setsockopt(s, l->level, number, &none, sizeof(none));
	a->settable |= !is_unknown(err) && err != -ENOTSUP;
	a->known |= !is_unknown(err);
	weir_close(s);
}

static struct answer answer_of(struct weir_net *net, const struct level *l, int number)
{
	struct answer a = { 0 };

	ask(net, l, l->domain, l->type, l->protocol, number, &a);
	if (!a.readable && l->type2)
		ask(net, l, l->domain2, l->type2, l->protocol2, number, &a);
	return a;
}

static bool differs_by_socket(int level, int number)
{
	return level == SOL_SOCKET &&
	       (number == SO_COOKIE || number == SO_NETNS_COOKIE || number == SO_TYPE ||
		number == SO_PROTOCOL || number == SO_DOMAIN || number == SO_ERROR);
}

static void print_option(const struct level *l, const struct option *o, const struct answer *a)
{
	int value;

	printf(".It Dv %s\n", o->name);
	page_text(stdout, o->text);
	if (!a->readable && !a->settable)
		printf(" (refused)");
	else if (!a->settable)
		printf("; read-only");
	else if (!a->readable)
		printf("; write-only");
	if (a->readable && a->settable && a->len == sizeof(value) &&
	    !differs_by_socket(l->level, o->number)) {
		memcpy(&value, a->value, sizeof(value));
		printf("; default %d", value);
	}
	putchar('\n');
}

static bool has_row(const struct level *l, int number)
{
	for (size_t i = 0; i < l->nr_options; i++)
		if (l->options[i].number == number)
			return true;
	return false;
}

static int missing_rows(struct weir_net *net, const struct level *l)
{
	int missing = 0;

	for (int number = 0; number < PROBE_MAX; number++) {
		if (has_row(l, number) || !answer_of(net, l, number).known)
			continue;
		printf("tools/man/sockopt_page.c:1: option %d of %s has no row\n", number,
		       l->heading);
		missing++;
	}
	return missing;
}

static void print_page(struct weir_net *net)
{
	page_begin(stdout, "WEIR-SOCKOPT", "weir-sockopt", "socket options of a weir instance");
	puts("Options mean what they mean on Linux, and answer the same errors; where they differ "
	     "is\n"
	     "in\n.Pa doc/limits.md .\n"
	     "Defaults are those of a new socket, as\n.Xr getsockopt 2\nreads them; values that "
	     "are\n"
	     "no single integer are not shown.\n"
	     "What is refused gives\n.Er ENOPROTOOPT\nor\n.Er EOPNOTSUPP .");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		const struct level *l = &levels[i];

		printf(".Ss %s\nSee\n.Xr %s .\n.Bl -tag -width indent\n", l->heading, l->see);
		for (size_t k = 0; k < l->nr_options; k++) {
			struct answer a = answer_of(net, l, l->options[k].number);

			print_option(l, &l->options[k], &a);
		}
		puts(".El");
	}
	puts(".Sh SEE ALSO\n.Xr weir-sysctl 7 , getsockopt 2");
}

int main(int argc, char **argv)
{
	const struct weir_machine_config cfg = { .crypto = weir_crypto_openssl() };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = m ? weir_net_create(m, "page") : NULL;
	int missing = 0;

	if (!net)
		return 1;
	if (argc == 2 && !strcmp(argv[1], "--check")) {
		for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
			missing += missing_rows(net, &levels[i]);
		printf(missing ? "%d options have no row\n"
			       : "ok: weir-sockopt(7) has every option\n",
		       missing);
	} else {
		print_page(net);
	}
	weir_machine_destroy(m);
	return missing ? 1 : 0;
}
