/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv6_module.c - what a machine and a net get from this folder: its parts, in order */
#include "ipv6/ipv6_module.h"

#include <errno.h>
#include <stdlib.h>

#include "core/netdevice.h"
#include "ipv6/ipv6_internal.h"

DROP_REASON_TABLE(ipv6_drop_reasons, IPV6, IPV6_DROP_REASONS);
TRACE_POINT_TABLE(ipv6_trace_points, IPV6, IPV6_TRACE_POINTS);

/* A part may use those above it. */
static const struct ipv6_part *const parts[] = {
	&ipv6_sysctl_part,  &ip6_fib_part,    &ndisc_part,    &addrconf_part,
	&mcast_part,        &icmpv6_part,     &ip6_frag_part, &rawv6_part,
	&ipv6_sockets_part, &ipv6_views_part, NULL,
};

static const struct packet_type ipv6_packet_type = {
	.type = ETH_P_IPV6,
	.func = ipv6_rcv,
	.list_func = ipv6_list_rcv,
	.name = "ipv6_rcv",
	.offload = &ipv6_offload,
};

int ipv6_machine_init(struct machine *m)
{
	int err = 0;

	drop_reason_register(m, &ipv6_drop_reasons);
	trace_point_register(m, &ipv6_trace_points);
	for (const struct ipv6_part *const *p = parts; *p && !err; p++)
		err = (*p)->machine_init ? (*p)->machine_init(m) : 0;
	return err;
}

void ipv6_machine_exit(struct machine *m)
{
	(void)m; /* Registrations end with the machine. */
}

static bool going_up(enum netdev_event ev)
{
	return ev != NETDEV_DOWN && ev != NETDEV_GOING_DOWN && ev != NETDEV_UNREGISTER;
}

/* What goes away goes in the reverse order. */
static int ipv6_netdev_event(struct notifier_block *nb, enum netdev_event ev,
			     struct net_device *dev)
{
	u32 n = ARRAY_SIZE(parts) - 1;
	int err = 0;

	(void)nb;
	for (u32 i = 0; i < n && !err; i++) {
		const struct ipv6_part *p = parts[going_up(ev) ? i : n - 1 - i];

		err = p->netdev_event ? p->netdev_event(dev, ev) : 0;
	}
	return err;
}

/* Ends the first @n parts. cpu lock held */
static void parts_exit(struct net *net, u32 n)
{
	while (n--)
		if (parts[n]->net_exit)
			parts[n]->net_exit(net);
}

static int parts_init(struct net *net)
{
	int err;

	for (u32 i = 0; parts[i]; i++) {
		err = parts[i]->net_init ? parts[i]->net_init(net) : 0;
		if (err) {
			parts_exit(net, i);
			return err;
		}
	}
	return 0;
}

int ipv6_net_init(struct net *net)
{
	struct netns_ipv6 *ip6 = calloc(1, sizeof(*ip6));
	int err;

	if (!ip6)
		return -ENOMEM;
	list_init(&ip6->rt6_list);
	list_init(&ip6->rt6_exceptions_age);
	list_init(&ip6->in6_devs);
	list_init(&ip6->addrlabels);
	list_init(&ip6->ra_chain);
	list_init(&ip6->flowlabels);
	ip6->notifier = calloc(1, sizeof(*ip6->notifier));
	if (!ip6->notifier) {
		free(ip6);
		return -ENOMEM;
	}
	ip6->notifier->call = ipv6_netdev_event;
	list_init(&ip6->notifier->node);
	unihash_key_init(&ip6->label_key, net->machine->hash_seed);
	net->ipv6 = ip6;

	cpu_lock(net->cpu);
	err = parts_init(net);
	cpu_unlock(net->cpu);
	if (err)
		goto fail;
	err = dev_add_pack(net, &ipv6_packet_type);
	if (err) {
		cpu_lock(net->cpu);
		parts_exit(net, ARRAY_SIZE(parts) - 1);
		cpu_unlock(net->cpu);
		goto fail;
	}
	register_netdevice_notifier(net, ip6->notifier);
	return 0;

fail:
	net->ipv6 = NULL;
	free(ip6->notifier);
	free(ip6);
	return err;
}

void ipv6_net_exit(struct net *net)
{
	struct netns_ipv6 *ip6 = net->ipv6;

	unregister_netdevice_notifier(net, ip6->notifier);
	dev_remove_pack(net, &ipv6_packet_type);
	cpu_lock(net->cpu);
	parts_exit(net, ARRAY_SIZE(parts) - 1);
	net->ipv6 = NULL;
	cpu_unlock(net->cpu);
	free(ip6->notifier);
	free(ip6);
}
