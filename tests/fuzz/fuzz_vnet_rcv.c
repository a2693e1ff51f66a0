/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_vnet_rcv.c - what a host device receives: a virtio-net header of any content, and a frame of any content behind it
 *
 *      a (the victim)                       b
 *      eth0 10.0.0.1  ---------------  eth0 10.0.0.2
 *      eth1 10.0.1.1  ----[ 1 ms ]---  eth1 10.0.1.2      a link: what is forwarded to it is cut and summed by us
 *
 * Each instruction is a frame that a's eth0 gets from its driver: one octet of how (1: an IP packet without Ethernet header is taken from
 * the input, 2: its checksums are left as they are, 4: the lie is kept as it is, 8: to the other side), ten of virtio-net header, one of length / 8,
 * and so many octets of which the first half lies in the head area.
 */
#include "core/vnet.h"
#include "tests/fuzz/fuzz_net.h"

#define MAX_FRAME 4096

struct bed {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *udp, *listener;
};

static void bed_init(struct bed *b)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(7) };

	b->m = fuzz_two_nets(b->net);
	for (u32 i = 0; i < 2; i++) {
		fuzz_addr(b->net[i], "eth0", 0x0a000001 + i);
		fuzz_addr(b->net[i], "eth1", 0x0a000101 + i);
	}
	weir_sysctl(b->net[0], "net.ipv4.ip_forward", "1");
	FUZZ_CHECK(!weir_socket(b->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &b->udp));
	FUZZ_CHECK(!weir_bind(b->udp, (struct sockaddr *)&any, sizeof(any)));
	FUZZ_CHECK(!weir_socket(b->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &b->listener));
	FUZZ_CHECK(!weir_bind(b->listener, (struct sockaddr *)&any, sizeof(any)));
	FUZZ_CHECK(!weir_listen(b->listener, 3));
}

/* As tun.c and afpacket.c do it. */
static void receive(struct net_device *dev, const u8 *vnet, const u8 *frame, u32 len, u32 head)
{
	struct cpu *cpu = dev->cpu;
	struct sk_buff *skb;

	cpu_lock(cpu);
	skb = netdev_alloc_skb(dev, head + NET_IP_ALIGN);
	FUZZ_CHECK(skb);
	skb_reserve(skb, NET_IP_ALIGN);
	skb_put_data(skb, frame, head);
	if (head < len) {
		struct iovec iov = { (void *)(frame + head), len - head };
		struct iov_iter rest;

		iov_iter_init(&rest, &iov, 1, iov.iov_len);
		FUZZ_CHECK(skb_append_iter(skb, &rest, len - head, false) == len - head);
	}
	if (virtio_net_hdr_to_skb(skb, vnet, ETH_HLEN)) {
		kfree_skb_reason(skb, SKB_DROP_PKT_TOO_SMALL);
	} else {
		skb->protocol = eth_type_trans(skb, dev);
		netif_receive_skb(skb);
	}
	cpu_unlock(cpu);
}

/* A header that is true of the TCP or UDP packet behind @frame's Ethernet header, but for what @vnet says of flags, type and size. */
static void make_true(u8 *vnet, const u8 *frame, u32 len)
{
	u16 start, offset;

	if (len < ETH_HLEN + 20 || frame[ETH_HLEN] >> 4 != 4)
		return;
	start = (u16)(ETH_HLEN + (frame[ETH_HLEN] & 15) * 4);
	offset = frame[ETH_HLEN + 9] == IPPROTO_UDP ? 6 : 16;
	memcpy(vnet + 6, &start, 2);
	memcpy(vnet + 8, &offset, 2);
}

static void frame(struct bed *b, struct fuzz_input *in)
{
	struct net_device *dev = fuzz_dev(b->net[0], "eth0");
	u8 how = fuzz_u8(in), vnet[VIRTIO_NET_HEADER_LEN], buf[MAX_FRAME] = { 0 };
	u32 n, len = 0;

	fuzz_take(in, vnet, sizeof(vnet));
	n = min(fuzz_u8(in) * 8u, (u32)in->left);
	if (how & 1) {
		memcpy(buf, dev->dev_addr, ETH_ALEN);
		memcpy(buf + 6, dev->netdev_ops->ndo_get_peer_dev(dev)->dev_addr, ETH_ALEN);
		buf[12] = 8;
		len = ETH_HLEN;
	}
	fuzz_take(in, buf + len, n);
	len += n;
	if (len < ETH_HLEN)
		return; /* drivers drop it */
	if (how & 1 && how & 8 && len >= ETH_HLEN + 20)
		memcpy(buf + ETH_HLEN + 16, "\x0a\0\1\2", 4);
	if (how & 1 && !(how & 2))
		fuzz_fix_ipv4(buf + ETH_HLEN, len - ETH_HLEN, true);
	if (!(how & 4))
		make_true(vnet, buf, len);
	receive(dev, vnet, buf, len, max(len / 2, min(len, 128u)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct weir_memory mem;
	u8 sink[4096];
	struct bed b;

	bed_init(&b);
	while (in.left) {
		frame(&b, &in);
		fuzz_run(b.m, 2 * NSEC_PER_MSEC);
		weir_recv(b.udp, sink, sizeof(sink), MSG_DONTWAIT);
	}
	weir_close(b.udp);
	weir_close(b.listener);
	fuzz_run_until_idle(b.m, 0);
	weir_net_destroy(b.net[0]);
	weir_net_destroy(b.net[1]);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(b.m);
	return 0;
}

#define IP(proto) "\x45\0\0\0\0\1\0\0\x40" proto "\0\0\x0a\0\0\2\x0a\0\0\1"
#define TCP       "\0\5\0\7\0\0\0\1\0\0\0\1\x50\x10\xff\xff\0\0\0\0"
#define TEXT      "0123456789abcdefghijklmnopqrstuv"

FUZZ_SEEDS(
	/* a segmentation unit, to us and through us */
	SEED("\1\1\1\0\0\x10\0\0\0\0\0\x09" IP("\6") TCP TEXT),
	SEED("\x09\1\1\0\0\x10\0\0\0\0\0\x09" IP("\6") TCP TEXT),
	/* datagrams as one unit, of segments of one octet, with a header that lies */
	SEED("\x09\1\5\0\0\1\0\0\0\0\0\7" IP("\x11") "\0\5\0\7\0\x1c\0\0" TEXT),
	SEED("\x0d\1\1\0\0\1\0\x22\0\x10\0\x09" IP("\6") TCP TEXT),
	/* an unfinished checksum, one that somebody has seen, and a field outside of the frame */
	SEED("\1\1\0\0\0\0\0\0\0\0\0\5" IP("\x11") "\0\5\0\7\0\x14\0\0wxyz"),
	SEED("\3\2\0\0\0\0\0\0\0\0\0\5" IP("\x11") "\0\5\0\7\0\x14\0\0wxyz"),
	SEED("\5\1\0\0\0\0\0\xff\0\xff\0\5" IP("\x11") "\0\5\0\7\0\x14\0\0wxyz"),
	/* ECN's mark, IPv6's type with IPv4 behind it, a VLAN tag */
	SEED("\1\1\x81\0\0\x10\0\0\0\0\0\x09" IP("\6") TCP TEXT),
	SEED("\1\1\4\0\0\x10\0\0\0\0\0\x09" IP("\6") TCP TEXT),
	SEED("\4\1\1\0\0\x10\0\x26\0\x10\0\x0b\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x81\0\0\5\x08"
	     "\0" IP("\6") TCP TEXT));
