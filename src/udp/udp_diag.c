/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_diag.c - UDP sockets as ss(8) sees them, and SOCK_DESTROY; see inet/inet_diag.c */
#include <errno.h>

#include "inet/inet_diag.h"
#include "udp/udp.h"

static bool udp_diag_table(const struct net *net, u32 nth, struct inet_diag_table *ret)
{
	if (nth)
		return false;
	*ret = (struct inet_diag_table){ net->udp->hash, net->udp->bits, false };
	return true;
}

static struct sock_common *udp_diag_lookup(struct net *net, const struct inet_diag_req_v2 *req)
{
	struct sock *sk;

	if (req->sdiag_family != AF_INET)
		return NULL;
	sk = udp4_lookup(net, be32_raw(req->id.idiag_dst[0]), be16_raw(req->id.idiag_dport),
			 be32_raw(req->id.idiag_src[0]), be16_to_cpu(be16_raw(req->id.idiag_sport)),
			 (int)req->id.idiag_if);
	return sk ? &sk->c : NULL;
}

static int udp_diag_destroy(struct sock_common *c)
{
	return inet_dgram_abort((struct sock *)c);
}

static const struct inet_diag_handler udp_diag_handler = {
	.protocol = IPPROTO_UDP,
	.table = udp_diag_table,
	.lookup = udp_diag_lookup,
	.destroy = udp_diag_destroy,
};

int udp_diag_machine_init(struct machine *m)
{
	return inet_diag_register(m, &udp_diag_handler);
}
