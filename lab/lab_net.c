/* SPDX-License-Identifier: BSD-2-Clause */
/* lab_net.c - see lab_net.h */
#include "lab/lab_net.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>

#include <weir/netlink.h>

#define REQUEST_SIZE 2048

struct request {
	char buf[REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *nlh;
};

static void *request_begin(struct request *q, uint16_t type, uint16_t flags, size_t header)
{
	q->nlh = mnl_nlmsg_put_header(q->buf);
	q->nlh->nlmsg_type = type;
	q->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	q->nlh->nlmsg_seq = 1;
	return mnl_nlmsg_put_extra_header(q->nlh, header);
}

static int request_send(struct request *q, struct weir_net *net, struct net_error *err)
{
	return weir_netlink(net, NETLINK_ROUTE, q->nlh, NULL, NULL, err->text, sizeof(err->text));
}

static int take_ifindex(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		*(int *)arg = ((const struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_index;
	return 0;
}

static int ifindex_of(struct weir_net *net, const char *ifname, struct net_error *err)
{
	struct request q;
	int index = 0, r;

	request_begin(&q, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, ifname);
	r = weir_netlink(net, NETLINK_ROUTE, q.nlh, take_ifindex, &index, err->text,
			 sizeof(err->text));
	return r < 0 ? r : index > 0 ? index : -ENODEV;
}

int net_link_up(struct weir_net *net, const char *ifname, struct net_error *err)
{
	struct request q;
	struct ifinfomsg *ifi = request_begin(&q, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_flags = ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, ifname);
	return request_send(&q, net, err);
}

int net_link_set_mtu(struct weir_net *net, const char *ifname, uint32_t mtu, struct net_error *err)
{
	struct request q;

	request_begin(&q, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, ifname);
	mnl_attr_put_u32(q.nlh, IFLA_MTU, mtu);
	return request_send(&q, net, err);
}

int net_veth_add(struct weir_net *net_a, const char *a, struct weir_net *net_b, const char *b,
		 uint32_t mtu, struct net_error *err)
{
	struct request q;
	struct nlattr *info, *data, *peer;

	request_begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, a);
	if (mtu)
		mnl_attr_put_u32(q.nlh, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(q.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(q.nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(q.nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(q.nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(q.nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, b);
	if (mtu)
		mnl_attr_put_u32(q.nlh, IFLA_MTU, mtu);
	mnl_attr_put_u32(q.nlh, IFLA_NET_NS_FD, weir_net_id(net_b));
	mnl_attr_nest_end(q.nlh, peer);
	mnl_attr_nest_end(q.nlh, data);
	mnl_attr_nest_end(q.nlh, info);
	return request_send(&q, net_a, err);
}

int net_medium_add(struct weir_net *net, const char *name, const char *kind, struct net_error *err)
{
	struct request q;
	struct nlattr *info;
	int r;

	request_begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(q.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(q.nlh, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(q.nlh, info);
	r = request_send(&q, net, err);
	return r ? r : net_link_up(net, name, err);
}

int net_nic_add(struct weir_net *home, const char *into, struct weir_net *net, const char *name,
		struct net_error *err)
{
	struct request q;
	struct nlattr *info;
	int link = into ? ifindex_of(home, into, err) : 0;

	if (link < 0)
		return link;
	request_begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(q.nlh, IFLA_NET_NS_FD, weir_net_id(net));
	if (link)
		mnl_attr_put_u32(q.nlh, IFLA_LINK, (uint32_t)link);
	info = mnl_attr_nest_start(q.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(q.nlh, IFLA_INFO_KIND, "nic");
	mnl_attr_nest_end(q.nlh, info);
	return request_send(&q, home, err);
}

static void put_link(struct request *q, uint16_t type, const struct lab_impairment *imp)
{
	struct nlattr *link = mnl_attr_nest_start(q->nlh, type);

	mnl_attr_put_u64(q->nlh, WEIR_LINK_DELAY_NS, imp->delay_ns);
	mnl_attr_put_u64(q->nlh, WEIR_LINK_JITTER_NS, imp->jitter_ns);
	mnl_attr_put_u32(q->nlh, WEIR_LINK_LOSS, imp->loss);
	mnl_attr_put_u32(q->nlh, WEIR_LINK_LOSS_BURST, imp->loss_burst);
	mnl_attr_put_u32(q->nlh, WEIR_LINK_DUPLICATE, imp->duplicate);
	mnl_attr_put_u32(q->nlh, WEIR_LINK_REORDER, imp->reorder);
	mnl_attr_put_u32(q->nlh, WEIR_LINK_CORRUPT, imp->corrupt);
	/* A card's cable has a rate of its own. */
	if (imp->rate_bps || type == WEIR_VETH_LINK)
		mnl_attr_put_u64(q->nlh, WEIR_LINK_RATE_BPS, imp->rate_bps);
	if (imp->queue_packets)
		mnl_attr_put_u32(q->nlh, WEIR_LINK_QUEUE_PACKETS, imp->queue_packets);
	mnl_attr_put_u32(q->nlh, WEIR_LINK_ECN_PACKETS, imp->ecn_packets);
	mnl_attr_nest_end(q->nlh, link);
}

/* Begins a change of an existing link of @kind; the caller puts attributes of IFLA_INFO_DATA and calls change_send(). */
struct change {
	struct request q;
	struct nlattr *info, *data;
};

static void change_begin(struct change *c, const char *ifname, const char *kind)
{
	request_begin(&c->q, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(c->q.nlh, IFLA_IFNAME, ifname);
	c->info = mnl_attr_nest_start(c->q.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(c->q.nlh, IFLA_INFO_KIND, kind);
	c->data = mnl_attr_nest_start(c->q.nlh, IFLA_INFO_DATA);
}

static int change_send(struct change *c, struct weir_net *net, struct net_error *err)
{
	mnl_attr_nest_end(c->q.nlh, c->data);
	mnl_attr_nest_end(c->q.nlh, c->info);
	return request_send(&c->q, net, err);
}

int net_medium_configure(struct weir_net *net, const struct lab_medium *m, struct net_error *err)
{
	const struct {
		uint16_t type;
		uint64_t value;
	} rows[] = { { WEIR_MEDIUM_RATE_BPS, m->rate_bps },
		     { WEIR_MEDIUM_DELAY_NS, m->delay_ns },
		     { WEIR_MEDIUM_HOLD_NS, m->hold_ns },
		     { WEIR_MEDIUM_AGEING_NS, m->ageing_ns } };
	struct change c;

	change_begin(&c, m->name, m->kind);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value)
			mnl_attr_put_u64(c.q.nlh, rows[i].type, rows[i].value);
	return change_send(&c, net, err);
}

int net_nic_configure(struct weir_net *net, const char *ifname, const struct lab_card *card,
		      const struct lab_impairment *cable, struct net_error *err)
{
	static const struct lab_impairment none;
	const struct {
		uint16_t type;
		uint32_t value;
	} rows[] = {
		{ WEIR_NIC_RX_RING, card->rx_ring },   { WEIR_NIC_TX_RING, card->tx_ring },
		{ WEIR_NIC_RX_USECS, card->rx_usecs }, { WEIR_NIC_RX_FRAMES, card->rx_frames },
		{ WEIR_NIC_TX_USECS, card->tx_usecs }, { WEIR_NIC_TX_FRAMES, card->tx_frames }
	};
	struct change c;

	change_begin(&c, ifname, "nic");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value)
			mnl_attr_put_u32(c.q.nlh, rows[i].type, rows[i].value);
	mnl_attr_put_u8(c.q.nlh, WEIR_NIC_PIO, card->pio);
	if (memcmp(cable, &none, sizeof(none)))
		put_link(&c.q, WEIR_NIC_LINK, cable);
	return change_send(&c, net, err);
}

/* ---- ethtool ---------------------------------------------------------------------------------------------- */

#define MAX_STRINGS 128

struct strings {
	struct ethtool_gstrings head;
	char name[MAX_STRINGS][ETH_GSTRING_LEN];
};

static int ethtool(struct weir_net *net, const char *ifname, void *arg)
{
	struct ifreq ifr = { .ifr_data = arg };
	struct weir_file *f;
	int err = weir_socket(net, AF_INET, SOCK_DGRAM, 0, &f);

	if (err)
		return err;
	strcpy(ifr.ifr_name, ifname);
	err = weir_ioctl(f, SIOCETHTOOL, &ifr);
	weir_close(f);
	return err;
}

static int ethtool_strings(struct weir_net *net, const char *ifname, uint32_t set,
			   struct strings *ret)
{
	ret->head = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, set, MAX_STRINGS };
	return ethtool(net, ifname, ret);
}

int net_set_feature(struct weir_net *net, const char *ifname, const struct lab_feature *f)
{
	struct {
		struct ethtool_sfeatures head;
		struct ethtool_set_features_block block[2];
	} set = { .head = { ETHTOOL_SFEATURES, 2 } };
	struct strings *s = malloc(sizeof(*s));
	int err = s ? ethtool_strings(net, ifname, ETH_SS_FEATURES, s) : -ENOMEM;
	uint32_t i = 0;

	if (!err) {
		while (i < s->head.len && strncmp(s->name[i], f->name, ETH_GSTRING_LEN))
			i++;
		err = i < s->head.len && i < 64 ? 0 : -ENOENT;
	}
	free(s);
	if (err)
		return err;
	set.block[i / 32].valid = 1u << i % 32;
	set.block[i / 32].requested = f->on ? 1u << i % 32 : 0;
	err = ethtool(net, ifname, &set);
	return err > 0 ? -EOPNOTSUPP : err;
}

void net_ethtool_stats(struct weir_net *net, const char *ifname,
		       void (*show)(const char *name, uint64_t value, void *arg), void *arg)
{
	struct {
		struct ethtool_stats head;
		uint64_t value[MAX_STRINGS];
	} st = { .head = { ETHTOOL_GSTATS, MAX_STRINGS } };
	struct strings *s = malloc(sizeof(*s));

	if (s && !ethtool_strings(net, ifname, ETH_SS_STATS, s) && !ethtool(net, ifname, &st))
		for (uint32_t i = 0; i < s->head.len && i < st.head.n_stats; i++)
			show(s->name[i], st.value[i], arg);
	free(s);
}

int net_link_impair(struct weir_net *net, const char *ifname, const struct lab_impairment *imp,
		    struct net_error *err)
{
	struct request q;
	struct nlattr *info, *data;

	request_begin(&q, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, ifname);
	info = mnl_attr_nest_start(q.nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(q.nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(q.nlh, IFLA_INFO_DATA);
	put_link(&q, WEIR_VETH_LINK, imp);
	mnl_attr_nest_end(q.nlh, data);
	mnl_attr_nest_end(q.nlh, info);
	return request_send(&q, net, err);
}

int net_ip_add(struct weir_net *net, const char *ifname, const struct lab_ip *addr,
	       uint8_t prefixlen, struct net_error *err)
{
	struct request q;
	struct ifaddrmsg *ifa;
	int ifindex = ifindex_of(net, ifname, err);
	bool lo = !strcmp(ifname, "lo");

	if (ifindex < 0)
		return ifindex;
	ifa = request_begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifa));
	ifa->ifa_family = (uint8_t)addr->family;
	ifa->ifa_prefixlen = prefixlen;
	ifa->ifa_index = (uint32_t)ifindex;
	ifa->ifa_scope = lo ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	mnl_attr_put(q.nlh, IFA_LOCAL, lab_ip_len(addr), addr->octets);
	mnl_attr_put(q.nlh, IFA_ADDRESS, lab_ip_len(addr), addr->octets);
	/* Whoever writes the file sees duplicates: programs need not wait a second for their detection. */
	if (addr->family == AF_INET6)
		ifa->ifa_flags = IFA_F_NODAD;
	if (addr->family == AF_INET && prefixlen < 31 && !lo) {
		struct in_addr brd = { addr->v4.s_addr | htonl(0xffffffffu >> prefixlen) };

		mnl_attr_put(q.nlh, IFA_BROADCAST, sizeof(brd), &brd);
	}
	return request_send(&q, net, err);
}

int net_route_add(struct weir_net *net, const struct lab_route *route, struct net_error *err)
{
	struct request q;
	struct rtmsg *rt = request_begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*rt));

	rt->rtm_family = (uint8_t)route->dst.family;
	rt->rtm_dst_len = route->prefixlen;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope = route->has_via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	if (route->prefixlen)
		mnl_attr_put(q.nlh, RTA_DST, lab_ip_len(&route->dst), route->dst.octets);
	if (route->has_via)
		mnl_attr_put(q.nlh, RTA_GATEWAY, lab_ip_len(&route->via), route->via.octets);
	if (*route->dev) {
		int ifindex = ifindex_of(net, route->dev, err);

		if (ifindex < 0)
			return ifindex;
		mnl_attr_put_u32(q.nlh, RTA_OIF, (uint32_t)ifindex);
	}
	if (route->metric)
		mnl_attr_put_u32(q.nlh, RTA_PRIORITY, route->metric);
	return request_send(&q, net, err);
}

int net_local_any(struct weir_net *net, int family, struct net_error *err)
{
	struct request q;
	struct rtmsg *rt = request_begin(&q, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*rt));
	int lo = ifindex_of(net, "lo", err);

	if (lo < 0)
		return lo;
	rt->rtm_family = (uint8_t)family;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	rt->rtm_type = RTN_LOCAL;
	mnl_attr_put_u32(q.nlh, RTA_OIF, (uint32_t)lo);
	return request_send(&q, net, err);
}

/* ---- statistics ----------------------------------------------------------------------------------------- */

static uint64_t attr_u64(const struct nlattr *a)
{
	uint64_t v;

	memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return v;
}

static int take_impairment_stat(const struct nlattr *a, void *arg)
{
	struct net_link_stats *s = arg;
	uint64_t *const counters[] = {
		[WEIR_LINK_STAT_LOST] = &s->lost,
		[WEIR_LINK_STAT_DUPLICATED] = &s->duplicated,
		[WEIR_LINK_STAT_REORDERED] = &s->reordered,
		[WEIR_LINK_STAT_CORRUPTED] = &s->corrupted,
		[WEIR_LINK_STAT_QUEUE_DROPS] = &s->queue_drops,
		[WEIR_LINK_STAT_MARKED] = &s->marked,
	};
	uint16_t type = mnl_attr_get_type(a);

	if (type < sizeof(counters) / sizeof(counters[0]) && counters[type] &&
	    mnl_attr_get_payload_len(a) >= sizeof(uint64_t))
		*counters[type] = attr_u64(a);
	return MNL_CB_OK;
}

static int take_info_data(const struct nlattr *a, void *arg)
{
	return mnl_attr_get_type(a) == WEIR_VETH_LINK || mnl_attr_get_type(a) == WEIR_NIC_LINK
		       ? mnl_attr_parse_nested(a, take_impairment_stat, arg)
		       : MNL_CB_OK;
}

static int take_link_info(const struct nlattr *a, void *arg)
{
	return mnl_attr_get_type(a) == IFLA_INFO_DATA
		       ? mnl_attr_parse_nested(a, take_info_data, arg)
		       : MNL_CB_OK;
}

static int take_link_attr(const struct nlattr *a, void *arg)
{
	struct net_link_stats *s = arg;
	struct rtnl_link_stats64 st = { 0 };
	size_t n = mnl_attr_get_payload_len(a);

	if (mnl_attr_get_type(a) == IFLA_LINKINFO)
		return mnl_attr_parse_nested(a, take_link_info, arg);
	if (mnl_attr_get_type(a) != IFLA_STATS64)
		return MNL_CB_OK;
	memcpy(&st, mnl_attr_get_payload(a), n < sizeof(st) ? n : sizeof(st));
	s->tx_packets = st.tx_packets;
	s->tx_octets = st.tx_bytes;
	s->rx_packets = st.rx_packets;
	s->rx_octets = st.rx_bytes;
	s->tx_dropped = st.tx_dropped;
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(nlh, sizeof(struct ifinfomsg), take_link_attr, arg);
	return 0;
}

int net_link_stats(struct weir_net *net, const char *ifname, struct net_link_stats *ret)
{
	struct request q;
	struct net_error err;

	memset(ret, 0, sizeof(*ret));
	request_begin(&q, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(q.nlh, IFLA_IFNAME, ifname);
	return weir_netlink(net, NETLINK_ROUTE, q.nlh, take_link, ret, err.text, sizeof(err.text));
}
