/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * llc.c - 802.3 frames with an 802.2 header, type 1 (unacknowledged, connectionless)
 *
 * Theory of operation
 *   eth_type_trans() gives frames with a length field the type ETH_P_802_2; llc_rcv() is its packet type. The length field, not
 *   the frame, says where the data ends. An UI frame goes to the user of its destination access point; TEST and XID commands to an access point
 *   that has a user are answered here. SNAP is the access point 0xaa, which has a user as long as there are SNAP clients.
 *   Like Linux, IP and ARP in SNAP (RFC 1042) are not taken on Ethernet: nobody registers those ids.
 *   Frames of Novell's kind (802.3 without 802.2) have a type of their own, ETH_P_802_3: dev_add_pack().
 * Locking: rtnl to register; the home cpu's lock to look up, and for the moment of linking.
 * See IEEE 802.2, IEEE 802 10.3, RFC 1042.
 */
#include "llc/llc.h"

#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "llc/llc_module.h"
#include "llc/llc_reasons.h"
#include "wire/ethernet.h"

DROP_REASON_TABLE(llc_drop_reasons, LLC, LLC_DROP_REASONS);
TRACE_POINT_TABLE(llc_trace_points, LLC, LLC_TRACE_POINTS);

struct netns_llc {
	struct list_head saps, snap_clients; /* struct llc_reg */
};

struct llc_reg {
	struct list_head node;
	const void *user; /* struct llc_sap or struct snap_client */
};

/* ---- registration -------------------------------------------------------------------------------------------- */

static const struct llc_sap *llc_sap_find(const struct net *net, u8 lsap)
{
	struct llc_reg *reg;

	list_for_each_entry(reg, &net->llc->saps, node) {
		const struct llc_sap *sap = reg->user;

		if (sap->lsap == lsap)
			return sap;
	}
	return NULL;
}

static const struct snap_client *snap_client_find(const struct net *net, const struct snap_view *id)
{
	struct llc_reg *reg;

	list_for_each_entry(reg, &net->llc->snap_clients, node) {
		const struct snap_client *client = reg->user;

		if (client->id.oui == id->oui && client->id.pid == id->pid)
			return client;
	}
	return NULL;
}

static int reg_add(struct net *net, struct list_head *list, const void *user)
{
	struct llc_reg *reg = calloc(1, sizeof(*reg));

	if (!reg)
		return -ENOMEM;
	reg->user = user;
	cpu_lock(net->cpu);
	list_add_tail(&reg->node, list);
	cpu_unlock(net->cpu);
	return 0;
}

static void reg_del(struct net *net, struct list_head *list, const void *user)
{
	struct llc_reg *reg;

	list_for_each_entry(reg, list, node) {
		if (reg->user != user)
			continue;
		cpu_lock(net->cpu);
		list_del(&reg->node);
		cpu_unlock(net->cpu);
		free(reg);
		return;
	}
}

int llc_sap_register(struct net *net, const struct llc_sap *sap)
{
	if (!sap->rcv || !sap->lsap || sap->lsap & 1)
		return -EINVAL;
	if (llc_sap_find(net, sap->lsap))
		return -EEXIST;
	return reg_add(net, &net->llc->saps, sap);
}

void llc_sap_unregister(struct net *net, const struct llc_sap *sap)
{
	reg_del(net, &net->llc->saps, sap);
}

/* ---- SNAP ---------------------------------------------------------------------------------------------------- */

static void snap_rcv(struct sk_buff *skb, struct net_device *dev, const struct llc_sap *sap)
{
	const struct snap_client *client;
	struct snap_view id;

	if (!pskb_may_pull(skb, SNAP_LEN)) {
		kfree_skb_reason(skb, SKB_DROP_HDR_TRUNC);
		return;
	}
	snap_parse(skb->data, skb_headlen(skb), &id);
	trace_skb(skb, dev->net, TP_snap_rcv, TRACE_PASS, id.oui, id.pid);
	client = snap_client_find(dev->net, &id);
	if (!client) {
		kfree_skb_reason(skb, SKB_DROP_SNAP_NO_CLIENT);
		return;
	}
	__skb_pull(skb, SNAP_LEN);
	skb_reset_transport_header(skb);
	client->rcv(skb, dev, client);
}

