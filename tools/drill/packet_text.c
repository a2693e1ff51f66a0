/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_text.c - the parser's half for packets: from "< [ect0] P. 1:1001(1000) ack 1 win 257" to struct drill_packet
 *
 * Each function is a rule of the grammar in doc/drill.md. As in parser.c, the first error turns all further tokens into TOKEN_END.
 */
#include "drill/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/icmp_names.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static bool at_number(const struct drill_lexer *lx)
{
	return lx->token.kind == TOKEN_INTEGER || lx->token.kind == TOKEN_HEX;
}

/* ---- the IP header ------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum drill_ecn ecn;
} ecn_words[] = {
	{ "noecn", DRILL_ECN_NONE }, { "ect0", DRILL_ECN_ECT0 },   { "ect1", DRILL_ECN_ECT1 },
	{ "ce", DRILL_ECN_CE },      { "ect01", DRILL_ECN_ECT01 },
};

static bool accept_ecn(struct drill_lexer *lx, struct drill_ip_info *ip)
{
	for (size_t i = 0; i < NR(ecn_words); i++) {
		if (drill_accept_word(lx, ecn_words[i].word)) {
			ip->ecn = ecn_words[i].ecn;
			return true;
		}
	}
	return false;
}

/* noecn | ect0 | ect1 | ce | ect01 | tos 0x28 | ttl 64 | flowlabel 0x1 */
static void parse_ip_item(struct drill_lexer *lx, struct drill_ip_info *ip)
{
	if (accept_ecn(lx, ip))
		return;
	if (drill_accept_word(lx, "tos")) {
		ip->has |= DRILL_HAS_TOS;
		ip->tos = drill_expect_number(lx, "the type of service", 0xff);
	} else if (drill_accept_word(lx, "ttl")) {
		ip->has |= DRILL_HAS_TTL;
		ip->ttl = drill_expect_number(lx, "the time to live", 0xff);
	} else if (drill_accept_word(lx, "flowlabel")) {
		ip->has |= DRILL_HAS_FLOWLABEL;
		ip->flowlabel = drill_expect_number(lx, "the flow label", 0xfffff);
	} else {
		drill_expected(lx, "noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel");
	}
}

/* [items] or (items) */
static void parse_ip_info(struct drill_lexer *lx, struct drill_ip_info *ip)
{
	char close = drill_at_punct(lx, '[') ? ']' : ')';

	if (!drill_accept_punct(lx, '[') && !drill_accept_punct(lx, '('))
		return;
	do {
		parse_ip_item(lx, ip);
	} while (drill_accept_punct(lx, ','));
	drill_expect_punct(lx, close, "after the fields of the IP header");
}

/* ---- encapsulation ------------------------------------------------------------------------------------- */

static void parse_address(struct drill_lexer *lx, int family, struct drill_addr *ret)
{
	struct drill_pos pos;
	const char *text;

	drill_lex_back(lx);
	text = drill_lex_address(lx, &pos);
	ret->family = family;
	if (inet_pton(family, text, &ret->v6) != 1)
		drill_lex_error(lx, pos, "expected an IPv%d address, not '%s'",
				family == AF_INET ? 4 : 6, text);
	drill_lex_next(lx);
}

static void parse_ip_layer(struct drill_lexer *lx, struct drill_layer *layer, int family)
{
	layer->kind = family == AF_INET ? DRILL_LAYER_IPV4 : DRILL_LAYER_IPV6;
	parse_ip_info(lx, &layer->ip);
	parse_address(lx, family, &layer->src);
	drill_expect_punct(lx, '>', "between the addresses of the outer header");
	parse_address(lx, family, &layer->dst);
	drill_expect_punct(lx, ':', "after the outer header");
}

static const struct {
	const char *word;
	uint16_t flag;
} gre_words[] = { { "none", 0 },
		  { "checksum", DRILL_GRE_CHECKSUM },
		  { "key", DRILL_GRE_KEY },
		  { "sequence", DRILL_GRE_SEQ } };

static void parse_gre_flag(struct drill_lexer *lx, struct drill_gre *gre)
{
	for (size_t i = 0; i < NR(gre_words); i++) {
		if (!drill_accept_word(lx, gre_words[i].word))
			continue;
		gre->flags |= gre_words[i].flag;
		if (gre_words[i].flag && !drill_accept_word(lx, "present"))
			drill_expected(lx, "'present'");
		return;
	}
	drill_expected(lx, "none, or checksum, key or sequence present");
}

