/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv4_internal.h - what the files of ipv4/ share: routes as the tables hold them, in_device, small helpers
 *
 * Locking: what is configured (addresses, routes, devconf) is changed with rtnl and the net's cpu lock held, and read with
 * either. Functions here that change it need both, unless said otherwise.
 */
#ifndef WEIR_IPV4_IPV4_INTERNAL_H
#define WEIR_IPV4_IPV4_INTERNAL_H

#include <linux/if_addr.h>
#include <linux/in_route.h>

#include "core/neighbour.h"
#include "core/net.h"
#include "inet/fib_rules.h"
#include "inet/ip_metrics.h"
#include "ipv4/fib_trie.h"
#include "ipv4/ip.h"
#include "ipv4/ipv4_reasons.h"
#include "ipv4/route.h"
#include "netlink/netlink.h"

struct sysctl_desc;

extern const struct drop_reason_table ipv4_drop_reasons;
extern const struct trace_point_table ipv4_trace_points;

/* ---- routes: fib_semantics.c ---------------------------------------------------------------------------- */

#define FIB_MAX_NEXTHOPS 64
#define IPTOS_RT_MASK    0x1c /* the TOS bits that routes look at: not precedence, not ECN */

struct fib_nh {                 /* one next hop of a route */
	struct net_device *dev; /* held; NULL: unreachable, blackhole, ... */
	int oif;
	be32 gw;    /* 0: on link */
	be32 saddr; /* chosen for addr_generation */
	u32 addr_generation;
	u8 flags;                            /* RTNH_F_ONLINK, RTNH_F_DEAD */
	u8 scope;                            /* of the gateway as seen from here */
	u16 weight;                          /* 1.. */
	struct rtable *rt_output, *rt_input; /* held; cached results */
};

/* What a route says, shared by all prefixes that say the same. */
struct fib_info {
	struct hlist_node hash;
	struct net *net;
	u32 treeref; /* aliases that point here: with the last the caches of the next hops are dropped */
	u32 refcount; /* treeref > 0, and rtables */
	u32 table;
	u32 priority;
	be32 prefsrc;
	u8 protocol, scope, type, flags; /* flags: RTNH_F_DEAD */
	u8 dead;
	u16 nhs;
	struct ip_metrics metrics;
	struct fib_nh nh[];
};

struct fib_alias { /* one route of a prefix: ordered by TOS descending, then priority ascending */
	struct fib_alias *next;
	struct fib_info *fi;
	u8 tos, type;
};

struct fib_config { /* a request to add or remove a route */
	u32 table, priority, flow;
	be32 dst, gw, prefsrc;
	u8 plen, tos, protocol, scope, type;
	u32 nl_flags;  /* NLM_F_* */
	u32 rtm_flags; /* RTNH_F_* */
	int oif;
	const struct nlattr *metrics, *multipath;
	u32 portid;
	const struct nlmsghdr *nlh; /* NULL: by the stack itself */
	bool any_scope;             /* delete: scope not given */
};

/* What an address of the stack itself asks for: kept apart so that netlink and addresses share one way in. */
int fib_table_insert(struct net *net, struct fib_config *cfg, struct netlink_ext_ack *extack);
int fib_table_delete(struct net *net, struct fib_config *cfg, struct netlink_ext_ack *extack);

struct fib_result {
	const struct fib_node *node;
	struct fib_alias *fa;
	struct fib_info *fi;
	u32 table;
	u8 plen, type, scope, nh_sel;
};

/* Found or made; treeref is counted. NULL with *ret_err. */
struct fib_info *fib_create_info(struct net *net, struct fib_config *cfg,
				 struct netlink_ext_ack *extack, int *ret_err);
void fib_release_info(struct fib_info *fi); /* one treeref */
void fib_info_put(struct fib_info *fi);     /* one refcount; NULL is fine. cpu lock */
/* Does @fi say what @cfg asks for (as far as cfg does)? */
bool fib_info_matches(const struct fib_info *fi, const struct fib_config *cfg);
/* The first alias of @n that fits @fl: 0, -EAGAIN none fits or throw, or the error of its type. */
int fib_select_alias(struct net *net, struct fib_node *n, const struct flowi4 *fl,
		     struct fib_result *res);
int fib_type_error(u8 type); /* 0 or -errno */
u8 fib_type_scope(u8 type);
void fib_select_path(struct net *net, struct fib_result *res, const struct flowi4 *fl);
be32 fib_result_prefsrc(struct net *net, struct fib_result *res);
static inline struct fib_nh *fib_result_nh(const struct fib_result *res)
{
	return &res->fi->nh[res->nh_sel];
}
void fib_nh_drop_cache(struct fib_nh *nh);
/* Marks what @dev (or source @addr) made unusable. The number of routes that died. */
u32 fib_sync_down_dev(struct net_device *dev, bool unregister);
u32 fib_sync_down_addr(struct net *net, be32 addr);
void fib_sync_up(struct net_device *dev); /* next hops of multipath routes live again */
int fib_info_hash_init(struct net *net);

