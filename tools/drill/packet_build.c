/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_build.c - from a script's packet to octets
 *
 * The innermost packet is written behind the room that the headers around it need; then these are put in front, from the inside out,
 * each with the length and the kind of what it holds.
 */
#include "drill/packet_internal.h"

#include <errno.h>
#include <string.h>

#include "drill/icmp_names.h"

/* ---- checksums ----------------------------------------------------------------------------------------- */

uint32_t drill_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	uint64_t total = sum;

	for (; len > 1; data += 2, len -= 2)
		total += drill_get16(data);
	if (len)
		total += data[0] << 8;
	while (total >> 32)
		total = (uint32_t)total + (total >> 32);
	return total;
}

uint16_t drill_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

uint32_t drill_sum_pseudo(const struct drill_addr *src, const struct drill_addr *dst, uint8_t proto,
			  uint32_t len)
{
	size_t n = src->family == AF_INET ? 4 : 16;
	uint32_t sum = drill_sum(0, (const uint8_t *)&src->v6, n);

	sum = drill_sum(sum, (const uint8_t *)&dst->v6, n);
	return sum + proto + (len >> 16) + (len & 0xffff);
}

/* ---- what a build works on ----------------------------------------------------------------------------- */

struct build {
	const struct drill_packet *p;
	const struct drill_build *b;
	uint8_t *at;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct build *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(w->error, w->error_size, format, args);
	va_end(args);
	return -EINVAL;
}

static uint8_t ecn_bits(const struct drill_ip_info *ip)
{
	static const uint8_t bits[] = {
		[DRILL_ECN_ANY] = 0,  [DRILL_ECN_NONE] = 0, [DRILL_ECN_ECT0] = 2,
		[DRILL_ECN_ECT1] = 1, [DRILL_ECN_CE] = 3,   [DRILL_ECN_ECT01] = 2,
	};
	uint8_t tos = ip->has & DRILL_HAS_TOS ? ip->tos : 0;

	return ip->ecn == DRILL_ECN_ANY ? tos : (tos & ~3) | bits[ip->ecn];
}

static size_t ip_header_len(int family)
{
	return family == AF_INET ? DRILL_IPV4_HEADER : DRILL_IPV6_HEADER;
}

/* ---- IP ------------------------------------------------------------------------------------------------ */

struct ip_fields {
	const struct drill_ip_info *info;
	const struct drill_addr *src, *dst;
	uint8_t proto, ttl;
	uint16_t id;
};

static void put_ipv4(uint8_t *to, const struct ip_fields *f, size_t len)
{
	memset(to, 0, DRILL_IPV4_HEADER);
	to[0] = 0x45;
	to[1] = ecn_bits(f->info);
	drill_put16(to + 2, DRILL_IPV4_HEADER + len);
	drill_put16(to + 4, f->id);
	to[8] = f->ttl;
	to[9] = f->proto;
	memcpy(to + 12, &f->src->v4, 4);
	memcpy(to + 16, &f->dst->v4, 4);
	drill_put16(to + 10, drill_sum_fold(drill_sum(0, to, DRILL_IPV4_HEADER)));
}

static void put_ipv6(uint8_t *to, const struct ip_fields *f, size_t len)
{
	uint32_t label = f->info->has & DRILL_HAS_FLOWLABEL ? f->info->flowlabel : 0;

	drill_put32(to, 6u << 28 | (uint32_t)ecn_bits(f->info) << 20 | label);
	drill_put16(to + 4, len);
	to[6] = f->proto;
	to[7] = f->ttl;
	memcpy(to + 8, &f->src->v6, 16);
	memcpy(to + 24, &f->dst->v6, 16);
}

/* Before @to, which has @len octets. Returns where the header begins. */
static uint8_t *put_ip(uint8_t *to, const struct ip_fields *f, size_t len)
{
	to -= ip_header_len(f->src->family);
	if (f->src->family == AF_INET)
		put_ipv4(to, f, len);
	else
		put_ipv6(to, f, len);
	return to;
}

/* ---- TCP ----------------------------------------------------------------------------------------------- */

static uint8_t *put_blob(uint8_t *to, const struct drill_tcp_option *o)
{
	memcpy(to, o->blob.octet, o->blob.len);
	return to + o->blob.len;
}

