/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drill/packet_internal.h"

static struct drill_packet packet(const char *text)
{
	struct drill_packet p;
	char error[256] = "";

	if (drill_packet_read(text, DRILL_INBOUND, &p, error, sizeof(error)) < 0)
		fail_msg("%s: %s", text, error);
	return p;
}

static struct drill_addr addr(const char *text)
{
	struct drill_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	assert_int_equal(inet_pton(a.family, text, &a.v6), 1);
	return a;
}

static const struct drill_build *flow(int family)
{
	static struct drill_build v4, v6;

	v4 = (struct drill_build){ .src = addr("192.0.2.1"),
				   .dst = addr("192.168.0.1"),
				   .sport = 54321,
				   .dport = 8080,
				   .window = 1000 };
	v6 = (struct drill_build){ .src = addr("2001:db8::1"),
				   .dst = addr("fd3d::2"),
				   .sport = 54321,
				   .dport = 8080,
				   .window = 1000 };
	return family == AF_INET ? &v4 : &v6;
}

static size_t build(const char *text, int family, uint8_t *buf, size_t size)
{
	struct drill_packet p = packet(text);
	char error[256] = "";
	ptrdiff_t len = drill_packet_build(&p, flow(family), buf, size, error, sizeof(error));

	if (len < 0)
		fail_msg("%s: %zd %s", text, len, error);
	return len;
}

static struct drill_packet parse(const uint8_t *data, size_t len)
{
	struct drill_packet p;
	char error[256] = "";

	if (drill_packet_parse(data, len, NULL, &p, error, sizeof(error)) < 0)
		fail_msg("%s", error);
	return p;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* Written as drill_packet_format() does. Those that are octets too, in both versions of IP. */
static const char *const packets[] = {
	"S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>",
	"S. 0:0(0) ack 1 win 5840 <mss 1460,sackOK,TS val 100 ecr 4294967295,nop,wscale 8>",
	". 1:1(0) ack 1 win 257 <nop,nop,sack 1001:2001 3001:4001 5001:6001>",
	"FP. 4294967295:9(10) ack 1 win 0",
	"R 1:1(0) win 0",
	"- 1:1(0) win 1",
	"SEWA 0:0(0) win 65535",
	"[ect0] P. 1:1461(1460) ack 7 win 8 urg 3",
	"[ce] PU.5 1:11(10) ack 1 win 2 urg 10",
	"[ect1] .0 1:1(0) ack 1 win 2 <ECN e0b 1 ceb 0 e1b 16777215,nop>",
	"[tos 0x2a,ttl 3] . 1:1(0) ack 1 win 2 <ECN e1b 1 ceb 5 e0b 1,nop>",
	". 1:1(0) ack 1 win 2 <ECN e1b 1 ceb 5,ECN,nop,nop>",
	"S 0:10(10) win 2 <mss 1460,FO,nop,nop>",
	"S 0:10(10) win 2 <FO 0011223344556677,nop,nop>",
	"S 0:10(10) win 2 <FOEXP,FOEXP 0a0b0c0d>",
	". 1:1(0) ack 1 win 2 <md5 00112233445566778899aabbccddeeff,nop,nop>",
	". 1:1(0) ack 1 win 2 <ao 100 7 0102030405060708090a0b0c>",
	". 1:1(0) ack 1 win 2 <opt 77 0102,opt 99,nop,eol>",
	"1 > 65535 . 1:1(0) ack 1 win 2",
	"udp (0)",
	"udp 53 > 1024 (1400)",
	"icmp unreachable port_unreachable [1:1461(1460)]",
	"icmp unreachable port_unreachable [udp (100)]",
	"icmp time_exceeded exceeded_in_transit [raw (7)]",
	"icmp echo_request 0 id 7 seq 65535 [raw (56)]",
	"icmp echo_reply 0 id 7 seq 1 [raw (0)]",
	"ipv4 10.0.0.1 > 10.0.0.2: . 1:1(0) ack 1 win 2",
	"ipv6 [tos 0x02,ttl 9,flowlabel 0xfffff] 2001:db8::1 > ::1: . 1:1(0) ack 1 win 2",
	"ipv6 fd:: > fd::: . 1:1(0) ack 1 win 2",
	"ipv4 10.0.0.1 > 10.0.0.2: ipv6 fd::1 > fd::2: udp (5)",
	"ipv4 10.0.0.1 > 10.0.0.2: gre flags 0x0, sum 0, off 0, key 0, seq 0: udp (5)",
	"ipv4 10.0.0.1 > 10.0.0.2: gre flags 0x3000, sum 0, off 0, key 7, seq 4294967295: . 1:1(0) "
	"ack 1 win 2",
	"ipv4 10.0.0.1 > 10.0.0.2: gre flags 0xb000, sum 0, off 0, key 7, seq 1: . 1:2(1) ack 1 "
	"win 2",
	"ipv6 fd::1 > fd::2: mpls (label 1048575, tc 7, ttl 64)(label 0, tc 0, [S], ttl 255): udp "
	"(5)",
	"ipv4 10.0.0.1 > 10.0.0.2: gre flags 0x0, sum 0, off 0, key 0, seq 0: mpls (label 3, tc 1, "
	"[S], ttl 2): udp (5)",
};

static void packet_text_is_the_same_after_reading_and_writing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct drill_packet p = packet(packets[i]);
		char text[1024];

