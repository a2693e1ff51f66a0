/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.c - one line of text about a frame, in tcpdump's words
 *
 * Every layer prints its part and hands the rest to the next by a plain call; all go through the parsers of this folder, so that
 * nothing here touches an octet whose presence was not checked.
 */
#include "wire/print.h"

#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdarg.h>

#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

struct text {
	char *buf;
	size_t size, len; /* len < size: always room for the NUL */
};

static __printf(2, 3) void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += min_t(size_t, (size_t)n, t->size - t->len - 1);
}

static void add_mac(struct text *t, const u8 *a)
{
	add(t, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The two ends of a packet: port -1 where there is none. */
struct ends {
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
};

static void add_ends(struct text *t, const struct ends *e, int sport, int dport)
{
	if (sport < 0)
		add(t, "%s > %s: ", e->src, e->dst);
	else
		add(t, "%s.%d > %s.%d: ", e->src, sport, e->dst, dport);
}

/* ---- TCP ----------------------------------------------------------------------------------------------- */

static void add_tcp_flags(struct text *t, u8 flags)
{
	static const struct {
		u8 bit;
		char letter;
	} letters[] = {
		{ TCP_FLAG_FIN, 'F' }, { TCP_FLAG_SYN, 'S' }, { TCP_FLAG_RST, 'R' },
		{ TCP_FLAG_PSH, 'P' }, { TCP_FLAG_ACK, '.' }, { TCP_FLAG_URG, 'U' },
		{ TCP_FLAG_ECE, 'E' }, { TCP_FLAG_CWR, 'W' },
	};

	add(t, "Flags [");
	if (!flags)
		add(t, "none");
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (flags & letters[i].bit)
			add(t, "%c", letters[i].letter);
	}
	add(t, "]");
}

static void add_tcp_options(struct text *t, const struct tcp_opts_view *o)
{
	const char *sep = "";

	add(t, ", options [");
	if (o->mss) {
		add(t, "mss %u", o->mss);
		sep = ",";
	}
	if (o->sack_ok) {
		add(t, "%ssackOK", sep);
		sep = ",";
	}
	if (o->saw_tstamp) {
		add(t, "%sTS val %u ecr %u", sep, o->tsval, o->tsecr);
		sep = ",";
	}
	if (o->wscale_ok) {
		add(t, "%swscale %u", sep, o->snd_wscale);
		sep = ",";
	}
	if (o->num_sacks) {
		add(t, "%ssack %u ", sep, o->num_sacks);
		for (u32 i = 0; i < o->num_sacks; i++)
			add(t, "{%u:%u}", o->sacks[i].start, o->sacks[i].end);
		sep = ",";
	}
	if (o->saw_fastopen) {
		add(t, "%stfo %s", sep, o->fastopen_len ? "cookie" : "cookiereq");
		sep = ",";
	}
	if (o->md5) {
		add(t, "%smd5", sep);
		sep = ",";
	}
	if (o->ao)
		add(t, "%sao", sep);
	add(t, "]");
}

static void print_tcp(struct text *t, const struct ends *e, const u8 *p, size_t len)
{
	struct tcp_opts_view o;
	struct tcp_view v;
	int hdr_len = tcp_parse(p, len, &v);
	u32 data;

	if (hdr_len < 0) {
		add_ends(t, e, -1, -1);
		add(t, "TCP, malformed header, length %zu", len);
		return;
	}
	data = (u32)(len - (size_t)hdr_len);
	add_ends(t, e, v.source, v.dest);
	add_tcp_flags(t, v.flags);
	if (data || v.flags & (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST)) {
		add(t, ", seq %u", v.seq);
		if (data)
			add(t, ":%u", v.seq + data);
	}
	if (v.flags & TCP_FLAG_ACK)
		add(t, ", ack %u", v.ack_seq);
	add(t, ", win %u", v.window);
	if (v.flags & TCP_FLAG_URG)
		add(t, ", urg %u", v.urg_ptr);
	if (hdr_len > (int)sizeof(struct tcp_hdr)) {
		tcp_opts_parse(p, v.hdr_len, v.flags & TCP_FLAG_SYN, &o);
		add_tcp_options(t, &o);
	}
	add(t, ", length %u", data);
}

/* ---- UDP ----------------------------------------------------------------------------------------------- */

static void print_udp(struct text *t, const struct ends *e, const u8 *p, size_t len)
{
	struct udp_view v;

	if (udp_parse(p, len, &v) < 0) {
		add_ends(t, e, -1, -1);
		add(t, "UDP, malformed header, length %zu", len);
		return;
	}
	add_ends(t, e, v.source, v.dest);
	add(t, "UDP, length %u", v.len - (u32)sizeof(struct udp_hdr));
}

/* ---- ICMP ---------------------------------------------------------------------------------------------- */

static const char *protocol_name(u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	default:
		return NULL;
	}
}

