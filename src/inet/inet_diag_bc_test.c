/* SPDX-License-Identifier: BSD-2-Clause */
/* inet_diag_bc_test.c - filter programs: those that ss(8) writes, and those that nobody should */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inet/inet_diag.h"

static const be32 local[4] = { { 0x0100007f } }, remote[4] = { { 0x0200000a } };
static const struct inet_diag_entry entry = {
	.saddr = local,
	.daddr = remote,
	.family = AF_INET,
	.sport = 80,
	.dport = 4000,
	.ifindex = 2,
	.mark = 0x15,
};

#define OP(code_, yes_, no_)                                                                       \
	{                                                                                          \
		.code = (code_), .yes = (yes_), .no = (no_)                                        \
	}

static bool passes(const void *bc, u32 len)
{
	assert_int_equal(inet_diag_bc_audit(bc, len), 0);
	return inet_diag_bc_run(bc, len, &entry);
}

static bool port_op(u8 code, u16 port)
{
	const struct inet_diag_bc_op bc[] = { OP(code, 8, 12), { .no = port } };

	return passes(bc, sizeof(bc));
}

static void ports_are_compared(void **state)
{
	(void)state;
	assert_true(port_op(INET_DIAG_BC_S_EQ, 80));
	assert_false(port_op(INET_DIAG_BC_S_EQ, 81));
	assert_true(port_op(INET_DIAG_BC_S_GE, 80));
	assert_false(port_op(INET_DIAG_BC_S_GE, 81));
	assert_true(port_op(INET_DIAG_BC_S_LE, 80));
	assert_false(port_op(INET_DIAG_BC_S_LE, 79));
	assert_true(port_op(INET_DIAG_BC_D_EQ, 4000));
	assert_false(port_op(INET_DIAG_BC_D_GE, 4001));
	assert_false(port_op(INET_DIAG_BC_D_LE, 3999));
}

/* "sport = 81 or dport = 4000": the first condition's no leads to the second, its yes to a jump to the end. */
static void alternatives_are_tried_in_turn(void **state)
{
	const struct inet_diag_bc_op bc[] = {
		OP(INET_DIAG_BC_S_EQ, 8, 12), { .no = 81 },   OP(INET_DIAG_BC_JMP, 4, 12),
		OP(INET_DIAG_BC_D_EQ, 8, 12), { .no = 4000 },
	};
	struct inet_diag_bc_op other[ARRAY_SIZE(bc)];

	(void)state;
	assert_true(passes(bc, sizeof(bc)));
	memcpy(other, bc, sizeof(bc));
	other[4].no = 4001;
	assert_false(passes(other, sizeof(other)));
	other[1].no = 80;
	assert_true(passes(other, sizeof(other)));
}

struct host_prog {
	struct inet_diag_bc_op op;
	struct inet_diag_hostcond cond;
	be32 addr[4];
};

static bool host_op(u8 code, u8 family, u8 prefix, int port, const be32 *addr)
{
	u32 len = (u32)offsetof(struct host_prog, addr) + (family == AF_INET    ? 4
							   : family == AF_INET6 ? 16
										: 0);
	struct host_prog p = {
		.op = OP(code, (u8)len, (u16)(len + 4)),
		.cond = { .family = family, .prefix_len = prefix, .port = port },
	};

	if (addr)
		memcpy(p.addr, addr, sizeof(p.addr));
	return passes(&p, len);
}

static void hosts_are_compared_by_prefix(void **state)
{
	static const be32 net10[4] = { { 0x0000000a } };

	(void)state;
	assert_true(host_op(INET_DIAG_BC_S_COND, AF_INET, 32, -1, local));
	assert_false(host_op(INET_DIAG_BC_S_COND, AF_INET, 32, -1, remote));
	assert_true(host_op(INET_DIAG_BC_D_COND, AF_INET, 8, 4000, net10));
	assert_false(host_op(INET_DIAG_BC_D_COND, AF_INET, 8, 4001, net10));
	assert_false(host_op(INET_DIAG_BC_D_COND, AF_INET, 31, -1, net10));
	assert_true(host_op(INET_DIAG_BC_D_COND, AF_UNSPEC, 0, 4000, NULL));
	assert_false(host_op(INET_DIAG_BC_D_COND, AF_INET6, 128, -1, remote));
}

