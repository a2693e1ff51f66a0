/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_echo.c - a UDP echo server of its own on an interface of the host
 *
 *     host_echo SPEC ADDRESS [COUNT]        host_echo afpacket:eth1 192.0.2.7
 *
 * SPEC is what weir_dev_attach() takes (doc/drivers.md), ADDRESS the server's own, /24. Ends after COUNT datagrams.
 */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

static int ifindex_of(struct weir_net *net)
{
	char *text;
	size_t len;
	int i = 0;

	if (!weir_view_read(net, "/sys/class/net/eth0/ifindex", &text, &len)) {
		i = atoi(text);
		free(text);
	}
	return i;
}

/* ip link set eth0 up; ip addr add ADDRESS/24 dev eth0 */
static int configure(struct weir_net *net, struct in_addr addr)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg ifi;
	} up = {
		.h = { sizeof(up), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		.ifi = { .ifi_index = ifindex_of(net), .ifi_flags = IFF_UP, .ifi_change = IFF_UP }
	};
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg ifa;
		struct nlattr attr;
		struct in_addr addr;
	} add = { .h = { sizeof(add), RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0 },
		  .ifa = { .ifa_family = AF_INET,
			   .ifa_prefixlen = 24,
			   .ifa_index = (unsigned)ifindex_of(net) },
		  .attr = { NLA_HDRLEN + sizeof(addr), IFA_LOCAL },
		  .addr = addr };
	int err = weir_netlink(net, NETLINK_ROUTE, &up.h, NULL, NULL, NULL, 0);

	return err ? err : weir_netlink(net, NETLINK_ROUTE, &add.h, NULL, NULL, NULL, 0);
}

static void serve(struct weir_file *f, long count)
{
	struct sockaddr_in from;
	char buf[65536];

	for (long i = 0; !count || i < count; i++) {
		socklen_t len = sizeof(from);
		ssize_t n = weir_recvfrom(f, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			return;
		weir_sendto(f, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

int main(int argc, char **argv)
{
	struct weir_machine_config cfg = { .module_path = getenv("WEIR_MODULE_PATH") };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = m ? weir_net_create(m, "echo") : NULL;
	struct weir_file *f;
	char why[256] = "";
	int err;

	if (argc < 3 || !net || inet_pton(AF_INET, argv[2], &own.sin_addr) != 1) {
		fprintf(stderr, "usage: host_echo SPEC ADDRESS [COUNT]\n");
		return 2;
	}
	err = weir_dev_attach(net, "eth0", argv[1], why, sizeof(why));
	if (!err)
		err = configure(net, own.sin_addr);
	if (!err)
		err = weir_socket(net, AF_INET, SOCK_DGRAM, 0, &f);
	if (err) {
		fprintf(stderr, "host_echo: %s\n", why[0] ? why : strerror(-err));
		return 1;
	}
	weir_bind(f, (struct sockaddr *)&own, sizeof(own));
	printf("ready\n");
	fflush(stdout);
	serve(f, argc > 3 ? atol(argv[3]) : 0);
	weir_close(f);
	weir_net_destroy(net);
	weir_machine_destroy(m);
	return 0;
}
