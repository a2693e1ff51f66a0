/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_same_test.c - packet sockets with virtio-net headers say and send what those of the kernel do, over the loopback */
#include "tests/api/inet_worlds.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <sys/mman.h>

#define VNET_HDR_SZ 24 /* PACKET_VNET_HDR_SZ: younger than some <linux/if_packet.h> */
#define VNET_LEN    10
#define MRG_LEN     12

static int p_socket(struct world *w, int type, int proto)
{
	return (int)wcall(w, SYS_SOCKET, AF_PACKET, (unsigned long)(type | SOCK_NONBLOCK),
			  htons((uint16_t)proto), 0, 0, 0);
}

static long p_set(struct world *w, int fd, int name, int val)
{
	return i_set_int(w, fd, SOL_PACKET, name, val);
}

static long p_get(struct world *w, int fd, int name)
{
	int val = -1;
	socklen_t len = sizeof(val);
	long r = wcall(w, SYS_GETSOCKOPT, (unsigned long)fd, SOL_PACKET, (unsigned long)name,
		       P(&val), P(&len), 0);

	return r ? r : val;
}

static struct sockaddr_ll lo(void)
{
	return (struct sockaddr_ll){ .sll_family = AF_PACKET,
				     .sll_protocol = htons(ETH_P_ALL),
				     .sll_ifindex = 1 };
}

static long p_bind(struct world *w, int fd)
{
	struct sockaddr_ll ll = lo();

	return wcall(w, SYS_BIND, (unsigned long)fd, P(&ll), sizeof(ll), 0, 0, 0);
}

/* @p: a virtio-net header. The length of the headers is a hint, which the kernel takes from how the packet lies in memory. */
static void say_vnet(struct world *w, const uint8_t *p)
{
	struct virtio_net_hdr h;

	memcpy(&h, p, sizeof(h));
	world_say(w, "  flags", h.flags);
	world_say(w, "  gso type", h.gso_type);
	world_say(w, "  gso size", h.gso_size);
	world_say(w, "  checksum start", h.csum_start);
	world_say(w, "  checksum offset", h.csum_offset);
}

static void say_frames(struct world *w, int fd, size_t vnet)
{
	static uint8_t buf[70000];
	long r;

	settle(w);
	while ((r = wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), sizeof(buf), MSG_DONTWAIT, 0,
			  0)) >= 0) {
		world_say(w, "frame", r);
		if (vnet)
			say_vnet(w, buf);
	}
	world_say(w, "then", r);
}

static void vnet_options(struct world *w)
{
	static const int values[] = { -1, 0, 1, 2, 8, 10, 11, 12, 13, 20, 0 };
	int fd, cooked, ring;
	long long_val = 1;
	struct tpacket_req req = { 4096, 4, 2048, 8 };

	world_begin(w);
	fd = p_socket(w, SOCK_RAW, 0);
	cooked = p_socket(w, SOCK_DGRAM, 0);
	ring = p_socket(w, SOCK_RAW, 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		world_say(w, "value", values[i]);
		SAY(w, p_set(w, fd, PACKET_VNET_HDR, values[i]));
		SAY(w, p_get(w, fd, PACKET_VNET_HDR));
		SAY(w, p_get(w, fd, VNET_HDR_SZ));
		SAY(w, p_set(w, fd, VNET_HDR_SZ, values[i]));
		SAY(w, p_get(w, fd, PACKET_VNET_HDR));
		SAY(w, p_get(w, fd, VNET_HDR_SZ));
		SAY(w, p_set(w, cooked, PACKET_VNET_HDR, values[i]));
		SAY(w, p_set(w, cooked, VNET_HDR_SZ, values[i]));
	}
	SAY(w, i_set(w, fd, SOL_PACKET, PACKET_VNET_HDR, &long_val, 1));
	SAY(w, i_set(w, fd, SOL_PACKET, PACKET_VNET_HDR, &long_val, 8));
	SAY(w, i_set(w, fd, SOL_PACKET, VNET_HDR_SZ, &long_val, 8));
	SAY(w, i_set(w, ring, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)));
	SAY(w, p_set(w, ring, PACKET_VNET_HDR, 1));
	SAY(w, p_set(w, ring, VNET_HDR_SZ, 12));
	SAY(w, p_set(w, ring, VNET_HDR_SZ, 13));
	w_close(w, fd);
	w_close(w, cooked);
	w_close(w, ring);
}
CASE(vnet_options)