static void mapped_addresses_are_ipv4(void **state)
{
	const be32 mapped[4] = { { 0 }, { 0 }, cpu_to_be32(0xffff), local[0] };
	struct inet_diag_entry e = entry;
	struct {
		struct inet_diag_bc_op op;
		struct inet_diag_hostcond cond;
		be32 addr;
	} p = {
		.op = OP(INET_DIAG_BC_S_COND, sizeof(p), sizeof(p) + 4),
		.cond = { .family = AF_INET, .prefix_len = 32, .port = -1 },
		.addr = local[0],
	};

	(void)state;
	e.family = AF_INET6;
	e.saddr = mapped;
	assert_int_equal(inet_diag_bc_audit(&p, sizeof(p)), 0);
	assert_true(inet_diag_bc_run(&p, sizeof(p), &e));
	p.addr = remote[0];
	assert_false(inet_diag_bc_run(&p, sizeof(p), &e));
}

static void devices_and_marks_are_compared(void **state)
{
	struct {
		struct inet_diag_bc_op op;
		u32 v[2];
	} p = { .op = OP(INET_DIAG_BC_DEV_COND, 8, 12), .v = { 2 } };

	(void)state;
	assert_true(passes(&p, 8));
	p.v[0] = 3;
	assert_false(passes(&p, 8));
	p.op = (struct inet_diag_bc_op)OP(INET_DIAG_BC_MARK_COND, 12, 16);
	p.v[0] = 0x5;
	p.v[1] = 0xf;
	assert_true(passes(&p, 12));
	p.v[0] = 0x6;
	assert_false(passes(&p, 12));
}

static void broken_programs_are_refused(void **state)
{
	static const struct {
		struct inet_diag_bc_op bc[3];
		u32 len;
	} cases[] = {
		{ { OP(INET_DIAG_BC_JMP, 4, 8) }, 3 },      /* not whole */
		{ { OP(INET_DIAG_BC_JMP, 0, 4) }, 4 },      /* yes stands still */
		{ { OP(INET_DIAG_BC_JMP, 4, 0) }, 4 },      /* no stands still */
		{ { OP(INET_DIAG_BC_JMP, 4, 12) }, 4 },     /* beyond the end */
		{ { OP(INET_DIAG_BC_JMP, 8, 4) }, 4 },      /* the same for yes */
		{ { OP(INET_DIAG_BC_JMP, 4, 6) }, 4 },      /* between words */
		{ { OP(INET_DIAG_BC_S_EQ, 8, 12) }, 4 },    /* operand is missing */
		{ { OP(INET_DIAG_BC_S_EQ, 4, 12) }, 8 },    /* yes leads into it */
		{ { OP(INET_DIAG_BC_S_COND, 12, 16) }, 8 }, /* host is missing */
		{ { OP(INET_DIAG_BC_JMP, 4, 8), OP(INET_DIAG_BC_S_EQ, 8, 12) }, 12 },
		{ { OP(200, 4, 8) }, 4 }, /* unknown */
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(inet_diag_bc_audit(cases[i].bc, cases[i].len), -EINVAL);
	assert_int_equal(inet_diag_bc_audit(cases[0].bc, 0), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_compared),
		cmocka_unit_test(alternatives_are_tried_in_turn),
		cmocka_unit_test(hosts_are_compared_by_prefix),
		cmocka_unit_test(mapped_addresses_are_ipv4),
		cmocka_unit_test(devices_and_marks_are_compared),
		cmocka_unit_test(broken_programs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
