/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_match.c - is the packet that was seen the one that was expected?
 *
 * From the outside in, field by field; the first that differs is reported with both of its values as a script would write them. Also
 * what moves a packet between the script's numbers and the wire's.
 */
#include "drill/packet_internal.h"

#include <string.h>

#include "drill/icmp_names.h"

/* ---- numbers ------------------------------------------------------------------------------------------- */

static void shift_option(struct drill_tcp_option *o, const struct drill_shift *by)
{
	if (o->kind == DRILL_OPT_TS) {
		o->ts.val += by->ts_val;
		o->ts.ecr += by->ts_ecr;
	}
	for (size_t i = 0; o->kind == DRILL_OPT_SACK && i < o->sack.nr; i++) {
		o->sack.block[i].left += by->ack;
		o->sack.block[i].right += by->ack;
	}
}

void drill_packet_shift(struct drill_packet *p, const struct drill_shift *by)
{
	if (p->proto == DRILL_TCP) {
		p->tcp.seq += by->seq;
		p->tcp.end += by->seq;
		p->tcp.ack += by->ack;
		for (size_t i = 0; i < p->tcp.nr_options; i++)
			shift_option(&p->tcp.option[i], by);
	} else if (p->proto == DRILL_ICMP &&
		   (p->icmp.quote == DRILL_QUOTE_TCP || p->icmp.quote == DRILL_QUOTE_NONE)) {
		p->icmp.quote_seq += by->ack;
		p->icmp.quote_end += by->ack;
	}
}

struct drill_tcp_option *drill_packet_option_mut(struct drill_packet *p, enum drill_tcp_kind kind)
{
	for (size_t i = 0; p->proto == DRILL_TCP && i < p->tcp.nr_options; i++)
		if (p->tcp.option[i].kind == kind)
			return &p->tcp.option[i];
	return NULL;
}

const struct drill_tcp_option *drill_packet_option(const struct drill_packet *p,
						   enum drill_tcp_kind kind)
{
	return drill_packet_option_mut((struct drill_packet *)p, kind);
}

/* ---- reports ------------------------------------------------------------------------------------------- */

struct match {
	const struct drill_packet *expected, *seen;
	const struct drill_match_options *opt;
	struct drill_mismatch *ret;
	char around[16]; /* "layer 2 " while it is about that one */
};

/* Fills in the field's name; the caller writes the two values. False, for returning it. */
__attribute__((format(printf, 2, 3))) static bool name_field(struct match *m, const char *format,
							     ...)
{
	struct drill_out o = { m->ret->field, sizeof(m->ret->field), 0 };
	va_list args;

	drill_put(&o, "%s", m->around);
	va_start(args, format);
	if (o.len < o.size)
		vsnprintf(o.buf + o.len, o.size - o.len, format, args);
	va_end(args);
	return false;
}

static bool same_number(struct match *m, const char *field, uint32_t expected, uint32_t seen)
{
	if (expected == seen)
		return true;
	snprintf(m->ret->expected, sizeof(m->ret->expected), "%u", expected);
	snprintf(m->ret->seen, sizeof(m->ret->seen), "%u", seen);
	return name_field(m, "%s", field);
}

static bool same_hex(struct match *m, const char *field, uint32_t expected, uint32_t seen)
{
	if (expected == seen)
		return true;
	snprintf(m->ret->expected, sizeof(m->ret->expected), "0x%x", expected);
	snprintf(m->ret->seen, sizeof(m->ret->seen), "0x%x", seen);
	return name_field(m, "%s", field);
}

static bool same_word(struct match *m, const char *field, const char *expected, const char *seen)
{
	if (strcmp(expected, seen) == 0)
		return true;
	snprintf(m->ret->expected, sizeof(m->ret->expected), "%s", expected);
	snprintf(m->ret->seen, sizeof(m->ret->seen), "%s", seen);
	return name_field(m, "%s", field);
}

static struct drill_out text_of(char *buf, size_t size)
{
	*buf = '\0';
	return (struct drill_out){ buf, size, 0 };
}

#define TEXTS(m)                                                                                   \
	struct drill_out expected = text_of((m)->ret->expected, sizeof((m)->ret->expected));       \
	struct drill_out seen = text_of((m)->ret->seen, sizeof((m)->ret->seen))

/* ---- IP ------------------------------------------------------------------------------------------------ */

