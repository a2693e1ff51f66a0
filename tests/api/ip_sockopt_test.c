/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_sockopt_test.c - every socket option of level IPPROTO_IP, against what Linux 6.18 answered
 *
 * Each row: the value of a fresh socket; what setting -2, -1, 0, 1, 2, 3, 5, 255, 256, 70000 leads to (the value read back, or the
 * error); what setting 0, 1 and 2 octets of "\1\0" says.
 */
#include "tests/api/two_nets.h"

#include <stdio.h>
#include <string.h>

static const int values[10] = { -2, -1, 0, 1, 2, 3, 5, 255, 256, 70000 };

static const struct sockopt_row {
	int type, name;
	const char *text;
	long initial;
	long results[13];
} linux_rows[] = {
	{ SOCK_DGRAM, 1, "IP_TOS", 0, { 0xfe, 0xff, 0, 1, 2, 3, 5, 0xff, 0, 0x70, 0, 0, 0 } },
	{ SOCK_DGRAM,
	  2,
	  "IP_TTL",
	  0x40,
	  { -EINVAL, 0x40, -EINVAL, 1, 2, 3, 5, 0xff, -EINVAL, -EINVAL, -EINVAL, 0, 0 } },
	{ SOCK_DGRAM,
	  3,
	  "IP_HDRINCL",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_DGRAM,
	  4,
	  "IP_OPTIONS",
	  0,
	  { -EINVAL, -EINVAL, 0, 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, 0, -EINVAL, 0, 0, 0 } },
	{ SOCK_DGRAM, 6, "IP_RECVOPTS", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 7, "IP_RETOPTS", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 8, "IP_PKTINFO", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM,
	  9,
	  "IP_PKTOPTIONS",
	  -ENOPROTOOPT,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_DGRAM,
	  10,
	  "IP_MTU_DISCOVER",
	  1,
	  { -EINVAL, -EINVAL, 0, 1, 2, 3, 5, -EINVAL, -EINVAL, -EINVAL, 0, 0, 0 } },
	{ SOCK_DGRAM, 11, "IP_RECVERR", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 12, "IP_RECVTTL", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 13, "IP_RECVTOS", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM,
	  14,
	  "IP_MTU",
	  -ENOTCONN,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_DGRAM, 15, "IP_FREEBIND", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, -EINVAL, 0, 0 } },
	{ SOCK_DGRAM, 18, "IP_PASSSEC", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 19, "IP_TRANSPARENT", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, -EINVAL, 0, 0 } },
	{ SOCK_DGRAM, 20, "IP_ORIGDSTADDR", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM,
	  21,
	  "IP_MINTTL",
	  0,
	  { -EINVAL, -EINVAL, 0, 1, 2, 3, 5, 0xff, -EINVAL, -EINVAL, -EINVAL, 0, 0 } },
	{ SOCK_DGRAM,
	  22,
	  "IP_NODEFRAG",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_DGRAM, 23, "IP_CHECKSUM", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 24, "IP_BIND_ADDRESS_NO_PORT", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM, 25, "IP_RECVFRAGSIZE", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_DGRAM,
	  26,
	  "IP_RECVERR_RFC4884",
	  0,
	  { -EINVAL, -EINVAL, 0, 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, 0, 0,
	    0 } },
	{ SOCK_DGRAM,
	  32,
	  "IP_MULTICAST_IF",
	  0,
	  { -EADDRNOTAVAIL, -EADDRNOTAVAIL, 0, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL,
	    -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EINVAL, -EINVAL,
	    -EINVAL } },
	{ SOCK_DGRAM,
	  33,
	  "IP_MULTICAST_TTL",
	  1,
	  { -EINVAL, 1, 0, 1, 2, 3, 5, 0xff, -EINVAL, -EINVAL, -EINVAL, 0, 0 } },
	{ SOCK_DGRAM, 34, "IP_MULTICAST_LOOP", 1, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, -EINVAL, 0, 0 } },
	{ SOCK_DGRAM,
	  35,
	  "IP_ADD_MEMBERSHIP",
	  -ENOPROTOOPT,
	  { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ SOCK_DGRAM,
	  36,
	  "IP_DROP_MEMBERSHIP",
	  -ENOPROTOOPT,
	  { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ SOCK_DGRAM,
	  49,
	  "IP_MULTICAST_ALL",
	  1,
	  { -EINVAL, -EINVAL, 0, 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    0, 0 } },
	{ SOCK_DGRAM,
	  50,
	  "IP_UNICAST_IF",
	  0,
	  { -EADDRNOTAVAIL, -EADDRNOTAVAIL, 0, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL,
	    -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EINVAL, -EINVAL,
	    -EINVAL } },
	{ SOCK_DGRAM,
	  51,
	  "IP_LOCAL_PORT_RANGE",
	  0,
	  { 0xfffffffe, 0xffffffff, 0, 1, 2, 3, 5, 0xff, 0x100, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL } },
	{ SOCK_DGRAM,
	  52,
	  "IP_PROTOCOL",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_DGRAM,
	  60,
	  "unknown",
	  -ENOPROTOOPT,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_STREAM, 1, "IP_TOS", 0, { 0xfc, 0xfc, 0, 0, 0, 0, 4, 0xfc, 0, 0x70, 0, 0, 0 } },
	{ SOCK_STREAM,
	  2,
	  "IP_TTL",
	  0x40,
	  { -EINVAL, 0x40, -EINVAL, 1, 2, 3, 5, 0xff, -EINVAL, -EINVAL, -EINVAL, 0, 0 } },
	{ SOCK_STREAM,
	  3,
	  "IP_HDRINCL",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_STREAM,
	  4,
	  "IP_OPTIONS",
	  0,
	  { -EINVAL, -EINVAL, 0, 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, 0, -EINVAL, 0, 0, 0 } },
	{ SOCK_STREAM, 6, "IP_RECVOPTS", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM, 7, "IP_RETOPTS", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM, 8, "IP_PKTINFO", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM,
	  9,
	  "IP_PKTOPTIONS",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_STREAM,
	  10,
	  "IP_MTU_DISCOVER",
	  1,
	  { -EINVAL, -EINVAL, 0, 1, 2, 3, 5, -EINVAL, -EINVAL, -EINVAL, 0, 0, 0 } },
	{ SOCK_STREAM, 11, "IP_RECVERR", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM, 12, "IP_RECVTTL", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM, 13, "IP_RECVTOS", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM,
	  14,
	  "IP_MTU",
	  -ENOTCONN,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_STREAM, 15, "IP_FREEBIND", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, -EINVAL, 0, 0 } },
	{ SOCK_STREAM, 18, "IP_PASSSEC", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM, 19, "IP_TRANSPARENT", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, -EINVAL, 0, 0 } },
	{ SOCK_STREAM, 20, "IP_ORIGDSTADDR", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM,
	  21,
	  "IP_MINTTL",
	  0,
	  { -EINVAL, -EINVAL, 0, 1, 2, 3, 5, 0xff, -EINVAL, -EINVAL, -EINVAL, 0, 0 } },
	{ SOCK_STREAM,
	  22,
	  "IP_NODEFRAG",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_STREAM, 23, "IP_CHECKSUM", 0, { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM,
	  24,
	  "IP_BIND_ADDRESS_NO_PORT",
	  0,
	  { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0 } },
	{ SOCK_STREAM,
	  25,
	  "IP_RECVFRAGSIZE",
	  0,
	  { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ SOCK_STREAM,
	  26,
	  "IP_RECVERR_RFC4884",
	  0,
	  { -EINVAL, -EINVAL, 0, 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, 0, 0,
	    0 } },
	{ SOCK_STREAM,
	  32,
	  "IP_MULTICAST_IF",
	  0,
	  { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ SOCK_STREAM,
	  33,
	  "IP_MULTICAST_TTL",
	  1,
	  { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL, -EINVAL, -EINVAL, -EINVAL } },
	{ SOCK_STREAM,
	  34,
	  "IP_MULTICAST_LOOP",
	  1,
	  { 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, -EINVAL, 0, 0 } },
	{ SOCK_STREAM,
	  35,
	  "IP_ADD_MEMBERSHIP",
	  -ENOPROTOOPT,
	  { -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO,
	    -EPROTO, -EPROTO, -EPROTO, -EPROTO } },
	{ SOCK_STREAM,
	  36,
	  "IP_DROP_MEMBERSHIP",
	  -ENOPROTOOPT,
	  { -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO,
	    -EPROTO, -EPROTO, -EPROTO, -EPROTO } },
	{ SOCK_STREAM,
	  49,
	  "IP_MULTICAST_ALL",
	  1,
	  { -EINVAL, -EINVAL, 0, 1, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
	    0, 0 } },
	{ SOCK_STREAM,
	  50,
	  "IP_UNICAST_IF",
	  0,
	  { -EADDRNOTAVAIL, -EADDRNOTAVAIL, 0, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL,
	    -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EADDRNOTAVAIL, -EINVAL, -EINVAL,
	    -EINVAL } },
	{ SOCK_STREAM,
	  51,
	  "IP_LOCAL_PORT_RANGE",
	  0,
	  { 0xfffffffe, 0xffffffff, 0, 1, 2, 3, 5, 0xff, 0x100, -EINVAL, -EINVAL, -EINVAL,
	    -EINVAL } },
	{ SOCK_STREAM,
	  52,
	  "IP_PROTOCOL",
	  0,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
	{ SOCK_STREAM,
	  60,
	  "unknown",
	  -ENOPROTOOPT,
	  { -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT, -ENOPROTOOPT,
	    -ENOPROTOOPT } },
};

/* The value, or a negative errno. */
static long read_option(struct weir_file *f, int name)
{
	uint32_t v = 0;
	socklen_t len = sizeof(v);
	int err = weir_getsockopt(f, IPPROTO_IP, name, &v, &len);

	return err ? err : (long)v;
}

static void check(const struct sockopt_row *r, const char *what, int value, long got, long want)
{
	if (got != want)
		fail_msg("%s, %s, %s %d: %ld (%s), Linux says %ld", r->text,
			 r->type == SOCK_STREAM ? "stream" : "dgram", what, value, got,
			 got < 0 ? strerror((int)-got) : "value", want);
}

static void check_row(struct weir_net *net, const struct sockopt_row *r)
{
	struct weir_file *f;
	int err;

	assert_int_equal(weir_socket(net, AF_INET, r->type, 0, &f), 0);
	check(r, "fresh", 0, read_option(f, r->name), r->initial);
	for (int i = 0; i < 10; i++) {
		err = weir_setsockopt(f, IPPROTO_IP, r->name, &values[i], sizeof(int));
		check(r, "set", values[i], err ? err : read_option(f, r->name), r->results[i]);
	}
	for (int i = 0; i < 3; i++)
		check(r, "octets", i, weir_setsockopt(f, IPPROTO_IP, r->name, "\1\0", (socklen_t)i),
		      r->results[10 + i]);
	weir_close(f);
}

static void ip_options_answer_as_linux(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");

	for (size_t i = 0; i < sizeof(linux_rows) / sizeof(linux_rows[0]); i++)
		check_row(net, &linux_rows[i]);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void other_levels_answer_as_linux(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");
	int types[] = { SOCK_DGRAM, SOCK_STREAM }, alien[] = { IPPROTO_TCP, IPPROTO_UDP };
	socklen_t len = sizeof(int);
	struct weir_file *f;
	int v = 1;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_socket(net, AF_INET, types[i], 0, &f), 0);
		assert_int_equal(weir_setsockopt(f, alien[i], 1, &v, sizeof(v)), -ENOPROTOOPT);
		assert_int_equal(weir_getsockopt(f, alien[i], 1, &v, &len), -EOPNOTSUPP);
		assert_int_equal(weir_setsockopt(f, 99, 1, &v, sizeof(v)), -ENOPROTOOPT);
		assert_int_equal(weir_getsockopt(f, 99, 1, &v, &len), -EOPNOTSUPP);
		weir_close(f);
	}
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void small_buffers_get_one_octet(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");
	struct weir_file *f;
	uint8_t buf[8] = { 0 };
	socklen_t len = 2;

	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_getsockopt(f, IPPROTO_IP, IP_TTL, buf, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(buf[0], 64);
	weir_close(f);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* What socket(2) says about types and protocols. */
static void socket_errors_are_those_of_linux(void **state)
{
	static const struct {
		int type, protocol, err;
	} rows[] = {
		{ SOCK_STREAM, 0, 0 },
		{ SOCK_STREAM, IPPROTO_TCP, 0 },
		{ SOCK_STREAM, IPPROTO_UDP, -EPROTONOSUPPORT },
		{ SOCK_DGRAM, IPPROTO_TCP, -EPROTONOSUPPORT },
		{ SOCK_DGRAM, IPPROTO_ICMP, 0 },
		{ SOCK_SEQPACKET, 0, -ESOCKTNOSUPPORT },
		{ SOCK_RDM, 0, -ESOCKTNOSUPPORT },
		{ SOCK_STREAM, 300, -EINVAL },
		{ SOCK_STREAM, -1, -EINVAL },
		{ 11, 0, -EINVAL },
	};
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weir_file *f;
		int err = weir_socket(net, AF_INET, rows[i].type, rows[i].protocol, &f);

		if (err != rows[i].err)
			fail_msg("type %d protocol %d: %d", rows[i].type, rows[i].protocol, err);
		if (!err)
			weir_close(f);
	}
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip_options_answer_as_linux),
		cmocka_unit_test(other_levels_answer_as_linux),
		cmocka_unit_test(small_buffers_get_one_octet),
		cmocka_unit_test(socket_errors_are_those_of_linux),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