/* What follows kind and length. @to has room for the longest option. Returns its end. */
static uint8_t *put_option_value(uint8_t *to, const struct drill_tcp_option *o)
{
	switch (o->kind) {
	case DRILL_OPT_MSS:
		drill_put16(to, o->mss);
		return to + 2;
	case DRILL_OPT_WSCALE:
		*to = o->wscale;
		return to + 1;
	case DRILL_OPT_TS:
		drill_put32(to, o->ts.val);
		drill_put32(to + 4, o->ts.ecr);
		return to + 8;
	case DRILL_OPT_SACK:
		for (size_t i = 0; i < o->sack.nr; i++, to += 8) {
			drill_put32(to, o->sack.block[i].left);
			drill_put32(to + 4, o->sack.block[i].right);
		}
		return to;
	case DRILL_OPT_ACCECN0:
	case DRILL_OPT_ACCECN1:
		for (size_t i = 0; i < o->accecn.nr; i++, to += 3) {
			to[0] = o->accecn.counter[i] >> 16;
			drill_put16(to + 1, o->accecn.counter[i]);
		}
		return to;
	case DRILL_OPT_EXP:
		drill_put16(to, DRILL_FASTOPEN_MAGIC);
		return put_blob(to + 2, o);
	case DRILL_OPT_AO:
		to[0] = o->blob.keyid;
		to[1] = o->blob.rnext;
		if (o->blob.secret) {
			memset(to + 2, 0, DRILL_AO_OCTETS);
			return to + 2 + DRILL_AO_OCTETS;
		}
		return put_blob(to + 2, o);
	case DRILL_OPT_MD5:
		if (o->blob.secret) { /* sign() fills it in */
			memset(to, 0, DRILL_MD5_OCTETS);
			return to + DRILL_MD5_OCTETS;
		}
		return put_blob(to, o);
	case DRILL_OPT_FASTOPEN:
	case DRILL_OPT_RAW:
		return put_blob(to, o);
	case DRILL_OPT_EOL:
	case DRILL_OPT_NOP:
	case DRILL_OPT_SACKOK:
		break;
	}
	return to;
}

static uint8_t *put_option(uint8_t *to, const struct drill_tcp_option *o)
{
	uint8_t *end;

	*to = o->kind == DRILL_OPT_RAW ? o->blob.raw_kind : o->kind;
	/* These two have no length, unless a script insists: "opt 1 00". */
	if (o->kind == DRILL_OPT_EOL || o->kind == DRILL_OPT_NOP)
		return to + 1;
	end = put_option_value(to + 2, o);
	to[1] = end - to;
	return end;
}

enum { OPTIONS_SPACE = 40 };

/* The octets of all options, filled up with EOL; or -EINVAL. */
static int put_options(struct build *w, uint8_t *to)
{
	uint8_t one[2 + 2 + DRILL_BLOB_MAX];
	size_t len = 0;

	memset(to, DRILL_OPT_EOL, OPTIONS_SPACE);
	for (size_t i = 0; i < w->p->tcp.nr_options; i++) {
		size_t n = put_option(one, &w->p->tcp.option[i]) - one;

		if (len + n > OPTIONS_SPACE)
			return refuse(w, "the TCP options are longer than %d octets",
				      OPTIONS_SPACE);
		memcpy(to + len, one, n);
		len += n;
	}
	return (len + 3) / 4 * 4;
}

static int build_tcp(struct build *w)
{
	const struct drill_tcp *tcp = &w->p->tcp;
	uint8_t *to = w->at;
	int options = put_options(w, to + DRILL_TCP_HEADER);
	bool ports = w->p->has & DRILL_HAS_PORTS;

	if (options < 0)
		return options;
	drill_put16(to, ports ? w->p->sport : w->b->sport);
	drill_put16(to + 2, ports ? w->p->dport : w->b->dport);
	drill_put32(to + 4, tcp->seq);
	drill_put32(to + 8, tcp->ack);
	drill_put16(to + 12, (DRILL_TCP_HEADER + options) / 4 << 12 | tcp->flags);
	drill_put16(to + 14, w->p->has & DRILL_HAS_WINDOW ? tcp->window : w->b->window);
	drill_put16(to + 16, 0);
	drill_put16(to + 18, tcp->urg_ptr);
	return DRILL_TCP_HEADER + options;
}

