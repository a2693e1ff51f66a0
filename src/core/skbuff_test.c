/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

#include "core/arena.h"
#include "core/netdevice.h"
#include "core/skbuff.h"
#include "core/uio.h"
#include "lib/csum.h"

static u8 octet(u32 i)
{
	return (u8)(i * 7 + (i >> 8));
}

static void fill(u8 *p, u32 from, u32 n)
{
	for (u32 i = 0; i < n; i++)
		p[i] = octet(from + i);
}

static void assert_octets(const struct sk_buff *skb, u32 off, u32 from, u32 n)
{
	u8 buf[256];

	while (n) {
		u32 step = min(n, (u32)sizeof(buf));

		assert_int_equal(skb_copy_bits(skb, off, buf, step), 0);
		for (u32 i = 0; i < step; i++)
			assert_int_equal(buf[i], octet(from + i));
		off += step;
		from += step;
		n -= step;
	}
}

/* Octets [0, head) in the head area, [head, head + frag) in fragments. */
static struct sk_buff *make(struct cpu *cpu, u32 head, u32 frag)
{
	struct sk_buff *skb = alloc_skb(cpu, 64 + head);
	static const u32 piece = 1000;
	u8 buf[1000];

	assert_non_null(skb);
	skb_reserve(skb, 64);
	fill(skb_put(skb, head), 0, head);
	for (u32 done = 0; done < frag;) {
		u32 n = min(piece, frag - done);
		struct iovec iov = { buf, n };
		struct iov_iter it;

		fill(buf, head + done, n);
		iov_iter_init(&it, &iov, 1, n);
		assert_int_equal(skb_append_iter(skb, &it, n, false), n);
		done += n;
	}
	return skb;
}

static u64 live(struct cpu *cpu)
{
	struct skb_memory mem;

	skb_memory(cpu, &mem);
	return mem.skb_live;
}

static void put_push_pull_trim_move_the_ends(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = alloc_skb(cpu, 200);
	u64 id = skb->id;

	assert_int_equal(skb->len, 0);
	assert_true(skb_tailroom(skb) >= 200);
	skb_reserve(skb, 100);
	assert_int_equal(skb_headroom(skb), 100);
	fill(skb_put(skb, 50), 20, 50);
	fill(skb_push(skb, 20), 0, 20);
	assert_int_equal(skb->len, 70);
	assert_octets(skb, 0, 0, 70);
	__skb_pull(skb, 5);
	assert_octets(skb, 0, 5, 65);
	assert_int_equal(pskb_trim(skb, 10), 0);
	assert_int_equal(skb->len, 10);
	assert_int_equal(skb_tail_pointer(skb) - skb->data, 10);
	assert_int_equal(skb_copy_bits(skb, 5, skb->head, 6), -EFAULT);
	assert_int_equal(id & 0xff, cpu->id);
	consume_skb(skb);
	skb = alloc_skb(cpu, 10);
	assert_true(skb->id > id);
	assert_int_equal(live(cpu), 1);
	consume_skb(skb);
	assert_int_equal(live(cpu), 0);
	consume_skb(NULL);
	test_cpu_done(cpu);
}

static void any_size_up_to_the_largest_fits(void **state)
{
	static const u32 sizes[] = { 0, 1, 215, 216, 217, 1500, 2000, 9000, 30000, 65536 + 200 };
	struct cpu *cpu = test_cpu();

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sk_buff *skb = alloc_skb(cpu, sizes[i]);

		assert_non_null(skb);
		assert_true(skb_tailroom(skb) >= sizes[i]);
		assert_true(skb->truesize > sizes[i]);
		memset(skb_put(skb, sizes[i]), 0x11, sizes[i]);
		consume_skb(skb);
	}
	assert_null(alloc_skb(cpu, ARENA_MAX_SIZE));
	assert_null(alloc_skb(cpu, UINT32_MAX));
	test_cpu_done(cpu);
}

static void freed_memory_is_used_again_last_in_first_out(void **state)
{
	struct cpu *cpu = test_cpu();
	struct skb_memory before, after;

	consume_skb(make(cpu, 100, 5000));
	skb_memory(cpu, &before);
	for (int i = 0; i < 10000; i++)
		consume_skb(make(cpu, 100, 5000));
	skb_memory(cpu, &after);
	assert_int_equal(after.skb_live, 0);
	if (!WEIR_POISON)
		assert_int_equal(after.mallocs, before.mallocs);
	assert_true(after.arena_octets < 1 << 20);
	test_cpu_done(cpu);
}

