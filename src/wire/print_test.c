/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/print.h"

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "wire/arp.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"
#include "wire/udp.h"

static char line[256];

static const char *text_of(u16 ethertype, const u8 *p, size_t len)
{
	int n = wire_print_packet(line, sizeof(line), ethertype, p, len);

	assert_int_equal(n, strlen(line));
	return line;
}

static struct ipv4_view ip_view(u8 protocol, u16 tot_len, u16 frag_off)
{
	return (struct ipv4_view){
		.hdr_len = 20,
		.ttl = 64,
		.protocol = protocol,
		.tot_len = tot_len,
		.id = 7,
		.frag_off = frag_off,
		.saddr = cpu_to_be32(0x0a000001),
		.daddr = cpu_to_be32(0x0a000002),
	};
}

static void tcp_segments(void **state)
{
	const struct tcp_opts_view o = { .mss = 1460,
					 .sack_ok = true,
					 .saw_tstamp = true,
					 .tsval = 1,
					 .tsecr = 0,
					 .wscale_ok = true,
					 .snd_wscale = 7 };
	struct tcp_view t = { .source = 43210,
			      .dest = 80,
			      .seq = 123,
			      .flags = TCP_FLAG_SYN,
			      .window = 64240,
			      .hdr_len = 40 };
	struct ipv4_view ip = ip_view(IPPROTO_TCP, 60, IP_F_DF);
	u8 p[64] = { 0 };

	ipv4_build(p, &ip);
	tcp_build(p + 20, &t);
	assert_int_equal(tcp_opts_build(p + 40, &o), 20);
	assert_string_equal(text_of(ETH_P_IP, p, 60),
			    "IP 10.0.0.1.43210 > 10.0.0.2.80: Flags [S], seq 123, win 64240, "
			    "options [mss 1460,sackOK,TS val 1 ecr 0,wscale 7], length 0");
	t.flags = TCP_FLAG_PSH | TCP_FLAG_ACK;
	t.hdr_len = 20;
	t.ack_seq = 9;
	tcp_build(p + 20, &t);
	assert_string_equal(text_of(ETH_P_IP, p, 60),
			    "IP 10.0.0.1.43210 > 10.0.0.2.80: Flags [P.], seq 123:143, ack 9, win "
			    "64240, length 20");
	p[32] = 0x10;
	assert_string_equal(text_of(ETH_P_IP, p, 60),
			    "IP 10.0.0.1 > 10.0.0.2: TCP, malformed header, length 40");
}

static void udp_and_fragments(void **state)
{
	const struct udp_view u = { .source = 5, .dest = 53, .len = 3008 };
	struct udp_view small = { .source = 5, .dest = 53, .len = 12 };
	struct ipv4_view ip = ip_view(IPPROTO_UDP, 32, 0);
	u8 p[64] = { 0 };

	ipv4_build(p, &ip);
	udp_build(p + 20, &small);
	assert_string_equal(text_of(ETH_P_IP, p, sizeof(p)),
			    "IP 10.0.0.1.5 > 10.0.0.2.53: UDP, length 4");
	ip.frag_off = IP_F_MF;
	ipv4_build(p, &ip);
	udp_build(p + 20, &u);
	assert_string_equal(text_of(ETH_P_IP, p, sizeof(p)),
			    "IP 10.0.0.1.5 > 10.0.0.2.53: UDP, length 3000 (frag id 7, offset 0, "
			    "12 octets, more)");
	ip.frag_off = 185;
	ipv4_build(p, &ip);
	assert_string_equal(
		text_of(ETH_P_IP, p, sizeof(p)),
		"IP 10.0.0.1 > 10.0.0.2: ip-proto-17 (frag id 7, offset 1480, 12 octets)");
}

static void icmp_messages(void **state)
{
	struct ipv4_view quoted = ip_view(IPPROTO_UDP, 28, 0), ip = ip_view(IPPROTO_ICMP, 56, 0);
	const struct udp_view u = { .source = 5, .dest = 53, .len = 8 };
	struct icmp_view v = { .type = ICMP4_DEST_UNREACH, .code = ICMP4_PORT_UNREACH };
	u8 p[56], q[28];

	ipv4_build(q, &quoted);
	udp_build(q + 20, &u);
	v.payload = q;
	v.payload_len = sizeof(q);
	ipv4_build(p, &ip);
	icmp_build(p + 20, &v);
	assert_string_equal(
		text_of(ETH_P_IP, p, sizeof(p)),
		"IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 udp port 53 unreachable, length 36");
	v.code = ICMP4_FRAG_NEEDED;
	v.info = 1400;
	icmp_build(p + 20, &v);
	assert_string_equal(text_of(ETH_P_IP, p, sizeof(p)),
			    "IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 unreachable - need to frag (mtu "
			    "1400), length 36");
	v = (struct icmp_view){
		.type = ICMP4_ECHO, .id = 1, .sequence = 2, .payload = q, .payload_len = sizeof(q)
	};
	icmp_build(p + 20, &v);
	assert_string_equal(text_of(ETH_P_IP, p, sizeof(p)),
			    "IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 2, length 36");
}

static void frames_with_arp_and_tags(void **state)
{
	static const u8 a[6] = { 2, 0, 0, 0, 0, 1 }, bc[6] = { 255, 255, 255, 255, 255, 255 };
	const struct arp_view v = { .htype = 1,
				    .ptype = ETH_P_IP,
				    .op = ARP_OP_REQUEST,
				    .hlen = 6,
				    .sha = a,
				    .sip = cpu_to_be32(0x0a000001),
				    .tip = cpu_to_be32(0x0a000002) };
	u8 p[46];

	eth_build(p, bc, a, ETH_P_8021Q);
	memcpy(p + 14, "\x00\x05\x08\x06", 4);
	arp_build(p + 18, &v);
	wire_print_frame(line, sizeof(line), ARPHRD_ETHER, p, sizeof(p));
	assert_string_equal(line, "vlan 5, ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28");
	wire_print_frame(line, sizeof(line), ARPHRD_ETHER, p, 13);
	assert_string_equal(line, "Ethernet, malformed header, length 13");
}

static void devices_without_a_link_header(void **state)
{
	static const u8 v6[48] = { 0x60,        0,        0,        0,        0,        8,
				   17,          64,       0xfe,     0x80,     [23] = 1, [24] = 0xfe,
				   [25] = 0x80, [39] = 2, [41] = 5, [43] = 6, [45] = 8 };

	wire_print_frame(line, sizeof(line), ARPHRD_NONE, v6, sizeof(v6));
	assert_string_equal(line, "IP6 fe80::1.5 > fe80::2.6: UDP, length 0");
	wire_print_frame(line, sizeof(line), ARPHRD_NONE, v6 + 1, 4);
	assert_string_equal(line, "link type 65534, length 4");
}

static void a_short_buffer_cuts_the_line(void **state)
{
	char small[10];

	assert_int_equal(wire_print_packet(small, sizeof(small), 0x1234, NULL, 0), 9);
	assert_string_equal(small, "ethertype");
	assert_int_equal(wire_print_packet(NULL, 0, 0x1234, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_segments),
		cmocka_unit_test(udp_and_fragments),
		cmocka_unit_test(icmp_messages),
		cmocka_unit_test(frames_with_arp_and_tags),
		cmocka_unit_test(devices_without_a_link_header),
		cmocka_unit_test(a_short_buffer_cuts_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
