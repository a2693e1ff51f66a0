/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc_dns.c - name servers and search domains of router advertisements (RFC 8106)
 *
 * They are told to programs that listen (RTM_NEWNDUSEROPT, group RTNLGRP_ND_USEROPT: systemd-networkd, rdnssd), and kept with the
 * device, for whoever writes a resolv.conf: the view of that name, ipv6_rdnss_get(). Kept are a few of each; the one that ends first gives way.
 * Context: softirq, cpu lock.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "ipv6/addrconf_internal.h"
#include "wire/ndisc.h"

#define DNS_MAX 8

static_assert(NDISC_NAME_MAX == IPV6_DNSSL_NAME, "the same names");

struct ndisc_dns {
	struct {
		struct in6_addr addr;
		u64 expires; /* ns; 0: free */
	} servers[DNS_MAX];
	struct {
		char name[NDISC_NAME_MAX];
		u64 expires;
	} domains[DNS_MAX];
};

static u64 dns_expires(const struct net *net, u32 lifetime)
{
	if (!lifetime)
		return 0;
	return lifetime == INFINITY_LIFE ? UINT64_MAX : net_now(net) + lifetime * NSEC_PER_SEC;
}

static void keep_server(struct ndisc_dns *d, const struct in6_addr *addr, u64 expires)
{
	u32 slot = 0;

	for (u32 i = 0; i < DNS_MAX; i++) {
		if (d->servers[i].expires && ipv6_addr_equal(&d->servers[i].addr, addr)) {
			d->servers[i].expires = expires;
			return;
		}
		if (d->servers[i].expires < d->servers[slot].expires)
			slot = i;
	}
	if (!expires)
		return;
	d->servers[slot].addr = *addr;
	d->servers[slot].expires = expires;
}

static void keep_domain(struct ndisc_dns *d, const char *name, u64 expires)
{
	u32 slot = 0;

	for (u32 i = 0; i < DNS_MAX; i++) {
		if (d->domains[i].expires && !strcmp(d->domains[i].name, name)) {
			d->domains[i].expires = expires;
			return;
		}
		if (d->domains[i].expires < d->domains[slot].expires)
			slot = i;
	}
	if (!expires)
		return;
	strcpy(d->domains[slot].name, name);
	d->domains[slot].expires = expires;
}

static void keep(struct inet6_dev *idev, const struct ndisc_opt *o)
{
	char name[NDISC_NAME_MAX];
	struct ndisc_rdnss rd;
	struct ndisc_dnssl ds;
	struct in6_addr addr;

	if (!idev->dns)
		idev->dns = calloc(1, sizeof(*idev->dns));
	if (!idev->dns)
		return;
	if (o->type == NDISC_OPT_RDNSS && !ndisc_parse_rdnss(o, &rd)) {
		for (u32 i = 0; i < rd.count; i++) {
			memcpy(&addr, rd.addrs + 16 * i, 16);
			keep_server(idev->dns, &addr, dns_expires(idev->net, rd.lifetime));
		}
	} else if (o->type == NDISC_OPT_DNSSL && !ndisc_parse_dnssl(o, &ds)) {
		while (ndisc_dnssl_next(&ds, name))
			keep_domain(idev->dns, name, dns_expires(idev->net, ds.lifetime));
	}
}

/* One message per option. */
static void notify_useropt(struct inet6_dev *idev, const struct in6_addr *router,
			   const struct ndisc_opt *o)
{
	struct nduseroptmsg *nd;
	struct nl_msg m;

	if (!netlink_has_listeners(idev->net, NETLINK_ROUTE, RTNLGRP_ND_USEROPT) ||
	    nl_msg_init(&m, 128 + o->len))
		return;
	nd = nlmsg_begin(&m, 0, 0, RTM_NEWNDUSEROPT, 0, sizeof(*nd));
	if (nd) {
		nd->nduseropt_family = AF_INET6;
		nd->nduseropt_ifindex = idev->dev->ifindex;
		nd->nduseropt_icmp_type = NDISC_ROUTER_ADVERTISEMENT;
		nd->nduseropt_opts_len = (unsigned short)o->len;
		nl_put_raw(&m, o->data, o->len);
		nla_put(&m, NDUSEROPT_SRCADDR, sizeof(*router), router);
		if (!nlmsg_finish(&m))
			nlmsg_notify(idev->net, NETLINK_ROUTE, &m, 0, RTNLGRP_ND_USEROPT);
	}
	nl_msg_fini(&m);
}

void ndisc_dns_rcv(struct inet6_dev *idev, const struct in6_addr *router, const u8 *p,
		   const u8 *end)
{
	struct ndisc_opt o;

	while (ndisc_opt_next(&p, end, &o)) {
		switch (o.type) {
		case NDISC_OPT_RDNSS:
		case NDISC_OPT_DNSSL:
			keep(idev, &o);
			__attribute__((fallthrough));
		case NDISC_OPT_CAPTIVE_PORTAL:
		case NDISC_OPT_PREF64:
			notify_useropt(idev, router, &o);
			break;
		default:
			break;
		}
	}
}

void ndisc_dns_free(struct inet6_dev *idev)
{
	free(idev->dns);
	idev->dns = NULL;
}

u32 ipv6_rdnss_get(struct net *net, struct ipv6_rdnss *ret, u32 max)
{
	const struct inet6_dev *idev;
	u32 n = 0;

	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		for (u32 i = 0; idev->dns && i < DNS_MAX && n < max; i++)
			if (idev->dns->servers[i].expires > net_now(net)) {
				ret[n].addr = idev->dns->servers[i].addr;
				ret[n++].ifindex = idev->dev->ifindex;
			}
	return n;
}

u32 ipv6_dnssl_get(struct net *net, char (*ret)[IPV6_DNSSL_NAME], u32 max)
{
	const struct inet6_dev *idev;
	u32 n = 0;

	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		for (u32 i = 0; idev->dns && i < DNS_MAX && n < max; i++)
			if (idev->dns->domains[i].expires > net_now(net))
				strcpy(ret[n++], idev->dns->domains[i].name);
	return n;
}

/* In resolv.conf(5)'s form; nothing when nothing is known. The resolver takes the first three servers. */
void ipv6_resolv_conf_show(struct net *net, struct text *t)
{
	struct ipv6_rdnss servers[DNS_MAX];
	char domains[DNS_MAX][IPV6_DNSSL_NAME], addr[INET6_ADDRSTRLEN];
	u32 n = ipv6_rdnss_get(net, servers, DNS_MAX), nd = ipv6_dnssl_get(net, domains, DNS_MAX);

	if (n)
		text_printf(t, "# learnt from router advertisements\n");
	for (u32 i = 0; i < n; i++) {
		const struct net_device *dev = __dev_get_by_index(net, servers[i].ifindex);

		inet_ntop(AF_INET6, &servers[i].addr, addr, sizeof(addr));
		if (ipv6_addr_type(&servers[i].addr) & IPV6_ADDR_LINKLOCAL && dev)
			text_printf(t, "nameserver %s%%%s\n", addr, dev->name);
		else
			text_printf(t, "nameserver %s\n", addr);
	}
	for (u32 i = 0; n && i < nd; i++)
		text_printf(t, "%s%s%s", i ? " " : "search ", domains[i], i + 1 < nd ? "" : "\n");
}