static void vnet_received(struct world *w)
{
	static char big[30000];
	struct sockaddr_in sin = lo_port(4402);
	int fd, u, s[2];
	uint8_t buf[64];

	world_begin(w);
	fd = p_socket(w, SOCK_RAW, ETH_P_ALL);
	SAY(w, p_bind(w, fd));
	SAY(w, p_set(w, fd, VNET_HDR_SZ, MRG_LEN));
	SAY(w, p_set(w, fd, PACKET_IGNORE_OUTGOING, 1));
	i_stream_pair(w, 4401, s);
	SAY(w, w_send(w, s[0], big, sizeof(big), 0));
	say_frames(w, fd, MRG_LEN);
	u = i_socket(w, SOCK_DGRAM);
	SAY(w, i_bind(w, u, 4402));
	SAY(w, wcall(w, SYS_SENDTO, (unsigned long)u, P("hello"), 5, 0, P(&sin), sizeof(sin)));
	settle(w);
	SAY(w, wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), 20, MSG_PEEK | MSG_TRUNC, 0, 0));
	SAY(w, wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), 20, MSG_PEEK, 0, 0));
	SAY(w, wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), MRG_LEN, MSG_PEEK, 0, 0));
	SAY(w, wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), MRG_LEN - 1, 0, 0, 0));
	say_frames(w, fd, MRG_LEN);
	i_stream_end(w, s[0]);
	i_stream_end(w, s[1]);
	w_close(w, u);
	w_close(w, fd);
}
CASE(vnet_received)

#define FRAME_MAX 3000

/* A frame with IPv4 and TCP or UDP headers and zeros behind them, @len octets, after @h and padding to @vnet octets. */
static size_t make_frame(uint8_t *p, const struct virtio_net_hdr *h, size_t vnet, size_t len,
			 uint8_t proto)
{
	uint8_t *e = p + vnet, *ip = e + ETH_HLEN;
	uint16_t n = (uint16_t)(len - ETH_HLEN);

	memset(p, 0, vnet + len);
	memcpy(p, h, sizeof(*h));
	memset(e, 2, 12);
	e[12] = 8;
	ip[0] = 0x45;
	ip[2] = (uint8_t)(n >> 8);
	ip[3] = (uint8_t)n;
	ip[8] = 64;
	ip[9] = proto;
	ip[12] = ip[16] = 10;
	ip[15] = 1;
	ip[19] = 2;
	if (proto == IPPROTO_TCP) {
		ip[32] = 0x50;
	} else {
		n = (uint16_t)(n - 20);
		ip[24] = (uint8_t)(n >> 8);
		ip[25] = (uint8_t)n;
	}
	return vnet + len;
}