		assert_int_equal(drill_packet_format(&p, text, sizeof(text)), strlen(packets[i]));
		assert_string_equal(text, packets[i]);
	}
}

/* What people write, and what it is in full. */
static void packet_text_has_short_forms(void **state)
{
	static const char *const forms[][2] = {
		{ ".SE  1:1(0)", "SE. 1:1(0)" },
		{ ".EA 1:1(0)", "EA. 1:1(0)" },
		{ "(ect01) . 1:1(0)", "[ect01] . 1:1(0)" },
		{ "[ect0, flowlabel 0x12] . 1:1(0)", "[ect0,flowlabel 0x12] . 1:1(0)" },
		{ ". 1:1(0) <...>", ". 1:1(0) <...>" },
		{ ". 1:1(0) <TS val ... ecr 7, nop>", ". 1:1(0) <TS val ... ecr 7,nop>" },
		{ "S 0:0(0) <FO AB>", "S 0:0(0) <FO ab>" },
		{ "S 0:0(0) <FO 0x1234>", "S 0:0(0) <FO 1234>" },
		{ ". 0:0(0) <md5>", ". 0:0(0) <md5>" },
		{ "icmp unreachable", "icmp unreachable" },
		{ "icmp 3 4 mtu 576", "icmp 3 4 mtu 576" },
		{ "icmp packet_too_big mtu 1280 [0:10(10)]",
		  "icmp packet_too_big mtu 1280 [0:10(10)]" },
		{ "ipv4 1.2.3.4 > 1.2.3.5: gre: udp (1)",
		  "ipv4 1.2.3.4 > 1.2.3.5: gre flags 0x0, sum 0, off 0, key 0, seq 0: udp (1)" },
		{ "gre flags [checksum present, key present, sequence present], key=9: udp (1)",
		  "gre flags 0xb000, sum 0, off 0, key 9, seq 0: udp (1)" },
		{ "gre, flags [none]: udp (1)",
		  "gre flags 0x0, sum 0, off 0, key 0, seq 0: udp (1)" },
		{ "encap psp spi 7 P. 1:2(1) ack 1", "encap psp spi 7 P. 1:2(1) ack 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct drill_packet p = packet(forms[i][0]);
		char text[1024];

		drill_packet_format(&p, text, sizeof(text));
		assert_string_equal(text, forms[i][1]);
	}
}

static void wrong_packet_text_is_refused_with_its_place(void **state)
{
	static const char *const wrong[][2] = {
		{ "", "1:1: expected TCP flags, udp, icmp, or a header around the packet, not the "
		      "end of the file" },
		{ "X. 1:1(0)", "1:1: 'X' is none of the TCP flags F S R P . U E W A, nor 0 to 7" },
		{ "P.8 1:1(0)", "1:3: '8' is none of" },
		{ ". 1:10(8)", "1:3: 1:10 is 9 octets, not 8" },
		{ ". 1;1(0)", "1:4: expected ':' between the sequence numbers, not ';'" },
		{ ". 1:1(0) ack x", "1:14: expected an acknowledgment number, not 'x'" },
		{ ". 1:1(0) win 65536", "1:14: the window is at most 65535, not 65536" },
		{ ". 4294967296:0(0)", "1:3: a sequence number is at most 4294967295" },
		{ ". 1:1(0) <mss>", "1:14: expected the maximum segment size, not '>'" },
		{ ". 1:1(0) <mss 1",
		  "expected '>' after the TCP options, not the end of the file" },
		{ ". 1:1(0) <foo 1>", "1:11: expected a TCP option" },
		{ ". 1:1(0) <mp_capable>", "1:11: options of MPTCP are not supported" },
		{ ". 1:1(0) <FO abc>", "1:14: expected pairs of hexadecimal digits, not 'abc'" },
		{ ". 1:1(0) <sack 1:2 3:4 5:6 7:8 9:10>", "at most 4 SACK blocks" },
		{ "[ect9] . 1:1(0)",
		  "1:2: expected noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel, not 'ect9'" },
		{ "[tos 0x100] . 1:1(0)", "the type of service is at most 255" },
		{ "icmp", "1:5: expected a type of ICMP" },
		{ "icmp unreachable foo", "1:18: 'foo' is not a code of ICMP's 'unreachable'" },
		{ "ipv4 1.2.3 > 1.2.3.4: udp (1)", "1:6: expected an IPv4 address, not '1.2.3'" },
		{ "ipv6 ::1 > ::g: udp (1)", "1:14: expected ':' after the outer header, not 'g'" },
		{ "ipv6 1::2::3 > ::1: udp (1)", "1:6: expected an IPv6 address, not '1::2::3'" },
		{ "udp (1) 2", "1:9: expected nothing after the packet, not '2'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct drill_packet p;
		char error[256] = "";

		assert_int_equal(
			drill_packet_read(wrong[i][0], DRILL_OUTBOUND, &p, error, sizeof(error)),
			-EINVAL);
		if (!strstr(error, wrong[i][1]))
			fail_msg("'%s' gave '%s', not '%s'", wrong[i][0], error, wrong[i][1]);
	}
}

/* ---- octets -------------------------------------------------------------------------------------------- */

static void packet_is_the_same_after_building_and_parsing(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(packets) / sizeof(packets[0]); i++) {
		const char *text = packets[i / 2];
		struct drill_packet expected = packet(text), seen;
		struct drill_mismatch diff = { "" };
		uint8_t buf[4096];
		size_t len = build(text, families[i % 2], buf, sizeof(buf));
		char again[1024];

		seen = parse(buf, len);
		assert_int_equal(seen.family, families[i % 2]);
		if (!drill_packet_match(&expected, &seen, NULL, &diff))
			fail_msg("%s: %s is %s, not %s", text, diff.field, diff.seen,
				 diff.expected);
		/* And nothing else than what was written is there. */
		drill_packet_shorten(&seen, &expected);
		for (size_t l = 0; l < seen.nr_layers; l++)
			if (expected.layer[l].gre.flags & DRILL_GRE_CHECKSUM)
				seen.layer[l].gre.sum = 0;
		drill_packet_format(&seen, again, sizeof(again));
		assert_string_equal(again, text);
	}
}

/* Octets written by hand from RFC 791 and 9293, so that build and parse cannot agree on a common mistake. */
static void build_writes_what_the_rfcs_say(void **state)
{
	static const uint8_t v4[] = {
		0x45, 0x02, 0x00, 0x3a, 0x00, 0x00, 0x00, 0x00, 0x40, 0x06, 0xf8, 0x09, 192, 0,  2,
		1,    192,  168,  0,    1,    0xd4, 0x31, 0x1f, 0x90, 0,    0,    0,    1,   0,  0,
		0,    2,    0x91, 0x58, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 1,    1,    8,   10, 0,
		0,    0,    5,    0,    0,    0,    6,    2,    4,    0x05, 0xb4, 0,    0,
	};
	uint8_t buf[256];
	size_t len =
		build("[ect0,ttl 64] PEA. 1:3(2) ack 2 win 257 <nop,nop,TS val 5 ecr 6,mss 1460>",
		      AF_INET, buf, sizeof(buf));
	uint32_t sum;

	(void)state;
	assert_int_equal(len, sizeof(v4));
	/* The two checksums: IP's was computed by hand, TCP's is right if the sum over all is 0. */
	sum = drill_sum_pseudo(&flow(AF_INET)->src, &flow(AF_INET)->dst, IPPROTO_TCP, len - 20);
	assert_int_equal(drill_sum_fold(drill_sum(sum, buf + 20, len - 20)), 0);
	memset(buf + 36, 0, 2);
	assert_memory_equal(buf, v4, 10);
	assert_memory_equal(buf + 12, v4 + 12, sizeof(v4) - 12);
	assert_int_equal(drill_sum_fold(drill_sum(0, buf, 20)), 0);
}

static void icmp_error_quotes_the_packet_that_went_the_other_way(void **state)
{
	uint8_t buf[256];
	size_t len = build("icmp unreachable frag_needed mtu 1400 [7:1467(1460)]", AF_INET, buf,
			   sizeof(buf));

	(void)state;
	assert_int_equal(len, 20 + 8 + 20 + 20);
	assert_int_equal(buf[9], IPPROTO_ICMP);
	assert_int_equal(buf[20] << 8 | buf[21], 0x0304);
	assert_int_equal(drill_get32(buf + 24), 1400);
	assert_int_equal(drill_get16(buf + 28 + 2), 20 + 20 + 1460);
	assert_memory_equal(buf + 28 + 12, &flow(AF_INET)->dst.v4, 4);
	assert_memory_equal(buf + 28 + 16, &flow(AF_INET)->src.v4, 4);
	assert_int_equal(drill_get16(buf + 48), 8080);
	assert_int_equal(drill_get16(buf + 50), 54321);
	assert_int_equal(drill_get32(buf + 52), 7);
}

static void build_refuses_what_it_cannot_write(void **state)
{
	static const struct {
		const char *text;
		int family;
		const char *why;
	} refused[] = {
		{ "icmp packet_too_big mtu 1280", AF_INET,
		  "ICMP of IPv4 has no type 'packet_too_big'" },
		{ "icmp unreachable frag_needed", AF_INET6,
		  "ICMP of IPv6 has no code 'frag_needed' of 'unreachable'" },
		{ "encap psp spi 7 . 1:1(0)", AF_INET, "PSP is not supported" },
		{ "gre: udp (1)", AF_INET, "the outermost header is not one of IP" },
		{ ". 1:1(0) <sack 1:2 3:4 5:6 7:8,nop,nop,nop,nop,nop,nop,nop>", AF_INET,
		  "the TCP options are longer than 40 octets" },
	};
	struct drill_packet p;
	uint8_t buf[DRILL_PACKET_MAX];
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		p = packet(refused[i].text);
		assert_int_equal(drill_packet_build(&p, flow(refused[i].family), buf, sizeof(buf),
						    error, sizeof(error)),
				 -EINVAL);
		assert_string_equal(error, refused[i].why);
	}
	p = packet(". 1:65496(65495) ack 1");
	assert_int_equal(
		drill_packet_build(&p, flow(AF_INET), buf, sizeof(buf), error, sizeof(error)),
		65535);
	p = packet(". 1:65497(65496) ack 1");
	assert_int_equal(
		drill_packet_build(&p, flow(AF_INET), buf, sizeof(buf), error, sizeof(error)),
		-EMSGSIZE);
	assert_int_equal(
		drill_packet_build(&p, flow(AF_INET6), buf, sizeof(buf), error, sizeof(error)),
		40 + 20 + 65496);
	for (size_t size = 0; size < 60; size++) {
		p = packet(". 1:1(0)");
		assert_int_equal(
			drill_packet_build(&p, flow(AF_INET), buf, size, error, sizeof(error)),
			-EMSGSIZE);
	}
}