static void parse_gre_flags(struct drill_lexer *lx, struct drill_gre *gre)
{
	if (!drill_accept_punct(lx, '[')) {
		gre->flags = drill_expect_number(lx, "the flags of GRE", 0xffff);
		return;
	}
	do {
		parse_gre_flag(lx, gre);
	} while (drill_accept_punct(lx, ','));
	drill_expect_punct(lx, ']', "after the flags of GRE");
}

void drill_parse_gre(struct drill_lexer *lx, struct drill_gre *ret)
{
	for (;; drill_accept_punct(lx, ',')) {
		if (drill_accept_word(lx, "flags")) {
			parse_gre_flags(lx, ret);
		} else if (drill_accept_word(lx, "sum")) {
			ret->sum = drill_expect_number(lx, "the checksum of GRE", 0xffff);
		} else if (drill_accept_word(lx, "off")) {
			ret->off = drill_expect_number(lx, "the offset of GRE", 0xffff);
		} else if (drill_accept_word(lx, "key")) {
			drill_accept_punct(lx, '=');
			ret->key = drill_expect_number(lx, "the key of GRE", UINT32_MAX);
		} else if (drill_accept_word(lx, "seq")) {
			ret->seq =
				drill_expect_number(lx, "the sequence number of GRE", UINT32_MAX);
		} else {
			return;
		}
	}
}

/* label 1, tc 0, [S], ttl 64): after the parenthesis */
static void parse_mpls_entry(struct drill_lexer *lx, struct drill_mpls_entry *e)
{
	if (!drill_accept_word(lx, "label"))
		drill_expected(lx, "'label'");
	e->label = drill_expect_number(lx, "a label", 0xfffff);
	drill_expect_punct(lx, ',', "after the label");
	if (!drill_accept_word(lx, "tc"))
		drill_expected(lx, "'tc'");
	e->tc = drill_expect_number(lx, "the traffic class", 7);
	drill_expect_punct(lx, ',', "after the traffic class");
	if (drill_accept_punct(lx, '[')) {
		e->bottom = true;
		if (!drill_accept_word(lx, "S"))
			drill_expected(lx, "'S'");
		drill_expect_punct(lx, ']', "after S");
		drill_expect_punct(lx, ',', "after [S]");
	}
	if (!drill_accept_word(lx, "ttl"))
		drill_expected(lx, "'ttl'");
	e->ttl = drill_expect_number(lx, "the time to live", 0xff);
	drill_expect_punct(lx, ')', "after the MPLS entry");
}

void drill_parse_mpls(struct drill_lexer *lx, struct drill_mpls *ret)
{
	do {
		drill_expect_punct(lx, '(', "before an MPLS entry");
		if (ret->nr == DRILL_MPLS_MAX) {
			drill_lex_error(lx, lx->token.pos, "at most %d MPLS entries",
					DRILL_MPLS_MAX);
			return;
		}
		parse_mpls_entry(lx, &ret->entry[ret->nr++]);
	} while (drill_at_punct(lx, '('));
}

static void parse_psp(struct drill_lexer *lx, struct drill_layer *layer)
{
	if (!drill_accept_word(lx, "psp"))
		drill_expected(lx, "'psp'");
	if (!drill_accept_word(lx, "spi"))
		drill_expected(lx, "'spi'");
	layer->spi = drill_expect_number(lx, "the SPI", UINT32_MAX);
}

/* One header around the packet. False if there is none (any more). */
static bool parse_layer(struct drill_lexer *lx, struct drill_layer *layer)
{
	*layer = (struct drill_layer){ .pos = lx->token.pos };
	if (drill_accept_word(lx, "ipv4")) {
		parse_ip_layer(lx, layer, AF_INET);
	} else if (drill_accept_word(lx, "ipv6")) {
		parse_ip_layer(lx, layer, AF_INET6);
	} else if (drill_accept_word(lx, "gre")) {
		layer->kind = DRILL_LAYER_GRE;
		drill_accept_punct(lx, ',');
		drill_parse_gre(lx, &layer->gre);
		drill_expect_punct(lx, ':', "after the GRE header");
	} else if (drill_accept_word(lx, "mpls")) {
		layer->kind = DRILL_LAYER_MPLS;
		drill_parse_mpls(lx, &layer->mpls);
		drill_expect_punct(lx, ':', "after the MPLS entries");
	} else if (drill_accept_word(lx, "encap")) {
		layer->kind = DRILL_LAYER_PSP;
		parse_psp(lx, layer);
	} else {
		return false;
	}
	return true;
}