static void clone_shares_and_copy_does_not(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 40, 3000), *clone, *copy, *pcopy;

	skb_reset_network_header(skb);
	skb->mark = 7;
	clone = skb_clone(skb);
	assert_ptr_equal(clone->head, skb->head);
	assert_true(skb_cloned(skb) && skb_cloned(clone));
	assert_int_equal(clone->parent_id, skb->id);
	assert_int_not_equal(clone->id, skb->id);
	assert_int_equal(clone->mark, 7);

	copy = skb_copy(skb);
	assert_false(skb_is_nonlinear(copy));
	assert_octets(copy, 0, 0, 3040);
	assert_int_equal(skb_network_offset(copy), 0);
	assert_int_equal(skb_headroom(copy), 64);
	assert_false(skb_cloned(copy));

	pcopy = pskb_copy(skb);
	assert_ptr_not_equal(pcopy->head, skb->head);
	assert_int_equal(skb_headlen(pcopy), 40);
	assert_octets(pcopy, 0, 0, 3040);
	pcopy->data[0] ^= 0xff;

	consume_skb(skb);
	assert_false(skb_cloned(clone));
	assert_octets(clone, 0, 0, 3040);
	consume_skb(clone);
	consume_skb(copy);
	assert_octets(pcopy, 40, 40, 3000);
	consume_skb(pcopy);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

static void unshare_gives_a_private_packet(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 100, 0), *clone = skb_clone(skb), *other;

	assert_ptr_equal(skb_share_check(skb), skb);
	skb = skb_unshare(skb);
	assert_ptr_not_equal(skb->head, clone->head);
	skb->data[0] = 0xee;
	assert_octets(clone, 0, 0, 100);
	assert_ptr_equal(skb_unshare(clone), clone);

	other = skb_share_check(skb_get(clone));
	assert_ptr_not_equal(other, clone);
	assert_int_equal(clone->users, 1);
	consume_skb(other);
	consume_skb(skb);
	consume_skb(clone);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

static void a_clone_may_push_headers_when_its_origin_gave_them_up(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 0, 2000), *clone, *again;
	u8 *head;

	__skb_header_release(skb);
	clone = skb_clone(skb);
	assert_false(skb_header_cloned(clone));
	head = clone->head;
	assert_int_equal(skb_cow_head(clone, 40), 0);
	assert_ptr_equal(clone->head, head);
	again = skb_clone(skb);
	assert_true(skb_header_cloned(again));
	assert_int_equal(skb_cow_head(again, 40), 0);
	assert_ptr_not_equal(again->head, head);
	assert_octets(again, 0, 0, 2000);
	consume_skb(skb);
	consume_skb(clone);
	consume_skb(again);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

static void expand_head_moves_headers_along(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 60, 500), *clone;

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, 20);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)(skb_headroom(skb) + 20);
	clone = skb_clone(skb);
	assert_int_equal(pskb_expand_head(skb, 100, 300), 0);
	assert_true(skb_headroom(skb) >= 164);
	assert_int_equal(skb_network_offset(skb), 0);
	assert_int_equal(skb_transport_offset(skb), 20);
	assert_int_equal(skb_checksum_start_offset(skb), 20);
	assert_false(skb_mac_header_was_set(skb));
	assert_octets(skb, 0, 0, 560);
	assert_false(skb_cloned(skb) || skb_cloned(clone));
	assert_octets(clone, 0, 0, 560);
	consume_skb(clone);
	assert_octets(skb, 0, 0, 560);
	consume_skb(skb);
	test_cpu_done(cpu);
}

static void ensure_writable_copies_only_what_is_shared(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 10, 100), *clone;

	assert_int_equal(skb_ensure_writable(skb, 30), 0);
	assert_int_equal(skb_headlen(skb), 30);
	clone = skb_clone(skb);
	assert_int_equal(skb_ensure_writable(clone, 30), 0);
	clone->data[29] ^= 0xff;
	assert_octets(skb, 0, 0, 110);
	assert_int_not_equal(skb_ensure_writable(clone, 111), 0);
	consume_skb(skb);
	consume_skb(clone);
	test_cpu_done(cpu);
}

static void pull_tail_brings_fragments_into_the_head(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 10, 40000), *member, *shared;

	assert_true(pskb_may_pull(skb, 100));
	assert_int_equal(skb_headlen(skb), 100);
	assert_octets(skb, 0, 0, 40010);
	assert_int_equal(skb_shinfo(skb)->nr_frags, 2);
	assert_true(pskb_may_pull(skb, 33000));
	assert_int_equal(skb_shinfo(skb)->nr_frags, 1);
	assert_false(pskb_may_pull(skb, 40011));
	assert_int_equal(skb_linearize(skb), 0);
	assert_false(skb_is_nonlinear(skb));
	assert_octets(skb, 0, 0, 40010);
	consume_skb(skb);

	/* frag_list: the first member whole, a part of the second, which somebody else looks at */
	skb = make(cpu, 10, 0);
	member = alloc_skb(cpu, 50);
	fill(skb_put(member, 50), 10, 50);
	skb_shinfo(skb)->frag_list = member;
	member->next = alloc_skb(cpu, 50);
	shared = skb_get(member->next);
	fill(skb_put(shared, 50), 60, 50);
	skb->len += 100;
	skb->data_len += 100;
	skb->truesize += 100;
	assert_octets(skb, 0, 0, 110);
	assert_true(pskb_may_pull(skb, 80));
	assert_octets(skb, 0, 0, 110);
	assert_octets(shared, 0, 60, 50);
	assert_int_equal(pskb_trim(skb, 85), 0);
	assert_octets(skb, 0, 0, 85);
	assert_int_equal(skb_linearize(skb), 0);
	assert_octets(skb, 0, 0, 85);
	consume_skb(skb);
	consume_skb(shared);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