static bool same_ecn(struct match *m, enum drill_ecn expected, enum drill_ecn seen)
{
	if (expected == DRILL_ECN_ANY ||
	    (expected == DRILL_ECN_ECT01 && (seen == DRILL_ECN_ECT0 || seen == DRILL_ECN_ECT1)))
		return true;
	return same_word(m, "ECN", drill_ecn_word(expected), drill_ecn_word(seen));
}

static bool same_ip(struct match *m, const struct drill_ip_info *e, const struct drill_ip_info *s)
{
	if (!same_ecn(m, e->ecn, s->ecn))
		return false;
	/* The bits of the ECN field count only if it is not written by its own name too. */
	if (e->has & DRILL_HAS_TOS && e->ecn == DRILL_ECN_ANY &&
	    !same_hex(m, "type of service", e->tos, s->tos))
		return false;
	if (e->has & DRILL_HAS_TOS && !same_hex(m, "type of service", e->tos & ~3, s->tos & ~3))
		return false;
	if (e->has & DRILL_HAS_TTL && !same_number(m, "time to live", e->ttl, s->ttl))
		return false;
	return !(e->has & DRILL_HAS_FLOWLABEL) ||
	       same_hex(m, "flow label", e->flowlabel, s->flowlabel);
}

static bool same_addr(struct match *m, const char *field, const struct drill_addr *e,
		      const struct drill_addr *s)
{
	TEXTS(m);

	drill_put_addr(&expected, e);
	drill_put_addr(&seen, s);
	return strcmp(expected.buf, seen.buf) == 0 || name_field(m, "%s", field);
}

/* ---- headers around ------------------------------------------------------------------------------------ */

static const char *layer_word(enum drill_layer_kind kind)
{
	static const char *const words[] = {
		[DRILL_LAYER_IPV4] = "ipv4", [DRILL_LAYER_IPV6] = "ipv6", [DRILL_LAYER_GRE] = "gre",
		[DRILL_LAYER_MPLS] = "mpls", [DRILL_LAYER_PSP] = "psp",
	};

	return words[kind];
}

static bool same_gre(struct match *m, const struct drill_gre *e, const struct drill_gre *s)
{
	return same_hex(m, "flags", e->flags, s->flags) &&
	       /* A checksum of 0 is one that was right: the octets were checked. */
	       (!e->sum || same_hex(m, "sum", e->sum, s->sum)) &&
	       same_number(m, "off", e->off, s->off) && same_number(m, "key", e->key, s->key) &&
	       same_number(m, "seq", e->seq, s->seq);
}

static bool same_mpls(struct match *m, const struct drill_mpls *e, const struct drill_mpls *s)
{
	TEXTS(m);

	drill_put_mpls(&expected, e);
	drill_put_mpls(&seen, s);
	for (size_t i = 0; e->nr == s->nr && i < e->nr; i++)
		if (e->entry[i].label != s->entry[i].label || e->entry[i].tc != s->entry[i].tc ||
		    e->entry[i].ttl != s->entry[i].ttl || e->entry[i].bottom != s->entry[i].bottom)
			return name_field(m, "entries");
	return e->nr == s->nr || name_field(m, "entries");
}

static bool same_layer(struct match *m, const struct drill_layer *e, const struct drill_layer *s)
{
	if (!same_word(m, "kind", layer_word(e->kind), layer_word(s->kind)))
		return false;
	switch (e->kind) {
	case DRILL_LAYER_IPV4:
	case DRILL_LAYER_IPV6:
		return same_ip(m, &e->ip, &s->ip) && same_addr(m, "source", &e->src, &s->src) &&
		       same_addr(m, "destination", &e->dst, &s->dst);
	case DRILL_LAYER_GRE:
		return same_gre(m, &e->gre, &s->gre);
	case DRILL_LAYER_MPLS:
		return same_mpls(m, &e->mpls, &s->mpls);
	case DRILL_LAYER_PSP:
		break;
	}
	return same_number(m, "spi", e->spi, s->spi);
}

static bool same_layers(struct match *m)
{
	const struct drill_packet *e = m->expected, *s = m->seen;

	if (!same_number(m, "number of outer headers", e->nr_layers, s->nr_layers))
		return false;
	for (unsigned int i = 0; i < e->nr_layers; i++) {
		snprintf(m->around, sizeof(m->around), "layer %u ", i + 1);
		if (!same_layer(m, &e->layer[i], &s->layer[i]))
			return false;
	}
	m->around[0] = '\0';
	return true;
}

/* ---- TCP ----------------------------------------------------------------------------------------------- */

