/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_packet.c - calls of any order and content on packet sockets, their rings written by a hostile program, while frames pass
 *
 *      a (sockets)  eth0 10.0.0.1 ------ eth0 10.0.0.2  b
 *
 * Instructions: an octet of operation (low four bits) and socket (high four), then operands. Rings are mapped as a program would; what it
 * writes into them (states, lengths, offsets of frames to send) is input, too.
 */
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz_net.h"

#define NR_SOCKS  3
#define MAX_FRAME (14 + 255 * 8)

struct psock {
	struct weir_file *f;
	u8 *ring; /* NULL: not mapped */
	size_t ring_size;
};

struct bed {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct psock s[NR_SOCKS];
};

static void ring_unmap(struct psock *s)
{
	if (s->ring)
		munmap(s->ring, s->ring_size);
	s->ring = NULL;
}

static void ring_map(struct psock *s)
{
	size_t size;
	void *p;
	int fd;

	ring_unmap(s);
	if (weir_packet_ring_fd(s->f, &fd, &size))
		return;
	p = size <= 64 << 20 ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
			     : MAP_FAILED;
	close(fd);
	if (p == MAP_FAILED)
		return;
	s->ring = p;
	s->ring_size = size;
}

/* Sizes of rings: near the values that work. */
static void set_ring(struct psock *s, struct fuzz_input *in)
{
	u8 how = fuzz_u8(in);
	struct tpacket_req3 req = {
		.tp_block_size = 4096u << (fuzz_u8(in) % 3),
		.tp_block_nr = fuzz_u8(in) % 9,
		.tp_frame_size = how & 4 ? (u32)fuzz_u16(in) : 256u << (fuzz_u8(in) % 5),
		.tp_retire_blk_tov = fuzz_u8(in),
		.tp_sizeof_priv = how & 8 ? fuzz_u16(in) : 0,
		.tp_feature_req_word = how >> 7,
	};

	req.tp_frame_nr =
		req.tp_frame_size ? req.tp_block_size / req.tp_frame_size * req.tp_block_nr : 0;
	if (how & 0x10)
		req.tp_frame_nr = fuzz_u32(in);
	if (how & 0x20)
		req.tp_block_size = fuzz_u32(in) & 0xffffff;
	weir_setsockopt(s->f, SOL_PACKET, how & 1 ? PACKET_TX_RING : PACKET_RX_RING, &req,
			how & 2 ? sizeof(req) : sizeof(struct tpacket_req));
	if (how & 0x40)
		ring_map(s);
	else
		ring_unmap(s); /* of a ring that may be gone */
}

static void write_ring(struct psock *s, struct fuzz_input *in)
{
	u32 off = (u32)fuzz_u8(in) * 128 + fuzz_u8(in) % 128, n = fuzz_u8(in) % 64;
	u8 octets[64];

	fuzz_take(in, octets, n);
	if (s->ring && off + n <= s->ring_size)
		memcpy(s->ring + off, octets, n);
}

static void option(struct psock *s, struct fuzz_input *in)
{
	u8 name = fuzz_u8(in), len = fuzz_u8(in) % 40, val[40];
	socklen_t room = sizeof(val);

	fuzz_take(in, val, len);
	if (name == PACKET_RX_RING || name == PACKET_TX_RING)
		return; /* set_ring() keeps them small */
	weir_setsockopt(s->f, SOL_PACKET, name % 32, val, len);
	weir_getsockopt(s->f, SOL_PACKET, name % 32, val, &room);
}

static void attach_filter(struct psock *s, struct fuzz_input *in)
{
	struct sock_filter code[8];
	struct sock_fprog prog = { (u16)(1 + fuzz_u8(in) % 8), code };

	fuzz_take(in, code, prog.len * sizeof(code[0]));
	code[prog.len - 1] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 100 };
	weir_setsockopt(s->f, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static void bind_it(struct psock *s, struct fuzz_input *in)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_ifindex = fuzz_u8(in) % 4,
				  .sll_protocol = htons(fuzz_u8(in) & 1 ? ETH_P_ALL : ETH_P_IP) };

	weir_bind(s->f, (struct sockaddr *)&ll, sizeof(ll));
}

static void transmit(struct psock *s, struct fuzz_input *in)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_ifindex = 2, .sll_halen = 6 };
	u8 how = fuzz_u8(in), buf[512];
	u32 n = fuzz_u8(in) * 2u;

	fuzz_take(in, buf, n);
	ll.sll_protocol = htons(how & 1 ? ETH_P_IP : ETH_P_ARP);
	if (how & 2)
		ll.sll_halen = fuzz_u8(in);
	weir_sendto(s->f, how & 8 ? NULL : buf, how & 8 ? 0 : n, MSG_DONTWAIT,
		    how & 4 ? NULL : (struct sockaddr *)&ll, sizeof(ll));
}