static void vnet_sent(struct world *w)
{
	static const struct {
		struct virtio_net_hdr h;
		size_t len;
		uint8_t proto;
	} cases[] = {
		{ { 0 }, 60, 6 },
		{ { .flags = 1, .csum_start = 34, .csum_offset = 6 }, 60, 6 },
		{ { .flags = 1, .csum_start = 58, .csum_offset = 6 }, 60, 6 },
		{ { .flags = 1, .csum_start = 3400, .csum_offset = 6 }, 60, 6 },
		{ { .hdr_len = 70 }, 60, 6 },
		{ { .hdr_len = 60 }, 60, 6 },
		{ { .gso_type = 9, .gso_size = 10 }, 60, 6 },
		{ { .gso_type = 1, .gso_size = 0 }, 60, 6 },
		{ { 1, 1, 54, 10, 34, 16 }, 60, 6 },
		{ { 1, 5, 42, 10, 34, 6 }, 60, 17 },
		{ { 1, 1, 54, 10, 34, 6 }, 60, 17 },
		{ { .flags = 2 }, 60, 6 },
		{ { 1, 1, 54, 1000, 34, 16 }, 2954, 6 },
		{ { 1, 1, 54, 1000, 34, 16 }, 54, 6 },
		{ { 1, 4, 54, 10, 34, 16 }, 60, 6 },
		{ { 1, 0x81, 54, 3, 34, 16 }, 60, 6 },
		{ { .flags = 8 }, 60, 6 },
		{ { .gso_size = 77 }, 60, 6 },
		{ { 0 }, 2954, 6 },
	};
	uint8_t buf[VNET_LEN + FRAME_MAX];
	struct sockaddr_ll ll = lo();
	int out, in;

	world_begin(w);
	out = p_socket(w, SOCK_RAW, 0);
	in = p_socket(w, SOCK_RAW, ETH_P_ALL);
	SAY(w, p_bind(w, in));
	SAY(w, p_set(w, in, PACKET_VNET_HDR, 1));
	SAY(w, p_set(w, in, PACKET_IGNORE_OUTGOING, 1));
	SAY(w, p_set(w, out, PACKET_VNET_HDR, 1));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = make_frame(buf, &cases[i].h, VNET_LEN, cases[i].len, cases[i].proto);

		world_say(w, "case", (long)i);
		SAY(w, wcall(w, SYS_SENDTO, (unsigned long)out, P(buf), n, 0, P(&ll), sizeof(ll)));
		say_frames(w, in, VNET_LEN);
	}
	for (size_t n = 0; n < 24; n += 5)
		SAY(w, wcall(w, SYS_SENDTO, (unsigned long)out, P(buf), n, 0, P(&ll), sizeof(ll)));
	say_frames(w, in, VNET_LEN);
	w_close(w, out);
	w_close(w, in);
}
CASE(vnet_sent)

/* ---- rings ---------------------------------------------------------------------------------------------------------- */

static uint8_t *map(struct world *w, int fd, size_t want)
{
	size_t size = want;
	void *p;
	int r = fd;

	if (!w->native) {
		assert_int_equal(weir_packet_ring_fd(w_file(w, fd), &r, &size), 0);
		assert_int_equal(size, want);
	}
	p = mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	if (!w->native)
		close(r);
	return p;
}

/* The short header lies right in front of the frame, in the room of the long one. */
static void say_ring_frame(struct world *w, int version, const uint8_t *p)
{
	const struct tpacket_hdr *h1 = (const void *)p;
	const struct tpacket2_hdr *h2 = (const void *)p;
	const struct tpacket3_hdr *h3 = (const void *)p;
	unsigned mac = version == 0 ? h1->tp_mac : version == 1 ? h2->tp_mac : h3->tp_mac;

	world_say(w, "mac", mac);
	world_say(w, "net", version == 0 ? h1->tp_net : version == 1 ? h2->tp_net : h3->tp_net);
	world_say(w, "octets", version == 0 ? h1->tp_len : version == 1 ? h2->tp_len : h3->tp_len);
	world_say(w, "kept",
		  version == 0   ? h1->tp_snaplen
		  : version == 1 ? h2->tp_snaplen
				 : h3->tp_snaplen);
	say_vnet(w, p + mac - VNET_LEN);
}

