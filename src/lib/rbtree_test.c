/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/rbtree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/random.h"

struct thing {
	u32 key;
	struct rb_node node;
	bool inside;
};

static void insert(struct rb_root *root, struct thing *t)
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = t->key < rb_entry(parent, struct thing, node)->key ? &parent->left
									  : &parent->right;
	}
	rb_link_node(&t->node, parent, link);
	rb_insert_color(&t->node, root);
}

/* Checks the rules below @n and gives the number of black nodes on each path. */
static int check_subtree(const struct rb_node *n, const struct rb_node *parent)
{
	bool red;
	int l, r;

	if (!n)
		return 1;
	assert_ptr_equal(rb_parent(n), parent);
	red = !(n->parent_color & 1);
	if (red) {
		assert_true(!n->left || n->left->parent_color & 1);
		assert_true(!n->right || n->right->parent_color & 1);
	}
	l = check_subtree(n->left, n);
	r = check_subtree(n->right, n);
	assert_int_equal(l, r);
	return l + !red;
}

static void check(const struct rb_root *root, u32 count)
{
	const struct rb_node *prev = NULL;
	struct rb_node *n;
	u32 seen = 0;

	assert_true(!root->node || root->node->parent_color & 1);
	check_subtree(root->node, NULL);
	rb_for_each(n, root) {
		if (prev) {
			assert_true(rb_entry(prev, struct thing, node)->key <=
				    rb_entry(n, struct thing, node)->key);
		}
		assert_ptr_equal(rb_prev(n), prev);
		prev = n;
		seen++;
	}
	assert_ptr_equal(rb_last(root), prev);
	assert_int_equal(seen, count);
}

static void random_inserts_and_erases_keep_the_rules(void **state)
{
	static const u32 ranges[] = { 8, 64, 1000000 }; /* many and few equal keys */
	struct thing things[200];
	u64 rng[4];

	for (unsigned r = 0; r < ARRAY_SIZE(ranges); r++) {
		struct rb_root root = RB_ROOT_INIT;
		u32 count = 0;

		random_seed(rng, r);
		memset(things, 0, sizeof(things));
		for (int i = 0; i < 5000; i++) {
			struct thing *t = &things[random_below(rng, ARRAY_SIZE(things))];

			if (t->inside) {
				rb_erase(&t->node, &root);
				assert_true(RB_EMPTY_NODE(&t->node));
				count--;
			} else {
				t->key = random_below(rng, ranges[r]);
				insert(&root, t);
				assert_false(RB_EMPTY_NODE(&t->node));
				count++;
			}
			t->inside = !t->inside;
			check(&root, count);
		}
	}
}

static void ascending_and_descending_inserts_stay_balanced(void **state)
{
	struct thing things[256];

	for (int down = 0; down < 2; down++) {
		struct rb_root root = RB_ROOT_INIT;
		struct rb_node *n, *next;

		for (u32 i = 0; i < ARRAY_SIZE(things); i++) {
			things[i].key = down ? 1000 - i : i;
			insert(&root, &things[i]);
		}
		check(&root, ARRAY_SIZE(things));
		assert_int_equal(rb_entry(rb_first(&root), struct thing, node)->key,
				 down ? 745 : 0);
		rb_for_each_safe(n, next, &root)
			rb_erase(n, &root);
		assert_true(RB_EMPTY_ROOT(&root));
	}
}

static void a_replaced_node_is_where_the_old_one_was(void **state)
{
	struct thing things[32], other = { .key = 10 };
	struct rb_root root = RB_ROOT_INIT;

	for (u32 i = 0; i < ARRAY_SIZE(things); i++) {
		things[i].key = i;
		insert(&root, &things[i]);
	}
	rb_replace_node(&things[10].node, &other.node, &root);
	check(&root, ARRAY_SIZE(things));
	assert_ptr_equal(rb_next(&things[9].node), &other.node);
}

static void an_empty_tree_has_no_ends(void **state)
{
	struct rb_root root = RB_ROOT_INIT;

	assert_null(rb_first(&root));
	assert_null(rb_last(&root));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_inserts_and_erases_keep_the_rules),
		cmocka_unit_test(ascending_and_descending_inserts_stay_balanced),
		cmocka_unit_test(a_replaced_node_is_where_the_old_one_was),
		cmocka_unit_test(an_empty_tree_has_no_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