/* ---- TCP options --------------------------------------------------------------------------------------- */

/* Hexadecimal digits, two for an octet; none if the next token is not a word or number. */
static void parse_blob(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	const struct drill_token *t = &lx->token;
	const char *digits = t->text;

	if (t->kind != TOKEN_WORD && !at_number(lx))
		return;
	if (t->kind == TOKEN_HEX)
		digits += 2;
	if (strlen(digits) % 2 || strspn(digits, "0123456789abcdefABCDEF") != strlen(digits)) {
		drill_lex_error(lx, t->pos, "expected pairs of hexadecimal digits, not '%s'",
				t->text);
		return;
	}
	if (strlen(digits) / 2 > DRILL_BLOB_MAX) {
		drill_lex_error(lx, t->pos, "a TCP option has no room for %zu octets",
				strlen(digits) / 2);
		return;
	}
	for (; *digits; digits += 2)
		o->blob.octet[o->blob.len++] =
			strtoul((char[]){ digits[0], digits[1], 0 }, NULL, 16);
	drill_lex_next(lx);
}

/* The signature itself, or "the secret" that makes it. */
static void parse_signature(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	const struct drill_token *t = &lx->token;
	size_t len;

	if (t->kind != TOKEN_STRING) {
		parse_blob(lx, o);
		return;
	}
	len = strlen(t->text);
	if (!len || len > DRILL_BLOB_MAX) {
		drill_lex_error(lx, t->pos, "a key has 1 to %d octets here", DRILL_BLOB_MAX);
		return;
	}
	o->blob.secret = true;
	o->blob.len = len;
	memcpy(o->blob.octet, t->text, len);
	drill_lex_next(lx);
}

static void parse_mss(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	o->mss = drill_expect_number(lx, "the maximum segment size", 0xffff);
}

static void parse_wscale(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	o->wscale = drill_expect_number(lx, "the window scale", 0xff);
}

static void parse_sack(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	while (at_number(lx)) {
		struct drill_sack_block *b = &o->sack.block[o->sack.nr];

		if (o->sack.nr == DRILL_SACK_MAX) {
			drill_lex_error(lx, lx->token.pos, "at most %d SACK blocks",
					DRILL_SACK_MAX);
			return;
		}
		b->left = drill_expect_number(lx, "the left edge", UINT32_MAX);
		drill_expect_punct(lx, ':', "between the edges of a SACK block");
		b->right = drill_expect_number(lx, "the right edge", UINT32_MAX);
		o->sack.nr++;
	}
}

static uint32_t parse_ts_value(struct drill_lexer *lx, const char *word, bool *ret_any)
{
	char what[32];

	if (!drill_accept_word(lx, word)) {
		snprintf(what, sizeof(what), "'%s'", word);
		drill_expected(lx, what);
		return 0;
	}
	*ret_any = lx->token.kind == TOKEN_ELLIPSIS;
	if (*ret_any) {
		drill_lex_next(lx);
		return 0;
	}
	return drill_expect_number(lx, "a time stamp", UINT32_MAX);
}

static void parse_ts(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	o->ts.val = parse_ts_value(lx, "val", &o->ts.any_val);
	o->ts.ecr = parse_ts_value(lx, "ecr", &o->ts.any_ecr);
}

static void parse_ao(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	o->blob.keyid = drill_expect_number(lx, "the key ID", 0xff);
	o->blob.rnext = drill_expect_number(lx, "the key ID of the receiver", 0xff);
	parse_signature(lx, o);
}

static void parse_raw(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	o->blob.raw_kind = drill_expect_number(lx, "the kind of the option", 0xff);
	parse_blob(lx, o);
}