/* A packet with a head of 10 octets and two members of 50 octets behind it, as GRO makes them. */
static struct sk_buff *make_listed(struct cpu *cpu)
{
	struct sk_buff *skb = make(cpu, 10, 0), **tail = &skb_shinfo(skb)->frag_list;

	for (u32 i = 0; i < 2; i++) {
		*tail = alloc_skb(cpu, 50);
		fill(skb_put(*tail, 50), 10 + 50 * i, 50);
		tail = &(*tail)->next;
	}
	skb->len += 100;
	skb->data_len += 100;
	skb->truesize += 100;
	return skb;
}

static void trimming_a_list_leaves_the_clones_list_alone(void **state)
{
	struct cpu *cpu = test_cpu();

	for (u32 len = 0; len <= 110; len += 5) {
		struct sk_buff *skb = make_listed(cpu), *clone = skb_clone(skb);

		assert_int_equal(pskb_trim(skb, len), 0);
		assert_int_equal(skb->len, len);
		assert_octets(skb, 0, 0, len);
		assert_octets(clone, 0, 0, 110);
		consume_skb(skb);
		assert_octets(clone, 0, 0, 110);
		consume_skb(clone);
		assert_int_equal(live(cpu), 0);
	}
	test_cpu_done(cpu);
}

static void pulling_from_a_list_leaves_the_clones_list_alone(void **state)
{
	struct cpu *cpu = test_cpu();

	for (u32 len = 0; len <= 110; len += 5) {
		struct sk_buff *skb = make_listed(cpu), *clone = skb_clone(skb);

		assert_true(pskb_may_pull(skb, len));
		assert_octets(skb, 0, 0, 110);
		assert_octets(clone, 0, 0, 110);
		consume_skb(clone);
		assert_octets(skb, 0, 0, 110);
		consume_skb(skb);
		assert_int_equal(live(cpu), 0);
	}
	test_cpu_done(cpu);
}

static void pull_without_memory_for_the_room_fails(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 0, 2000);

	/* A head area of 1 KiB can be had, and is a little too small; a larger one cannot. */
	consume_skb(alloc_skb(cpu, 700));
	cpu->machine->mem_limit = cpu->machine->arena_octets + (WEIR_POISON ? 1024 : 0);
	assert_false(pskb_may_pull(skb, 680));
	assert_octets(skb, 0, 0, 2000);
	assert_true(pskb_may_pull(skb, 500));
	assert_octets(skb, 0, 0, 2000);
	consume_skb(skb);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

static void trim_cuts_fragments_at_every_length(void **state)
{
	struct cpu *cpu = test_cpu();

	for (u32 len = 0; len <= 70040; len += 997) {
		struct sk_buff *skb = make(cpu, 40, 70000), *clone = skb_clone(skb);

		assert_int_equal(pskb_trim(skb, len), 0);
		assert_int_equal(skb->len, len);
		assert_octets(skb, 0, 0, len);
		assert_int_equal(skb->truesize,
				 ARENA_SKB_SIZE + arena_kind_size(skb->head_slab) + skb->data_len);
		assert_octets(clone, 0, 0, 70040);
		consume_skb(skb);
		consume_skb(clone);
	}
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

static void append_extends_the_last_fragment(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 20, 30000), *other;

	assert_int_equal(skb_shinfo(skb)->nr_frags, 1);
	assert_octets(skb, 0, 0, 30020);
	other = make(cpu, 0, 100); /* in between, so that the next piece is not contiguous */
	{
		u8 buf[100];
		struct iovec iov[3] = { { buf, 30 }, { NULL, 0 }, { buf + 30, 70 } };
		struct iov_iter it;

		fill(buf, 30020, 100);
		iov_iter_init(&it, iov, 3, 100);
		assert_int_equal(skb_append_iter(skb, &it, 1000, true), 100);
		assert_int_equal(it.count, 0);
	}
	assert_int_equal(skb_shinfo(skb)->nr_frags, 2);
	assert_octets(skb, 0, 0, 30120);
	consume_skb(skb);
	consume_skb(other);

	/* Linear first, then fragments. */
	skb = alloc_skb(cpu, 100);
	{
		u8 buf[1000];
		struct iovec iov = { buf, 1000 };
		struct iov_iter it;
		u32 room = skb_tailroom(skb);

		fill(buf, 0, 1000);
		iov_iter_init(&it, &iov, 1, 1000);
		assert_int_equal(skb_append_iter(skb, &it, 1000, true), 1000);
		assert_int_equal(skb_headlen(skb), room);
		assert_octets(skb, 0, 0, 1000);
	}
	consume_skb(skb);
	test_cpu_done(cpu);
}

