/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet script of any content is read whole, or refused with one sentence that names file, line and column. Its expressions and
 * packets can be written; a packet's text reads as the same packet; its octets parse as one that matches it.
 */
#include "fuzz.h"
#include "drill/script.h"

#include <netinet/in.h>
#include <string.h>

FUZZ_SEEDS(
	SEED("// c\n--ip_version=ipv4\n--define=A=B\n`sysctl -q a=1`\n0 socket(..., SOCK_STREAM, "
	     "IPPROTO_TCP) = 3\n+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0\n"
	     "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>\n"
	     "+.1~+.2 > S. 0:0(0) ack 1 <...>\n* %{ assert tcpi_rtt > 1 }%\n`end`\n"),
	SEED("1.5~2 < [ect0,tos 0x28] P.5 1:11(10) ack 1 win 7 urg 2 <nop,TS val ... ecr 7,sack "
	     "1:2 3:4,FO ab12,FOEXP,md5 00112233445566778899aabbccddeeff,ao 1 2 ab,opt 9 ff,ECN "
	     "e1b 1 "
	     "ceb 2 e0b 3,eol>\n"),
	SEED("0...0.1 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{...,0}], msg_flags=A|~B, "
	     "msg_control=[{cmsg_level=1, cmsg_type=2, cmsg_data={ee_errno=0, ee_origin=1}}]}, "
	     "(A<<1)&2) "
	     "= -1 EAGAIN (note (deep))\n"),
	SEED("0 < icmp unreachable frag_needed mtu 9 [1:3(2)]\n0 > icmp echo_reply 0 id 7 seq 8 "
	     "[raw "
	     "(9)]\n0 < 1 > 2 udp (1)\n0 < udp 1 > 2 (3)\n0 < icmp 3 4 [udp (4)]\n"),
	SEED("0 > ipv4 (ttl 3) 10.0.0.1 > 10.0.0.2: gre flags [key present, checksum present], sum "
	     "0, "
	     "off 0, key=7, seq 1: mpls (label 1, tc 2, ttl 3)(label 4, tc 5, [S], ttl 6): "
	     "[flowlabel "
	     "0x12] . 1:1(0)\n0 < ipv6 fd::1 > fd::2: udp (3)\n0 f({(label 1, tc 2, ttl 3)}, "
	     "{flags 0x1}) "
	     "= 0x2 (x)\n"),
	SEED("0 f(\"\\x00\\\"\"..., 'c', {}, [], {a(1)=2,}, -1, !1, &x) = ?\n0 < encap psp spi 7 - "
	     "1:1(0)\n"));

static void check_expr(const struct drill_expr *e)
{
	char text[256], error[128];
	int64_t value;
	size_t len = drill_expr_format(e, text, sizeof(text));

	FUZZ_CHECK(strlen(text) == (len < sizeof(text) ? len : sizeof(text) - 1));
	FUZZ_CHECK(e->pos.line && e->pos.column);
	if (drill_expr_number(e, &value, error, sizeof(error)) < 0)
		FUZZ_CHECK(*error);
}

static void check_octets(const struct drill_packet *p, int family)
{
	static uint8_t buf[DRILL_PACKET_MAX];
	struct drill_build b = {
		.src = { .family = family }, .dst = { .family = family }, .sport = 1, .dport = 2
	};
	struct drill_packet seen;
	struct drill_mismatch diff = { "" };
	char error[128];
	ptrdiff_t len = drill_packet_build(p, &b, buf, sizeof(buf), error, sizeof(error));
	int rc;

	if (len < 0)
		return;
	FUZZ_CHECK(len <= DRILL_PACKET_MAX);
	/* A script may write headers around the packet and options that nobody can read back; not so without. */
	rc = drill_packet_parse(buf, len, NULL, &seen, error, sizeof(error));
	if (rc < 0) {
		FUZZ_CHECK(p->nr_layers || drill_packet_option(p, DRILL_OPT_RAW));
		return;
	}
	if (!p->nr_layers && !drill_packet_option(p, DRILL_OPT_RAW) &&
	    !drill_packet_option(p, DRILL_OPT_EOL) && p->proto != DRILL_ICMP)
		FUZZ_CHECK(drill_packet_match(p, &seen, NULL, &diff));
	drill_packet_shorten(&seen, p);
}

static void check_packet(const struct drill_packet *p)
{
	char text[4096], again[4096], error[256];
	struct drill_packet q;

	FUZZ_CHECK(drill_packet_format(p, text, sizeof(text)) < sizeof(text));
	FUZZ_CHECK(drill_packet_read(text, p->dir, &q, error, sizeof(error)) == 0);
	drill_packet_format(&q, again, sizeof(again));
	FUZZ_CHECK(strcmp(text, again) == 0);
	drill_packet_match(p, &q, NULL, NULL);
	check_octets(p, AF_INET);
	check_octets(p, AF_INET6);
}

static void check_event(const struct drill_event *ev)
{
	FUZZ_CHECK(ev->pos.line && ev->last_line >= ev->pos.line);
	if (ev->kind == DRILL_EVENT_PACKET) {
		check_packet(ev->packet);
	} else if (ev->kind == DRILL_EVENT_SYSCALL) {
		FUZZ_CHECK(ev->call->name && ev->call->result);
		for (size_t i = 0; i < ev->call->nr_args; i++)
			check_expr(ev->call->args[i]);
		check_expr(ev->call->result);
	} else {
		FUZZ_CHECK(ev->text);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *error = NULL;
	struct drill_script *s = drill_script_parse("f", (const char *)data, size, NULL, &error);

	if (s) {
		FUZZ_CHECK(!error && s->nr_events);
		for (size_t i = 0; i < s->nr_events; i++)
			check_event(&s->events[i]);
	} else {
		FUZZ_CHECK(error && strncmp(error, "f:", 2) == 0 && error[2] >= '1' &&
			   error[2] <= '9');
	}
	drill_script_free(s);
	free(error);
	return 0;
}