/* Options that say with which secret. The payload is there, the checksum is 0. */
static int sign(struct build *w, size_t len)
{
	const struct drill_tcp *tcp = &w->p->tcp;
	const struct drill_signed s = {
		&w->b->src, &w->b->dst, w->at, len, w->p->sisn, w->p->disn
	};
	uint8_t *at = w->at + DRILL_TCP_HEADER, one[2 + 2 + DRILL_BLOB_MAX];
	uint8_t signature[DRILL_SIGNATURE_MAX];

	for (size_t i = 0; i < tcp->nr_options; i++) {
		const struct drill_tcp_option *o = &tcp->option[i];

		if ((o->kind == DRILL_OPT_MD5 || o->kind == DRILL_OPT_AO) && o->blob.secret) {
			bool md5 = o->kind == DRILL_OPT_MD5;

			if (!drill_signature(o, &s, signature))
				return refuse(w, "signatures: weir was compiled without libcrypto");
			memcpy(at + (md5 ? 2 : 4), signature,
			       md5 ? DRILL_MD5_OCTETS : DRILL_AO_OCTETS);
		}
		at += put_option(one, o) - one;
	}
	return 0;
}

/* ---- UDP ----------------------------------------------------------------------------------------------- */

static int build_udp(struct build *w)
{
	bool ports = w->p->has & DRILL_HAS_PORTS;

	drill_put16(w->at, ports ? w->p->sport : w->b->sport);
	drill_put16(w->at + 2, ports ? w->p->dport : w->b->dport);
	drill_put16(w->at + 4, DRILL_UDP_HEADER + w->p->payload_len);
	drill_put16(w->at + 6, 0);
	return DRILL_UDP_HEADER;
}

/* ---- ICMP ---------------------------------------------------------------------------------------------- */

/* RFC 792, 1191, 4443: the second word of the header */
static uint32_t icmp_word(const struct drill_packet *p)
{
	if (p->has & DRILL_HAS_ICMP_MTU)
		return p->icmp.mtu;
	return (uint32_t)p->icmp.id << 16 | p->icmp.seq;
}

static int icmp_type(struct build *w, int family)
{
	const struct drill_icmp *icmp = &w->p->icmp;
	int n = icmp->type_name ? drill_icmp_type(icmp->type_name, family) : icmp->type;

	return n >= 0 ? n
		      : refuse(w, "ICMP of IPv%d has no type '%s'", family == AF_INET ? 4 : 6,
			       icmp->type_name);
}

static int icmp_code(struct build *w, int family)
{
	const struct drill_icmp *icmp = &w->p->icmp;
	int n = icmp->code_name ? drill_icmp_code(icmp->type_name, icmp->code_name, family)
				: icmp->code;

	return n >= 0 ? n
		      : refuse(w, "ICMP of IPv%d has no code '%s' of '%s'",
			       family == AF_INET ? 4 : 6, icmp->code_name, icmp->type_name);
}

static bool is_error(int type, int family)
{
	return family == AF_INET ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12
				 : type < 128;
}

/*
 * The packet that an error is about, which went the other way: its IP header and its transport header. Its length says that the
 * payload was there; the payload itself is left out, as routers do.
 */
static size_t put_quoted(struct build *w, uint8_t *to)
{
	const struct drill_icmp *icmp = &w->p->icmp;
	bool udp = icmp->quote == DRILL_QUOTE_UDP ||
		   (icmp->quote == DRILL_QUOTE_NONE && w->b->quote_proto == IPPROTO_UDP);
	const struct drill_ip_info plain = { 0 };
	struct ip_fields f = { .info = &plain,
			       .src = &w->b->dst,
			       .dst = &w->b->src,
			       .proto = udp ? IPPROTO_UDP : IPPROTO_TCP,
			       .ttl = 64 };
	size_t header = udp ? DRILL_UDP_HEADER : DRILL_TCP_HEADER;
	uint8_t *transport = to + ip_header_len(f.src->family);

	put_ip(transport, &f, header + w->p->payload_len);
	memset(transport, 0, header);
	drill_put16(transport, w->b->dport);
	drill_put16(transport + 2, w->b->sport);
	if (udp) {
		drill_put16(transport + 4, header + w->p->payload_len);
	} else {
		drill_put32(transport + 4, icmp->quote_seq);
		drill_put16(transport + 12, DRILL_TCP_HEADER / 4 << 12 | DRILL_TCP_ACK);
	}
	return ip_header_len(f.src->family) + header;
}

static int build_icmp(struct build *w)
{
	int family = w->b->src.family;
	int type = icmp_type(w, family), code = type < 0 ? type : icmp_code(w, family);
	size_t len = DRILL_ICMP_HEADER;

	if (code < 0)
		return code;
	w->at[0] = type;
	w->at[1] = code;
	drill_put16(w->at + 2, 0);
	drill_put32(w->at + 4, icmp_word(w->p));
	if (is_error(type, family) && w->p->icmp.quote != DRILL_QUOTE_RAW)
		len += put_quoted(w, w->at + len);
	return len;
}