/* RFC 9768 3.2.3: the first counter says which of the two orders it is; any number of them may be left out at the end. */
static void parse_accecn(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	static const char *const order0[] = { "e0b", "ceb", "e1b" };
	static const char *const order1[] = { "e1b", "ceb", "e0b" };
	bool first = drill_at_word(lx, "e1b");
	const char *const *order = first ? order1 : order0;

	o->kind = first ? DRILL_OPT_ACCECN1 : DRILL_OPT_ACCECN0;
	while (o->accecn.nr < 3 && drill_accept_word(lx, order[o->accecn.nr]))
		o->accecn.counter[o->accecn.nr++] =
			drill_expect_number(lx, "a counter of octets", 0xffffff);
}

static const struct {
	const char *word;
	enum drill_tcp_kind kind;
	void (*parse)(struct drill_lexer *lx,
		      struct drill_tcp_option *o); /* NULL: nothing follows */
} options[] = {
	{ "nop", DRILL_OPT_NOP, NULL },         { "eol", DRILL_OPT_EOL, NULL },
	{ "mss", DRILL_OPT_MSS, parse_mss },    { "wscale", DRILL_OPT_WSCALE, parse_wscale },
	{ "sackOK", DRILL_OPT_SACKOK, NULL },   { "sack", DRILL_OPT_SACK, parse_sack },
	{ "TS", DRILL_OPT_TS, parse_ts },       { "FO", DRILL_OPT_FASTOPEN, parse_blob },
	{ "FOEXP", DRILL_OPT_EXP, parse_blob }, { "md5", DRILL_OPT_MD5, parse_signature },
	{ "ao", DRILL_OPT_AO, parse_ao },       { "ECN", DRILL_OPT_ACCECN0, parse_accecn },
	{ "opt", DRILL_OPT_RAW, parse_raw },
};

static void parse_option(struct drill_lexer *lx, struct drill_tcp_option *o)
{
	*o = (struct drill_tcp_option){ .pos = lx->token.pos };
	for (size_t i = 0; i < NR(options); i++) {
		if (!drill_accept_word(lx, options[i].word))
			continue;
		o->kind = options[i].kind;
		if (options[i].parse)
			options[i].parse(lx, o);
		return;
	}
	if (lx->token.kind == TOKEN_WORD && strncmp(lx->token.text, "mp_", 3) == 0)
		drill_lex_error(lx, lx->token.pos, "options of MPTCP are not supported");
	drill_expected(
		lx,
		"a TCP option (mss, wscale, sackOK, sack, TS, FO, FOEXP, md5, ao, ECN, nop, eol)");
}

/* <...> | <option, option> */
static void parse_options(struct drill_lexer *lx, struct drill_packet *p)
{
	if (!drill_accept_punct(lx, '<'))
		return;
	if (lx->token.kind == TOKEN_ELLIPSIS) {
		p->has |= DRILL_HAS_ANY_OPTIONS;
		drill_lex_next(lx);
	} else {
		do {
			if (p->tcp.nr_options == DRILL_TCP_OPTIONS_MAX) {
				drill_lex_error(lx, lx->token.pos, "at most %d TCP options",
						DRILL_TCP_OPTIONS_MAX);
				return;
			}
			parse_option(lx, &p->tcp.option[p->tcp.nr_options++]);
		} while (drill_accept_punct(lx, ','));
	}
	drill_expect_punct(lx, '>', "after the TCP options");
}

/* ---- TCP ----------------------------------------------------------------------------------------------- */

static const struct {
	char letter;
	uint16_t flag;
} flag_letters[] = {
	{ 'F', DRILL_TCP_FIN }, { 'S', DRILL_TCP_SYN }, { 'R', DRILL_TCP_RST },
	{ 'P', DRILL_TCP_PSH }, { '.', DRILL_TCP_ACK }, { 'U', DRILL_TCP_URG },
	{ 'E', DRILL_TCP_ECE }, { 'W', DRILL_TCP_CWR }, { 'A', DRILL_TCP_AE },
};

static void parse_flag(struct drill_lexer *lx, struct drill_packet *p, char c, struct drill_pos pos)
{
	for (size_t i = 0; i < NR(flag_letters); i++) {
		if (flag_letters[i].letter == c) {
			p->tcp.flags |= flag_letters[i].flag;
			return;
		}
	}
	if (c >= '0' && c <= '7') {
		p->has |= DRILL_HAS_ACE;
		p->tcp.flags |= (c - '0') * DRILL_TCP_ECE;
		return;
	}
	drill_lex_error(lx, pos, "'%c' is none of the TCP flags F S R P . U E W A, nor 0 to 7", c);
}