static const struct llc_sap snap_sap = { .lsap = LLC_SAP_SNAP, .rcv = snap_rcv };

int register_snap_client(struct net *net, const struct snap_client *client)
{
	bool first = list_empty(&net->llc->snap_clients);
	int err;

	if (!client->rcv || client->id.oui > 0xffffff)
		return -EINVAL;
	if (snap_client_find(net, &client->id))
		return -EEXIST;
	err = first ? llc_sap_register(net, &snap_sap) : 0;
	if (err)
		return err;
	err = reg_add(net, &net->llc->snap_clients, client);
	if (err && first)
		llc_sap_unregister(net, &snap_sap);
	return err;
}

void unregister_snap_client(struct net *net, const struct snap_client *client)
{
	reg_del(net, &net->llc->snap_clients, client);
	if (list_empty(&net->llc->snap_clients))
		llc_sap_unregister(net, &snap_sap);
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static int llc_xmit(struct sk_buff *skb, const u8 *daddr, const struct llc_view *v)
{
	struct net_device *dev = skb->dev;
	u8 hdr[LLC_UI_LEN + 1];
	int n = llc_build(hdr, v);

	memcpy(skb_push(skb, (u32)n), hdr, (size_t)n);
	skb_reset_network_header(skb);
	skb->protocol = BE16_INIT(ETH_P_802_2);
	if (skb->len > ETH_DATA_LEN) {
		kfree_skb_reason(skb, SKB_DROP_DEV_MTU);
		return -EMSGSIZE;
	}
	if (dev_hard_header(skb, dev, ETH_P_802_2, daddr, NULL, skb->len) < 0) {
		kfree_skb_reason(skb, SKB_DROP_DEV_HEADER);
		return -EINVAL;
	}
	trace_skb(skb, dev->net, TP_llc_xmit, TRACE_PASS, v->dsap, v->ctrl);
	return dev_queue_xmit(skb);
}

int llc_build_and_send_ui_pkt(struct sk_buff *skb, const u8 *daddr, u8 ssap, u8 dsap)
{
	const struct llc_view v = { .dsap = dsap, .ssap = ssap, .ctrl = LLC_CTRL_UI };

	return llc_xmit(skb, daddr, &v);
}

int snap_build_and_send_pkt(struct sk_buff *skb, const u8 *daddr, const struct snap_view *id)
{
	snap_build(skb_push(skb, SNAP_LEN), id);
	return llc_build_and_send_ui_pkt(skb, daddr, LLC_SAP_SNAP, LLC_SAP_SNAP);
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

/* Answers a TEST or XID command; @skb, which is borrowed, has its data behind the LLC header. IEEE 802.2 5.4.1.1.2, 5.4.1.1.3 */
static void llc_reply(const struct sk_buff *skb, struct net_device *dev, const struct llc_view *cmd)
{
	const struct eth_hdr *eth = (const struct eth_hdr *)skb_mac_header(skb);
	u32 reserve = LL_MAX_HEADER + dev->hard_header_len + dev->needed_headroom;
	u32 len = cmd->ctrl == LLC_CTRL_TEST ? skb->len : LLC_XID_LEN;
	const struct llc_view v = {
		.dsap = cmd->ssap,
		.ssap = cmd->dsap,
		.response = true,
		.pf = cmd->pf,
		.ctrl = cmd->ctrl,
	};
	struct sk_buff *answer = alloc_skb(skb->cpu, reserve + len);
	u8 daddr[ETH_ALEN];
	u8 *p;

	if (!answer)
		return;
	memcpy(daddr, eth->src, ETH_ALEN);
	skb_reserve(answer, reserve);
	answer->dev = dev;
	answer->parent_id = skb->id;
	p = skb_put(answer, len);
	if (cmd->ctrl == LLC_CTRL_XID)
		llc_build_xid(p);
	else if (skb_copy_bits(skb, 0, p, len)) {
		kfree_skb_reason(answer, SKB_DROP_NOMEM);
		return;
	}
	llc_xmit(answer, daddr, &v);
}

/* Cuts the padding that made the frame long enough. 0 or why not. */
static skb_drop_reason_t llc_trim(struct sk_buff *skb)
{
	u32 len = be16_to_cpu(((const struct eth_hdr *)skb_mac_header(skb))->type);

	if (skb->mac_len != sizeof(struct eth_hdr))
		return SKB_NOT_DROPPED; /* not a medium with a length field */
	if (len > skb->len)
		return SKB_DROP_PKT_TOO_SMALL;
	return pskb_trim(skb, len) ? SKB_DROP_NOMEM : SKB_NOT_DROPPED;
}

static void llc_deliver(struct sk_buff *skb, struct net_device *dev, const struct llc_view *v)
{
	const struct llc_sap *sap = llc_sap_find(dev->net, v->dsap);

	if (!sap) {
		kfree_skb_reason(skb, SKB_DROP_LLC_NO_SAP);
		return;
	}
	if (v->ctrl == LLC_CTRL_UI) {
		sap->rcv(skb, dev, sap);
		return;
	}
	if (v->ctrl != LLC_CTRL_TEST && v->ctrl != LLC_CTRL_XID) {
		kfree_skb_reason(skb, SKB_DROP_LLC_TYPE);
		return;
	}
	if (!v->response &&
	    !is_multicast_ether_addr(((const struct eth_hdr *)skb_mac_header(skb))->src))
		llc_reply(skb, dev, v);
	consume_skb(skb);
}

static void llc_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	skb_drop_reason_t reason;
	struct llc_view v;
	int n;

	if (skb->pkt_type == SKB_PACKET_OTHERHOST) {
		kfree_skb_reason(skb, SKB_DROP_OTHERHOST);
		return;
	}
	skb = skb_share_check(skb);
	if (!skb)
		return;
	reason = llc_trim(skb);
	if (reason) {
		kfree_skb_reason(skb, reason);
		return;
	}
	pskb_may_pull(skb, min(skb->len, (u32)LLC_UI_LEN + 1));
	n = llc_parse(skb->data, skb_headlen(skb), &v);
	if (n < 0) {
		kfree_skb_reason(skb, SKB_DROP_HDR_TRUNC);
		return;
	}
	trace_skb(skb, dev->net, TP_llc_rcv, TRACE_PASS, v.dsap, v.ctrl);
	__skb_pull(skb, (u32)n);
	skb_reset_transport_header(skb);
	llc_deliver(skb, dev, &v);
}

static const struct packet_type llc_packet_type = { .type = ETH_P_802_2,
						    .func = llc_rcv,
						    .name = "llc_rcv" };

/* ---- module ------------------------------------------------------------------------------------------------------- */

int llc_machine_init(struct machine *m)
{
	drop_reason_register(m, &llc_drop_reasons);
	trace_point_register(m, &llc_trace_points);
	return 0;
}

int llc_net_init(struct net *net)
{
	int err;

	net->llc = calloc(1, sizeof(*net->llc));
	if (!net->llc)
		return -ENOMEM;
	list_init(&net->llc->saps);
	list_init(&net->llc->snap_clients);
	err = dev_add_pack(net, &llc_packet_type);
	if (err) {
		free(net->llc);
		net->llc = NULL;
	}
	return err;
}

static void regs_free(struct list_head *list)
{
	struct llc_reg *reg, *next;

	list_for_each_entry_safe(reg, next, list, node)
		free(reg);
}

void llc_net_exit(struct net *net)
{
	if (!net->llc)
		return;
	if (net->core)
		dev_remove_pack(net, &llc_packet_type);
	regs_free(&net->llc->saps);
	regs_free(&net->llc->snap_clients);
	free(net->llc);
	net->llc = NULL;
}
