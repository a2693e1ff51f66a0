/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack_node.c - the node that attack-test attacks: one net on a tap, which tells what it dropped and why
 *
 *      attack_node TAP-DESCRIPTOR      eth0: 10.9.0.2/24, fd09::2/64, and what addrconf gives
 *
 * It answers UDP port 5000 and listens on TCP port 5001, both families. Commands come by standard input, one a line, and are answered
 * with one line each; at their end everything is taken down, and the status says whether packets were left.
 *
 *      drops                  NAME=n of all reasons that counted since the last time
 *      memory                 skb_live, arena_octets, socks, KiB resident
 *      sysctl NAME VALUE
 *      view PATH              the text, with '|' for newlines
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "core/net.h"
#include "lab/lab_net.h"
#include "stack/stack.h"

#define MEM_LIMIT (16u << 20)

struct node {
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_file *udp, *tcp;
	u64 seen[SKB_DROP_MAX];
};

static void must(long r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "attack_node: %s: %s\n", what, strerror((int)-r));
	exit(2);
}

static void address(struct node *n, const char *dev, int family, const char *text, uint8_t plen)
{
	struct lab_ip ip = { .family = family };
	struct net_error err;

	inet_pton(family, text, family == AF_INET ? (void *)&ip.v4 : (void *)&ip.v6);
	must(net_ip_add(n->net, dev, &ip, plen, &err), text);
}

/* The attacker's address, whose link-layer address is known for good: nothing here waits for neighbours. */
static void neighbour(struct node *n, int family, const char *text)
{
	static const u8 lladdr[6] = { 2, 0, 0, 0, 0, 1 };
	struct {
		struct nlmsghdr h;
		struct ndmsg ndm;
		struct rtattr lladdr;
		u8 ll[8];
		struct rtattr dst;
		u8 addr[16];
	} q = {
		.h = { .nlmsg_type = RTM_NEWNEIGH,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.ndm = { .ndm_family = (u8)family, .ndm_ifindex = 2, .ndm_state = NUD_PERMANENT },
		.lladdr = { RTA_LENGTH(sizeof(lladdr)), NDA_LLADDR },
		.dst = { (u16)RTA_LENGTH(family == AF_INET ? 4 : 16), NDA_DST },
	};

	memcpy(q.ll, lladdr, sizeof(lladdr));
	inet_pton(family, text, q.addr);
	q.h.nlmsg_len = (u32)(offsetof(typeof(q), dst) + q.dst.rta_len);
	must(weir_netlink(n->net, NETLINK_ROUTE, &q.h, NULL, NULL, NULL, 0), text);
}

static struct weir_file *service(struct node *n, int type, uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct weir_file *f;

	must(weir_socket(n->net, AF_INET6, type | SOCK_NONBLOCK, 0, &f), "socket");
	must(weir_bind(f, (struct sockaddr *)&any, sizeof(any)), "bind");
	if (type == SOCK_STREAM)
		must(weir_listen(f, 16), "listen");
	return f;
}

static void serve(struct node *n)
{
	struct sockaddr_in6 from;
	struct weir_file *f;
	char buf[2000];
	socklen_t len;
	ssize_t r;

	while (len = sizeof(from), (r = weir_recvfrom(n->udp, buf, sizeof(buf), 0,
						      (struct sockaddr *)&from, &len)) >= 0)
		weir_sendto(n->udp, buf, (size_t)r, 0, (struct sockaddr *)&from, len);
	while (!weir_accept(n->tcp, NULL, NULL, SOCK_NONBLOCK, &f))
		weir_close(f);
}

static void tell_drops(struct node *n)
{
	for (u16 i = 0; i < SKB_DROP_MAX; i++) {
		u64 count = net_drops(net_of(n->net), i);

		if (*weir_drop_reason_help(n->m, i) && count > n->seen[i])
			printf("%s=%llu ", weir_drop_reason_name(n->m, i),
			       (unsigned long long)(count - n->seen[i]));
		n->seen[i] = count;
	}
	printf("\n");
}

static void tell_memory(struct node *n)
{
	struct weir_memory mem;
	long resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%*d %ld", &resident) != 1)
		resident = 0;
	if (f)
		fclose(f);
	weir_memory(n->m, &mem);
	printf("%llu %llu %llu %ld\n", (unsigned long long)mem.skb_live,
	       (unsigned long long)mem.arena_octets, (unsigned long long)mem.nr_socks,
	       resident * (sysconf(_SC_PAGESIZE) / 1024));
}

static void tell_view(struct node *n, const char *path)
{
	size_t len;
	char *text;
	int r = weir_view_read(n->net, path, &text, &len);

	if (r) {
		printf("%s\n", strerror(-r));
		return;
	}
	for (size_t i = 0; i < len; i++)
		putchar(text[i] == '\n' ? '|' : text[i]);
	putchar('\n');
	free(text);
}

static void turn(struct node *n)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };

	fds[1].fd = weir_arm(n->m);
	must(fds[1].fd, "weir_arm");
	poll(fds, 2, -1);
	must(weir_run(n->m, 0), "weir_run");
	serve(n);
}

