/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_offload_test.c - merging and cutting keep what CWR means: RFC 3168's is in the first segment, AccECN's in each (RFC 9768) */
#include "tcp/tcp_test.h"

#define PAYLOAD 100u
#define HEADERS (sizeof(struct ip_hdr) + sizeof(struct tcp_hdr))

/* The @i-th segment of a stream, with @flags and AE in its header, as IP's gro_receive() hands it on. */
static struct sk_buff *segment(struct tcp_fixture *f, u32 i, u32 flags)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 256);
	struct ip_hdr *ip = skb_put(skb, sizeof(*ip));
	struct tcp_hdr *th = skb_put(skb, sizeof(*th));

	memset(ip, 0, sizeof(*ip));
	*th = (struct tcp_hdr){ .source = cpu_to_be16(1),
				.dest = cpu_to_be16(2),
				.seq = cpu_to_be32(i * PAYLOAD),
				.doff_res = (u8)(5 << 4 | (flags & TCP_FLAG_AE ? 1 : 0)),
				.flags = (u8)(flags | TCP_FLAG_ACK) };
	memset(skb_put(skb, PAYLOAD), 0, PAYLOAD);
	skb->mac_header = skb->network_header = (u16)skb_headroom(skb);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	*NAPI_GRO_CB(skb) = (struct napi_gro_cb){
		.data_offset = sizeof(*ip), .count = 1, .same_flow = 1, .last = skb
	};
	skb_shinfo(skb)->gso_size = PAYLOAD;
	return skb;
}

/* How many of @n segments with @flags merge into the first; the packet that they make in *@ret. */
static u32 merge(struct tcp_fixture *f, const u32 *flags, u32 n, struct sk_buff **ret)
{
	struct sk_buff_head held;
	u32 merged = 1;

	skb_queue_head_init(&held);
	*ret = segment(f, 0, flags[0]);
	skb_queue_tail(&held, *ret);
	for (u32 i = 1; i < n; i++) {
		struct sk_buff *skb = segment(f, i, flags[i]);

		tcp_v4_offload.gro_receive(&held, skb);
		if (NAPI_GRO_CB(*ret)->count == merged) {
			kfree_skb_reason(skb, SKB_DROP_NOT_SPECIFIED);
			break;
		}
		merged++;
	}
	skb_unlink(*ret, &held);
	return merged;
}

static void cwr_in_all_is_one_batch_and_in_the_first_another(void **state)
{
	enum { CWR = TCP_FLAG_CWR, ACE = TCP_FLAG_AE | TCP_FLAG_CWR };
	static const struct {
		u32 flags[4], merged;
		bool accecn;
	} cases[] = {
		{ { 0, 0, 0, 0 }, 4, false },         { { CWR, 0, 0, 0 }, 4, false },
		{ { CWR, 0, CWR, 0 }, 2, false }, /* the second reduction begins a batch */
		{ { 0, CWR, 0, 0 }, 1, false },       { { ACE, ACE, ACE, ACE }, 4, true },
		{ { CWR, CWR, CWR, CWR }, 4, true },  { { CWR, CWR, 0, 0 }, 2, true },
		{ { ACE, CWR, CWR, CWR }, 1, false }, /* another field */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sk_buff *skb;

		assert_int_equal(merge(*state, cases[i].flags, 4, &skb), cases[i].merged);
		assert_int_equal(!!(skb_shinfo(skb)->gso_type & SKB_GSO_TCP_ACCECN),
				 cases[i].accecn);
		kfree_skb_reason(skb, SKB_DROP_NOT_SPECIFIED);
	}
}

static void cutting_repeats_the_field_of_accecn_and_cwr_of_nobody_else(void **state)
{
	struct tcp_fixture *f = *state;

	for (int accecn = 0; accecn < 2; accecn++) {
		struct sk_buff *skb = segment(f, 0, TCP_FLAG_AE | TCP_FLAG_CWR), *segs, *next;
		u32 n = 0;
		int err;

		memset(skb_put(skb, PAYLOAD), 0, PAYLOAD);
		__skb_pull(skb, sizeof(struct ip_hdr));
		skb->transport_header = (u16)skb_headroom(skb);
		skb->ip_summed = CHECKSUM_NONE;
		skb_shinfo(skb)->gso_segs = 2;
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4 | (accecn ? SKB_GSO_TCP_ACCECN : 0);
		segs = tcp_v4_offload.gso_segment(skb, 0, &err);
		assert_non_null(segs);
		for (; segs; segs = next, n++) {
			const struct tcp_hdr *th =
				(const struct tcp_hdr *)skb_transport_header(segs);

			assert_int_equal(th->doff_res & 1, 1);
			assert_int_equal(!!(th->flags & TCP_FLAG_CWR), !n || accecn);
			next = segs->next;
			kfree_skb_reason(segs, SKB_DROP_NOT_SPECIFIED);
		}
		assert_int_equal(n, 2);
		kfree_skb_reason(skb, SKB_DROP_NOT_SPECIFIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cwr_in_all_is_one_batch_and_in_the_first_another,
						tcp_fixture_setup, tcp_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			cutting_repeats_the_field_of_accecn_and_cwr_of_nobody_else,
			tcp_fixture_setup, tcp_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
