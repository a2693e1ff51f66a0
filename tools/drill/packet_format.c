/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_format.c - a packet as a script writes it; packet_text.c is the way back */
#include "drill/packet_internal.h"

#include <arpa/inet.h>
#include <string.h>

#include "drill/icmp_names.h"

/* ---- headers around ------------------------------------------------------------------------------------ */

void drill_put_addr(struct drill_out *o, const struct drill_addr *a)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (a->family)
		inet_ntop(a->family, &a->v6, text, sizeof(text));
	drill_put(o, "%s", text);
}

const char *drill_ecn_word(enum drill_ecn ecn)
{
	static const char *const words[] = {
		[DRILL_ECN_ANY] = "any",   [DRILL_ECN_NONE] = "noecn", [DRILL_ECN_ECT0] = "ect0",
		[DRILL_ECN_ECT1] = "ect1", [DRILL_ECN_CE] = "ce",      [DRILL_ECN_ECT01] = "ect01",
	};

	return words[ecn];
}

static void put_ip_info(struct drill_out *o, const struct drill_ip_info *ip)
{
	const char *comma = "";

	if (ip->ecn == DRILL_ECN_ANY && !ip->has)
		return;
	drill_put(o, "[");
	/* The type of service has the ECN field in it. */
	if (ip->ecn != DRILL_ECN_ANY && !(ip->has & DRILL_HAS_TOS)) {
		drill_put(o, "%s", drill_ecn_word(ip->ecn));
		comma = ",";
	}
	if (ip->has & DRILL_HAS_TOS) {
		drill_put(o, "%stos 0x%02x", comma, ip->tos);
		comma = ",";
	}
	if (ip->has & DRILL_HAS_TTL) {
		drill_put(o, "%sttl %u", comma, ip->ttl);
		comma = ",";
	}
	if (ip->has & DRILL_HAS_FLOWLABEL)
		drill_put(o, "%sflowlabel 0x%x", comma, ip->flowlabel);
	drill_put(o, "] ");
}

void drill_put_gre(struct drill_out *o, const struct drill_gre *gre)
{
	drill_put(o, "flags 0x%x, sum %u, off %u, key %u, seq %u", gre->flags, gre->sum, gre->off,
		  gre->key, gre->seq);
}

void drill_put_mpls(struct drill_out *o, const struct drill_mpls *mpls)
{
	for (size_t i = 0; i < mpls->nr; i++)
		drill_put(o, "(label %u, tc %u, %sttl %u)", mpls->entry[i].label, mpls->entry[i].tc,
			  mpls->entry[i].bottom ? "[S], " : "", mpls->entry[i].ttl);
}

static void put_layer(struct drill_out *o, const struct drill_layer *l)
{
	switch (l->kind) {
	case DRILL_LAYER_IPV4:
	case DRILL_LAYER_IPV6:
		drill_put(o, "%s ", l->kind == DRILL_LAYER_IPV4 ? "ipv4" : "ipv6");
		put_ip_info(o, &l->ip);
		drill_put_addr(o, &l->src);
		drill_put(o, " > ");
		drill_put_addr(o, &l->dst);
		drill_put(o, ": ");
		break;
	case DRILL_LAYER_GRE:
		drill_put(o, "gre ");
		drill_put_gre(o, &l->gre);
		drill_put(o, ": ");
		break;
	case DRILL_LAYER_MPLS:
		drill_put(o, "mpls ");
		drill_put_mpls(o, &l->mpls);
		drill_put(o, ": ");
		break;
	case DRILL_LAYER_PSP:
		drill_put(o, "encap psp spi %u ", l->spi);
		break;
	}
}

/* ---- TCP ----------------------------------------------------------------------------------------------- */

void drill_put_flags(struct drill_out *o, const struct drill_packet *p)
{
	static const char letters[] = "FSRP.UEWA"; /* by bit */
	uint16_t flags = p->tcp.flags;
	size_t before = o->len;

	if (p->has & DRILL_HAS_ACE)
		flags &= ~(DRILL_TCP_AE | DRILL_TCP_CWR | DRILL_TCP_ECE);
	/* The dot comes last, as people write it; a digit after it. */
	for (int i = 0; letters[i]; i++)
		if (flags & 1 << i && letters[i] != '.')
			drill_put(o, "%c", letters[i]);
	if (flags & DRILL_TCP_ACK)
		drill_put(o, ".");
	if (p->has & DRILL_HAS_ACE)
		drill_put(o, "%u", p->tcp.flags / DRILL_TCP_ECE & 7);
	if (o->len == before)
		drill_put(o, "-");
}

