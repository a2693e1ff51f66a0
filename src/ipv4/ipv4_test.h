/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4_test.h - for the unit tests of this folder: nets with IPv4 in virtual time, configured through the rtnetlink handlers */
#ifndef WEIR_IPV4_IPV4_TEST_H
#define WEIR_IPV4_IPV4_TEST_H

#include <stdlib.h>

#include "core/dev_test.h"
#include "ipv4/ipv4_internal.h"
#include "lib/csum.h"
#include "wire/icmp.h"

#define IP(a, b, c, d) ((be32){ (u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24 })

/* ipv4_machine_test.c: everything up to UDP, and the drivers */
struct machine *ipv4_machine(void);

static inline void link_up(struct net_device *dev)
{
	rtnl_lock(dev->net->machine);
	assert_int_equal(dev_open(dev, NULL), 0);
	rtnl_unlock(dev->net->machine);
}

static inline void link_down(struct net_device *dev)
{
	rtnl_lock(dev->net->machine);
	dev_close(dev);
	rtnl_unlock(dev->net->machine);
}

/* A net with "lo" up. */
static inline struct net *ipv4_net(struct machine *m, const char *name)
{
	struct net *net = net_create(m, name);

	assert_non_null(net);
	link_up(net->loopback_dev);
	return net;
}

/* ---- requests ------------------------------------------------------------------------------------------- */

static inline const struct rtnl_handler *find_handler(u16 type)
{
	for (u32 i = 0; i < nr_fib_rtnl_handlers; i++)
		if (fib_rtnl_handlers[i].type == type)
			return &fib_rtnl_handlers[i];
	for (u32 i = 0; i < nr_devinet_rtnl_handlers; i++)
		if (devinet_rtnl_handlers[i].type == type)
			return &devinet_rtnl_handlers[i];
	return NULL;
}

/* One request whose message is the only one in @m; answers go to @reply. */
static inline int request(struct net *net, struct nl_msg *m, struct nl_msg *reply)
{
	struct netlink_ext_ack extack = { 0 };
	struct nl_request req = {
		.net = net,
		.nlh = (const struct nlmsghdr *)m->buf,
		.privileged = true,
		.extack = &extack,
		.reply = reply,
	};
	int err;

	rtnl_lock(net->machine);
	err = find_handler(req.nlh->nlmsg_type)->doit(&req);
	rtnl_unlock(net->machine);
	nl_msg_fini(m);
	return err;
}

static inline int addr_request(struct net_device *dev, u16 type, u16 flags, be32 addr, u8 plen,
			       u32 valid)
{
	struct nl_msg m;
	struct ifaddrmsg *ifm;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	ifm = nlmsg_begin(&m, 0, 1, type, flags, sizeof(*ifm));
	ifm->ifa_family = AF_INET;
	ifm->ifa_prefixlen = plen;
	ifm->ifa_index = (u32)dev->ifindex;
	nla_put_in_addr(&m, IFA_LOCAL, addr);
	nla_put_in_addr(&m, IFA_ADDRESS, addr);
	if (valid) {
		struct ifa_cacheinfo ci = { valid, valid, 0, 0 };

		nla_put(&m, IFA_CACHEINFO, sizeof(ci), &ci);
	}
	assert_int_equal(nlmsg_finish(&m), 0);
	return request(dev->net, &m, NULL);
}

static inline int addr_add(struct net_device *dev, be32 addr, u8 plen)
{
	return addr_request(dev, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, addr, plen, 0);
}

static inline int addr_del(struct net_device *dev, be32 addr, u8 plen)
{
	return addr_request(dev, RTM_DELADDR, 0, addr, plen, 0);
}

struct route_spec {
	u16 msg, flags;
	be32 dst, gw, prefsrc;
	u8 plen, type, scope;
	u32 table, priority, mtu;
	struct net_device *dev;
	u8 rtm_flags;
};

static inline int route_request(struct net *net, struct route_spec s)
{
	struct nl_msg m;
	struct rtmsg *rtm;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	rtm = nlmsg_begin(&m, 0, 1, s.msg ? s.msg : RTM_NEWROUTE,
			  s.flags ? s.flags : NLM_F_CREATE | NLM_F_EXCL, sizeof(*rtm));
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = s.plen;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = s.msg == RTM_DELROUTE ? 0 : RTPROT_BOOT;
	rtm->rtm_type = s.msg == RTM_DELROUTE ? s.type : s.type ? s.type : RTN_UNICAST;
	rtm->rtm_scope = s.msg == RTM_DELROUTE      ? RT_SCOPE_NOWHERE
			 : s.scope                  ? s.scope
			 : be32_zero(s.gw) && s.dev ? RT_SCOPE_LINK
						    : RT_SCOPE_UNIVERSE;
	rtm->rtm_flags = s.rtm_flags;
	if (s.plen)
		nla_put_in_addr(&m, RTA_DST, s.dst);
	if (!be32_zero(s.gw))
		nla_put_in_addr(&m, RTA_GATEWAY, s.gw);
	if (!be32_zero(s.prefsrc))
		nla_put_in_addr(&m, RTA_PREFSRC, s.prefsrc);
	if (s.dev)
		nla_put_u32(&m, RTA_OIF, (u32)s.dev->ifindex);
	if (s.table)
		nla_put_u32(&m, RTA_TABLE, s.table);
	if (s.priority)
		nla_put_u32(&m, RTA_PRIORITY, s.priority);
	if (s.mtu) {
		u32 mark = nla_nest_start(&m, RTA_METRICS);

		nla_put_u32(&m, RTAX_MTU, s.mtu);
		nla_nest_end(&m, mark);
	}
	assert_int_equal(nlmsg_finish(&m), 0);
	return request(net, &m, NULL);
}

