/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_diag.c - packet sockets as ss(8) -0 sees them
 *
 * A dump keeps its place as the number of sockets that are done. See linux/packet_diag.h, netlink/sock_diag.c.
 */
#include <errno.h>
#include <linux/packet_diag.h>

#include "core/bpf_classic.h"
#include "netlink/sock_diag.h"
#include "packet/packet_internal.h"

static void put_info(struct nl_msg *m, const struct packet_sock *po)
{
	const struct packet_diag_info info = {
		.pdi_index = (u32)max(po->ifindex, 0),
		.pdi_version = po->version,
		.pdi_reserve = po->reserve,
		.pdi_copy_thresh = po->copy_thresh,
		.pdi_tstamp = po->tstamp,
		.pdi_flags = (po->running ? PDI_RUNNING : 0) | (po->auxdata ? PDI_AUXDATA : 0) |
			     (po->origdev ? PDI_ORIGDEV : 0) | (po->loss ? PDI_LOSS : 0),
	};

	nla_put(m, PACKET_DIAG_INFO, sizeof(info), &info);
	nla_put_u32(m, PACKET_DIAG_UID, po->sk.sk_uid);
}

/* An attribute that is an array of structures. */
static void put_mclist(struct nl_msg *m, const struct packet_sock *po)
{
	struct packet_diag_mclist rows[16];
	const struct packet_mc *mc;
	u32 n = 0;

	memset(rows, 0, sizeof(rows));
	list_for_each_entry(mc, &po->mc, node) {
		struct packet_diag_mclist *row = &rows[n];

		if (n == ARRAY_SIZE(rows))
			break;
		row->pdmc_index = (u32)mc->ifindex;
		row->pdmc_count = mc->count;
		row->pdmc_type = mc->type;
		row->pdmc_alen = mc->alen;
		memcpy(row->pdmc_addr, mc->addr, min_t(u32, mc->alen, sizeof(row->pdmc_addr)));
		n++;
	}
	nla_put(m, PACKET_DIAG_MCLIST, n * (u32)sizeof(rows[0]), rows);
}

static void put_ring(struct nl_msg *m, u16 type, const struct packet_sock *po,
		     const struct packet_ring *ring)
{
	const struct packet_diag_ring pdr = {
		.pdr_block_size = ring->block_size,
		.pdr_block_nr = ring->block_nr,
		.pdr_frame_size = ring->frame_size,
		.pdr_frame_nr = ring->frame_nr,
		.pdr_retire_tmo = po->version == TPACKET_V3 ? ring->retire_ms : 0,
		.pdr_sizeof_priv = po->version == TPACKET_V3 ? ring->priv : 0,
	};

	if (ring->mem)
		nla_put(m, type, sizeof(pdr), &pdr);
}

static void put_filter(struct nl_msg *m, const struct sock *sk)
{
	const struct bpf_prog *prog = sk->sk_rare ? sk->sk_rare->filter : NULL;

	if (prog)
		nla_put(m, PACKET_DIAG_FILTER, prog->len * (u32)sizeof(prog->insns[0]),
			prog->insns);
}

/* cpu lock held. 0 or -EMSGSIZE */
static int fill_sock(struct nl_msg *m, const struct packet_sock *po,
		     const struct packet_diag_req *req, const struct netlink_callback *cb)
{
	const struct sock *sk = &po->sk;
	struct packet_diag_msg *pdm = nlmsg_begin(m, cb->portid, cb->nlh->nlmsg_seq,
						  SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sizeof(*pdm));

	if (!pdm)
		return -EMSGSIZE;
	pdm->pdiag_family = AF_PACKET;
	pdm->pdiag_type = (u8)sk->sk_type;
	pdm->pdiag_num = po->num;
	pdm->pdiag_ino = sock_diag_ino(sk);
	sock_diag_save_cookie(sk->sk_cookie, pdm->pdiag_cookie);
	if (req->pdiag_show & PACKET_SHOW_INFO)
		put_info(m, po);
	if (req->pdiag_show & PACKET_SHOW_MCLIST)
		put_mclist(m, po);
	if (req->pdiag_show & PACKET_SHOW_RING_CFG) {
		put_ring(m, PACKET_DIAG_RX_RING, po, &po->rx);
		put_ring(m, PACKET_DIAG_TX_RING, po, &po->tx);
	}
	if (req->pdiag_show & PACKET_SHOW_FANOUT && po->fanout)
		nla_put_u32(m, PACKET_DIAG_FANOUT,
			    (u32)po->fanout->id | (u32)po->fanout->type << 16);
	if (req->pdiag_show & PACKET_SHOW_MEMINFO)
		sock_diag_put_meminfo(m, PACKET_DIAG_MEMINFO, sk);
	if (req->pdiag_show & PACKET_SHOW_FILTER)
		put_filter(m, sk);
	return nlmsg_finish(m);
}

static int packet_diag_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct packet_diag_req *req = (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
	const struct packet_sock *po;
	u64 index = 0;
	int err = 0;

	if (req->sdiag_protocol)
		return -EINVAL;
	cpu_lock(cb->net->cpu);
	list_for_each_entry(po, &cb->net->packet->socks, node) {
		if (index++ < cb->args[0])
			continue;
		err = fill_sock(msg, po, req, cb);
		if (err)
			break;
		cb->args[0] = index;
	}
	cpu_unlock(cb->net->cpu);
	return err ? 1 : 0;
}

int packet_diag_machine_init(struct machine *m)
{
	static const struct sock_diag_handler handler = {
		.family = AF_PACKET,
		.req_len = sizeof(struct packet_diag_req),
		.dump = packet_diag_dump,
	};

	return sock_diag_register(m, &handler);
}