static void put_blob(struct drill_out *o, const struct drill_tcp_option *opt)
{
	if (opt->blob.secret) {
		drill_put(o, " \"%.*s\"", opt->blob.len, (const char *)opt->blob.octet);
		return;
	}
	for (size_t i = 0; i < opt->blob.len; i++)
		drill_put(o, "%s%02x", i ? "" : " ", opt->blob.octet[i]);
}

static void put_ts(struct drill_out *o, const struct drill_tcp_option *opt)
{
	drill_put(o, "TS val ");
	if (opt->ts.any_val)
		drill_put(o, "...");
	else
		drill_put(o, "%u", opt->ts.val);
	drill_put(o, " ecr ");
	if (opt->ts.any_ecr)
		drill_put(o, "...");
	else
		drill_put(o, "%u", opt->ts.ecr);
}

static void put_accecn(struct drill_out *o, const struct drill_tcp_option *opt)
{
	static const char *const words[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };

	drill_put(o, "ECN");
	for (size_t i = 0; i < opt->accecn.nr; i++)
		drill_put(o, " %s %u", words[opt->kind == DRILL_OPT_ACCECN1][i],
			  opt->accecn.counter[i]);
}

void drill_put_option(struct drill_out *o, const struct drill_tcp_option *opt)
{
	switch (opt->kind) {
	case DRILL_OPT_EOL:
		drill_put(o, "eol");
		break;
	case DRILL_OPT_NOP:
		drill_put(o, "nop");
		break;
	case DRILL_OPT_MSS:
		drill_put(o, "mss %u", opt->mss);
		break;
	case DRILL_OPT_WSCALE:
		drill_put(o, "wscale %u", opt->wscale);
		break;
	case DRILL_OPT_SACKOK:
		drill_put(o, "sackOK");
		break;
	case DRILL_OPT_SACK:
		drill_put(o, "sack");
		for (size_t i = 0; i < opt->sack.nr; i++)
			drill_put(o, " %u:%u", opt->sack.block[i].left, opt->sack.block[i].right);
		break;
	case DRILL_OPT_TS:
		put_ts(o, opt);
		break;
	case DRILL_OPT_ACCECN0:
	case DRILL_OPT_ACCECN1:
		put_accecn(o, opt);
		break;
	case DRILL_OPT_MD5:
		drill_put(o, "md5");
		put_blob(o, opt);
		break;
	case DRILL_OPT_FASTOPEN:
		drill_put(o, "FO");
		put_blob(o, opt);
		break;
	case DRILL_OPT_EXP:
		drill_put(o, "FOEXP");
		put_blob(o, opt);
		break;
	case DRILL_OPT_AO:
		drill_put(o, "ao %u %u", opt->blob.keyid, opt->blob.rnext);
		put_blob(o, opt);
		break;
	case DRILL_OPT_RAW:
		drill_put(o, "opt %u", opt->blob.raw_kind);
		put_blob(o, opt);
		break;
	}
}

void drill_put_options(struct drill_out *o, const struct drill_packet *p)
{
	if (p->has & DRILL_HAS_ANY_OPTIONS) {
		drill_put(o, "...");
		return;
	}
	for (size_t i = 0; i < p->tcp.nr_options; i++) {
		drill_put(o, "%s", i ? "," : "");
		drill_put_option(o, &p->tcp.option[i]);
	}
}

