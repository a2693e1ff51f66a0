/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_diag_bc.c - INET_DIAG_REQ_BYTECODE: the filter programs of ss(8)
 *
 * Theory of operation
 *   A program is a row of conditions. Each is a struct inet_diag_bc_op, some with operands behind it, and goes on "yes" octets
 *   further when it holds, else "no" octets further. A sock passes if the walk ends exactly at the end of the program; a jump to
 *   four octets beyond it means no.
 * Invariants of an audited program: the instructions lie one behind the other at the "yes" offsets; every jump leads forward, by a
 *   multiple of four, to an instruction, to the end or to four octets beyond it. So a run ends, and reads nothing outside.
 * See linux/inet_diag.h.
 */
#include <errno.h>

#include "inet/inet_diag.h"

#define OP_LEN     ((u32)sizeof(struct inet_diag_bc_op))
#define BC_LEN_MAX 65536u /* of an attribute */

/* The octets that instruction @op has at least; 0: unknown, or @left is not enough. */
static u32 op_length(const struct inet_diag_bc_op *op, u32 left)
{
	const struct inet_diag_hostcond *cond = (const void *)(op + 1);
	u32 len, addr_len;

	switch (op->code) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_JMP:
	case INET_DIAG_BC_AUTO:
		return OP_LEN;
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
	case INET_DIAG_BC_D_EQ:
		return left < 2 * OP_LEN ? 0 : 2 * OP_LEN;
	case INET_DIAG_BC_DEV_COND:
		return left < OP_LEN + sizeof(u32) ? 0 : OP_LEN + sizeof(u32);
	case INET_DIAG_BC_MARK_COND:
		len = OP_LEN + sizeof(struct inet_diag_markcond);
		return left < len ? 0 : len;
	case INET_DIAG_BC_CGROUP_COND:
		return left < OP_LEN + sizeof(u64) ? 0 : OP_LEN + sizeof(u64);
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		len = OP_LEN + sizeof(*cond);
		if (left < len)
			return 0;
		addr_len = cond->family == AF_INET ? 4 : cond->family == AF_INET6 ? 16 : 0;
		if (!addr_len && cond->family != AF_UNSPEC)
			return 0;
		if (left < len + addr_len || cond->prefix_len > 8 * addr_len)
			return 0;
		return len + addr_len;
	default:
		return 0;
	}
}

int inet_diag_bc_audit(const void *bytecode, u32 len)
{
	u8 starts[BC_LEN_MAX / 4 / 8] = { 0 }; /* a bit for each instruction, by its offset / 4 */
	const u8 *code = bytecode;
	const struct inet_diag_bc_op *op;

	if (len < OP_LEN || len % 4 || len > BC_LEN_MAX)
		return -EINVAL;
	for (u32 pos = 0; pos < len; pos += op->yes) {
		u32 left = len - pos, min_len;

		op = (const void *)(code + pos);
		min_len = op_length(op, left);
		if (!min_len || op->yes < min_len || op->yes > left || op->yes % 4)
			return -EINVAL;
		starts[pos / 32] |= (u8)(1u << (pos / 4 % 8));
	}
	/* Now all instructions are known, and where jumps may lead. */
	for (u32 pos = 0; pos < len; pos += op->yes) {
		u32 to;

		op = (const void *)(code + pos);
		to = pos + op->no;
		if (op->code == INET_DIAG_BC_NOP)
			continue;
		if (op->no < OP_LEN || op->no % 4 || to > len + 4)
			return -EINVAL;
		if (to < len && !(starts[to / 32] & 1u << (to / 4 % 8)))
			return -EINVAL;
	}
	return 0;
}

static bool prefix_equal(const be32 *a, const be32 *b, u32 bits)
{
	u32 words = bits / 32, rest = bits % 32;

	for (u32 i = 0; i < words; i++)
		if (!be32_eq(a[i], b[i]))
			return false;
	return !rest || (be32_to_cpu(a[words]) ^ be32_to_cpu(b[words])) >> (32 - rest) == 0;
}

static bool host_matches(const struct inet_diag_hostcond *cond, u16 family, const be32 *addr,
			 u16 port)
{
	const be32 *wanted = (const be32 *)cond->addr;

	if (cond->port != -1 && cond->port != port)
		return false;
	if (cond->family == AF_UNSPEC)
		return true;
	if (cond->family == family)
		return prefix_equal(addr, wanted, cond->prefix_len);
	/* ::ffff:a.b.c.d is a.b.c.d */
	return cond->family == AF_INET && family == AF_INET6 && be32_zero(addr[0]) &&
	       be32_zero(addr[1]) && be32_to_cpu(addr[2]) == 0xffff &&
	       prefix_equal(addr + 3, wanted, cond->prefix_len);
}

static bool op_holds(const struct inet_diag_bc_op *op, const struct inet_diag_entry *e)
{
	const struct inet_diag_markcond *mark;
	u32 ifindex;

	switch (op->code) {
	case INET_DIAG_BC_NOP:
		return true;
	case INET_DIAG_BC_S_GE:
		return e->sport >= op[1].no;
	case INET_DIAG_BC_S_LE:
		return e->sport <= op[1].no;
	case INET_DIAG_BC_S_EQ:
		return e->sport == op[1].no;
	case INET_DIAG_BC_D_GE:
		return e->dport >= op[1].no;
	case INET_DIAG_BC_D_LE:
		return e->dport <= op[1].no;
	case INET_DIAG_BC_D_EQ:
		return e->dport == op[1].no;
	case INET_DIAG_BC_AUTO:
		return !(e->userlocks & SK_BINDPORT_LOCK);
	case INET_DIAG_BC_S_COND:
		return host_matches((const void *)(op + 1), e->family, e->saddr, e->sport);
	case INET_DIAG_BC_D_COND:
		return host_matches((const void *)(op + 1), e->family, e->daddr, e->dport);
	case INET_DIAG_BC_DEV_COND:
		memcpy(&ifindex, op + 1, sizeof(ifindex));
		return (u32)e->ifindex == ifindex;
	case INET_DIAG_BC_MARK_COND:
		mark = (const void *)(op + 1);
		return (e->mark & mark->mask) == mark->mark;
	default: /* JMP; CGROUP_COND: our sockets are in no control group */
		return false;
	}
}

bool inet_diag_bc_run(const void *bytecode, u32 len, const struct inet_diag_entry *entry)
{
	const u8 *code = bytecode;
	u32 pos = 0;

	while (pos < len) {
		const struct inet_diag_bc_op *op = (const void *)(code + pos);

		pos += op_holds(op, entry) ? op->yes : op->no;
	}
	return pos == len;
}
