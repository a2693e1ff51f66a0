/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_parse.c - from octets to a packet as data
 *
 * A view of what is left of the octets goes from header to header; each takes its own from the front. IP shortens it to the length
 * that its header says. Whatever a header holds that a packet script has no word for (IPv4 options, extension headers of IPv6 other
 * than the transport's) is refused with its name rather than overlooked.
 */
#include "drill/packet_internal.h"

#include <errno.h>
#include <string.h>

#include "drill/icmp_names.h"

struct view {
	const uint8_t *p;
	size_t len;
	struct drill_packet *ret;
	bool checksums;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int bad(struct view *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(v->error, v->error_size, format, args);
	va_end(args);
	return -EINVAL;
}

static void skip(struct view *v, size_t n)
{
	v->p += n;
	v->len -= n;
}

static int short_header(struct view *v, const char *what)
{
	return bad(v, "%zu octets are too few for a header of %s", v->len, what);
}

/* ---- IP ------------------------------------------------------------------------------------------------ */

/* One IP header as it was seen. */
struct ip_seen {
	struct drill_ip_info info;
	struct drill_addr src, dst;
	uint8_t proto;
};

static void set_tos(struct drill_ip_info *info, uint8_t tos)
{
	static const enum drill_ecn ecn[] = { DRILL_ECN_NONE, DRILL_ECN_ECT1, DRILL_ECN_ECT0,
					      DRILL_ECN_CE };

	info->tos = tos;
	info->ecn = ecn[tos & 3];
	info->has |= DRILL_HAS_TOS | DRILL_HAS_TTL;
}

static int parse_ipv4(struct view *v, struct ip_seen *ret)
{
	const uint8_t *h = v->p;
	size_t header, total;

	if (v->len < DRILL_IPV4_HEADER)
		return short_header(v, "IPv4");
	header = (h[0] & 15) * 4;
	total = drill_get16(h + 2);
	if (header < DRILL_IPV4_HEADER || total < header || total > v->len)
		return bad(v, "IPv4 says %zu octets with %zu of header; there are %zu", total,
			   header, v->len);
	if (header > DRILL_IPV4_HEADER)
		return bad(v, "an IPv4 header with options");
	if (drill_get16(h + 6) & 0x3fff)
		return bad(v, "a fragment");
	if (v->checksums && drill_sum_fold(drill_sum(0, h, header)) != 0)
		return bad(v, "the checksum of the IPv4 header is wrong");
	set_tos(&ret->info, h[1]);
	ret->info.ttl = h[8];
	ret->proto = h[9];
	ret->src.family = ret->dst.family = AF_INET;
	memcpy(&ret->src.v4, h + 12, 4);
	memcpy(&ret->dst.v4, h + 16, 4);
	v->len = total;
	skip(v, header);
	return 0;
}

static int parse_ipv6(struct view *v, struct ip_seen *ret)
{
	const uint8_t *h = v->p;
	size_t payload;

	if (v->len < DRILL_IPV6_HEADER)
		return short_header(v, "IPv6");
	payload = drill_get16(h + 4);
	if (payload > v->len - DRILL_IPV6_HEADER)
		return bad(v, "IPv6 says %zu octets; there are %zu", payload,
			   v->len - DRILL_IPV6_HEADER);
	set_tos(&ret->info, drill_get32(h) >> 20);
	ret->info.has |= DRILL_HAS_FLOWLABEL;
	ret->info.flowlabel = drill_get32(h) & 0xfffff;
	ret->proto = h[6];
	ret->info.ttl = h[7];
	ret->src.family = ret->dst.family = AF_INET6;
	memcpy(&ret->src.v6, h + 8, 16);
	memcpy(&ret->dst.v6, h + 24, 16);
	v->len = DRILL_IPV6_HEADER + payload;
	skip(v, DRILL_IPV6_HEADER);
	return 0;
}

static int parse_ip(struct view *v, struct ip_seen *ret)
{
	*ret = (struct ip_seen){ 0 };
	if (!v->len)
		return bad(v, "there is nothing");
	if (v->p[0] >> 4 == 4)
		return parse_ipv4(v, ret);
	if (v->p[0] >> 4 == 6)
		return parse_ipv6(v, ret);
	return bad(v, "version %u of IP", v->p[0] >> 4);
}

/* ---- TCP options --------------------------------------------------------------------------------------- */

static void set_raw(struct drill_tcp_option *o, uint8_t kind, const uint8_t *value, size_t len)
{
	o->kind = DRILL_OPT_RAW;
	o->blob.raw_kind = kind;
	o->blob.len = len;
	memcpy(o->blob.octet, value, len);
}

static void set_blob(struct drill_tcp_option *o, enum drill_tcp_kind kind, const uint8_t *value,
		     size_t len)
{
	o->kind = kind;
	o->blob.raw_kind = 0;
	o->blob.len = len;
	memcpy(o->blob.octet, value, len);
}

static void set_sack(struct drill_tcp_option *o, const uint8_t *value, size_t len)
{
	o->kind = DRILL_OPT_SACK;
	o->sack.nr = len / 8;
	for (size_t i = 0; i < o->sack.nr; i++, value += 8)
		o->sack.block[i] =
			(struct drill_sack_block){ drill_get32(value), drill_get32(value + 4) };
}

static void set_accecn(struct drill_tcp_option *o, uint8_t kind, const uint8_t *value, size_t len)
{
	o->kind = kind;
	o->accecn.nr = len / 3;
	for (size_t i = 0; i < o->accecn.nr; i++, value += 3)
		o->accecn.counter[i] = (uint32_t)value[0] << 16 | drill_get16(value + 1);
}

/* @value, @len: what follows kind and length. An option whose length is not one that its kind has stays raw. */
static void set_option(struct drill_tcp_option *o, uint8_t kind, const uint8_t *value, size_t len)
{
	set_raw(o, kind, value, len);
	if (kind == DRILL_OPT_MSS && len == 2) {
		o->kind = DRILL_OPT_MSS;
		o->mss = drill_get16(value);
	} else if (kind == DRILL_OPT_WSCALE && len == 1) {
		o->kind = DRILL_OPT_WSCALE;
		o->wscale = *value;
	} else if (kind == DRILL_OPT_SACKOK && len == 0) {
		o->kind = DRILL_OPT_SACKOK;
	} else if (kind == DRILL_OPT_SACK && len % 8 == 0 && len <= 8 * DRILL_SACK_MAX) {
		set_sack(o, value, len);
	} else if (kind == DRILL_OPT_TS && len == 8) {
		o->kind = DRILL_OPT_TS;
		o->ts.val = drill_get32(value);
		o->ts.ecr = drill_get32(value + 4);
		o->ts.any_val = o->ts.any_ecr = false;
	} else if ((kind == DRILL_OPT_ACCECN0 || kind == DRILL_OPT_ACCECN1) && len % 3 == 0 &&
		   len <= 9) {
		set_accecn(o, kind, value, len);
	} else if (kind == DRILL_OPT_EXP && len >= 2 &&
		   drill_get16(value) == DRILL_FASTOPEN_MAGIC) {
		set_blob(o, DRILL_OPT_EXP, value + 2, len - 2);
	} else if (kind == DRILL_OPT_AO && len >= 2) {
		set_blob(o, DRILL_OPT_AO, value + 2, len - 2);
		o->blob.keyid = value[0];
		o->blob.rnext = value[1];
	} else if (kind == DRILL_OPT_MD5 || kind == DRILL_OPT_FASTOPEN) {
		set_blob(o, kind, value, len);
	}
}

/* At most 40 octets, so at most DRILL_TCP_OPTIONS_MAX options. What is behind the first EOL is padding (RFC 9293 3.1). */
static int parse_options(struct view *v, const uint8_t *p, size_t len)
{
	struct drill_tcp *tcp = &v->ret->tcp;

	while (len) {
		struct drill_tcp_option *o = &tcp->option[tcp->nr_options++];

		*o = (struct drill_tcp_option){ .kind = *p };
		if (*p == DRILL_OPT_EOL)
			return 0;
		if (*p == DRILL_OPT_NOP) {
			p++;
			len--;
			continue;
		}
		if (len < 2 || p[1] < 2 || p[1] > len)
			return bad(v, "the length of TCP option %u is wrong", *p);
		set_option(o, p[0], p + 2, p[1] - 2);
		len -= p[1];
		p += p[1];
	}
	return 0;
}

/* ---- transports ---------------------------------------------------------------------------------------- */

static int wrong_checksum(struct view *v, const char *what)
{
	return bad(v, "the checksum of %s is wrong", what);
}

/* With a right checksum in it the sum is 0. */
static bool checksum_is_right(const struct view *v, uint32_t pseudo)
{
	return !v->checksums || drill_sum_fold(drill_sum(pseudo, v->p, v->len)) == 0;
}

static uint32_t pseudo_of(const struct view *v, uint8_t proto)
{
	return drill_sum_pseudo(&v->ret->src, &v->ret->dst, proto, v->len);
}

static int parse_tcp(struct view *v)
{
	struct drill_packet *p = v->ret;
	const uint8_t *h = v->p;
	size_t header;

	p->proto = DRILL_TCP;
	if (v->len < DRILL_TCP_HEADER)
		return short_header(v, "TCP");
	header = (h[12] >> 4) * 4;
	if (header < DRILL_TCP_HEADER || header > v->len)
		return bad(v, "TCP says %zu octets of header; there are %zu", header, v->len);
	if (!checksum_is_right(v, pseudo_of(v, IPPROTO_TCP)))
		return wrong_checksum(v, "TCP");
	p->has = DRILL_HAS_PORTS | DRILL_HAS_WINDOW;
	p->sport = drill_get16(h);
	p->dport = drill_get16(h + 2);
	p->tcp.flags = drill_get16(h + 12) & 0x1ff;
	p->payload_len = v->len - header;
	p->tcp.seq = drill_get32(h + 4);
	p->tcp.end = p->tcp.seq + p->payload_len;
	p->tcp.ack = drill_get32(h + 8);
	p->tcp.window = drill_get16(h + 14);
	p->tcp.urg_ptr = drill_get16(h + 18);
	p->has |= p->tcp.flags & DRILL_TCP_ACK ? DRILL_HAS_ACK : 0;
	p->has |= p->tcp.flags & DRILL_TCP_URG || p->tcp.urg_ptr ? DRILL_HAS_URG_PTR : 0;
	p->payload = h + header;
	p->transport = h;
	p->transport_len = v->len;
	return parse_options(v, h + DRILL_TCP_HEADER, header - DRILL_TCP_HEADER);
}

static int parse_udp(struct view *v)
{
	struct drill_packet *p = v->ret;
	const uint8_t *h = v->p;

	p->proto = DRILL_UDP;
	if (v->len < DRILL_UDP_HEADER)
		return short_header(v, "UDP");
	if (drill_get16(h + 4) != v->len)
		return bad(v, "UDP says %u octets; there are %zu", drill_get16(h + 4), v->len);
	if (drill_get16(h + 6) && !checksum_is_right(v, pseudo_of(v, IPPROTO_UDP)))
		return wrong_checksum(v, "UDP");
	p->has = DRILL_HAS_PORTS;
	p->sport = drill_get16(h);
	p->dport = drill_get16(h + 2);
	p->payload_len = v->len - DRILL_UDP_HEADER;
	p->payload = h + DRILL_UDP_HEADER;
	return 0;
}

/* ---- ICMP ---------------------------------------------------------------------------------------------- */

/* The packet that an error is about. It may be cut off after the first eight octets of its transport header. */
static void parse_quote(struct drill_packet *p, const uint8_t *q, size_t len)
{
	bool v4 = len && q[0] >> 4 == 4;
	size_t header = v4 ? (q[0] & 15) * 4 : DRILL_IPV6_HEADER, total;
	uint8_t proto;

	p->icmp.quote = DRILL_QUOTE_RAW;
	p->payload_len = len;
	p->payload = q;
	if (len < header + 8 || header < DRILL_IPV4_HEADER || (!v4 && q[0] >> 4 != 6))
		return;
	total = v4 ? drill_get16(q + 2) : DRILL_IPV6_HEADER + drill_get16(q + 4);
	proto = v4 ? q[9] : q[6];
	if (proto == IPPROTO_UDP && total >= header + DRILL_UDP_HEADER) {
		p->icmp.quote = DRILL_QUOTE_UDP;
		p->payload_len = total - header - DRILL_UDP_HEADER;
	} else if (proto == IPPROTO_TCP) {
		/* Where the length of TCP's header was cut off, it had no options. */
		size_t tcp = len > header + 12 ? (q[header + 12] >> 4) * 4 : DRILL_TCP_HEADER;

		if (tcp < DRILL_TCP_HEADER || total < header + tcp)
			return;
		p->icmp.quote = DRILL_QUOTE_TCP;
		p->payload_len = total - header - tcp;
		p->icmp.quote_seq = drill_get32(q + header + 4);
		p->icmp.quote_end = p->icmp.quote_seq + p->payload_len;
	}
}

static bool is_echo(const struct drill_icmp *icmp, int family)
{
	return family == AF_INET ? icmp->type == 8 || icmp->type == 0
				 : icmp->type == 128 || icmp->type == 129;
}

static void parse_icmp_word(struct drill_packet *p, uint32_t word)
{
	bool v4 = p->family == AF_INET;

	if (is_echo(&p->icmp, p->family)) {
		p->has |= DRILL_HAS_ICMP_ID | DRILL_HAS_ICMP_SEQ;
		p->icmp.id = word >> 16;
		p->icmp.seq = word;
	} else if (v4 ? p->icmp.type == 3 && p->icmp.code == 4 : p->icmp.type == 2) {
		p->has |= DRILL_HAS_ICMP_MTU;
		p->icmp.mtu = word;
	}
}

static int parse_icmp(struct view *v)
{
	struct drill_packet *p = v->ret;
	const uint8_t *h = v->p;
	bool v4 = p->family == AF_INET;

	p->proto = DRILL_ICMP;
	if (v->len < DRILL_ICMP_HEADER)
		return short_header(v, "ICMP");
	if (!checksum_is_right(v, v4 ? 0 : pseudo_of(v, IPPROTO_ICMPV6)))
		return wrong_checksum(v, "ICMP");
	p->has = DRILL_HAS_ICMP_CODE;
	p->icmp.type = h[0];
	p->icmp.code = h[1];
	p->icmp.type_name = drill_icmp_type_name(h[0], p->family);
	p->icmp.code_name = drill_icmp_code_name(h[0], h[1], p->family);
	parse_icmp_word(p, drill_get32(h + 4));
	skip(v, DRILL_ICMP_HEADER);
	if (is_echo(&p->icmp, p->family)) {
		p->icmp.quote = DRILL_QUOTE_RAW;
		p->payload_len = v->len;
		p->payload = v->p;
	} else {
		parse_quote(p, v->p, v->len);
	}
	return 0;
}

/* ---- headers around ------------------------------------------------------------------------------------ */

/* The next layer of the packet, or NULL if there are too many. */
static struct drill_layer *new_layer(struct view *v, enum drill_layer_kind kind)
{
	struct drill_layer *l;

	if (v->ret->nr_layers == DRILL_LAYERS_MAX) {
		bad(v, "more than %d headers around a packet", DRILL_LAYERS_MAX);
		return NULL;
	}
	l = &v->ret->layer[v->ret->nr_layers++];
	*l = (struct drill_layer){ .kind = kind };
	return l;
}

static int parse_mpls(struct view *v)
{
	struct drill_layer *l = new_layer(v, DRILL_LAYER_MPLS);

	if (!l)
		return -EINVAL;
	for (bool bottom = false; !bottom; skip(v, 4)) {
		uint32_t word;

		if (v->len < 4)
			return short_header(v, "MPLS");
		if (l->mpls.nr == DRILL_MPLS_MAX)
			return bad(v, "more than %d MPLS entries", DRILL_MPLS_MAX);
		word = drill_get32(v->p);
		bottom = word >> 8 & 1;
		l->mpls.entry[l->mpls.nr++] = (struct drill_mpls_entry){
			.label = word >> 12, .tc = word >> 9 & 7, .ttl = word, .bottom = bottom
		};
	}
	return 0;
}

/* *ret_ethertype: what is inside. */
static int parse_gre(struct view *v, uint16_t *ret_ethertype)
{
	struct drill_layer *l = new_layer(v, DRILL_LAYER_GRE);
	struct drill_gre *gre = l ? &l->gre : NULL;

	if (!gre)
		return -EINVAL;
	if (v->len < 4)
		return short_header(v, "GRE");
	gre->flags = drill_get16(v->p);
	*ret_ethertype = drill_get16(v->p + 2);
	if (gre->flags & ~(DRILL_GRE_CHECKSUM | DRILL_GRE_KEY | DRILL_GRE_SEQ))
		return bad(v, "flags 0x%x of GRE", gre->flags);
	skip(v, 4);
	for (uint16_t flag = DRILL_GRE_CHECKSUM; flag >= DRILL_GRE_SEQ; flag >>= 1) {
		if (!(gre->flags & flag))
			continue;
		if (v->len < 4)
			return short_header(v, "GRE");
		if (flag == DRILL_GRE_CHECKSUM) {
			gre->sum = drill_get16(v->p);
			gre->off = drill_get16(v->p + 2);
		} else if (flag == DRILL_GRE_KEY) {
			gre->key = drill_get32(v->p);
		} else {
			gre->seq = drill_get32(v->p);
		}
		skip(v, 4);
	}
	return 0;
}

static int add_ip_layer(struct view *v, const struct ip_seen *ip)
{
	struct drill_layer *l =
		new_layer(v, ip->src.family == AF_INET ? DRILL_LAYER_IPV4 : DRILL_LAYER_IPV6);

	if (!l)
		return -EINVAL;
	l->ip = ip->info;
	l->src = ip->src;
	l->dst = ip->dst;
	return 0;
}

/* From the header that @ip was to the IP header inside it, which is left in front. 0, or -EINVAL. */
static int enter(struct view *v, const struct ip_seen *ip)
{
	uint16_t ethertype = 0;
	int rc = add_ip_layer(v, ip);

	if (rc < 0 || ip->proto == IPPROTO_IPIP || ip->proto == IPPROTO_IPV6)
		return rc;
	if (ip->proto == DRILL_PROTO_MPLS)
		return parse_mpls(v);
	rc = parse_gre(v, &ethertype);
	if (rc < 0)
		return rc;
	if (ethertype == DRILL_ETHERTYPE_MPLS)
		return parse_mpls(v);
	if (ethertype != DRILL_ETHERTYPE_IP && ethertype != DRILL_ETHERTYPE_IPV6)
		return bad(v, "GRE holds 0x%04x", ethertype);
	return 0;
}

static bool holds_ip(uint8_t proto)
{
	return proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 || proto == DRILL_PROTO_GRE ||
	       proto == DRILL_PROTO_MPLS;
}

static const struct {
	int family;
	uint8_t proto;
	int (*parse)(struct view *v);
} transports[] = {
	{ AF_INET, IPPROTO_TCP, parse_tcp },   { AF_INET6, IPPROTO_TCP, parse_tcp },
	{ AF_INET, IPPROTO_UDP, parse_udp },   { AF_INET6, IPPROTO_UDP, parse_udp },
	{ AF_INET, IPPROTO_ICMP, parse_icmp }, { AF_INET6, IPPROTO_ICMPV6, parse_icmp },
};

static int parse(struct view *v)
{
	struct drill_packet *p = v->ret;
	struct ip_seen ip;
	int rc = parse_ip(v, &ip);

	while (rc == 0 && holds_ip(ip.proto)) {
		rc = enter(v, &ip);
		if (rc == 0)
			rc = parse_ip(v, &ip);
	}
	if (rc < 0)
		return rc;
	p->family = ip.src.family;
	p->ip = ip.info;
	p->src = ip.src;
	p->dst = ip.dst;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (transports[i].family == p->family && transports[i].proto == ip.proto)
			return transports[i].parse(v);
	return bad(v, "protocol %u of IPv%d", ip.proto, p->family == AF_INET ? 4 : 6);
}

int drill_packet_parse(const uint8_t *data, size_t len, const struct drill_parse_flags *flags,
		       struct drill_packet *ret, char *error, size_t error_size)
{
	struct drill_packet p = { .dir = DRILL_OUTBOUND };
	struct view v = { data, len, &p, !flags || !flags->no_checksums, error, error_size };
	int rc = parse(&v);

	if (rc == 0)
		*ret = p;
	return rc;
}