/* One route message. Returns nlmsg_finish()'s verdict. */
int fib_dump_info(struct nl_msg *m, u32 portid, u32 seq, int event, u16 flags,
		  const struct fib_node *n, const struct fib_alias *fa);

/* ---- tables: fib_frontend.c ------------------------------------------------------------------------------ */

struct fib_table {
	struct hlist_node hash; /* netns_ipv4.fib_tables */
	u32 id;
	struct fib_trie trie;
};

struct fib_table *fib_get_table(struct net *net, u32 id); /* NULL: none */
struct fib_table *fib_new_table(struct net *net,
				u32 id); /* found or made; NULL: no memory, or too many */
/* As the rules say: at first local, main, default in that order. 0, or what the matching route or their absence says. */
int fib_lookup(struct net *net, const struct flowi4 *fl, struct fib_result *res);
int fib_table_lookup(struct net *net, struct fib_table *tb, const struct flowi4 *fl,
		     struct fib_result *res);
/* fib_rules.c */
int fib4_rules_init(struct net *net);
void fib4_needs_changed(struct net *net); /* the rules, or fib_multipath_hash_policy */
int fib4_rules_lookup(struct net *net, const struct flowi4 *fl, struct fib_result *res);
/* The routes that an address brings. */
void fib_add_ifaddr(struct in_ifaddr *ifa);
void fib_del_ifaddr(struct in_ifaddr *ifa, bool primary_stays);
void fib_flush(struct net *net); /* removes what is dead */
void fib_device_up(struct net_device *dev);
void fib_device_down(struct net_device *dev, bool unregister);
int fib_net_init(struct net *net);
void fib_net_exit(struct net *net);
extern const struct rtnl_handler fib_rtnl_handlers[];
extern const u32 nr_fib_rtnl_handlers;

/* ---- route.c ---------------------------------------------------------------------------------------------- */

int rt_net_init(struct net *net);
void rt_net_exit(struct net *net);
void rt_drop_dev(struct net_device *dev); /* nothing refers to @dev any more */
void rt_in_dev_drop_cache(struct in_device *in_dev);
/* Nothing has changed since @rt was made. */
static inline bool rt_valid(const struct rtable *rt)
{
	return rt->net && rt->rt_genid == rt->net->ipv4->rt_genid && !rt->dst.obsolete &&
	       (!rt->dst.expires || net_now(rt->net) < rt->dst.expires);
}
/* Sets or refreshes what is known about the path of @fl. */
void rt_learn_pmtu(struct net *net, const struct flowi4 *fl, u32 mtu);
void ip_rt_send_redirect(
	struct sk_buff *skb); /* borrow; to be forwarded: if the sender should know better */
int rt_dump_exceptions(struct nl_msg *m, struct netlink_callback *cb); /* "ip route show cache" */
int rtnl_getroute_doit(struct nl_request *req);
#define IP_MAX_MTU 65535u
/* What the route's packets must fit. */
static inline u32 ip_rt_mtu(const struct rtable *rt)
{
	u32 mtu = rt->rt_pmtu;

	if (likely(!mtu))
		mtu = dst_metric(&rt->dst, DST_METRIC_MTU);
	if (likely(!mtu))
		mtu = rt->dst.dev->mtu;
	return min(mtu, IP_MAX_MTU);
}
/* The same for others' packets: they are not cut to what an ICMP message claims, unless the administrator says so
 * (ip_forward_use_pmtu). */
static inline u32 ip_rt_mtu_forward(const struct rtable *rt)
{
	u32 mtu;

	if (unlikely(rt->net->ipv4->ip_forward_use_pmtu))
		return ip_rt_mtu(rt);
	mtu = dst_metric(&rt->dst, DST_METRIC_MTU);
	return min(mtu ? mtu : rt->dst.dev->mtu, IP_MAX_MTU);
}

/* ---- devinet.c ---------------------------------------------------------------------------------------------- */

struct in_device *inetdev_create(struct net_device *dev); /* NULL: no memory */
/* There was no memory for a route that an address brings: it is tried again soon. */
void inet_routes_missing(struct in_device *in_dev);
void devinet_event(struct net_device *dev, enum netdev_event ev, int *ret_err);
struct in_ifaddr *inet_find_ifa(const struct in_device *in_dev, be32 local);
int devinet_net_init(struct net *net);
void devinet_net_exit(struct net *net);
extern const struct rtnl_handler devinet_rtnl_handlers[];
extern const u32 nr_devinet_rtnl_handlers;

/* ---- devconf.c ---------------------------------------------------------------------------------------------- */

/* Settings may have changed; a device came; it goes. cpu lock held */
void inet_netconf_changed(struct net *net);
void inet_netconf_new(struct in_device *in_dev);
void inet_netconf_gone(struct in_device *in_dev);
int inet_devconf_machine_init(struct machine *m);
/* sysctl_ipv4.c: a setting of an in_device; NULL: there is none of that name */
const struct sysctl_desc *ipv4_devconf_row(const char *name);