/* "SEWA", "P.", ".5"; "-" is no flag at all */
static void parse_flags(struct drill_lexer *lx, struct drill_packet *p)
{
	const struct drill_token before = lx->token;
	struct drill_pos pos;
	const char *flags;

	drill_lex_back(lx);
	flags = drill_lex_flags(lx, &pos);
	if (!*flags) {
		lx->token = before;
		drill_expected(lx, "TCP flags, udp, icmp, or a header around the packet");
		return;
	}
	if (strcmp(flags, "-") != 0)
		for (; *flags; flags++, pos.column++)
			parse_flag(lx, p, *flags, pos);
	drill_lex_next(lx);
}

/* 1:1001(1000) */
static uint32_t parse_seq(struct drill_lexer *lx, uint32_t *ret_seq, uint32_t *ret_end)
{
	struct drill_pos pos = lx->token.pos;
	uint32_t seq, end, len;

	seq = drill_expect_number(lx, "a sequence number", UINT32_MAX);
	drill_expect_punct(lx, ':', "between the sequence numbers");
	end = drill_expect_number(lx, "a sequence number", UINT32_MAX);
	drill_expect_punct(lx, '(', "before the length");
	len = drill_expect_number(lx, "the length", 0xffff);
	drill_expect_punct(lx, ')', "after the length");
	if (end - seq != len)
		drill_lex_error(lx, pos, "%u:%u is %u octets, not %u", seq, end, end - seq, len);
	*ret_seq = seq;
	*ret_end = end;
	return len;
}

static void parse_ports(struct drill_lexer *lx, struct drill_packet *p)
{
	if (!at_number(lx))
		return;
	p->has |= DRILL_HAS_PORTS;
	p->sport = drill_expect_number(lx, "a port", 0xffff);
	drill_expect_punct(lx, '>', "between the ports");
	p->dport = drill_expect_number(lx, "a port", 0xffff);
}

static void parse_tcp(struct drill_lexer *lx, struct drill_packet *p)
{
	p->proto = DRILL_TCP;
	parse_ports(lx, p);
	parse_flags(lx, p);
	p->payload_len = parse_seq(lx, &p->tcp.seq, &p->tcp.end);
	if (drill_accept_word(lx, "ack")) {
		p->has |= DRILL_HAS_ACK;
		p->tcp.ack = drill_expect_number(lx, "an acknowledgment number", UINT32_MAX);
	}
	if (drill_accept_word(lx, "win")) {
		p->has |= DRILL_HAS_WINDOW;
		p->tcp.window = drill_expect_number(lx, "the window", 0xffff);
	}
	if (drill_accept_word(lx, "urg")) {
		p->has |= DRILL_HAS_URG_PTR;
		p->tcp.urg_ptr = drill_expect_number(lx, "the urgent pointer", 0xffff);
	}
	parse_options(lx, p);
}

/* ---- UDP and ICMP -------------------------------------------------------------------------------------- */

static uint32_t parse_length(struct drill_lexer *lx)
{
	uint32_t len;

	drill_expect_punct(lx, '(', "before the length");
	len = drill_expect_number(lx, "the length", 0xffff - 8);
	drill_expect_punct(lx, ')', "after the length");
	return len;
}

static void parse_udp(struct drill_lexer *lx, struct drill_packet *p)
{
	p->proto = DRILL_UDP;
	parse_ports(lx, p);
	p->payload_len = parse_length(lx);
}

static void parse_icmp_type(struct drill_lexer *lx, struct drill_icmp *icmp)
{
	if (at_number(lx)) {
		icmp->type = drill_expect_number(lx, "the type", 0xff);
		return;
	}
	if (lx->token.kind == TOKEN_WORD)
		icmp->type_name = drill_icmp_type_word(lx->token.text);
	if (!icmp->type_name)
		drill_expected(lx, "a type of ICMP (unreachable, packet_too_big, time_exceeded, "
				   "echo_request, ...)");
	else
		drill_lex_next(lx);
}

static bool at_icmp_field(const struct drill_lexer *lx)
{
	return drill_at_word(lx, "mtu") || drill_at_word(lx, "id") || drill_at_word(lx, "seq");
}

