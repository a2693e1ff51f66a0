/* SPDX-License-Identifier: BSD-2-Clause */
/* raw_diag.c - raw sockets as ss(8) sees them, and SOCK_DESTROY; see inet/inet_diag.c */
#include "inet/inet_diag.h"
#include "ipv4/ipv4_internal.h"

static bool raw_diag_table(const struct net *net, u32 nth, struct inet_diag_table *ret)
{
	if (nth)
		return false;
	*ret = (struct inet_diag_table){ net->ipv4->raw_hash, RAW_HASH_BITS, false };
	return true;
}

static bool same_addrs(const struct sock_common *c, const struct inet_diag_sockid *id)
{
	return c->skc_rcv_saddr.v == id->idiag_src[0] && c->skc_daddr.v == id->idiag_dst[0];
}

static struct sock_common *raw_diag_lookup(struct net *net, const struct inet_diag_req_v2 *req)
{
	const struct inet_diag_req_raw *r = (const void *)req;

	return inet_diag_lookup_raw(&net->ipv4->raw_hash[r->sdiag_raw_protocol % RAW_HASH_SIZE],
				    req, same_addrs);
}

static int raw_diag_destroy(struct sock_common *c)
{
	return inet_dgram_abort((struct sock *)c);
}

static const struct inet_diag_handler raw_diag_handler = {
	.family = AF_INET,
	.protocol = IPPROTO_RAW,
	.table = raw_diag_table,
	.lookup = raw_diag_lookup,
	.destroy = raw_diag_destroy,
};

int raw_diag_machine_init(struct machine *m)
{
	return inet_diag_register(m, &raw_diag_handler);
}
