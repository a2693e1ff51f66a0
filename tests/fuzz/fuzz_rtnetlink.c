/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_rtnetlink.c - well-formed rtnetlink requests of any content to two nets of one machine
 *
 * Unlike fuzz_netlink.c, whose octets seldom get through the parser, each instruction here builds one request: the type, flags and family
 * header from a few octets, then attributes of any type with values that are likely to mean something (names and addresses that exist,
 * indices, kinds of links, nests). So handlers are reached with every combination of what they expect. In between time passes, packets
 * are sent, and links flap by themselves. Afterwards everything must go without a trace.
 */
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/veth.h>

#include "tests/fuzz/fuzz_net.h"
#include "weir/netlink.h"

#define MAX_REQUEST 2048

struct request {
	u8 buf[MAX_REQUEST] __attribute__((aligned(4)));
	u32 len;
};

static void *request_room(struct request *q, u32 n)
{
	u8 *p = q->buf + q->len;

	if (q->len + ALIGN_UP(n, 4u) > sizeof(q->buf))
		return NULL;
	memset(p, 0, ALIGN_UP(n, 4u));
	q->len += ALIGN_UP(n, 4u);
	return p;
}

static void put_attr(struct request *q, u16 type, const void *val, u32 len)
{
	struct rtattr *a = request_room(q, (u32)sizeof(*a) + len);

	if (!a)
		return;
	a->rta_type = type;
	a->rta_len = (u16)(sizeof(*a) + len);
	memcpy(a + 1, val, len);
}

/* One value: an octet that says of which sort, and what that needs. */
static void put_value(struct request *q, struct fuzz_input *in, u16 type, u32 depth);

static void put_nest(struct request *q, struct fuzz_input *in, u16 type, u32 prefix, u32 depth)
{
	u32 start = q->len, n = fuzz_u8(in) % 5;
	struct rtattr *a = request_room(q, (u32)sizeof(*a) + prefix);

	if (!a)
		return;
	fuzz_take(in, a + 1, prefix < 4 ? prefix : 0);
	for (u32 i = 0; i < n; i++) {
		u16 inner = fuzz_u8(in) % 110;

		put_value(q, in, inner, depth + 1);
	}
	((struct rtattr *)(q->buf + start))->rta_type = type;
	((struct rtattr *)(q->buf + start))->rta_len = (u16)(q->len - start);
}

static void put_value(struct request *q, struct fuzz_input *in, u16 type, u32 depth)
{
	static const char *const strings[] = {
		"lo",  "eth0",   "d0",    "d%d", "veth", "dummy", "nic",
		"hub", "switch", "token", "tun", "port", "",      "a name that is too long"
	};
	static const u32 addrs[] = { 0,          0x7f000001, 0x0a000001, 0x0a000002, 0x0a000000,
				     0x0a0000ff, 0xe0000001, 0xffffffff, 0x0a000102, 0x0b000000 };
	u8 sort = fuzz_u8(in), octets[64];
	u32 addr, number;
	u64 big;

	switch (sort % 8) {
	case 0: {
		const char *s = strings[fuzz_u8(in) % ARRAY_SIZE(strings)];

		put_attr(q, type, s, (u32)strlen(s) + 1);
		break;
	}
	case 1:
		addr = htonl(addrs[fuzz_u8(in) % ARRAY_SIZE(addrs)]);
		put_attr(q, type, &addr, 4);
		break;
	case 2: /* a small number: an index, a state, a flag */
		number = fuzz_u8(in) % 12;
		put_attr(q, type, &number, sort & 0x80 ? 1 : sort & 0x40 ? 2 : 4);
		break;
	case 3:
		number = fuzz_u32(in);
		put_attr(q, type, &number, 4);
		break;
	case 4:
		fuzz_take(in, &big, sizeof(big));
		put_attr(q, type, &big, 8);
		break;
	case 5:
		number = fuzz_u8(in) % sizeof(octets);
		fuzz_take(in, octets, number);
		put_attr(q, type, octets, number);
		break;
	case 6:
		if (depth < 5)
			put_nest(q, in, type, 0, depth);
		break;
	case 7: /* with a family header in front, as of a veth's peer */
		if (depth < 5)
			put_nest(q, in, type, sizeof(struct ifinfomsg), depth);
		break;
	}
}

static void put_link_kind(struct request *q, struct fuzz_input *in)
{
	static const char *const kinds[] = { "dummy", "veth", "nic", "hub", "switch", "token" };
	const char *kind = kinds[fuzz_u8(in) % ARRAY_SIZE(kinds)];
	u32 start = q->len;

	if (!request_room(q, sizeof(struct rtattr)))
		return;
	put_attr(q, IFLA_INFO_KIND, kind, (u32)strlen(kind) + 1);
	if (fuzz_u8(in) & 1)
		put_nest(q, in, IFLA_INFO_DATA, 0, 1);
	((struct rtattr *)(q->buf + start))->rta_type = IFLA_LINKINFO;
	((struct rtattr *)(q->buf + start))->rta_len = (u16)(q->len - start);
}