/* "10.0.0.2 udp port 53": whom the packet that an error quotes was for */
static void add_quoted(struct text *t, const u8 *p, size_t len, bool with_port)
{
	struct ip_hdr h;
	char addr[16];
	u32 hdr_len;

	if (len < sizeof(h)) {
		add(t, "?");
		return;
	}
	memcpy(&h, p, sizeof(h));
	add(t, "%s", ipv4_ntop(h.daddr, addr));
	hdr_len = ip_hdr_len(&h);
	if (with_port && protocol_name(h.protocol) && hdr_len >= sizeof(h) && hdr_len + 4 <= len)
		add(t, " %s port %u", protocol_name(h.protocol),
		    (u32)(p[hdr_len + 2] << 8 | p[hdr_len + 3]));
}

static void print_unreachable(struct text *t, const struct icmp_view *v)
{
	static const char *const what[] = {
		[ICMP4_NET_UNREACH] = "net",
		[ICMP4_HOST_UNREACH] = "host",
		[ICMP4_PROT_UNREACH] = "protocol",
		[ICMP4_SR_FAILED] = "source route failed:",
		[ICMP4_PKT_FILTERED] = "admin prohibited filter:",
		[ICMP4_NET_ANO] = "net prohibited:",
		[ICMP4_HOST_ANO] = "host prohibited:",
	};

	switch (v->code) {
	case ICMP4_PORT_UNREACH:
		add_quoted(t, v->payload, v->payload_len, true);
		add(t, " unreachable");
		break;
	case ICMP4_FRAG_NEEDED:
		add_quoted(t, v->payload, v->payload_len, false);
		add(t, " unreachable - need to frag (mtu %u)", v->info);
		break;
	default:
		if (v->code < ARRAY_SIZE(what) && what[v->code])
			add(t, "%s ", what[v->code]);
		add_quoted(t, v->payload, v->payload_len, false);
		add(t, " unreachable");
		if (v->code >= ARRAY_SIZE(what) || !what[v->code])
			add(t, " (code %u)", v->code);
		break;
	}
}

static void print_icmp(struct text *t, const struct ends *e, const u8 *p, size_t len)
{
	struct icmp_view v;
	char addr[16];

	add_ends(t, e, -1, -1);
	add(t, "ICMP ");
	if (icmp_parse(p, len, &v) < 0) {
		add(t, "malformed header, length %zu", len);
		return;
	}
	switch (v.type) {
	case ICMP4_ECHO:
	case ICMP4_ECHOREPLY:
		add(t, "echo %s, id %u, seq %u", v.type == ICMP4_ECHO ? "request" : "reply", v.id,
		    v.sequence);
		break;
	case ICMP4_DEST_UNREACH:
		print_unreachable(t, &v);
		break;
	case ICMP4_TIME_EXCEEDED:
		add(t, v.code ? "ip reassembly time exceeded" : "time exceeded in-transit");
		break;
	case ICMP4_PARAMETERPROB:
		add(t, "parameter problem - octet %u", v.info);
		break;
	case ICMP4_REDIRECT:
		add(t, "redirect ");
		add_quoted(t, v.payload, v.payload_len, false);
		add(t, " to %s", ipv4_ntop(be32_raw(v.info), addr));
		break;
	case ICMP4_TIMESTAMP:
	case ICMP4_TIMESTAMPREPLY:
		add(t, "time stamp %s, id %u, seq %u",
		    v.type == ICMP4_TIMESTAMP ? "query" : "reply", v.id, v.sequence);
		break;
	default:
		add(t, "type %u, code %u", v.type, v.code);
		break;
	}
	add(t, ", length %zu", len);
}

/* ---- IP ------------------------------------------------------------------------------------------------ */

static void print_transport(struct text *t, u8 protocol, const struct ends *e, const u8 *p,
			    size_t len)
{
	switch (protocol) {
	case IPPROTO_TCP:
		print_tcp(t, e, p, len);
		break;
	case IPPROTO_UDP:
		print_udp(t, e, p, len);
		break;
	case IPPROTO_ICMP:
		print_icmp(t, e, p, len);
		break;
	default:
		add_ends(t, e, -1, -1);
		if (protocol == IPPROTO_ICMPV6)
			add(t, "ICMP6, type %d, length %zu", len ? p[0] : -1, len);
		else
			add(t, "ip-proto-%u, length %zu", protocol, len);
		break;
	}
}

static void print_ipv4(struct text *t, const u8 *p, size_t len)
{
	struct ipv4_view v;
	struct ends e;
	int hdr_len = ipv4_parse(p, len, &v);

	add(t, "IP ");
	if (hdr_len < 0) {
		add(t, "malformed header, length %zu", len);
		return;
	}
	ipv4_ntop(v.saddr, e.src);
	ipv4_ntop(v.daddr, e.dst);
	p += hdr_len;
	len = (size_t)v.tot_len - (size_t)hdr_len; /* behind it: padding of the link */
	if (v.frag_off & IP_F_OFFSET) {
		add_ends(t, &e, -1, -1);
		add(t, "ip-proto-%u", v.protocol);
	} else if (v.frag_off & IP_F_MF && v.protocol == IPPROTO_UDP &&
		   len >= sizeof(struct udp_hdr)) {
		/* The length in its header is that of the whole datagram. */
		add_ends(t, &e, p[0] << 8 | p[1], p[2] << 8 | p[3]);
		add(t, "UDP, length %d", (p[4] << 8 | p[5]) - (int)sizeof(struct udp_hdr));
	} else {
		print_transport(t, v.protocol, &e, p, len);
	}
	if (v.frag_off & (IP_F_MF | IP_F_OFFSET)) {
		add(t, " (frag id %u, offset %u, %zu octets%s)", v.id,
		    (v.frag_off & IP_F_OFFSET) * 8u, len, v.frag_off & IP_F_MF ? ", more" : "");
	}
}