/* How much of @payload_len follows the header as octets. */
static size_t payload_octets(const struct drill_packet *p)
{
	if (p->proto == DRILL_ICMP && p->icmp.quote != DRILL_QUOTE_RAW)
		return 0;
	return p->payload_len;
}

/* ---- headers around ------------------------------------------------------------------------------------ */

static size_t gre_len(const struct drill_gre *gre)
{
	return 4 + (gre->flags & DRILL_GRE_CHECKSUM ? 4 : 0) +
	       (gre->flags & DRILL_GRE_KEY ? 4 : 0) + (gre->flags & DRILL_GRE_SEQ ? 4 : 0);
}

static size_t layer_len(const struct drill_layer *l)
{
	switch (l->kind) {
	case DRILL_LAYER_IPV4:
		return DRILL_IPV4_HEADER;
	case DRILL_LAYER_IPV6:
		return DRILL_IPV6_HEADER;
	case DRILL_LAYER_GRE:
		return gre_len(&l->gre);
	case DRILL_LAYER_MPLS:
		return 4 * l->mpls.nr;
	case DRILL_LAYER_PSP:
		break;
	}
	return 0;
}

/* What a header says about what it holds, in the numbers of IP and of Ethernet. */
struct inside {
	uint8_t proto;
	uint16_t ethertype;
};

static struct inside of_family(int family)
{
	return family == AF_INET ? (struct inside){ IPPROTO_IPIP, DRILL_ETHERTYPE_IP }
				 : (struct inside){ IPPROTO_IPV6, DRILL_ETHERTYPE_IPV6 };
}

static struct inside of_layer(const struct drill_layer *l)
{
	switch (l->kind) {
	case DRILL_LAYER_IPV4:
	case DRILL_LAYER_IPV6:
		return of_family(l->src.family);
	case DRILL_LAYER_GRE:
		return (struct inside){ DRILL_PROTO_GRE, 0 };
	case DRILL_LAYER_MPLS:
	case DRILL_LAYER_PSP:
		break;
	}
	return (struct inside){ DRILL_PROTO_MPLS, DRILL_ETHERTYPE_MPLS };
}

/* RFC 2784, 2890. A checksum that the script leaves at 0 is computed. */
static void put_gre(uint8_t *to, const struct drill_gre *gre, uint16_t ethertype, size_t len)
{
	uint8_t *field = to + 4;

	drill_put16(to, gre->flags);
	drill_put16(to + 2, ethertype);
	if (gre->flags & DRILL_GRE_CHECKSUM) {
		drill_put16(field, gre->sum);
		drill_put16(field + 2, gre->off);
		field += 4;
	}
	if (gre->flags & DRILL_GRE_KEY) {
		drill_put32(field, gre->key);
		field += 4;
	}
	if (gre->flags & DRILL_GRE_SEQ)
		drill_put32(field, gre->seq);
	if (gre->flags & DRILL_GRE_CHECKSUM && !gre->sum)
		drill_put16(to + 4, drill_sum_fold(drill_sum(0, to, gre_len(gre) + len)));
}

static void put_mpls(uint8_t *to, const struct drill_mpls *mpls)
{
	for (size_t i = 0; i < mpls->nr; i++, to += 4)
		drill_put32(to, mpls->entry[i].label << 12 | (uint32_t)mpls->entry[i].tc << 9 |
					(mpls->entry[i].bottom ? 1u << 8 : 0) | mpls->entry[i].ttl);
}

/* Before @to with its @len octets of @inside. Returns where it begins. */
static uint8_t *put_layer(const struct drill_layer *l, const struct drill_build *b, uint8_t *to,
			  size_t len, struct inside inside)
{
	struct ip_fields f = { .info = &l->ip,
			       .src = &l->src,
			       .dst = &l->dst,
			       .proto = inside.proto,
			       .id = b->ip_id,
			       .ttl = l->ip.has & DRILL_HAS_TTL ? l->ip.ttl
				      : b->ttl                  ? b->ttl
								: 255 };

	switch (l->kind) {
	case DRILL_LAYER_IPV4:
	case DRILL_LAYER_IPV6:
		return put_ip(to, &f, len);
	case DRILL_LAYER_GRE:
		to -= layer_len(l);
		put_gre(to, &l->gre, inside.ethertype, len);
		return to;
	case DRILL_LAYER_MPLS:
	case DRILL_LAYER_PSP:
		break;
	}
	to -= layer_len(l);
	put_mpls(to, &l->mpls);
	return to;
}

