/* SPDX-License-Identifier: BSD-2-Clause */
/* raw_diag.c - raw sockets of AF_INET6 as ss(8) sees them, and SOCK_DESTROY; see inet/inet_diag.c */
#include "inet/inet_diag.h"
#include "inet/inet_sock.h"
#include "ipv6/ipv6_internal.h"
#include "netlink/sock_diag.h"

static bool raw6_diag_table(const struct net *net, u32 nth, struct inet_diag_table *ret)
{
	if (nth)
		return false;
	*ret = (struct inet_diag_table){ net->ipv6->raw_hash, RAW6_HASH_BITS, false };
	return true;
}

static bool same_addrs(const struct sock_common *c, const struct inet_diag_sockid *id)
{
	return !memcmp(&c->skc_v6_rcv_saddr, id->idiag_src, sizeof(c->skc_v6_rcv_saddr)) &&
	       !memcmp(&c->skc_v6_daddr, id->idiag_dst, sizeof(c->skc_v6_daddr));
}

static struct sock_common *raw6_diag_lookup(struct net *net, const struct inet_diag_req_v2 *req)
{
	const struct inet_diag_req_raw *r = (const void *)req;

	return inet_diag_lookup_raw(&net->ipv6->raw_hash[r->sdiag_raw_protocol % RAW6_HASH_SIZE],
				    req, same_addrs);
}

static int raw6_diag_destroy(struct sock_common *c)
{
	return inet_dgram_abort((struct sock *)c);
}

static const struct inet_diag_handler raw6_diag_handler = {
	.family = AF_INET6,
	.protocol = IPPROTO_RAW,
	.table = raw6_diag_table,
	.lookup = raw6_diag_lookup,
	.destroy = raw6_diag_destroy,
};

int raw6_diag_machine_init(struct machine *m)
{
	return inet_diag_register(m, &raw6_diag_handler);
}
