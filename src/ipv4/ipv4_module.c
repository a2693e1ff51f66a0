/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4_module.c - what a machine and a net get from this folder, in order */
#include "ipv4/ipv4_module.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "inet/inet_sock.h"
#include "ipv4/igmp.h"
#include "ipv4/ip_sockglue.h"
#include "ipv4/ipv4_internal.h"

DROP_REASON_TABLE(ipv4_drop_reasons, IPV4, IPV4_DROP_REASONS);
TRACE_POINT_TABLE(ipv4_trace_points, IPV4, IPV4_TRACE_POINTS);

static const struct packet_type ip_packet_type = {
	.type = ETH_P_IP,
	.func = ip_rcv,
	.list_func = ip_list_rcv,
	.offload = &inet_offload,
	.name = "ip_rcv",
};

static const struct packet_type arp_packet_type = {
	.type = ETH_P_ARP,
	.func = arp_rcv,
	.name = "arp_rcv",
};

int ipv4_machine_init(struct machine *m)
{
	int err;

	drop_reason_register(m, &ipv4_drop_reasons);
	trace_point_register(m, &ipv4_trace_points);
	err = ipv4_sysctl_init(m);
	if (!err)
		err = ipv4_views_init(m);
	if (!err)
		err = raw_diag_machine_init(m);
	if (!err)
		err = rtnl_register(m, devinet_rtnl_handlers, nr_devinet_rtnl_handlers);
	if (!err)
		err = rtnl_register(m, fib_rtnl_handlers, nr_fib_rtnl_handlers);
	if (!err)
		err = inet_devconf_machine_init(m);
	if (!err)
		err = inet_register_protosw(m, AF_INET, &raw_protosw);
	return err;
}

void ipv4_machine_exit(struct machine *m)
{
	/* Registrations end with the machine. */
}

static int ipv4_netdev_event(struct notifier_block *nb, enum netdev_event ev,
			     struct net_device *dev)
{
	int err;

	fib_rules_device_event(dev->net->ipv4->rules, ev, dev);
	devinet_event(dev, ev, &err);
	return err;
}

static void ipv4_net_free(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;

	cpu_lock(net->cpu);
	raw_net_exit(net);
	ip_frag_net_exit(net);
	devinet_net_exit(net);
	fib_net_exit(net);
	rt_net_exit(net);
	arp_net_exit(net);
	net->ipv4 = NULL;
	cpu_unlock(net->cpu);
	free(ip4->notifier);
	free(ip4);
}

static int ipv4_net_start(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	int err;

	ipv4_sysctl_defaults(ip4);
	rt_net_init(net);
	raw_net_init(net);
	err = ip_frag_net_init(net);
	if (!err)
		err = devinet_net_init(net);
	if (!err)
		err = arp_net_init(net);
	if (!err)
		err = fib_net_init(net);
	if (err)
		return err;
	icmp_net_init(net);
	ip4->ip_id_counter = cpu_random(net->cpu);
	err = inet_add_protocol(net, IPPROTO_ICMP, &icmp_protocol);
	return err ? err : inet_add_protocol(net, IPPROTO_IGMP, &igmp_protocol);
}

int ipv4_net_init(struct net *net)
{
	struct netns_ipv4 *ip4 = calloc(1, sizeof(*ip4));
	int err;

	if (!ip4)
		return -ENOMEM;
	list_init(&ip4->in_devs);
	list_init(&ip4->rt_list);
	ip4->notifier = calloc(1, sizeof(*ip4->notifier));
	if (!ip4->notifier) {
		free(ip4);
		return -ENOMEM;
	}
	ip4->notifier->call = ipv4_netdev_event;
	list_init(&ip4->notifier->node);
	net->ipv4 = ip4;

	cpu_lock(net->cpu);
	err = ipv4_net_start(net);
	if (!err)
		inet_register_af_ops(net, &ipv4_inet_af_ops);
	cpu_unlock(net->cpu);
	if (err)
		goto fail;
	err = dev_add_pack(net, &ip_packet_type);
	if (err)
		goto fail;
	err = dev_add_pack(net, &arp_packet_type);
	if (err)
		goto fail_ip;
	register_netdevice_notifier(net, ip4->notifier);
	return 0;

fail_ip:
	dev_remove_pack(net, &ip_packet_type);
fail:
	ipv4_net_free(net);
	return err;
}

void ipv4_net_exit(struct net *net)
{
	unregister_netdevice_notifier(net, net->ipv4->notifier);
	dev_remove_pack(net, &arp_packet_type);
	dev_remove_pack(net, &ip_packet_type);
	ipv4_net_free(net);
}