static void receive(struct psock *s, struct fuzz_input *in)
{
	u8 data[1024], control[256];
	struct sockaddr_ll from;
	struct iovec iov = { data, fuzz_u8(in) * 4u };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	weir_recvmsg(s->f, &msg, MSG_DONTWAIT | (fuzz_u8(in) & MSG_TRUNC));
	weir_poll_now(s->f);
}

static void frame_arrives(struct bed *b, struct fuzz_input *in)
{
	struct net_device *dev = fuzz_dev(b->net[0], "eth0");
	u8 how = fuzz_u8(in), buf[MAX_FRAME] = { 0 };
	u32 n = fuzz_u8(in) * 8u;

	memcpy(buf, dev->dev_addr, ETH_ALEN);
	buf[12] = how & 1 ? 0x81 : 8;
	fuzz_take(in, buf + 14, min(n, 64u));
	fuzz_inject(dev, buf, 14 + n, how & 2 ? 14 + n / 2 : 14 + n);
}

static void open_socket(struct bed *b, struct psock *s, u8 how)
{
	FUZZ_CHECK(!weir_socket(b->net[0], AF_PACKET,
				(how & 1 ? SOCK_DGRAM : SOCK_RAW) | SOCK_NONBLOCK,
				htons(how & 2 ? 0 : ETH_P_ALL), &s->f));
}

static void step(struct bed *b, struct fuzz_input *in)
{
	u8 op = fuzz_u8(in);
	struct psock *s = &b->s[(op >> 4) % NR_SOCKS];

	switch (op % 10) {
	case 0:
		frame_arrives(b, in);
		break;
	case 1:
		set_ring(s, in);
		break;
	case 2:
		write_ring(s, in);
		break;
	case 3:
		option(s, in);
		break;
	case 4:
		attach_filter(s, in);
		break;
	case 5:
		bind_it(s, in);
		break;
	case 6:
		transmit(s, in);
		break;
	case 7:
		receive(s, in);
		break;
	case 8:
		ring_unmap(s);
		weir_close(s->f);
		open_socket(b, s, fuzz_u8(in));
		break;
	case 9:
		fuzz_run(b->m, (u64)fuzz_u8(in) * NSEC_PER_MSEC);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 32 << 20 };
	struct fuzz_input in = { data, size };
	struct weir_memory mem;
	struct bed b = { .m = weir_machine_create(&cfg) };

	FUZZ_CHECK(b.m);
	for (u32 i = 0; i < 2; i++) {
		b.net[i] = weir_net_create(b.m, i ? "b" : "a");
		FUZZ_CHECK(b.net[i]);
	}
	fuzz_veth(b.net[0], "eth0", b.net[1], "eth0");
	for (u32 i = 0; i < 2; i++)
		fuzz_addr(b.net[i], "eth0", 0x0a000001 + i);
	for (u8 i = 0; i < NR_SOCKS; i++)
		open_socket(&b, &b.s[i], i);
	while (in.left)
		step(&b, &in);
	for (u32 i = 0; i < NR_SOCKS; i++) {
		ring_unmap(&b.s[i]);
		weir_close(b.s[i].f);
	}
	fuzz_run(b.m, 10 * NSEC_PER_SEC);
	weir_net_destroy(b.net[0]);
	weir_net_destroy(b.net[1]);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(b.m);
	return 0;
}

#define FRAME "\0\0\x10\x45\0\0\x1c\0\1\0\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\1\0\5\0\6\0\x08\0\0"

FUZZ_SEEDS(
	/* a frame is received; with auxdata */
	SEED(FRAME "\7\xff\0\3\x08\4\1\0\0\0" FRAME "\7\xff\0"),
	/* version 2, a receive ring, mapped; frames into it; the program gives one back and lies about another */
	SEED("\3\x0a\4\1\0\0\0\1\x40\0\4\3\0" FRAME FRAME
	     "\2\0\0\4\0\0\0\0\2\2\0\4\xff\xff\xff\xff" FRAME "\7\1\0"),
	/* version 3, blocks that retire by time */
	SEED("\3\x0a\4\2\0\0\0\1\x42\0\4\3\1" FRAME "\x09\xff" FRAME "\x09\xff"),
	/* a ring for sending: one frame of 28 octets is offered, and sent */
	SEED("\5\2\1\3\x0a\4\1\0\0\0\1\x41\0\4\3\0\2\0\0\x10\1\0\0\0\x1c\0\0\0\0\0\0\0\0\0\0\0\6"
	     "\x0c\0"),
	/* fanout, a membership, a filter, binding */
	SEED("\3\x12\4\1\0\0\0\x13\x12\4\1\0\0\0\3\1\x10\2\0\0\0\1\0\6\0\0\0\0\0\0\0\0\0\4\0\6\0\0"
	     "\0\x64\0\0\0\5\2\0" FRAME "\x17\xff\0"));
