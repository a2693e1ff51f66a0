/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setup.h - configuring nets in the examples, with rtnetlink(7) as a program would
 *
 * Configuration is netlink and only netlink. These are the few requests that the examples need, written out; a real program takes
 * libmnl or libnl, or runs `weir lab` with a file. Errors end the program with the sentence that weir gave.
 */
#ifndef WEIR_EXAMPLES_SETUP_H
#define WEIR_EXAMPLES_SETUP_H

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

struct request {
	union {
		struct nlmsghdr nlh;
		char buf[512];
	};
};

static inline void *request_begin(struct request *r, int type, int flags, size_t hdrlen)
{
	memset(r, 0, sizeof(*r));
	r->nlh.nlmsg_type = (unsigned short)type;
	r->nlh.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
	r->nlh.nlmsg_len = (unsigned)NLMSG_LENGTH(hdrlen);
	return NLMSG_DATA(&r->nlh);
}

static inline struct rtattr *put_attr(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)(r->buf + NLMSG_ALIGN(r->nlh.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->nlh.nlmsg_len = NLMSG_ALIGN(r->nlh.nlmsg_len) + (unsigned)RTA_ALIGN(a->rta_len);
	return a;
}

static inline void end_nest(struct request *r, struct rtattr *a)
{
	a->rta_len = (unsigned short)(r->buf + r->nlh.nlmsg_len - (char *)a);
}

static inline void request_send(struct weir_net *net, struct request *r, const char *what)
{
	char sentence[160];
	int err = weir_netlink(net, NETLINK_ROUTE, &r->nlh, NULL, NULL, sentence, sizeof(sentence));

	if (err) {
		fprintf(stderr, "%s: %s%s%s\n", what, strerror(-err), sentence[0] ? ": " : "",
			sentence);
		exit(1);
	}
}

/* ip link add NAME type veth peer name PEER_NAME netns PEER_NET */
static inline void add_veth(struct weir_net *net, const char *name, struct weir_net *peer_net,
			    const char *peer_name)
{
	unsigned peer_id = weir_net_id(peer_net);
	struct rtattr *info, *data, *peer;
	struct ifinfomsg ifi = { 0 };
	struct request r;

	request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	put_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = put_attr(&r, IFLA_LINKINFO, NULL, 0);
	put_attr(&r, IFLA_INFO_KIND, "veth", 5);
	data = put_attr(&r, IFLA_INFO_DATA, NULL, 0);
	peer = put_attr(&r, VETH_INFO_PEER, &ifi, sizeof(ifi));
	put_attr(&r, IFLA_IFNAME, peer_name, strlen(peer_name) + 1);
	put_attr(&r, IFLA_NET_NS_FD, &peer_id, sizeof(peer_id));
	end_nest(&r, peer);
	end_nest(&r, data);
	end_nest(&r, info);
	request_send(net, &r, "adding a veth pair");
}

static inline int take_index(const struct nlmsghdr *nlh, void *arg)
{
	*(int *)arg = ((const struct ifinfomsg *)NLMSG_DATA(nlh))->ifi_index;
	return 0;
}

static inline int link_index(struct weir_net *net, const char *name)
{
	struct request r;
	int index = 0;

	request_begin(&r, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	put_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (weir_netlink(net, NETLINK_ROUTE, &r.nlh, take_index, &index, NULL, 0) || !index) {
		fprintf(stderr, "no device %s\n", name);
		exit(1);
	}
	return index;
}

/* ip link set NAME up */
static inline void link_up(struct weir_net *net, const char *name)
{
	struct request r;
	struct ifinfomsg *ifi = request_begin(&r, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = link_index(net, name);
	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	request_send(net, &r, "link up");
}

/* ip addr add ADDRESS/PREFIXLEN dev NAME */
static inline void add_address(struct weir_net *net, const char *name, const char *address,
			       int prefixlen)
{
	struct request r;
	struct ifaddrmsg *ifa =
		request_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifa));
	struct in_addr a;

	inet_pton(AF_INET, address, &a);
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = (unsigned char)prefixlen;
	ifa->ifa_index = (unsigned)link_index(net, name);
	put_attr(&r, IFA_LOCAL, &a, sizeof(a));
	put_attr(&r, IFA_ADDRESS, &a, sizeof(a));
	request_send(net, &r, "adding an address");
}

/* Two nets, "a" 10.0.0.1 and "b" 10.0.0.2, joined by a veth pair. */
static inline void two_nets(struct weir_machine *m, struct weir_net *ret[2])
{
	ret[0] = weir_net_create(m, "a");
	ret[1] = weir_net_create(m, "b");
	if (!ret[0] || !ret[1]) {
		perror("weir_net_create");
		exit(1);
	}
	add_veth(ret[0], "eth0", ret[1], "eth0");
	link_up(ret[0], "lo");
	link_up(ret[1], "lo");
	add_address(ret[0], "eth0", "10.0.0.1", 24);
	add_address(ret[1], "eth0", "10.0.0.2", 24);
	link_up(ret[0], "eth0");
	link_up(ret[1], "eth0");
}

static inline struct sockaddr_in ipv4(const char *address, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };

	inet_pton(AF_INET, address, &sin.sin_addr);
	return sin;
}

/* Ends the program when a weir call failed. */
static inline long check(long r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror((int)-r));
		exit(1);
	}
	return r;
}

#endif
