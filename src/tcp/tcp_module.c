/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_module.c - registers TCP with a machine and makes its part of a net */
#include "tcp/tcp_module.h"

#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "host/host.h"
#include "inet/ip_metrics.h"
#include "ipv6/ipv6.h"
#include "tcp/tcp.h"
#include "tcp/tcp_internal.h"

DROP_REASON_TABLE(tcp_drop_reasons, TCP, TCP_DROP_REASONS);
TRACE_POINT_TABLE(tcp_trace_points, TCP, TCP_TRACE_POINTS);

static const struct inet_protosw tcp_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.prot = &tcp_prot_v4,
	.ops = &inet_stream_ops,
	.flags = INET_PROTOSW_PERMANENT | INET_PROTOSW_ICSK,
};
static const struct inet_protosw tcpv6_protosw = {
	.type = SOCK_STREAM,
	.protocol = IPPROTO_TCP,
	.prot = &tcp_prot_v6,
	.ops = &inet6_stream_ops,
	.flags = INET_PROTOSW_PERMANENT | INET_PROTOSW_ICSK,
};

int tcp_machine_init(struct machine *m)
{
	int err;

	m->tcp = calloc(1, sizeof(*m->tcp));
	if (!m->tcp)
		return -ENOMEM;
	drop_reason_register(m, &tcp_drop_reasons);
	trace_point_register(m, &tcp_trace_points);
	err = tcp_register_congestion_control(m, &tcp_cubic);
	if (!err)
		err = tcp_register_congestion_control(m, &tcp_reno);
	if (!err)
		err = tcp_register_congestion_control(m, &tcp_bbr);
	if (!err)
		err = tcp_register_congestion_control(m, &tcp_bbr3);
	if (!err)
		err = tcp_register_congestion_control(m, &tcp_dctcp);
	if (!err)
		err = inet_register_protosw(m, AF_INET, &tcp_protosw);
	if (!err)
		err = inet_register_protosw(m, AF_INET6, &tcpv6_protosw);
	ip_metrics_set_cong(m, &tcp_route_cong);
	if (!err)
		err = tcp_sysctl_machine_init(m);
	if (!err)
		err = tcp_views_machine_init(m);
	if (!err)
		err = tcp_diag_machine_init(m);
	if (!err)
		err = tcp_metrics_machine_init(m);
	if (err)
		tcp_machine_exit(m);
	return err;
}

void tcp_machine_exit(struct machine *m)
{
	free(m->tcp);
	m->tcp = NULL;
}

int tcp_net_init(struct net *net)
{
	struct netns_tcp *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	net->tcp = t;
	tcp_sysctl_net_init(net);
	t->af_ops[0] = &tcp_v4_af_ops;
	t->af_ops[1] = net->ipv6 ? &tcp_v6_af_ops : NULL;
	t->cong_default = net->machine->tcp->cong[0];
	/* The names make the secrets of each net differ, and independent of what else draws. */
	host_random(net->machine->host, "tcp-isn", t->isn_key, sizeof(t->isn_key));
	host_random(net->machine->host, "tcp-cookie", t->cookie_key, sizeof(t->cookie_key));
	net->mib[MIB_Tcp_RtoAlgorithm] = 1; /* RFC 4022: other */
	net->mib[MIB_Tcp_RtoMin] = 200;
	net->mib[MIB_Tcp_RtoMax] = TCP_RTO_MAX_US / 1000;
	net->mib[MIB_Tcp_MaxConn] = (u64)-1;
	err = inet_hashinfo_init(&t->hashinfo, net);
	if (!err)
		err = inet_add_protocol(net, IPPROTO_TCP, &tcp_v4_protocol);
	if (!err && net->ipv6) /* a stack may be made without */
		err = inet6_add_protocol(net, IPPROTO_TCP, &tcp_v6_protocol);
	if (!err)
		return 0;
	net->tcp = NULL;
	free(t);
	return err;
}

/* Sockets are closed by now; what is left are orphans, which nobody will answer any more. */
static void tcp_end_orphans(struct net *net)
{
	struct inet_hashinfo *h = &net->tcp->hashinfo;
	struct sock_common *c;
	struct hlist_node *next;

	if (!h->ehash)
		return;
	for (u32 b = 0; b < 1u << h->ehash_bits; b++) {
		hlist_for_each_entry_safe(c, next, &h->ehash[b], skc_node) {
			struct sock *sk = (struct sock *)c;

			if (c->skc_state == SS_TCP_TIME_WAIT ||
			    c->skc_state == SS_TCP_NEW_SYN_RECV || !sock_flag(sk, SOCK_DEAD))
				continue;
			sock_hold(sk);
			tcp_write_queue_purge(sk);
			tcp_done(sk);
			sock_put(sk);
		}
	}
}

void tcp_net_exit(struct net *net)
{
	if (!net->tcp)
		return;
	cpu_lock(net->cpu);
	tcp_end_orphans(net);
	cpu_unlock(net->cpu);
	inet_del_protocol(net, IPPROTO_TCP);
	if (net->ipv6)
		inet6_del_protocol(net, IPPROTO_TCP);
	tcp_metrics_net_exit(net);
	cpu_lock(net->cpu);
	inet_hashinfo_fini(&net->tcp->hashinfo, net);
	cpu_unlock(net->cpu);
	free(net->tcp);
	net->tcp = NULL;
}