static void append_stops_when_the_fragments_are_full(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = alloc_skb(cpu, 0), *between[MAX_SKB_FRAGS];
	u8 buf[10] = "";
	struct iovec iov = { buf, 10 };
	struct iov_iter it;

	for (u32 i = 0; i < MAX_SKB_FRAGS; i++) {
		iov_iter_init(&it, &iov, 1, 10);
		assert_int_equal(skb_append_iter(skb, &it, 10, false), 10);
		between[i] = make(cpu, 0, 10);
	}
	iov_iter_init(&it, &iov, 1, 10);
	assert_int_equal(skb_append_iter(skb, &it, 10, false), 0);
	assert_int_equal(it.count, 10);
	assert_int_equal(skb->len, 170);
	for (u32 i = 0; i < MAX_SKB_FRAGS; i++)
		consume_skb(between[i]);
	consume_skb(skb);

	skb = alloc_skb_with_frags(cpu, 100, 65536);
	assert_int_equal(skb->len, 65536);
	assert_int_equal(skb_tailroom(skb), 0);
	assert_int_equal(skb_headlen(skb), 0);
	consume_skb(skb);
	test_cpu_done(cpu);
}

static void a_page_nobody_uses_is_filled_again_from_its_start(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = make(cpu, 0, 1000);
	const u8 *at = skb_frag_address(&skb_shinfo(skb)->frags[0]);

	consume_skb(skb);
	skb = make(cpu, 0, 500);
	if (!WEIR_POISON)
		assert_ptr_equal(skb_frag_address(&skb_shinfo(skb)->frags[0]), at);
	assert_octets(skb, 0, 0, 500);
	consume_skb(skb);
	test_cpu_done(cpu);
}