static void put_tcp(struct drill_out *o, const struct drill_packet *p)
{
	const struct drill_tcp *tcp = &p->tcp;

	if (p->has & DRILL_HAS_PORTS)
		drill_put(o, "%u > %u ", p->sport, p->dport);
	drill_put_flags(o, p);
	drill_put(o, " %u:%u(%u)", tcp->seq, tcp->end, p->payload_len);
	if (p->has & DRILL_HAS_ACK)
		drill_put(o, " ack %u", tcp->ack);
	if (p->has & DRILL_HAS_WINDOW)
		drill_put(o, " win %u", tcp->window);
	if (p->has & DRILL_HAS_URG_PTR)
		drill_put(o, " urg %u", tcp->urg_ptr);
	if (tcp->nr_options || p->has & DRILL_HAS_ANY_OPTIONS) {
		drill_put(o, " <");
		drill_put_options(o, p);
		drill_put(o, ">");
	}
}

/* ---- the others ---------------------------------------------------------------------------------------- */

static void put_udp(struct drill_out *o, const struct drill_packet *p)
{
	drill_put(o, "udp ");
	if (p->has & DRILL_HAS_PORTS)
		drill_put(o, "%u > %u ", p->sport, p->dport);
	drill_put(o, "(%u)", p->payload_len);
}

void drill_put_quote(struct drill_out *o, const struct drill_packet *p)
{
	const struct drill_icmp *icmp = &p->icmp;

	switch (icmp->quote) {
	case DRILL_QUOTE_NONE:
		break;
	case DRILL_QUOTE_TCP:
		drill_put(o, "[%u:%u(%u)]", icmp->quote_seq, icmp->quote_end, p->payload_len);
		break;
	case DRILL_QUOTE_UDP:
		drill_put(o, "[udp (%u)]", p->payload_len);
		break;
	case DRILL_QUOTE_RAW:
		drill_put(o, "[raw (%u)]", p->payload_len);
		break;
	}
}

static void put_icmp(struct drill_out *o, const struct drill_packet *p)
{
	const struct drill_icmp *icmp = &p->icmp;

	if (icmp->type_name)
		drill_put(o, "icmp %s", icmp->type_name);
	else
		drill_put(o, "icmp %u", icmp->type);
	if (icmp->code_name)
		drill_put(o, " %s", icmp->code_name);
	else if (p->has & DRILL_HAS_ICMP_CODE)
		drill_put(o, " %u", icmp->code);
	if (p->has & DRILL_HAS_ICMP_MTU)
		drill_put(o, " mtu %u", icmp->mtu);
	if (p->has & DRILL_HAS_ICMP_ID)
		drill_put(o, " id %u", icmp->id);
	if (p->has & DRILL_HAS_ICMP_SEQ)
		drill_put(o, " seq %u", icmp->seq);
	if (icmp->quote != DRILL_QUOTE_NONE)
		drill_put(o, " ");
	drill_put_quote(o, p);
}

size_t drill_packet_format(const struct drill_packet *p, char *buf, size_t size)
{
	static void (*const put[])(struct drill_out * o, const struct drill_packet *p) = {
		[DRILL_TCP] = put_tcp,
		[DRILL_UDP] = put_udp,
		[DRILL_ICMP] = put_icmp,
	};
	struct drill_out o = { buf, size, 0 };

	if (size)
		*buf = '\0';
	for (size_t i = 0; i < p->nr_layers; i++)
		put_layer(&o, &p->layer[i]);
	put_ip_info(&o, &p->ip);
	put[p->proto](&o, p);
	return o.len;
}

static void shorten_ip(struct drill_ip_info *seen, const struct drill_ip_info *expected)
{
	seen->has &= expected->has;
	if (expected->ecn == DRILL_ECN_ANY && seen->ecn == DRILL_ECN_NONE)
		seen->ecn = DRILL_ECN_ANY;
}

void drill_packet_shorten(struct drill_packet *seen, const struct drill_packet *expected)
{
	static const struct drill_packet nothing;

	if (!expected)
		expected = &nothing;
	seen->has &= expected->has | DRILL_HAS_ACK | DRILL_HAS_WINDOW | DRILL_HAS_URG_PTR |
		     DRILL_HAS_ICMP_CODE | DRILL_HAS_ICMP_MTU;
	seen->has |= expected->has & DRILL_HAS_ACE;
	shorten_ip(&seen->ip, &expected->ip);
	for (size_t i = 0; i < seen->nr_layers; i++)
		shorten_ip(&seen->layer[i].ip,
			   &(i < expected->nr_layers ? expected : &nothing)->layer[i].ip);
}
