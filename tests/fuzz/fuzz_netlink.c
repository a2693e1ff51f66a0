/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_netlink.c - any octets sent to a NETLINK_ROUTE socket of a fresh net
 *
 * The input is a sequence of records: one octet says where to cut (its low seven bits times four octets, at most what is left; the top
 * bit: bind the socket to a group first), and the octets are sent as one datagram. The net remembers what earlier records did.
 * Everything that is answered is read and walked. Afterwards the net must go without a trace.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "fuzz.h"
#include "weir/weir.h"

static void walk_replies(struct weir_file *f)
{
	static const u32 max_reads = 1000;
	u8 *buf = malloc(65536);
	struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	FUZZ_CHECK(buf);
	for (u32 i = 0; i < max_reads; i++) {
		n = weir_recv(f, buf, 65536, 0);
		if (n < 0)
			break;
		left = (int)n;
		for (nlh = (void *)buf; NLMSG_OK(nlh, (u32)left); nlh = NLMSG_NEXT(nlh, left))
			FUZZ_CHECK(nlh->nlmsg_len >= NLMSG_HDRLEN);
		FUZZ_CHECK(left == 0); /* what we send is whole messages */
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = 16 << 20 };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = m ? weir_net_create(m, "fuzz") : NULL;
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_NEIGH };
	struct weir_memory mem;
	struct weir_file *f;

	FUZZ_CHECK(net);
	FUZZ_CHECK(!weir_socket(net, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE, &f));
	while (size > 1) {
		size_t n = (size_t)(*data & 127) * 4;

		if (*data & 128)
			weir_bind(f, (struct sockaddr *)&nl, sizeof(nl));
		data++;
		size--;
		n = n < size ? n : size;
		weir_send(f, data, n, 0);
		walk_replies(f);
		data += n;
		size -= n;
	}
	weir_run(m, 1000000000);
	weir_close(f);
	weir_net_destroy(net);
	weir_memory(m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(m);
	return 0;
}

#define HDR(len, type, flags) len "\0\0\0" type "\0" flags "\1\0\0\0\0\0\0\0"
#define IFINFO                "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
/* ip link add d0 type dummy */
#define NEWLINK                                                                                    \
	HDR("\x3c", "\x10", "\5\6")                                                                \
	IFINFO "\7\0\3\0"                                                                          \
	       "d0\0\0"                                                                            \
	       "\x14\0\x12\0"                                                                      \
	       "\x09\0\1\0"                                                                        \
	       "dummy\0\0\0\0\0\0\0"

FUZZ_SEEDS(SEED("\x08" HDR("\x20", "\x12", "\1\3") IFINFO), /* ip link show */
	   SEED("\x0f" NEWLINK),
	   SEED("\x8f" NEWLINK "\x0a" HDR("\x28", "\x11", "\5\0") IFINFO "\7\0\3\0"
									 "d0\0\0"), /* and del */
	   /* ip link set lo up mtu 1400 */
	   SEED("\x0a" HDR("\x28", "\x10", "\5\0") "\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0"
						   "\x08\0\4\0\x78\5\0\0"),
	   /* ip addr add 127.0.0.1/8 dev lo; show */
	   SEED("\x0a" HDR("\x28", "\x14", "\5\6") "\2\x08\0\0\1\0\0\0"
						   "\x08\0\2\0\x7f\0\0\1"
						   "\x08\0\1\0\x7f\0\0\1"
						   "\x05" HDR("\x14", "\x16", "\1\3") "\0\0\0\0"),
	   /* ip route add; show; ip rule; ip neigh */
	   SEED("\x0b" HDR(
		   "\x2c", "\x18",
		   "\5\6") "\2\x08\0\0\xfe\3\0\1\0\0\0\0"
			   "\x08\0\1\0\x0a\0\0\0"
			   "\x08\0\4\0\1\0\0\0"
			   "\x07" HDR("\x1c", "\x1a",
				      "\1\3") "\2\0\0\0\0\0\0\0\0\0\0\0"
					      "\x07" HDR("\x1c", "\x22",
							 "\1\3") "\2\0\0\0\0\0\0\0\0\0\0\0"
								 "\x07" HDR("\x1c", "\x1e",
									    "\1\3") "\0\0\0\0\0\0\0"
										    "\0\0\0\0\0"));