static void print_ipv6(struct text *t, const u8 *p, size_t len)
{
	struct ipv6_view v;
	struct ends e;
	u16 frag = 0;
	u8 next;
	int n;

	add(t, "IP6 ");
	n = ipv6_parse(p, len, &v);
	if (n < 0) {
		add(t, "malformed header, length %zu", len);
		return;
	}
	inet_ntop(AF_INET6, v.saddr, e.src, sizeof(e.src));
	inet_ntop(AF_INET6, v.daddr, e.dst, sizeof(e.dst));
	p += n;
	len = v.payload_len;
	next = v.nexthdr;
	n = ipv6_skip_exthdr(p, len, &next, &frag);
	if (n < 0) {
		add_ends(t, &e, -1, -1);
		add(t, "malformed extension headers, length %zu", len);
		return;
	}
	p += n;
	len -= (size_t)n;
	if (frag & ~1) {
		add_ends(t, &e, -1, -1);
		add(t, "frag offset %u, length %zu", frag & ~1u, len);
		return;
	}
	print_transport(t, next, &e, p, len);
}

/* ---- link ---------------------------------------------------------------------------------------------- */

static void print_arp(struct text *t, const u8 *p, size_t len)
{
	char sip[16], tip[16];
	struct arp_view v;

	add(t, "ARP, ");
	if (arp_parse(p, len, ETH_ALEN, &v) < 0) {
		add(t, "malformed or not for IPv4, length %zu", len);
		return;
	}
	ipv4_ntop(v.sip, sip);
	ipv4_ntop(v.tip, tip);
	switch (v.op) {
	case ARP_OP_REQUEST:
		if (be32_eq(v.sip, v.tip))
			add(t, "Announcement %s", sip);
		else
			add(t, "Request who-has %s tell %s", tip, sip);
		break;
	case ARP_OP_REPLY:
		add(t, "Reply %s is-at ", sip);
		add_mac(t, v.sha);
		break;
	default:
		add(t, "op %u", v.op);
		break;
	}
	add(t, ", length %zu", len);
}

static void print_packet(struct text *t, u16 ethertype, const u8 *p, size_t len)
{
	switch (ethertype) {
	case ETH_P_IP:
		print_ipv4(t, p, len);
		break;
	case ETH_P_IPV6:
		print_ipv6(t, p, len);
		break;
	case ETH_P_ARP:
		print_arp(t, p, len);
		break;
	default:
		add(t, "ethertype 0x%04x, length %zu", ethertype, len);
		break;
	}
}

static void print_ethernet(struct text *t, const u8 *p, size_t len)
{
	struct eth_view v;
	int n = eth_parse(p, len, &v);

	if (n < 0) {
		add(t, "Ethernet, malformed header, length %zu", len);
		return;
	}
	p += n;
	len -= (size_t)n;
	/* IEEE 802.1Q 9.6: tag control information, then the type that the tag pushed away */
	while ((v.type == ETH_P_8021Q || v.type == ETH_P_8021AD) && len >= 4) {
		add(t, "vlan %u, ", (u32)(p[0] << 8 | p[1]) & 0xfff);
		v.type = (u16)(p[2] << 8 | p[3]);
		p += 4;
		len -= 4;
	}
	if (v.type < ETH_P_802_3_MIN) {
		add_mac(t, v.src);
		add(t, " > ");
		add_mac(t, v.dst);
		add(t, ", 802.3, length %zu", len);
		return;
	}
	print_packet(t, v.type, p, len);
}

static bool text_init(struct text *t, char *buf, size_t n)
{
	*t = (struct text){ .buf = buf, .size = n };
	if (n)
		buf[0] = '\0';
	return n > 0;
}

int wire_print_packet(char *buf, size_t n, u16 ethertype, const u8 *p, size_t len)
{
	struct text t;

	if (text_init(&t, buf, n))
		print_packet(&t, ethertype, p, len);
	return (int)t.len;
}

int wire_print_frame(char *buf, size_t n, u16 link_type, const u8 *p, size_t len)
{
	struct text t;

	if (!text_init(&t, buf, n))
		return 0;
	switch (link_type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		print_ethernet(&t, p, len);
		break;
	default:
		if (len && p[0] >> 4 == 4)
			print_ipv4(&t, p, len);
		else if (len && p[0] >> 4 == 6)
			print_ipv6(&t, p, len);
		else
			add(&t, "link type %u, length %zu", link_type, len);
		break;
	}
	return (int)t.len;
}