static void vnet_receive_ring(struct world *w)
{
	static const char big[3000];
	struct sockaddr_in sin = lo_port(4411);
	int u;

	world_begin(w);
	u = i_socket(w, SOCK_DGRAM);
	SAY(w, i_bind(w, u, 4411));
	for (int version = TPACKET_V1; version <= TPACKET_V3; version++) {
		/* Both frames must find the same block open, however late the second is. */
		struct tpacket_req3 req = { 65536, 2, 2048, 64, 500, 0, 0 };
		unsigned wait_ms = version == TPACKET_V3 ? 600 : 50;
		int fd = p_socket(w, SOCK_RAW, 0);
		uint8_t *ring, *p;

		SAY(w, p_set(w, fd, PACKET_VERSION, version));
		SAY(w, p_set(w, fd, VNET_HDR_SZ, MRG_LEN));
		SAY(w, p_set(w, fd, PACKET_IGNORE_OUTGOING, 1));
		SAY(w, i_set(w, fd, SOL_PACKET, PACKET_RX_RING, &req,
			     version == TPACKET_V3 ? sizeof(req) : sizeof(struct tpacket_req)));
		ring = map(w, fd, 131072);
		SAY(w, p_bind(w, fd));
		for (int i = 0; i < 2; i++)
			SAY(w, wcall(w, SYS_SENDTO, (unsigned long)u, P(big), i ? 3000 : 5, 0,
				     P(&sin), sizeof(sin)));
		settle(w);
		if (w->native)
			usleep(wait_ms * 1000);
		else
			weir_run(w->m, wait_ms * 1000000ull);
		p = ring;
		if (version == TPACKET_V3)
			p += ((struct tpacket_block_desc *)ring)->hdr.bh1.offset_to_first_pkt;
		for (int i = 0; i < 2; i++) {
			say_ring_frame(w, version, p);
			p += version == TPACKET_V3 ? ((struct tpacket3_hdr *)p)->tp_next_offset
						   : 2048;
		}
		munmap(ring, 131072);
		w_close(w, fd);
	}
	w_close(w, u);
}
CASE(vnet_receive_ring)

static void vnet_send_ring(struct world *w)
{
	struct sockaddr_ll ll = lo();
	int in;

	world_begin(w);
	in = p_socket(w, SOCK_RAW, ETH_P_ALL);
	SAY(w, p_bind(w, in));
	SAY(w, p_set(w, in, PACKET_VNET_HDR, 1));
	SAY(w, p_set(w, in, PACKET_IGNORE_OUTGOING, 1));
	for (int version = TPACKET_V1; version <= TPACKET_V2; version++) {
		struct tpacket_req req = { 4096, 4, 4096, 4 };
		struct virtio_net_hdr h = { 1, 1, 54, 500, 34, 16 };
		size_t hdr = version ? TPACKET2_HDRLEN : TPACKET_HDRLEN;
		int fd = p_socket(w, SOCK_RAW, 0);
		uint8_t *ring;

		SAY(w, p_set(w, fd, PACKET_VERSION, version));
		SAY(w, p_set(w, fd, VNET_HDR_SZ, MRG_LEN));
		SAY(w, i_set(w, fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)));
		ring = map(w, fd, 16384);
		for (int i = 0; i < 2; i++) {
			uint8_t *p = ring + 4096 * i;
			size_t n;

			h.gso_type = i ? 9 : 1;
			n = make_frame(p + hdr - sizeof(ll), &h, MRG_LEN, 1054, 6);
			if (version) {
				((struct tpacket2_hdr *)p)->tp_len = (uint32_t)n;
				((struct tpacket2_hdr *)p)->tp_status = TP_STATUS_SEND_REQUEST;
			} else {
				((struct tpacket_hdr *)p)->tp_len = (uint32_t)n;
				((struct tpacket_hdr *)p)->tp_status = TP_STATUS_SEND_REQUEST;
			}
			SAY(w,
			    wcall(w, SYS_SENDTO, (unsigned long)fd, 0, 0, 0, P(&ll), sizeof(ll)));
			say_frames(w, in, VNET_LEN);
			world_say(w, "status",
				  version ? (long)((struct tpacket2_hdr *)p)->tp_status
					  : (long)((struct tpacket_hdr *)p)->tp_status);
		}
		munmap(ring, 16384);
		w_close(w, fd);
	}
	w_close(w, in);
}
CASE(vnet_send_ring)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vnet_options_as_natively),
		cmocka_unit_test(vnet_received_as_natively),
		cmocka_unit_test(vnet_sent_as_natively),
		cmocka_unit_test(vnet_receive_ring_as_natively),
		cmocka_unit_test(vnet_send_ring_as_natively),
	};

	if (own_namespace()) {
		fprintf(stderr, "no network namespace of its own: nothing to compare with\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