/* The output route to @dst: its device, source, next hop. -errno */
struct route_answer {
	struct net_device *dev;
	be32 src, gw;
	u8 type;
	u32 mtu;
};

static inline int route_get(struct net *net, be32 dst, struct route_answer *ret)
{
	struct flowi4 fl = { .daddr = dst };
	struct rtable *rt;
	int err;

	cpu_lock(net->cpu);
	rt = ip_route_output_key(net, &fl, &err);
	if (rt) {
		err = 0;
		*ret = (struct route_answer){ rt->dst.dev, fl.saddr, rt->rt_gateway, rt->rt_type,
					      dst_mtu(&rt->dst) };
		ip_rt_put(rt);
	}
	cpu_unlock(net->cpu);
	return err;
}

/* cpu lock held */
static inline void learn_pmtu(struct net *net, be32 daddr, u32 mtu)
{
	const struct flowi4 fl = { .daddr = daddr };

	rt_learn_pmtu(net, &fl, mtu);
}

static inline u64 drops(const struct net *net, u32 reason)
{
	return net_drops(net, reason);
}

/* ---- packets ---------------------------------------------------------------------------------------------- */

struct packet_spec {
	be32 src, dst;
	u8 ttl, protocol, tos;
	u16 frag, payload;
	u8 pkt_type;
};

/* cpu lock held. An IP packet as if it came in by @dev: a valid header, a payload of zeros; data at the IP header. */
static inline struct sk_buff *ip_packet(struct net_device *dev, struct packet_spec s)
{
	struct sk_buff *skb = netdev_alloc_skb(dev, 66 + s.payload);
	struct ip_hdr *iph;

	assert_non_null(skb);
	skb_reserve(skb, 2 + ETH_HLEN); /* the IP header is aligned */
	skb->mac_header = (u16)(skb->data - skb->head - ETH_HLEN);
	iph = skb_put_zero(skb, sizeof(*iph));
	skb_put_zero(skb, s.payload);
	iph->ihl_version = 0x45;
	iph->tos = s.tos;
	iph->tot_len = cpu_to_be16((u16)skb->len);
	iph->frag_off = cpu_to_be16(s.frag);
	iph->ttl = s.ttl ? s.ttl : 64;
	iph->protocol = s.protocol;
	iph->saddr = s.src;
	iph->daddr = s.dst;
	ip_send_check(iph);
	skb->protocol = BE16_INIT(ETH_P_IP);
	skb->pkt_type = s.pkt_type;
	skb->skb_iif = (u32)dev->ifindex;
	skb_reset_network_header(skb);
	return skb;
}

/* As above with an echo request of @payload octets in it. */
static inline struct sk_buff *echo_packet(struct net_device *dev, struct packet_spec s)
{
	struct sk_buff *skb;
	struct icmp_hdr *h;

	s.protocol = IPPROTO_ICMP;
	s.payload = (u16)max(s.payload, (u16)sizeof(*h));
	skb = ip_packet(dev, s);
	h = (struct icmp_hdr *)(skb->data + sizeof(struct ip_hdr));
	h->type = ICMP4_ECHO;
	h->un.echo.id = BE16_INIT(7);
	h->checksum.v = csum_fold(csum_partial(h, s.payload, 0));
	return skb;
}

static inline void ip_input(struct sk_buff *skb)
{
	ip_rcv(skb, skb->dev, NULL);
}

/* The oldest frame that @dev (of test_netdev()) sent: its octets from the network header on are copied. -1: none. */
static inline int sent_frame(struct net_device *dev, u8 *buf, u32 size, u16 *ret_type)
{
	struct sk_buff *skb;
	int len;

	cpu_lock(dev->cpu);
	skb = skb_dequeue(&test_priv(dev)->sent);
	if (!skb) {
		cpu_unlock(dev->cpu);
		return -1;
	}
	len = (int)skb->len - ETH_HLEN;
	if (ret_type)
		*ret_type = be16_to_cpu(((const struct eth_hdr *)skb->data)->type);
	assert_true(len >= 0 && (u32)len <= size);
	assert_int_equal(skb_copy_bits(skb, ETH_HLEN, buf, (u32)len), 0);
	consume_skb(skb);
	cpu_unlock(dev->cpu);
	return len;
}

/* Makes @addr known on @dev, so that no ARP is needed. */
static inline void neigh_set(struct net_device *dev, be32 addr)
{
	static const u8 lladdr[] = { 2, 0, 0, 0, 0, 99 };
	struct neighbour *n;
	int err;

	cpu_lock(dev->cpu);
	n = neigh_create(dev->net->ipv4->arp_tbl, &addr, dev, &err);
	assert_non_null(n);
	assert_int_equal(neigh_update(n, lladdr, NUD_PERMANENT,
				      NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN),
			 0);
	neigh_release(n);
	cpu_unlock(dev->cpu);
}

#endif