/* devconf: how "all" and the device combine (ip-sysctl documentation) */
#define IN_DEV_ORCONF(in_dev, f)  ((in_dev)->f || (in_dev)->net->ipv4->conf_all->f)
#define IN_DEV_ANDCONF(in_dev, f) ((in_dev)->f && (in_dev)->net->ipv4->conf_all->f)
#define IN_DEV_MAXCONF(in_dev, f) max((in_dev)->f, (in_dev)->net->ipv4->conf_all->f)

/* ---- arp.c, icmp.c, ip_input.c, ip_options.c, sysctl_ipv4.c, ipv4_views.c, ipv4_offload.c -------------------- */

int arp_net_init(struct net *net);
void arp_net_exit(struct net *net);
/* @dst_hw NULL: broadcast. */
void arp_send(struct net_device *dev, u16 op, be32 dst_ip, be32 src_ip, const u8 *dst_hw,
	      const u8 *target_hw);
void arp_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt);

extern const struct net_protocol icmp_protocol;
void icmp_net_init(struct net *net);

void ip_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt);
void ip_list_rcv(struct skb_list *list, struct net_device *dev, const struct packet_type *pt);
int ip_local_deliver(struct sk_buff *skb);
int ip_forward(struct sk_buff *skb);
int ip_output(struct net *net, struct sock *sk, struct sk_buff *skb);
int ip_mc_output(struct net *net, struct sock *sk, struct sk_buff *skb);

/* ip_fragment.c; cpu lock */
int ip_frag_net_init(struct net *net);
void ip_frag_net_exit(struct net *net);

/* raw.c; cpu lock */
void raw_net_init(struct net *net);
void raw_net_exit(struct net *net);
extern const struct inet_protosw raw_protosw;
bool raw_local_deliver(struct net *net, const struct sk_buff *skb, u8 protocol);
/* An ICMP error about a packet; data at the inner IP header. borrow */
void raw_icmp_error(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info);
/* A packet to forward with the router alert option: true if sockets took it (consumed). */
bool ip_call_ra_chain(struct net *net, struct sk_buff *skb);
bool ip_ra_is_on(const struct sock *sk);
int ip_ra_control(struct sock *sk, bool on); /* 0, -EINVAL, -EADDRINUSE, -ENOENT */
/* The message is a packet with its IP header. 0 or -errno; *rtp becomes NULL when it was used up. */
int raw_send_hdrinc(struct sock *sk, const struct flowi4 *fl, struct kmsghdr *msg, u32 len,
		    struct rtable **rtp);
struct text;
void raw_show(struct net *net, struct text *t);
/* The mark of packets that answer @skb but belong to no socket. */
static inline u32 ip_reply_mark(const struct net *net, const struct sk_buff *skb)
{
	return net->ipv4->fwmark_reflect ? skb->mark : 0;
}
/* ip_output.c. RFC 1349's TOS to the priority that pfifo_fast looks at (linux/pkt_sched.h, TC_PRIO_*). */
u32 rt_tos2priority(u8 tos);
/* An identification for a packet that has none. */
be16 ip_new_ident(struct net *net, const struct ip_hdr *iph);

/* ip_options.c. Options of a received packet: 0 or a drop reason (after the ICMP error was sent). */
skb_drop_reason_t ip_rcv_options(struct sk_buff *skb);
void ip_forward_options(struct sk_buff *skb);
/* To be forwarded by a strict source route, but the next hop is not on a link of ours. */
bool ip_source_route_broken(const struct sk_buff *skb);
/* Options for a reply to @skb: record route and timestamps go on, a source route is taken backwards. */
void ip_options_echo(const struct sk_buff *skb, struct ip_options *ret);
/* Options as a program gives them, @len octets. 0 or -EINVAL */
int ip_options_compile(const void *data, u32 len, struct ip_options *ret);
void ip_options_undo(const struct ip_options *opt,
		     u8 *ret_data); /* what was given: opt->optlen octets */
/* Writes @opt behind the header (there is room), and us into what records the way. A source route ends at @daddr; iph->daddr becomes its
 * first hop. */
void ip_options_build(struct net *net, struct ip_hdr *iph, const struct ip_options *opt, be32 daddr,
		      be32 saddr);
/* log_martians: one trace record of a packet that came with an impossible address. borrow */
void ip_log_martian(const struct sk_buff *skb, be32 daddr, be32 saddr);
/* What a fragment after the first keeps: RFC 791 3.1, the copied flag. */
void ip_options_fragment(u8 *opts, u32 len);

int ipv4_sysctl_init(struct machine *m);
void ipv4_sysctl_defaults(struct netns_ipv4 *ip4);
void in_device_defaults(struct in_device *in_dev, bool all);
void ipv4_set_forwarding(struct net *net, bool on); /* all devices and the default */
int ipv4_views_init(struct machine *m);
/* inet_ioctl.c: cpu lock held, which is dropped for rtnl. -ENOIOCTLCMD: not mine */
int inet_set_ioctl(struct net *net, unsigned cmd, void *arg);
int raw_diag_machine_init(struct machine *m); /* raw_diag.c */

extern const struct offload_callbacks inet_offload;

/* Milliseconds since midnight UT with the top bit clear (RFC 791, timestamp option; RFC 792). */
be32 inet_current_timestamp(const struct net *net);

#endif