static void parse_refuses_octets_that_are_cut_off_or_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		uint8_t buf[4096];
		size_t len = build(packets[i], AF_INET6, buf, sizeof(buf));
		struct drill_packet p;
		char error[256];

		for (size_t n = 0; n < len; n++)
			assert_int_equal(drill_packet_parse(buf, n, NULL, &p, error, sizeof(error)),
					 -EINVAL);
		buf[len - 1] ^= 1;
		assert_int_equal(drill_packet_parse(buf, len, NULL, &p, error, sizeof(error)),
				 -EINVAL);
		assert_int_equal(drill_packet_parse(buf, len, &(struct drill_parse_flags){ true },
						    &p, error, sizeof(error)),
				 0);
	}
}

static void shift_moves_all_numbers_of_a_direction(void **state)
{
	struct drill_packet p = packet("P. 1:11(10) ack 2 win 3 <TS val 4 ecr 5,sack 6:7>");
	struct drill_packet icmp = packet("icmp unreachable [1:11(10)]");
	const struct drill_shift by = { .seq = 100, .ack = 200, .ts_val = 300, .ts_ecr = -6 };
	char text[256];

	(void)state;
	drill_packet_shift(&p, &by);
	drill_packet_format(&p, text, sizeof(text));
	assert_string_equal(
		text, "P. 101:111(10) ack 202 win 3 <TS val 304 ecr 4294967295,sack 206:207>");
	drill_packet_shift(&icmp, &by);
	drill_packet_format(&icmp, text, sizeof(text));
	assert_string_equal(text, "icmp unreachable [201:211(10)]");
}

