/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_ethtool.c - any attributes in requests to the generic netlink families, of a net that has a card
 *
 * The input is a sequence of records: the family (even: nlctrl, odd: ethtool; 128 and more: as a dump), the command, the length of the
 * attributes in units of four octets, the attributes. Everything that is answered must be whole messages.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "fuzz.h"
#include "weir/weir.h"

#define ETHTOOL_FAMILY (GENL_ID_CTRL + 1) /* the first that is registered */

static void walk_replies(struct weir_file *f, u8 *buf, size_t size)
{
	static const u32 max_reads = 1000;

	for (u32 i = 0; i < max_reads; i++) {
		ssize_t n = weir_recv(f, buf, size, 0);
		int left = (int)n;

		if (n < 0)
			return;
		for (struct nlmsghdr *nlh = (void *)buf; NLMSG_OK(nlh, (u32)left);
		     nlh = NLMSG_NEXT(nlh, left))
			FUZZ_CHECK(nlh->nlmsg_len >= NLMSG_HDRLEN);
		FUZZ_CHECK(left == 0);
	}
}

static void add_card(struct weir_net *net)
{
	static const struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		char attrs[28];
	} request __attribute__((aligned(8))) = {
		{ sizeof(request), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0 },
		{ .ifi_flags = IFF_UP, .ifi_change = IFF_UP },
		"\x09\0\3\0eth0\0\0\0\0" /* IFLA_IFNAME */
		"\x0c\0\x12\0"           /* IFLA_LINKINFO */
		"\x08\0\1\0nic",
	};

	FUZZ_CHECK(!weir_netlink(net, NETLINK_ROUTE, &request.nlh, NULL, NULL, NULL, 0));
}

static void send_record(struct weir_file *f, u8 *buf, const u8 *head, const u8 *attrs, size_t n)
{
	struct nlmsghdr *nlh = (void *)buf;
	struct genlmsghdr *g = (void *)(buf + NLMSG_HDRLEN);

	*nlh = (struct nlmsghdr){ .nlmsg_len = (u32)(NLMSG_HDRLEN + GENL_HDRLEN + n),
				  .nlmsg_type = head[0] & 1 ? ETHTOOL_FAMILY : GENL_ID_CTRL,
				  .nlmsg_flags = NLM_F_REQUEST |
						 (head[0] & 128 ? NLM_F_DUMP : NLM_F_ACK) };
	*g = (struct genlmsghdr){ .cmd = head[1], .version = 1 };
	memcpy(buf + NLMSG_HDRLEN + GENL_HDRLEN, attrs, n);
	weir_send(f, buf, nlh->nlmsg_len, 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 16 << 20 };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = m ? weir_net_create(m, "fuzz") : NULL;
	static const size_t buf_size = 65536;
	u8 *buf = malloc(buf_size);
	struct weir_memory mem;
	struct weir_file *f;

	FUZZ_CHECK(net && buf);
	add_card(net);
	FUZZ_CHECK(!weir_socket(net, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_GENERIC, &f));
	while (size > 3) {
		const u8 *head = data;
		size_t n = (size_t)head[2] * 4;

		data += 3;
		size -= 3;
		n = n < size ? n : size;
		send_record(f, buf, head, data, n);
		walk_replies(f, buf, buf_size);
		data += n;
		size -= n;
	}
	weir_close(f);
	weir_net_destroy(net);
	weir_memory(m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(m);
	free(buf);
	return 0;
}

#define ETH0 "\x10\0\1\x80\x09\0\2\0eth0\0\0\0\0" /* ETHTOOL_A_*_HEADER { DEV_NAME } */

FUZZ_SEEDS(
	SEED("\0\3\3\x0c\0\2\0ethtool"),                                      /* GETFAMILY */
	SEED("\x80\3\0\0"),                                                   /* all of them */
	SEED("\1\1\x05\4\0\1\x80\x10\0\2\x80\x0c\0\1\x80\x08\0\1\0\4\0\0\0"), /* names of features */
	SEED("\1\x0b\4" ETH0),                                                /* FEATURES_GET */
	SEED("\1\x0c\x0a" ETH0 "\x18\0\3\x80\x14\0\3\x80\x10\0\1\x80\x08\0\1\0\x10\0\0\0\4\0\3\0"),
	SEED("\1\x0c\x0d" ETH0
	     "\x24\0\3\x80\x08\0\2\0\x40\0\0\0\x0c\0\4\0\0\0\1\0\0\0\0\0\x0c\0\5\0\0\0\1\0"
	     "\0\0\0\0"),
	SEED("\1\x10\6" ETH0 "\x08\0\6\0\x20\0\0\0"), /* RINGS_SET */
	SEED("\1\x14\6" ETH0 "\x08\0\2\0\x20\0\0\0"), /* COALESCE_SET */
	SEED("\1\x20\x0b\x10\0\2\x80\x09\0\2\0eth0\0\0\0\0"
	     "\x18\0\3\x80\4\0\1\0\x08\0\2\0\4\0\0\0\x08\0\4\0\x0f\0\0\0"), /* STATS_GET */
	SEED("\x81\4\1\4\0\1\x80"));                                        /* all LINKMODES */