static void parse_icmp_code(struct drill_lexer *lx, struct drill_packet *p)
{
	struct drill_icmp *icmp = &p->icmp;

	if (at_number(lx)) {
		p->has |= DRILL_HAS_ICMP_CODE;
		icmp->code = drill_expect_number(lx, "the code", 0xff);
		return;
	}
	if (lx->token.kind != TOKEN_WORD || at_icmp_field(lx))
		return;
	if (icmp->type_name)
		icmp->code_name = drill_icmp_code_word(icmp->type_name, lx->token.text);
	if (!icmp->code_name) {
		drill_lex_error(lx, lx->token.pos, "'%s' is not a code of ICMP's '%s'",
				lx->token.text, icmp->type_name ? icmp->type_name : "number");
		return;
	}
	p->has |= DRILL_HAS_ICMP_CODE;
	drill_lex_next(lx);
}

/* [1:1461(1460)] | [udp (100)] | [raw (100)] */
static void parse_quote(struct drill_lexer *lx, struct drill_packet *p)
{
	struct drill_icmp *icmp = &p->icmp;

	if (!drill_accept_punct(lx, '['))
		return;
	if (drill_accept_word(lx, "udp")) {
		icmp->quote = DRILL_QUOTE_UDP;
		p->payload_len = parse_length(lx);
	} else if (drill_accept_word(lx, "raw")) {
		icmp->quote = DRILL_QUOTE_RAW;
		p->payload_len = parse_length(lx);
	} else {
		icmp->quote = DRILL_QUOTE_TCP;
		p->payload_len = parse_seq(lx, &icmp->quote_seq, &icmp->quote_end);
	}
	drill_expect_punct(lx, ']', "after the quoted packet");
}

static void parse_icmp(struct drill_lexer *lx, struct drill_packet *p)
{
	p->proto = DRILL_ICMP;
	parse_icmp_type(lx, &p->icmp);
	parse_icmp_code(lx, p);
	if (drill_accept_word(lx, "mtu")) {
		p->has |= DRILL_HAS_ICMP_MTU;
		p->icmp.mtu = drill_expect_number(lx, "the MTU", UINT32_MAX);
	}
	if (drill_accept_word(lx, "id")) {
		p->has |= DRILL_HAS_ICMP_ID;
		p->icmp.id = drill_expect_number(lx, "the identifier", 0xffff);
	}
	if (drill_accept_word(lx, "seq")) {
		p->has |= DRILL_HAS_ICMP_SEQ;
		p->icmp.seq = drill_expect_number(lx, "the sequence number", 0xffff);
	}
	parse_quote(lx, p);
}

/* ---- packets ------------------------------------------------------------------------------------------- */

void drill_parse_packet(struct drill_lexer *lx, struct drill_packet *ret)
{
	struct drill_layer layer;

	while (parse_layer(lx, &layer)) {
		if (ret->nr_layers == DRILL_LAYERS_MAX) {
			drill_lex_error(lx, layer.pos, "at most %d headers around a packet",
					DRILL_LAYERS_MAX);
			return;
		}
		ret->layer[ret->nr_layers++] = layer;
	}
	parse_ip_info(lx, &ret->ip);
	if (drill_accept_word(lx, "udp"))
		parse_udp(lx, ret);
	else if (drill_accept_word(lx, "icmp"))
		parse_icmp(lx, ret);
	else
		parse_tcp(lx, ret);
}

int drill_packet_read(const char *text, enum drill_direction dir, struct drill_packet *ret,
		      char *error, size_t size)
{
	struct drill_arena *arena = drill_arena_create();
	struct drill_packet p = { .dir = dir, .pos = { 1, 1 } };
	struct drill_lexer lx;
	int rc = 0;

	drill_lexer_init(&lx, arena, "", text, strlen(text));
	drill_lex_next(&lx);
	drill_parse_packet(&lx, &p);
	if (lx.token.kind != TOKEN_END)
		drill_expected(&lx, "nothing after the packet");
	if (lx.error) {
		snprintf(error, size, "%s", lx.error + 1); /* without the ':' after no path */
		rc = -EINVAL;
	} else {
		*ret = p;
	}
	free(lx.error);
	drill_arena_free(arena);
	return rc;
}