static void split_gives_the_rest_away(void **state)
{
	struct cpu *cpu = test_cpu();
	u32 total = 66000;

	for (u32 at = 0; at <= total; at += 1499) {
		struct sk_buff *skb = make(cpu, 60, total - 60), *rest = alloc_skb(cpu, 60);
		u32 sum = skb->truesize + rest->truesize;

		skb_split(skb, rest, at);
		assert_int_equal(skb->len, at);
		assert_int_equal(rest->len, total - at);
		assert_octets(skb, 0, 0, at);
		assert_octets(rest, 0, at, total - at);
		assert_int_equal(skb->truesize + rest->truesize, sum);
		consume_skb(skb);
		assert_octets(rest, 0, at, total - at);
		consume_skb(rest);
	}
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

static void frag_refs_share_payload(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *src = make(cpu, 20, 50000), *dst = alloc_skb(cpu, 20);

	assert_int_equal(skb_append_frag_refs(dst, src, 20 + 30000, 10000), 10000);
	assert_int_equal(skb_append_frag_refs(dst, src, 20 + 40000, 20000), 10000);
	assert_int_equal(dst->len, 20000);
	assert_int_equal(skb_shinfo(dst)->nr_frags, 2); /* the seam was in one page */
	consume_skb(src);
	assert_octets(dst, 0, 30020, 20000);
	consume_skb(dst);
	test_cpu_done(cpu);
}

static void coalesce_joins_without_copying(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff *whole = make(cpu, 0, 3000), *to = alloc_skb(cpu, 0),
		       *from = alloc_skb(cpu, 0), *linear;
	u32 delta = 0, before;

	skb_append_frag_refs(to, whole, 0, 1000);
	skb_append_frag_refs(from, whole, 1000, 2000);
	consume_skb(whole);
	before = to->truesize;
	assert_true(skb_try_coalesce(to, from, &delta));
	assert_int_equal(delta, 2000);
	assert_int_equal(to->truesize, before + delta);
	assert_int_equal(skb_shinfo(to)->nr_frags, 1);
	assert_octets(to, 0, 0, 3000);
	assert_int_equal(live(cpu), 1);

	linear = make(cpu, 10, 0);
	assert_false(skb_try_coalesce(to, linear, &delta));
	consume_skb(linear);
	from = make(cpu, 0, 10);
	linear = skb_clone(to);
	assert_false(skb_try_coalesce(to, from, &delta));
	consume_skb(linear);
	consume_skb(from);
	consume_skb(to);
	test_cpu_done(cpu);
}

static void checksum_is_right_over_odd_pieces(void **state)
{
	struct cpu *cpu = test_cpu();
	static u8 flat[40000];

	for (u32 head = 1; head < 40; head += 7) {
		struct sk_buff *skb = make(cpu, head, 37001), *between = make(cpu, 0, 33);
		u8 buf[13];
		struct iovec iov = { buf, 13 };
		struct iov_iter it;

		fill(buf, skb->len, 13);
		iov_iter_init(&it, &iov, 1, 13);
		assert_int_equal(skb_append_iter(skb, &it, 13, false), 13);
		fill(flat, 0, skb->len);
		for (u32 off = 0; off < 45; off += 3)
			for (u32 cut = 0; cut < 3; cut++)
				assert_int_equal(
					csum_fold(skb_checksum(skb, off, skb->len - off - cut, 0)),
					csum_fold(
						csum_partial(flat + off, skb->len - off - cut, 0)));
		consume_skb(skb);
		consume_skb(between);
	}
	test_cpu_done(cpu);
}

static void checksum_help_fills_the_field(void **state)
{
	struct cpu *cpu = test_cpu();

	for (u32 head = 20; head < 60; head += 39) {
		struct sk_buff *skb = make(cpu, head, 1001), *clone;
		u16 seed = 0x1234, zero = 0;

		skb_store_bits(skb, 20 + 16, &seed, 2);
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = (u16)(skb_headroom(skb) + 20);
		skb->csum_offset = 16;
		clone = skb_clone(skb);
		assert_int_equal(skb_checksum_help(skb), 0);
		assert_int_equal(skb->ip_summed, CHECKSUM_NONE);
		/* What a receiver computes: everything and the pseudo header (here 0x1234) give 0. */
		assert_int_equal(csum_fold(csum_add(skb_checksum(skb, 20, skb->len - 20, 0), seed)),
				 0);
		skb_copy_bits(clone, 36, &zero, 2);
		assert_int_equal(zero, seed); /* the clone was not written to */
		clone->csum_offset = 0xfff0;
		assert_int_equal(skb_checksum_help(clone), -EINVAL);
		consume_skb(skb);
		consume_skb(clone);
	}
	test_cpu_done(cpu);
}

static void datagram_copy_verifies_the_checksum(void **state)
{
	struct cpu *cpu = test_cpu();
	static u8 out[5000];

	for (u32 hlen = 7; hlen < 9; hlen++) {
		for (u32 room = 100; room <= 5000; room += 4900) {
			struct iovec iov[2] = { { out, 51 }, { out + 51, room - 51 } };
			struct sk_buff *skb = make(cpu, 33, 3000);
			struct iov_iter it;

			skb->csum = ~skb_checksum(skb, 0, skb->len, 0);
			iov_iter_init(&it, iov, 2, room);
			assert_int_equal(skb_copy_and_csum_datagram_iter(skb, hlen, &it), 0);
			assert_int_equal(room - it.count, min(room, 3033 - hlen));
			for (u32 i = 0; i < min(room, 3033 - hlen); i++)
				assert_int_equal(out[i], octet(hlen + i));

			skb->csum_valid = 0;
			skb->data[20] ^= 1;
			iov_iter_init(&it, iov, 2, room);
			assert_int_equal(skb_copy_and_csum_datagram_iter(skb, hlen, &it), -EINVAL);
			assert_int_equal(it.count, room);
			consume_skb(skb);
		}
	}
	test_cpu_done(cpu);
}

static void queues_keep_order_and_length(void **state)
{
	struct cpu *cpu = test_cpu();
	struct sk_buff_head a, b;
	struct sk_buff *s[4];

	skb_queue_head_init(&a);
	skb_queue_head_init(&b);
	for (int i = 0; i < 4; i++)
		s[i] = alloc_skb(cpu, 10);
	skb_queue_tail(&a, s[1]);
	skb_queue_head(&a, s[0]);
	skb_queue_tail(&b, s[2]);
	skb_queue_after(&b, s[2], s[3]);
	skb_queue_splice_tail_init(&b, &a);
	assert_true(skb_queue_empty(&b));
	assert_int_equal(a.qlen, 4);
	for (int i = 0; i < 3; i++) {
		struct sk_buff *skb = skb_dequeue(&a);

		assert_ptr_equal(skb, s[i]);
		consume_skb(skb);
	}
	skb_queue_purge_reason(&a, SKB_DROP_NET_EXIT);
	assert_int_equal(a.qlen, 0);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

/* Memory that one kind has used up and freed is there for any other. */
static void what_receive_heads_gave_back_can_become_pages(void **state)
{
	struct machine *m = test_machine_with(host_sim_create(1, 0), 1, false, 4 << 20);
	struct cpu *cpu = m->cpus[0];
	struct sk_buff *skb, *list = NULL, *kept;
	struct page *pages = NULL, *p;
	u32 n = 0, round;

	cpu_lock(cpu);
	kept = alloc_skb(cpu, 1500);
	for (round = 0; round < 3; round++) {
		while ((skb = alloc_skb(cpu, 1500))) {
			skb->next = list;
			list = skb;
			n++;
		}
		assert_true(n > 1000);
		n = 0;
		while ((skb = list)) {
			list = skb->next;
			skb->next = NULL;
			consume_skb(skb);
		}
		cpu->now += NSEC_PER_SEC;
		while ((p = page_alloc(cpu))) {
			memset(p->addr, 0x55, SKB_PAGE_SIZE - sizeof(*p));
			p->next = pages;
			pages = p;
			n++;
		}
		assert_true(n > 100); /* of 128 that the limit allows */
		assert_true(m->arena_octets <= 4 << 20);
		n = 0;
		while ((p = pages)) {
			pages = p->next;
			page_put(p);
		}
		cpu->now += NSEC_PER_SEC;
		/* Segmentation units need several blocks in a row. */
		skb = alloc_skb(cpu, 100000);
		assert_non_null(skb);
		memset(skb_put(skb, 100000), 1, 100000);
		consume_skb(skb);
		cpu->now += NSEC_PER_SEC;
	}
	memset(skb_put(kept, 1500), 2, 1500); /* what was in use stayed whole */
	consume_skb(kept);
	cpu_unlock(cpu);
	machine_destroy(m);
}

/* A slot that was freed twice or lost would show: every octet of many sizes is written and read, at the limit all the time. */
static void sizes_may_change_at_the_limit_for_ever(void **state)
{
	struct machine *m = test_machine_with(host_sim_create(1, 0), 1, false, 2 << 20);
	struct cpu *cpu = m->cpus[0];
	struct sk_buff *skb[256] = { NULL };
	u32 refused = 0, given = 0;

	cpu_lock(cpu);
	for (u32 i = 0; i < 100000; i++) {
		u32 at = (u32)(cpu_random(cpu) % ARRAY_SIZE(skb));
		u32 size = 1u << (4 + cpu_random(cpu) % 13);
		u8 mark = (u8)at;

		cpu->now += 10 * NSEC_PER_USEC;
		if (skb[at]) {
			for (u32 k = 0; k < skb[at]->len; k += 61)
				assert_int_equal(skb[at]->data[k], mark);
			consume_skb(skb[at]);
		}
		skb[at] = alloc_skb(cpu, size);
		if (skb[at])
			memset(skb_put(skb[at], size), mark, size);
		*(skb[at] ? &given : &refused) += 1;
	}
	assert_true(refused > 100 && given > 10000);
	for (u32 i = 0; i < ARRAY_SIZE(skb); i++)
		consume_skb(skb[i]);
	cpu_unlock(cpu);
	machine_destroy(m);
}

/* Every run has a slot in use, so that looking for one to give back is in vain: it must not be done for each allocation. */
static void looking_for_memory_in_vain_is_not_all_that_happens(void **state)
{
	struct machine *m = test_machine_with(host_sim_create(1, 0), 1, false, 16 << 20);
	struct cpu *cpu = m->cpus[0];
	struct sk_buff *skb[8192];
	u32 n = 0;

	if (WEIR_POISON) { /* it has no runs */
		machine_destroy(m);
		return;
	}
	cpu_lock(cpu);
	while (n < ARRAY_SIZE(skb) && (skb[n] = alloc_skb(cpu, 1500)))
		n++;
	assert_in_range(n, 4096, ARRAY_SIZE(skb) - 1);
	for (u32 i = 0; i < n; i += 2)
		consume_skb(skb[i]);
	cpu->now += NSEC_PER_SEC;
	assert_null(page_alloc(cpu));
	for (u32 i = 1; i < n; i += 2)
		consume_skb(skb[i]);
	cpu->now += 4 * NSEC_PER_MSEC; /* about what it took */
	assert_null(page_alloc(cpu));
	cpu->now += NSEC_PER_SEC;
	page_put(page_alloc(cpu));
	cpu_unlock(cpu);
	machine_destroy(m);
}

/* After a flood a lot lies free: it is looked at in parts, each of which brings something. */
static void memory_is_given_back_in_parts(void **state)
{
	struct machine *m = test_machine_with(host_sim_create(1, 0), 1, false, 64 << 20);
	struct cpu *cpu = m->cpus[0];
	struct sk_buff *list = NULL, *skb;
	u32 n = 0, pages = 0;
	u64 before;

	if (WEIR_POISON) { /* it has no runs */
		machine_destroy(m);
		return;
	}
	cpu_lock(cpu);
	for (; (skb = alloc_skb(cpu, 1500)); n++) {
		skb->next = list;
		list = skb;
	}
	assert_true(n > 25000);
	while ((skb = list)) {
		list = skb->next;
		skb->next = NULL;
		consume_skb(skb);
	}
	cpu->now += NSEC_PER_SEC;
	before = m->arena_octets;
	for (u32 i = 0; i < 32; i++) {
		struct page *p = page_alloc(cpu);

		if (i == 0) { /* 8,192 slots of 2 KiB, at most */
			assert_non_null(p);
			assert_in_range(m->arena_octets, before - (17 << 20), before);
		}
		for (; p; p = page_alloc(cpu))
			pages++;
		cpu->now += 33 * NSEC_PER_MSEC;
	}
	assert_true((u64)pages * SKB_PAGE_SIZE > 60 << 20);
	/* What was parked is there for its own kind, too. */
	assert_non_null(alloc_skb(cpu, 100));
	cpu_unlock(cpu);
	machine_destroy(m);
}

static void the_limit_ends_in_null_and_recovers(void **state)
{
	struct machine *m = test_machine_with(host_sim_create(1, 0), 1, false, 1 << 20);
	struct cpu *cpu = m->cpus[0];
	struct sk_buff_head q;
	struct sk_buff *skb;
	struct skb_memory mem;
	u32 n = 0;

	skb_queue_head_init(&q);
	cpu_lock(cpu);
	while ((skb = alloc_skb(cpu, 1500))) {
		skb_queue_tail(&q, skb);
		assert_true(++n < 1000);
	}
	assert_true(n > 200);
	skb_memory(cpu, &mem);
	assert_true(mem.arena_octets <= 1 << 20);
	assert_null(alloc_skb_with_frags(cpu, 10, 100000));
	assert_int_equal(live(cpu), n);
	skb_queue_consume(&q);
	skb = alloc_skb(cpu, 1500);
	assert_non_null(skb);
	consume_skb(skb);
	test_cpu_done(cpu);
}

static void an_idle_machine_takes_little(void **state)
{
	struct cpu *cpu = test_cpu();
	struct skb_memory mem;

	consume_skb(make(cpu, 100, 100));
	skb_memory(cpu, &mem);
	assert_true(mem.arena_octets <= 256 << 10);
	test_cpu_done(cpu);
}

static void a_packet_may_move_to_another_cpu(void **state)
{
	struct machine *m = test_machine_with(host_sim_create(1, 0), 2, false, 0);
	struct cpu *a = m->cpus[0], *b = m->cpus[1];

	for (int i = 0; i < 200; i++) {
		struct sk_buff *skb, *keep, *linear;

		cpu_lock(a);
		keep = make(a, 50, 4000); /* its page is the current one: it must be copied */
		skb = skb_migrate(skb_get(keep), b);
		linear = skb_migrate(make(a, 100, 0), b);
		assert_octets(keep, 0, 0, 4050);
		consume_skb(keep);
		cpu_unlock(a);

		cpu_lock(b);
		assert_ptr_equal(skb->cpu, b);
		assert_octets(skb, 0, 0, 4050);
		consume_skb(skb_clone(skb));
		consume_skb(skb);
		assert_octets(linear, 0, 0, 100);
		consume_skb(linear);
		cpu_unlock(b);
	}
	assert_true(m->arena_octets < 2 << 20); /* what b freed came back to a */
	cpu_lock(a);
	cpu_unlock(a);
	machine_destroy(m);
}

static void drops_are_counted_by_reason(void **state)
{
	struct machine *m = test_machine();
	struct net *net = net_create(m, "n");
	struct net_device dev = { .net = net, .cpu = net->cpu };
	struct sk_buff *skb;

	assert_non_null(net);
	cpu_lock(net->cpu);
	skb = netdev_alloc_skb(&dev, 100);
	assert_int_equal(skb_headroom(skb), NET_SKB_PAD);
	kfree_skb_reason(skb_get(skb), SKB_DROP_DEV_DOWN); /* not the last reference */
	assert_int_equal(net_drops(net, SKB_DROP_DEV_DOWN), 0);
	kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
	assert_int_equal(net_drops(net, SKB_DROP_DEV_DOWN), 1);
	cpu_unlock(net->cpu);
	assert_string_equal(drop_reason_name(m, SKB_DROP_DEV_DOWN), "DEV_DOWN");
	assert_string_equal(drop_reason_name(m, SKB_DROP_CORE_END_), "?");
	assert_string_equal(drop_reason_name(m, 0), "?");
	assert_string_equal(drop_reason_name(m, 65535), "?");
	machine_destroy(m);
}

/* A packet and what it must contain. */
struct model {
	struct sk_buff *skb;
	u32 len;
	u8 flat[1 << 17];
};

static void model_check(const struct model *md)
{
	static u8 buf[1 << 17];

	assert_int_equal(md->skb->len, md->len);
	assert_int_equal(skb_copy_bits(md->skb, 0, buf, md->len), 0);
	assert_memory_equal(buf, md->flat, md->len);
}

static void model_append(struct model *md, const struct model *from, u32 off, u32 n)
{
	memmove(md->flat + md->len, from->flat + off, n);
	md->len += n;
}

static void model_copy(struct model *md, const struct model *from, struct sk_buff *skb)
{
	if (!skb)
		return;
	consume_skb(md->skb);
	md->skb = skb;
	md->len = 0;
	model_append(md, from, 0, from->len);
}

static void any_sequence_of_operations_keeps_the_octets(void **state)
{
	struct cpu *cpu = test_cpu();
	static struct model all[4];
	u8 buf[5000];

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = (struct model){ .skb = alloc_skb(cpu, 200) };
	for (u32 step = 0; step < 20000; step++) {
		u64 r = cpu_random(cpu);
		struct model *a = &all[r % 4], *b = &all[(r >> 8) % 4];
		u32 n = (u32)(r >> 16) % 5000, at = a->len ? (u32)(r >> 32) % (a->len + 1) : 0,
		    delta, got;
		struct sk_buff *skb;

		switch ((r >> 60) + 16 * ((r >> 59) & 1)) {
		case 0:
		case 1:
		case 2:
		case 3:
		case 4: { /* append */
			struct iovec iov[2] = { { buf, n / 3 }, { buf + n / 3, n - n / 3 } };
			struct iov_iter it;
			s64 done;

			if (a->len > 60000 || skb_unclone(a->skb))
				break;
			for (u32 i = 0; i < n; i++)
				buf[i] = (u8)cpu_random(cpu);
			iov_iter_init(&it, iov, 2, n);
			done = skb_append_iter(a->skb, &it, n, r & 16);
			assert_true(done >= 0);
			memcpy(a->flat + a->len, buf, (u32)done);
			a->len += (u32)done;
			break;
		}
		case 5:
			if (a != b)
				model_copy(b, a, skb_clone(a->skb));
			break;
		case 6:
			if (a != b)
				model_copy(b, a, skb_copy(a->skb));
			break;
		case 7:
			if (a != b)
				model_copy(b, a, pskb_copy(a->skb));
			break;
		case 8:
			assert_int_equal(pskb_trim(a->skb, at), 0);
			a->len = at;
			break;
		case 9:
			assert_non_null(pskb_pull(a->skb, at));
			memmove(a->flat, a->flat + at, a->len - at);
			a->len -= at;
			break;
		case 10:
			assert_true(pskb_may_pull(a->skb, at));
			break;
		case 11:
			assert_int_equal(pskb_expand_head(a->skb, n % 100, n % 300), 0);
			break;
		case 12: /* split into b */
			if (a == b || skb_unclone(a->skb))
				break;
			skb = alloc_skb(cpu, skb_headlen(a->skb));
			skb_split(a->skb, skb, at);
			consume_skb(b->skb);
			*b = (struct model){ .skb = skb };
			model_append(b, a, at, a->len - at);
			a->len = at;
			break;
		case 13: /* join b to a */
			if (a == b || a->len + b->len > 100000)
				break;
			if (skb_try_coalesce(a->skb, b->skb, &delta)) {
				model_append(a, b, 0, b->len);
				*b = (struct model){ .skb = alloc_skb(cpu, 100) };
			}
			break;
		case 14: /* references */
			if (a == b || skb_unclone(b->skb) || at < skb_headlen(a->skb) ||
			    b->len > 60000)
				break;
			got = skb_append_frag_refs(b->skb, a->skb, at, min(n, a->len - at));
			model_append(b, a, at, got);
			break;
		case 15: /* write */
			if (!a->len || skb_ensure_writable(a->skb, min(a->len, 50u)))
				break;
			a->skb->data[0] ^= 0xff;
			a->flat[0] ^= 0xff;
			break;
		case 16:
			a->skb = skb_unshare(a->skb);
			break;
		case 17:
			assert_int_equal(skb_linearize(a->skb), 0);
			break;
		case 18:
			assert_int_equal(csum_fold(skb_checksum(a->skb, at, a->len - at, 0)),
					 csum_fold(csum_partial(a->flat + at, a->len - at, 0)));
			break;
		case 19:
			if (a->len < 100000 && skb_headroom(a->skb) >= 4 &&
			    !skb_cow_head(a->skb, 4)) {
				memcpy(skb_push(a->skb, 4), "push", 4);
				memmove(a->flat + 4, a->flat, a->len);
				memcpy(a->flat, "push", 4);
				a->len += 4;
			}
			break;
		}
		for (u32 i = 0; i < ARRAY_SIZE(all); i++)
			model_check(&all[i]);
		if (step % 64 == 0 || a->len > 90000) {
			consume_skb(a->skb);
			*a = (struct model){ .skb = alloc_skb(cpu, 200) };
			skb_reserve(a->skb, 40);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		consume_skb(all[i].skb);
	assert_int_equal(live(cpu), 0);
	test_cpu_done(cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_push_pull_trim_move_the_ends),
		cmocka_unit_test(any_size_up_to_the_largest_fits),
		cmocka_unit_test(freed_memory_is_used_again_last_in_first_out),
		cmocka_unit_test(clone_shares_and_copy_does_not),
		cmocka_unit_test(unshare_gives_a_private_packet),
		cmocka_unit_test(a_clone_may_push_headers_when_its_origin_gave_them_up),
		cmocka_unit_test(expand_head_moves_headers_along),
		cmocka_unit_test(ensure_writable_copies_only_what_is_shared),
		cmocka_unit_test(pull_tail_brings_fragments_into_the_head),
		cmocka_unit_test(trimming_a_list_leaves_the_clones_list_alone),
		cmocka_unit_test(pulling_from_a_list_leaves_the_clones_list_alone),
		cmocka_unit_test(pull_without_memory_for_the_room_fails),
		cmocka_unit_test(trim_cuts_fragments_at_every_length),
		cmocka_unit_test(append_extends_the_last_fragment),
		cmocka_unit_test(append_stops_when_the_fragments_are_full),
		cmocka_unit_test(a_page_nobody_uses_is_filled_again_from_its_start),
		cmocka_unit_test(split_gives_the_rest_away),
		cmocka_unit_test(frag_refs_share_payload),
		cmocka_unit_test(coalesce_joins_without_copying),
		cmocka_unit_test(checksum_is_right_over_odd_pieces),
		cmocka_unit_test(checksum_help_fills_the_field),
		cmocka_unit_test(datagram_copy_verifies_the_checksum),
		cmocka_unit_test(queues_keep_order_and_length),
		cmocka_unit_test(what_receive_heads_gave_back_can_become_pages),
		cmocka_unit_test(sizes_may_change_at_the_limit_for_ever),
		cmocka_unit_test(looking_for_memory_in_vain_is_not_all_that_happens),
		cmocka_unit_test(memory_is_given_back_in_parts),
		cmocka_unit_test(the_limit_ends_in_null_and_recovers),
		cmocka_unit_test(an_idle_machine_takes_little),
		cmocka_unit_test(a_packet_may_move_to_another_cpu),
		cmocka_unit_test(drops_are_counted_by_reason),
		cmocka_unit_test(any_sequence_of_operations_keeps_the_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