static void command(struct node *n, char *line)
{
	char name[200], value[200];

	line[strcspn(line, "\n")] = 0;
	if (!strcmp(line, "drops")) {
		tell_drops(n);
	} else if (!strcmp(line, "memory")) {
		tell_memory(n);
	} else if (sscanf(line, "sysctl %199s %199s", name, value) == 2) {
		printf("%d\n", weir_sysctl(n->net, name, value));
	} else if (!strncmp(line, "view ", 5)) {
		tell_view(n, line + 5);
	} else {
		printf("?\n");
	}
	fflush(stdout);
}

static void set_up(struct node *n, int tap)
{
	struct weir_machine_config cfg = { .mem_limit = MEM_LIMIT };
	static const char *const sysctls[] = {
		"net.ipv6.conf.default.accept_dad",
		"net.ipv6.conf.default.router_solicitations",
		"net.ipv6.conf.default.dad_transmits",
		"net.ipv6.icmp.ratelimit",
		"net.ipv4.icmp_ratelimit",
	};
	struct net_error err;

	n->m = weir_machine_create(&cfg);
	n->net = n->m ? weir_net_create(n->m, "target") : NULL;
	must(n->net ? 0 : -ENOMEM, "weir_net_create");
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++)
		must(weir_sysctl(n->net, sysctls[i], "0"), sysctls[i]);
	must(weir_sysctl(n->net, "net.ipv4.icmp_msgs_per_sec", "1000000"), "icmp_msgs_per_sec");
	must(weir_sysctl(n->net, "net.ipv4.icmp_msgs_burst", "1000000"), "icmp_msgs_burst");
	must(weir_dev_attach_tap(n->net, "eth0", tap, 0), "weir_dev_attach_tap");
	must(net_link_up(n->net, "lo", &err), "lo");
	must(net_link_up(n->net, "eth0", &err), "eth0");
	address(n, "eth0", AF_INET, "10.9.0.2", 24);
	address(n, "eth0", AF_INET6, "fd09::2", 64);
	neighbour(n, AF_INET, "10.9.0.1");
	neighbour(n, AF_INET6, "fd09::1");
	neighbour(n, AF_INET6, "fe80::1");
	n->udp = service(n, SOCK_DGRAM, 5000);
	n->tcp = service(n, SOCK_STREAM, 5001);
}

int main(int argc, char **argv)
{
	static struct node n;
	struct weir_memory mem;
	char line[500];

	if (argc != 2)
		return 2;
	set_up(&n, atoi(argv[1]));
	printf("ready\n");
	fflush(stdout);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		struct pollfd in = { .fd = 0, .events = POLLIN };

		turn(&n);
		if (!poll(&in, 1, 0))
			continue;
		if (!fgets(line, sizeof(line), stdin))
			break;
		command(&n, line);
	}
	weir_close(n.udp);
	weir_close(n.tcp);
	weir_net_destroy(n.net);
	weir_memory(n.m, &mem);
	weir_machine_destroy(n.m);
	if (mem.skb_live || mem.nr_socks)
		fprintf(stderr, "attack_node: %llu packets and %llu sockets are left\n",
			(unsigned long long)mem.skb_live, (unsigned long long)mem.nr_socks);
	return mem.skb_live || mem.nr_socks;
}
