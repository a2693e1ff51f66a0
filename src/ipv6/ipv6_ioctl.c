/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv6_ioctl.c - the old requests that change addresses and routes of IPv6: SIOCSIFADDR, SIOCDIFADDR, SIOCADDRT, SIOCDELRT
 *
 * Each is translated into the rtnetlink message that says the same and handed to its handler: there is one code that changes things.
 * Context: a program's thread with the cpu lock, which is let go for rtnl.
 * See ifconfig(8), route(8), netdevice(7).
 */
#include <errno.h>
#include <net/route.h>

#include <linux/if_addr.h>
#include <linux/sockios.h>

#include "core/machine.h"
#include "ipv6/ip6_sockglue.h"
#include "ipv6/ipv6_internal.h"
#include "netlink/netlink.h"

#define REQUEST_SIZE 512

struct in6_ifreq_ { /* linux/ipv6.h, which does not go together with net/if.h */
	struct in6_addr addr;
	u32 prefixlen;
	int ifindex;
};

/* Finishes @m, runs it and frees it. rtnl held. */
static int run_request(struct net *net, struct nl_msg *m)
{
	int err = nlmsg_finish(m);

	if (!err)
		err = rtnl_request(net, (const struct nlmsghdr *)m->buf);
	nl_msg_fini(m);
	return err;
}

static int addr_ioctl(struct net *net, unsigned cmd, const void *arg)
{
	bool add = cmd == SIOCSIFADDR;
	struct in6_ifreq_ req;
	struct ifaddrmsg *ifm;
	struct nl_msg m;

	memcpy(&req, arg, sizeof(req));
	if (nl_msg_init(&m, REQUEST_SIZE))
		return -ENOBUFS;
	ifm = nlmsg_begin(&m, 0, 0, add ? RTM_NEWADDR : RTM_DELADDR,
			  (u16)(NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)),
			  sizeof(*ifm));
	if (ifm) {
		ifm->ifa_family = AF_INET6;
		ifm->ifa_prefixlen = (u8)min(req.prefixlen, 255u);
		ifm->ifa_index = (u32)req.ifindex;
		nla_put(&m, IFA_LOCAL, sizeof(req.addr), &req.addr);
		nla_put(&m, IFA_ADDRESS, sizeof(req.addr), &req.addr);
	}
	return run_request(net, &m);
}

static int route_ioctl(struct net *net, unsigned cmd, const void *arg)
{
	bool add = cmd == SIOCADDRT;
	struct in6_rtmsg req;
	struct rtmsg *rtm;
	struct nl_msg m;

	memcpy(&req, arg, sizeof(req));
	if (req.rtmsg_dst_len > 128 || req.rtmsg_src_len > 128)
		return -EINVAL;
	if (nl_msg_init(&m, REQUEST_SIZE))
		return -ENOBUFS;
	rtm = nlmsg_begin(&m, 0, 0, add ? RTM_NEWROUTE : RTM_DELROUTE,
			  (u16)(NLM_F_REQUEST | (add ? NLM_F_CREATE : 0)), sizeof(*rtm));
	if (rtm) {
		rtm->rtm_family = AF_INET6;
		rtm->rtm_dst_len = (u8)req.rtmsg_dst_len;
		rtm->rtm_src_len = (u8)req.rtmsg_src_len;
		rtm->rtm_table = RT_TABLE_MAIN;
		rtm->rtm_protocol = add ? RTPROT_BOOT : RTPROT_UNSPEC;
		rtm->rtm_type = !add                           ? RTN_UNSPEC
				: req.rtmsg_flags & RTF_REJECT ? RTN_UNREACHABLE
							       : RTN_UNICAST;
		if (req.rtmsg_dst_len)
			nla_put(&m, RTA_DST, 16, &req.rtmsg_dst);
		if (req.rtmsg_src_len)
			nla_put(&m, RTA_SRC, 16, &req.rtmsg_src);
		if (req.rtmsg_flags & RTF_GATEWAY)
			nla_put(&m, RTA_GATEWAY, 16, &req.rtmsg_gateway);
		if (req.rtmsg_metric)
			nla_put_u32(&m, RTA_PRIORITY, req.rtmsg_metric);
		if (req.rtmsg_ifindex)
			nla_put_u32(&m, RTA_OIF, (u32)req.rtmsg_ifindex);
	}
	return run_request(net, &m);
}

int ipv6_ioctl(struct net *net, unsigned cmd, void *arg)
{
	int err;

	switch (cmd) {
	case SIOCSIFADDR:
	case SIOCDIFADDR:
	case SIOCADDRT:
	case SIOCDELRT:
		break;
	default:
		return -ENOIOCTLCMD;
	}
	cpu_unlock(net->cpu); /* rtnl comes before it; the caller's socket keeps the net */
	rtnl_lock(net->machine);
	err = cmd == SIOCSIFADDR || cmd == SIOCDIFADDR ? addr_ioctl(net, cmd, arg)
						       : route_ioctl(net, cmd, arg);
	rtnl_unlock(net->machine);
	cpu_lock(net->cpu);
	return err;
}
