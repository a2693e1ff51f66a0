/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_module.c - registers AF_PACKET; what happens to its sockets when devices come and go; /proc/net/packet */
#include "packet/packet_module.h"

#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "packet/packet_internal.h"
#include "socket/socket.h"

TRACE_POINT_TABLE(packet_trace_points, PACKET, PACKET_TRACE_POINTS);

static void packet_dev_down(struct packet_sock *po)
{
	if (!po->running)
		return;
	packet_unhook(po);
	po->sk.sk_err = ENETDOWN;
	sk_error_report(&po->sk);
}

/* Cpu lock held. */
static void packet_dev_event(struct packet_sock *po, enum netdev_event ev, struct net_device *dev)
{
	if (ev == NETDEV_UNREGISTER)
		packet_mc_flush(po, dev);
	if (po->dev != dev)
		return;
	switch (ev) {
	case NETDEV_UNREGISTER:
		packet_dev_down(po);
		po->dev = NULL;
		po->ifindex = -1;
		break;
	case NETDEV_DOWN:
		packet_dev_down(po);
		break;
	case NETDEV_UP:
		if (po->num)
			packet_hook(po);
		break;
	default:
		break;
	}
}

static int packet_notifier(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev)
{
	struct netns_packet *np = container_of(nb, struct netns_packet, nb);
	struct packet_sock *po;

	if (ev != NETDEV_UNREGISTER && ev != NETDEV_DOWN && ev != NETDEV_UP)
		return 0;
	cpu_lock(np->net->cpu);
	list_for_each_entry(po, &np->socks, node)
		packet_dev_event(po, ev, dev);
	cpu_unlock(np->net->cpu);
	return 0;
}

static void packet_proc_show(struct net *net, struct text *t)
{
	struct packet_sock *po;

	text_printf(t, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	list_for_each_entry(po, &net->packet->socks, node) {
		const struct sock *sk = &po->sk;

		text_printf(t, "%016llx %-6d %-4d %04x   %-5d %1d %-6u %-6u %-6llu\n",
			    (unsigned long long)sk->sk_cookie, sk->sk_refcnt, sk->sk_type, po->num,
			    po->ifindex, po->running, sk->sk_rmem_alloc, sk->sk_uid,
			    sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL);
	}
}

static const struct view_desc packet_views[] = {
	{ "/proc/net/packet", packet_proc_show },
};

int packet_machine_init(struct machine *m)
{
	int err;

	trace_point_register(m, &packet_trace_points);
	err = view_register(m, packet_views, ARRAY_SIZE(packet_views));
	if (!err)
		err = packet_diag_machine_init(m);
	if (!err)
		err = proto_register(m, &packet_proto);
	return err ? err : sock_register(m, &packet_family);
}

int packet_net_init(struct net *net)
{
	struct netns_packet *np = calloc(1, sizeof(*np));

	if (!np)
		return -ENOMEM;
	np->net = net;
	np->nb.call = packet_notifier;
	list_init(&np->socks);
	list_init(&np->fanouts);
	net->packet = np;
	register_netdevice_notifier(net, &np->nb);
	return 0;
}

/* The sockets are gone: socket_net_shutdown(). */
void packet_net_exit(struct net *net)
{
	if (!net->packet)
		return;
	unregister_netdevice_notifier(net, &net->packet->nb);
	free(net->packet);
	net->packet = NULL;
}