/* ---- comparison ---------------------------------------------------------------------------------------- */

static void match_names_the_first_field_that_differs(void **state)
{
	static const struct {
		const char *expected, *seen, *field, *expected_value,
			*seen_value; /* field NULL: they match */
	} cases[] = {
		{ ". 1:1(0)", ". 1:1(0) ack 9 win 7", NULL, NULL, NULL },
		{ ". 1:1(0) ack 8", ". 1:1(0) ack 9 win 7", "acknowledgment number", "8", "9" },
		{ ". 1:1(0) ack 9 win 8", ". 1:1(0) ack 9 win 7", "window", "8", "7" },
		{ "P. 1:1(0)", ". 1:1(0)", "flags", "P.", "." },
		{ "W. 1:1(0)", "E. 1:1(0)", "flags", "W.", "E." },
		{ ".5 1:1(0)", "EA. 1:1(0)", NULL, NULL, NULL },
		{ ".5 1:1(0)", "W. 1:1(0)", "flags", ".5", ".2" },
		{ ". 2:2(0)", ". 1:1(0)", "sequence number", "2", "1" },
		{ ". 1:2(1)", ". 1:1(0)", "length", "1", "0" },
		{ ". 1:1(0) urg 1", ". 1:1(0)", "urgent pointer", "1", "0" },
		{ ". 1:1(0)", ". 1:1(0) <nop,nop>", "TCP options", "", "nop,nop,eol" },
		{ ". 1:1(0) <...>", ". 1:1(0) <nop,nop>", NULL, NULL, NULL },
		{ ". 1:1(0) <nop,nop>", ". 1:1(0) <nop,nop,eol>", NULL, NULL, NULL },
		{ ". 1:1(0) <nop,nop,eol>", ". 1:1(0) <nop,nop,eol>", NULL, NULL, NULL },
		{ ". 1:1(0) <mss 9>", ". 1:1(0) <mss 10>", "TCP option 1", "mss 9", "mss 10" },
		{ ". 1:1(0) <TS val 1 ecr 2>", ". 1:1(0) <TS val 1 ecr 3>", "TCP option 1",
		  "TS val 1 ecr 2", "TS val 1 ecr 3" },
		{ ". 1:1(0) <TS val 1 ecr ...>", ". 1:1(0) <TS val 1 ecr 3>", NULL, NULL, NULL },
		{ ". 1:1(0) <sack 1:2>", ". 1:1(0) <sack 1:2 3:4>", "TCP option 1", "sack 1:2",
		  "sack 1:2 3:4" },
		{ ". 1:1(0) <FO ab>", ". 1:1(0) <FO cd>", "TCP option 1", "FO ab", "FO cd" },
		{ ". 1:1(0) <md5>", ". 1:1(0) <md5 cd>", NULL, NULL, NULL },
		{ ". 1:1(0) <ao 1 2>", ". 1:1(0) <ao 1 2 cd>", NULL, NULL, NULL },
		{ ". 1:1(0) <ao 1 2>", ". 1:1(0) <ao 1 3 cd>", "TCP option 1", "ao 1 2",
		  "ao 1 3 cd" },
		{ ". 1:1(0) <ECN e0b 1>", ". 1:1(0) <ECN e1b 1>", "TCP options", "ECN e0b 1",
		  "ECN e1b 1,eol" },
		{ ". 1:1(0) <ECN e0b 1>", ". 1:1(0) <ECN e0b 2>", "TCP option 1", "ECN e0b 1",
		  "ECN e0b 2" },
		{ "[ect0] . 1:1(0)", ". 1:1(0)", "ECN", "ect0", "noecn" },
		{ "[ect01] . 1:1(0)", "[ect1] . 1:1(0)", NULL, NULL, NULL },
		{ ". 1:1(0)", "[ce] . 1:1(0)", NULL, NULL, NULL },
		{ "[tos 0x28] . 1:1(0)", "[ce] . 1:1(0)", "type of service", "0x28", "0x3" },
		{ "[ttl 1] . 1:1(0)", "[ttl 2] . 1:1(0)", "time to live", "1", "2" },
		{ "1 > 2 . 1:1(0)", "1 > 3 . 1:1(0)", "destination port", "2", "3" },
		{ "udp (1)", "udp (2)", "length", "1", "2" },
		{ "udp (1)", ". 1:1(0)", "protocol", "udp", "tcp" },
		{ "icmp unreachable", "icmp unreachable host_unreachable [1:2(1)]", NULL, NULL,
		  NULL },
		{ "icmp unreachable net_unreachable", "icmp unreachable host_unreachable",
		  "ICMP code", "0", "1" },
		{ "icmp unreachable [1:2(1)]", "icmp unreachable [1:3(2)]", "quoted packet",
		  "[1:2(1)]", "[1:3(2)]" },
		{ "icmp unreachable frag_needed mtu 9", "icmp unreachable frag_needed mtu 8", "MTU",
		  "9", "8" },
		{ "icmp packet_too_big", "icmp unreachable", "ICMP name", "packet_too_big",
		  "of the other IP version" },
		{ "ipv4 1.1.1.1 > 1.1.1.2: udp (1)", "udp (1)", "number of outer headers", "1",
		  "0" },
		{ "ipv4 1.1.1.1 > 1.1.1.2: udp (1)", "ipv4 1.1.1.1 > 1.1.1.3: udp (1)",
		  "layer 1 destination", "1.1.1.2", "1.1.1.3" },
		{ "ipv4 1.1.1.1 > 1.1.1.2: gre: udp (1)",
		  "ipv4 1.1.1.1 > 1.1.1.2: gre flags 0x2000, key 1: udp (1)", "layer 2 flags",
		  "0x0", "0x2000" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drill_packet expected = packet(cases[i].expected), seen;
		struct drill_mismatch diff = { "" };
		uint8_t buf[256];
		bool same;

		seen = parse(buf, build(cases[i].seen, AF_INET, buf, sizeof(buf)));
		same = drill_packet_match(&expected, &seen, NULL, &diff);
		if (same != !cases[i].field)
			fail_msg("%s and %s: %s", cases[i].expected, cases[i].seen, diff.field);
		if (!cases[i].field)
			continue;
		assert_string_equal(diff.field, cases[i].field);
		assert_string_equal(diff.expected, cases[i].expected_value);
		assert_string_equal(diff.seen, cases[i].seen_value);
	}
}

static void match_leaves_out_what_the_caller_checked_itself(void **state)
{
	struct drill_packet e = packet("S 0:0(0) <TS val 1 ecr 2>"),
			    s = packet("S 7:7(0) <TS val 8 ecr 9>");

	(void)state;
	assert_false(drill_packet_match(&e, &s, NULL, NULL));
	assert_true(drill_packet_match(&e, &s, &(struct drill_match_options){ true, true, true },
				       NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_text_is_the_same_after_reading_and_writing),
		cmocka_unit_test(packet_text_has_short_forms),
		cmocka_unit_test(wrong_packet_text_is_refused_with_its_place),
		cmocka_unit_test(packet_is_the_same_after_building_and_parsing),
		cmocka_unit_test(build_writes_what_the_rfcs_say),
		cmocka_unit_test(icmp_error_quotes_the_packet_that_went_the_other_way),
		cmocka_unit_test(build_refuses_what_it_cannot_write),
		cmocka_unit_test(parse_refuses_octets_that_are_cut_off_or_changed),
		cmocka_unit_test(shift_moves_all_numbers_of_a_direction),
		cmocka_unit_test(match_names_the_first_field_that_differs),
		cmocka_unit_test(match_leaves_out_what_the_caller_checked_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