/* ---- packets ------------------------------------------------------------------------------------------- */

struct transport {
	int (*build)(
		struct
		build *w); /* writes the header at w->at with a zero checksum; its length, or -EINVAL */
	uint8_t proto[2]; /* IPv4, IPv6 */
	uint8_t checksum; /* where it is */
};

static const struct transport transports[] = {
	[DRILL_TCP] = { build_tcp, { IPPROTO_TCP, IPPROTO_TCP }, 16 },
	[DRILL_UDP] = { build_udp, { IPPROTO_UDP, IPPROTO_UDP }, 6 },
	[DRILL_ICMP] = { build_icmp, { IPPROTO_ICMP, IPPROTO_ICMPV6 }, 2 },
};

static void put_checksum(struct build *w, const struct transport *t, size_t len)
{
	bool v4 = w->b->src.family == AF_INET;
	uint32_t sum = 0;
	uint16_t folded;

	/* ICMP of IPv4 has no pseudo header. */
	if (w->p->proto != DRILL_ICMP || !v4)
		sum = drill_sum_pseudo(&w->b->src, &w->b->dst, t->proto[!v4], len);
	folded = drill_sum_fold(drill_sum(sum, w->at, len));
	/* RFC 768: 0 would say that there is none. */
	if (w->p->proto == DRILL_UDP && !folded)
		folded = 0xffff;
	drill_put16(w->at + t->checksum, folded);
}

static int check(struct build *w)
{
	int family = w->b->src.family;

	if ((family != AF_INET && family != AF_INET6) || w->b->dst.family != family)
		return refuse(w, "source and destination are not of one IP version");
	for (size_t i = 0; i < w->p->nr_layers; i++)
		if (w->p->layer[i].kind == DRILL_LAYER_PSP)
			return refuse(w, "PSP is not supported");
	if (w->p->nr_layers && w->p->layer[0].kind != DRILL_LAYER_IPV4 &&
	    w->p->layer[0].kind != DRILL_LAYER_IPV6)
		return refuse(w, "the outermost header is not one of IP");
	return 0;
}

/* An IP header of this family can say that it holds @len octets. @family 0: it is none of IP. */
static bool fits(int family, size_t len)
{
	return family == 0 || len + (family == AF_INET ? DRILL_IPV4_HEADER : 0) <= 0xffff;
}

ptrdiff_t drill_packet_build(const struct drill_packet *p, const struct drill_build *b,
			     uint8_t *buf, size_t size, char *error, size_t error_size)
{
	/* The longest thing that a transport's build writes: an ICMP error. */
	enum { TRANSPORT_MAX = DRILL_ICMP_HEADER + DRILL_IPV6_HEADER + DRILL_TCP_HEADER };
	const struct transport *t = &transports[p->proto];
	struct build w = { .p = p, .b = b, .error = error, .error_size = error_size };
	struct ip_fields f = { .info = &p->ip, .src = &b->src, .dst = &b->dst, .id = b->ip_id };
	size_t around = 0, len, payload = payload_octets(p);
	struct inside inside;
	uint8_t *start;
	int rc = check(&w);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < p->nr_layers; i++)
		around += layer_len(&p->layer[i]);
	around += ip_header_len(b->src.family);
	if (size > DRILL_PACKET_MAX)
		size = DRILL_PACKET_MAX;
	if (around + TRANSPORT_MAX > size)
		return -EMSGSIZE;
	w.at = buf + around;
	rc = t->build(&w);
	if (rc < 0)
		return rc;
	len = rc + payload;
	if (around + len > size || !fits(b->src.family, len))
		return -EMSGSIZE;
	if (payload && p->payload)
		memcpy(w.at + rc, p->payload, payload);
	else
		memset(w.at + rc, 0, payload);
	rc = p->proto == DRILL_TCP ? sign(&w, len) : 0;
	if (rc < 0)
		return rc;
	put_checksum(&w, t, len);
	f.proto = t->proto[b->src.family != AF_INET];
	f.ttl = p->ip.has & DRILL_HAS_TTL ? p->ip.ttl : b->ttl ? b->ttl : 255;
	start = put_ip(w.at, &f, len);
	len += w.at - start;
	inside = of_family(b->src.family);
	for (size_t i = p->nr_layers; i--; inside = of_layer(&p->layer[i])) {
		uint8_t *outer = put_layer(&p->layer[i], b, start, len, inside);

		if (!fits(p->layer[i].src.family, len))
			return -EMSGSIZE;
		len += start - outer;
		start = outer;
	}
	return len;
}