static bool same_flags(struct match *m)
{
	TEXTS(m);
	struct drill_packet s = *m->seen;

	/* As the script writes them: with a digit for the three of RFC 9768 where it does. */
	s.has |= m->expected->has & DRILL_HAS_ACE;
	drill_put_flags(&expected, m->expected);
	drill_put_flags(&seen, &s);
	return m->expected->tcp.flags == s.tcp.flags || name_field(m, "flags");
}

/* Is the signature that was seen the one that the secret of @e makes? */
static bool same_signature(const struct match *m, const struct drill_tcp_option *e,
			   const struct drill_tcp_option *s)
{
	const struct drill_signed segment = { &m->seen->src,      &m->seen->dst,
					      m->seen->transport, m->seen->transport_len,
					      m->seen->sisn,      m->seen->disn };
	uint8_t want[DRILL_SIGNATURE_MAX];
	size_t n = segment.tcp ? drill_signature(e, &segment, want) : 0;

	return n && s->blob.len <= n && memcmp(want, s->blob.octet, s->blob.len) == 0;
}

static bool same_blob(const struct match *m, const struct drill_tcp_option *e,
		      const struct drill_tcp_option *s)
{
	/* A signature of no digits: whatever it is. The kinds with keys in front compare these. */
	if (e->kind == DRILL_OPT_AO &&
	    (e->blob.keyid != s->blob.keyid || e->blob.rnext != s->blob.rnext))
		return false;
	if ((e->kind == DRILL_OPT_MD5 || e->kind == DRILL_OPT_AO) && !e->blob.len)
		return true;
	if (e->blob.secret)
		return same_signature(m, e, s);
	return e->blob.raw_kind == s->blob.raw_kind && e->blob.len == s->blob.len &&
	       memcmp(e->blob.octet, s->blob.octet, e->blob.len) == 0;
}

static bool same_value(const struct match *m, const struct drill_tcp_option *e,
		       const struct drill_tcp_option *s)
{
	switch (e->kind) {
	case DRILL_OPT_EOL:
	case DRILL_OPT_NOP:
	case DRILL_OPT_SACKOK:
		return true;
	case DRILL_OPT_MSS:
		return e->mss == s->mss;
	case DRILL_OPT_WSCALE:
		return e->wscale == s->wscale;
	case DRILL_OPT_TS:
		return (e->ts.any_val || m->opt->ignore_ts_val || e->ts.val == s->ts.val) &&
		       (e->ts.any_ecr || m->opt->ignore_ts_ecr || e->ts.ecr == s->ts.ecr);
	case DRILL_OPT_SACK:
		for (size_t i = 0; e->sack.nr == s->sack.nr && i < e->sack.nr; i++)
			if (e->sack.block[i].left != s->sack.block[i].left ||
			    e->sack.block[i].right != s->sack.block[i].right)
				return false;
		return e->sack.nr == s->sack.nr;
	case DRILL_OPT_ACCECN0:
	case DRILL_OPT_ACCECN1:
		for (size_t i = 0; e->accecn.nr == s->accecn.nr && i < e->accecn.nr; i++)
			if (e->accecn.counter[i] != s->accecn.counter[i])
				return false;
		return e->accecn.nr == s->accecn.nr;
	case DRILL_OPT_MD5:
	case DRILL_OPT_AO:
	case DRILL_OPT_FASTOPEN:
	case DRILL_OPT_EXP:
	case DRILL_OPT_RAW:
		break;
	}
	return same_blob(m, e, s);
}

static size_t without_padding(const struct drill_tcp *tcp)
{
	size_t n = tcp->nr_options;

	while (n && tcp->option[n - 1].kind == DRILL_OPT_EOL)
		n--;
	return n;
}

/* The lists are of the same kinds. A final EOL that is not expected is padding. */
static bool same_kinds(const struct drill_tcp *e, const struct drill_tcp *s)
{
	size_t n = without_padding(e);

	if (n != without_padding(s) || (n < e->nr_options && n == s->nr_options))
		return false;
	for (size_t i = 0; i < n; i++)
		if (e->option[i].kind != s->option[i].kind)
			return false;
	return true;
}

static bool same_options(struct match *m)
{
	const struct drill_tcp *e = &m->expected->tcp, *s = &m->seen->tcp;

	if (m->expected->has & DRILL_HAS_ANY_OPTIONS)
		return true;
	if (!same_kinds(e, s)) {
		TEXTS(m);

		drill_put_options(&expected, m->expected);
		drill_put_options(&seen, m->seen);
		return name_field(m, "TCP options");
	}
	for (size_t i = 0; i < without_padding(e); i++) {
		if (!same_value(m, &e->option[i], &s->option[i])) {
			TEXTS(m);

			drill_put_option(&expected, &e->option[i]);
			drill_put_option(&seen, &s->option[i]);
			return name_field(m, "TCP option %zu", i + 1);
		}
	}
	return true;
}