/* Kind, place and options of a discipline that is there. */
static void put_qdisc(struct request *q, struct fuzz_input *in, struct tcmsg *tcm)
{
	static const struct {
		const char *kind;
		u16 parms, octets, table; /* a structure and a table that it cannot do without */
	} kinds[] = {
		{ "pfifo" },
		{ "fq" },
		{ "codel" },
		{ "fq_codel" },
		{ "red", TCA_RED_PARMS, sizeof(struct tc_red_qopt), TCA_RED_STAB },
		{ "tbf", TCA_TBF_PARMS, sizeof(struct tc_tbf_qopt) },
	};
	static const u32 parents[] = { TC_H_ROOT, 0x10001, 0x20001, 0 };
	u8 place = fuzz_u8(in), k = fuzz_u8(in) % ARRAY_SIZE(kinds), n = fuzz_u8(in), octets[256];
	u32 start;

	tcm->tcm_parent = parents[place % ARRAY_SIZE(parents)];
	tcm->tcm_handle = (u32)(place >> 4 & 3) << 16;
	put_attr(q, TCA_KIND, kinds[k].kind, (u32)strlen(kinds[k].kind) + 1);
	start = q->len;
	if (!request_room(q, sizeof(struct rtattr)))
		return;
	if (kinds[k].parms) {
		fuzz_take(in, octets, kinds[k].octets);
		put_attr(q, kinds[k].parms, octets, kinds[k].octets);
	}
	if (kinds[k].table) {
		memset(octets, fuzz_u8(in) % 33, sizeof(octets));
		put_attr(q, kinds[k].table, octets, sizeof(octets));
	}
	for (u32 i = 0; i < n % 6; i++) {
		u16 type = fuzz_u8(in) % 18;

		put_value(q, in, type, 1);
	}
	((struct rtattr *)(q->buf + start))->rta_type = TCA_OPTIONS;
	((struct rtattr *)(q->buf + start))->rta_len = (u16)(q->len - start);
}

static u32 header_len(u16 type)
{
	switch ((type - RTM_BASE) / 4) {
	case 0:
		return sizeof(struct ifinfomsg);
	case 1:
		return sizeof(struct ifaddrmsg);
	case 2:
	case 4:
		return sizeof(struct rtmsg);
	case 3:
		return sizeof(struct ndmsg);
	default:
		return 20; /* of a qdisc and its kin */
	}
}

static void send_request(struct fuzz_input *in, struct weir_net *net)
{
	static const u16 types[] = { RTM_NEWLINK,  RTM_DELLINK,  RTM_GETLINK,  RTM_NEWADDR,
				     RTM_DELADDR,  RTM_GETADDR,  RTM_NEWROUTE, RTM_DELROUTE,
				     RTM_GETROUTE, RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH,
				     RTM_NEWRULE,  RTM_DELRULE,  RTM_GETRULE,  RTM_NEWQDISC,
				     RTM_DELQDISC, RTM_GETQDISC, RTM_SETLINK,  RTM_GETNEIGHTBL,
				     RTM_GETTCLASS };
	struct request q = { .len = 0 };
	u16 type = types[fuzz_u8(in) % ARRAY_SIZE(types)];
	u8 flags = fuzz_u8(in), n = fuzz_u8(in), *family;
	struct nlmsghdr *h = request_room(&q, sizeof(*h));

	family = request_room(&q, header_len(type));
	fuzz_take(in, family, min(header_len(type), 16u));
	if (!(flags & 0x80)) {
		/* Something that may be there: IPv4, a small index, sensible flags. */
		family[0] = type == RTM_NEWLINK || type == RTM_DELLINK ? 0 : AF_INET;
		if (header_len(type) != sizeof(struct rtmsg))
			family[5] = family[6] = family[7] = 0;
	}
	if (type == RTM_NEWLINK && n & 0x80)
		put_link_kind(&q, in);
	if (type == RTM_NEWQDISC && n & 0x80)
		put_qdisc(&q, in, (struct tcmsg *)family);
	for (u32 i = 0; i < (n & 7u); i++) {
		u16 attr = fuzz_u8(in) % 64;

		put_value(&q, in, attr, 0);
	}
	*h = (struct nlmsghdr){ .nlmsg_len = q.len,
				.nlmsg_type = type,
				.nlmsg_flags = (u16)(NLM_F_REQUEST | NLM_F_ACK |
						     (u16)((flags & 0x0f) << 8)) };
	weir_netlink(net, NETLINK_ROUTE, h, NULL, NULL, NULL, 0);
}

