/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_diag.c - UDP and UDP-Lite sockets as ss(8) sees them, and SOCK_DESTROY; see inet/inet_diag.c */
#include <errno.h>

#include "inet/inet_diag.h"
#include "udp/udp.h"

static bool table_of(const struct net *net, enum udp_variant_id id, u32 nth,
		     struct inet_diag_table *ret)
{
	const struct udp_table *t = &net->udp->table[id];

	if (nth)
		return false;
	*ret = (struct inet_diag_table){ t->hash, t->bits, false };
	return true;
}

static bool udp_diag_table(const struct net *net, u32 nth, struct inet_diag_table *ret)
{
	return table_of(net, UDP_PLAIN, nth, ret);
}

static bool udplite_diag_table(const struct net *net, u32 nth, struct inet_diag_table *ret)
{
	return table_of(net, UDP_LITE, nth, ret);
}

static struct sock_common *lookup_in(struct net *net, enum udp_variant_id id,
				     const struct inet_diag_req_v2 *req)
{
	struct inet_tuple t;
	struct sock *sk;

	inet_diag_tuple(req, &t);
	sk = udp_lookup(net, &udp_variants[id], &t, NULL);
	return sk ? &sk->c : NULL;
}

static struct sock_common *udp_diag_lookup(struct net *net, const struct inet_diag_req_v2 *req)
{
	return lookup_in(net, UDP_PLAIN, req);
}

static struct sock_common *udplite_diag_lookup(struct net *net, const struct inet_diag_req_v2 *req)
{
	return lookup_in(net, UDP_LITE, req);
}

static int udp_diag_destroy(struct sock_common *c)
{
	return inet_dgram_abort((struct sock *)c);
}

static const struct inet_diag_handler udp_diag_handlers[NR_UDP_VARIANTS] = {
	[UDP_PLAIN] = { .protocol = IPPROTO_UDP,
			.table = udp_diag_table,
			.lookup = udp_diag_lookup,
			.destroy = udp_diag_destroy },
	[UDP_LITE] = { .protocol = IPPROTO_UDPLITE,
		       .table = udplite_diag_table,
		       .lookup = udplite_diag_lookup,
		       .destroy = udp_diag_destroy },
};

int udp_diag_machine_init(struct machine *m)
{
	int err = 0;

	for (u32 i = 0; i < NR_UDP_VARIANTS && !err; i++)
		err = inet_diag_register(m, &udp_diag_handlers[i]);
	return err;
}