static bool same_tcp(struct match *m)
{
	const struct drill_packet *e = m->expected, *s = m->seen;

	if (!same_flags(m) ||
	    (!m->opt->ignore_seq && !same_number(m, "sequence number", e->tcp.seq, s->tcp.seq)) ||
	    !same_number(m, "length", e->payload_len, s->payload_len))
		return false;
	if (e->has & DRILL_HAS_ACK &&
	    !same_number(m, "acknowledgment number", e->tcp.ack, s->tcp.ack))
		return false;
	if (e->has & DRILL_HAS_WINDOW && !same_number(m, "window", e->tcp.window, s->tcp.window))
		return false;
	if (e->has & DRILL_HAS_URG_PTR &&
	    !same_number(m, "urgent pointer", e->tcp.urg_ptr, s->tcp.urg_ptr))
		return false;
	return same_options(m);
}

/* ---- the others ---------------------------------------------------------------------------------------- */

static bool same_udp(struct match *m)
{
	return same_number(m, "length", m->expected->payload_len, m->seen->payload_len);
}

static bool same_quote(struct match *m)
{
	TEXTS(m);

	if (m->expected->icmp.quote == DRILL_QUOTE_NONE)
		return true;
	drill_put_quote(&expected, m->expected);
	drill_put_quote(&seen, m->seen);
	return strcmp(expected.buf, seen.buf) == 0 || name_field(m, "quoted packet");
}

static bool same_icmp(struct match *m)
{
	const struct drill_packet *e = m->expected, *s = m->seen;
	const struct drill_icmp *icmp = &e->icmp;
	int type = icmp->type, code = icmp->code;

	if (icmp->type_name)
		type = drill_icmp_type(icmp->type_name, s->family);
	if (icmp->code_name)
		code = drill_icmp_code(icmp->type_name, icmp->code_name, s->family);
	if (type < 0 || code < 0)
		return same_word(m, "ICMP name", type < 0 ? icmp->type_name : icmp->code_name,
				 "of the other IP version");
	if (!same_number(m, "ICMP type", type, s->icmp.type))
		return false;
	if (e->has & DRILL_HAS_ICMP_CODE && !same_number(m, "ICMP code", code, s->icmp.code))
		return false;
	if (e->has & DRILL_HAS_ICMP_MTU && !same_number(m, "MTU", icmp->mtu, s->icmp.mtu))
		return false;
	if (e->has & DRILL_HAS_ICMP_ID && !same_number(m, "ICMP id", icmp->id, s->icmp.id))
		return false;
	if (e->has & DRILL_HAS_ICMP_SEQ && !same_number(m, "ICMP seq", icmp->seq, s->icmp.seq))
		return false;
	return same_quote(m);
}

static bool same_ports(struct match *m)
{
	const struct drill_packet *e = m->expected, *s = m->seen;

	return !(e->has & DRILL_HAS_PORTS) ||
	       (same_number(m, "source port", e->sport, s->sport) &&
		same_number(m, "destination port", e->dport, s->dport));
}

static const struct {
	const char *word;
	bool (*same)(struct match *m);
} protocols[] = {
	[DRILL_TCP] = { "tcp", same_tcp },
	[DRILL_UDP] = { "udp", same_udp },
	[DRILL_ICMP] = { "icmp", same_icmp },
};

static const char *family_word(int family)
{
	return family == AF_INET6 ? "ipv6" : "ipv4";
}

bool drill_packet_match(const struct drill_packet *expected, const struct drill_packet *seen,
			const struct drill_match_options *opt, struct drill_mismatch *ret)
{
	static const struct drill_match_options none;
	struct drill_mismatch unwanted;
	struct match m = { expected, seen, opt ? opt : &none, ret ? ret : &unwanted, "" };

	if (!same_layers(&m))
		return false;
	if (expected->family &&
	    !same_word(&m, "IP version", family_word(expected->family), family_word(seen->family)))
		return false;
	if (!same_word(&m, "protocol", protocols[expected->proto].word,
		       protocols[seen->proto].word))
		return false;
	return same_ip(&m, &expected->ip, &seen->ip) && same_ports(&m) &&
	       protocols[expected->proto].same(&m);
}