/* A datagram somewhere, so that routes, neighbours and devices have something to do. */
static void send_packet(struct fuzz_input *in, struct weir_file *f)
{
	static const u32 to[] = { 0x7f000001, 0x0a000001, 0x0a000002,
				  0x0a000102, 0xe0000001, 0x0b000001 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	u8 data[3000] = { 0 };

	a.sin_addr.s_addr = htonl(to[fuzz_u8(in) % ARRAY_SIZE(to)]);
	weir_sendto(f, data, fuzz_u8(in) & 1 ? sizeof(data) : 100, MSG_DONTWAIT,
		    (struct sockaddr *)&a, sizeof(a));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 32 << 20 };
	struct fuzz_input in = { data, size };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net[2];
	struct weir_file *f[2];
	struct weir_memory mem;

	FUZZ_CHECK(m);
	for (u32 i = 0; i < 2; i++) {
		net[i] = weir_net_create(m, i ? "b" : "a");
		FUZZ_CHECK(net[i]);
		fuzz_lo_up(net[i]);
		FUZZ_CHECK(!weir_socket(net[i], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f[i]));
	}
	fuzz_veth(net[0], "eth0", net[1], "eth0");
	for (u32 i = 0; i < 2; i++)
		fuzz_addr(net[i], "eth0", 0x0a000001 + i);
	while (in.left) {
		u8 op = fuzz_u8(&in);

		if (op & 0x40)
			send_packet(&in, f[op & 1]);
		else
			send_request(&in, net[op & 1]);
		if (op >> 7)
			fuzz_run(m, 20 * NSEC_PER_MSEC);
	}
	weir_close(f[0]);
	weir_close(f[1]);
	fuzz_run(m, NSEC_PER_SEC);
	weir_net_destroy(net[0]);
	weir_net_destroy(net[1]);
	weir_memory(m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(m);
	return 0;
}

#define ZERO16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

FUZZ_SEEDS(
	/* a dummy named d0, up; a second of any name; removed */
	SEED("\0\0\6\x81" ZERO16 "\0\0\3\0\2"
	     "\0\0\1\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\3\0\2"
	     "\0\1\0\1" ZERO16 "\3\0\2"),
	/* a veth with a peer; a hub and a card plugged into it */
	SEED("\0\0\6\x81" ZERO16 "\1\1\1\1\7\0\0\0\0\1\3\0\2"
	     "\0\0\6\x81" ZERO16 "\3\0\3\0\2"
	     "\0\0\6\x82" ZERO16 "\2\0\3\0\1\5\2\4"),
	/* an address, a route by it, a neighbour, a packet, and all that away again */
	SEED("\0\3\6\2\2\x18\0\0\2\0\0\0"
	     "\2\1\6\1\1\6"
	     "\0\6\6\2\2\x08\0\0\xfe\3\0\1\0\0\0\0"
	     "\1\1\x09\4\2\2"
	     "\0\x09\6\2\2\0\0\0\2\0\0\0\x80\0\0\0"
	     "\1\1\3\2\5\6\2\0\0\0\0\1"
	     "\xc0\2\0"
	     "\0\4\0\1\2\x18\0\0\2\0\0\0\2\1\2"),
	/* a tbf on eth0, inside it a red, then an fq_codel, then a codel; packets meanwhile */
	SEED("\0\x0f\6\x80\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0"
	     "\x10\5\0"
	     "\0\0\0\0\0\0\0\0\0\0\4\0"
	     "\0\0\0\0\0\0\0\0\0\0\0\0"
	     "\0\0\1\0\0\0\0\1\0\0\0\0"
	     "\x40\2\1\x40\2\1\xc0\2\1"
	     "\0\x0f\6\x80\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0"
	     "\x21\4\0"
	     "\0\0\1\0\0\2\0\0\0\x10\0\0\2\x10\2\1"
	     "\3"
	     "\x40\2\1\x40\2\1\xc0\2\1"
	     "\0\x0f\5\x80\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0"
	     "\x31\3\2\1\3\0\0\0\1\2\2\5"
	     "\x40\2\1\xc0\2\1\xc0\2\1"
	     "\0\x0f\5\x80\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0"
	     "\x21\2\2\1\3\0\0\0\1\2\2\5"
	     "\x40\2\1\xc0\2\1\xc0\2\1"
	     "\0\x14\6\0" ZERO16),
	/* dumps, rules, qdiscs */
	SEED("\0\2\3\0" ZERO16 "\0\5\3\0\2\0\0\0\0\0\0\0"
	     "\0\x0c\6\1\2" ZERO16 "\0\x0f\6\1\2" ZERO16 "\1\0\1"));
