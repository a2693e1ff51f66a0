/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_classic.c - classic BPF: verifier and interpreter
 *
 * Theory of operation
 *   A filter is a program for a machine with an accumulator A, an index register X and sixteen words of scratch memory M (McCanne and
 *   Jacobson, "The BSD Packet Filter", USENIX 1993). Jumps only go forward, so every program ends. The verifier is run when a
 *   filter is attached; after that the interpreter trusts the program and checks nothing but packet offsets:
 *     - every opcode is one of those below; the last instruction returns; jumps stay inside;
 *     - constants are no zero divisors, no shifts by 32 or more, no scratch words beyond the last;
 *     - a scratch word is written on every way to an instruction that reads it.
 *   A load outside of the packet ends the program with 0: drop. So does a division by an X of 0.
 *   Offsets from SKF_LL_OFF and SKF_NET_OFF on count from the link-layer and the network header, wherever the program's packet
 *   begins; those from SKF_AD_OFF on are not octets but facts about the packet (SKF_AD_*).
 *   As in Linux 6, shifts by X use the low five bits of X.
 * Not supported: SKF_AD_NLATTR and SKF_AD_NLATTR_NEST, which the verifier refuses.
 * See packet(7), socket(7), linux/filter.h.
 */
#include "core/bpf_classic.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/netdevice.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define ALL_WORDS ((1u << BPF_MEMWORDS) - 1)

/* ---- verifier ------------------------------------------------------------------------------------------ */

static const u16 opcodes[] = {
	BPF_ALU | BPF_ADD | BPF_K,
	BPF_ALU | BPF_ADD | BPF_X,
	BPF_ALU | BPF_SUB | BPF_K,
	BPF_ALU | BPF_SUB | BPF_X,
	BPF_ALU | BPF_MUL | BPF_K,
	BPF_ALU | BPF_MUL | BPF_X,
	BPF_ALU | BPF_DIV | BPF_K,
	BPF_ALU | BPF_DIV | BPF_X,
	BPF_ALU | BPF_MOD | BPF_K,
	BPF_ALU | BPF_MOD | BPF_X,
	BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_AND | BPF_X,
	BPF_ALU | BPF_OR | BPF_K,
	BPF_ALU | BPF_OR | BPF_X,
	BPF_ALU | BPF_XOR | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X,
	BPF_ALU | BPF_LSH | BPF_K,
	BPF_ALU | BPF_LSH | BPF_X,
	BPF_ALU | BPF_RSH | BPF_K,
	BPF_ALU | BPF_RSH | BPF_X,
	BPF_ALU | BPF_NEG,
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_H | BPF_ABS,
	BPF_LD | BPF_B | BPF_ABS,
	BPF_LD | BPF_W | BPF_IND,
	BPF_LD | BPF_H | BPF_IND,
	BPF_LD | BPF_B | BPF_IND,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LDX | BPF_B | BPF_MSH,
	BPF_LDX | BPF_IMM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
	BPF_JMP | BPF_JA,
	BPF_JMP | BPF_JEQ | BPF_K,
	BPF_JMP | BPF_JEQ | BPF_X,
	BPF_JMP | BPF_JGE | BPF_K,
	BPF_JMP | BPF_JGE | BPF_X,
	BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGT | BPF_X,
	BPF_JMP | BPF_JSET | BPF_K,
	BPF_JMP | BPF_JSET | BPF_X,
};

static bool opcode_known(u16 code)
{
	for (u32 i = 0; i < ARRAY_SIZE(opcodes); i++)
		if (opcodes[i] == code)
			return true;
	return false;
}

/* May a program ask for this fact? */
static bool ancillary_known(u32 ad)
{
	switch (ad) {
	case SKF_AD_PROTOCOL:
	case SKF_AD_PKTTYPE:
	case SKF_AD_IFINDEX:
	case SKF_AD_MARK:
	case SKF_AD_QUEUE:
	case SKF_AD_HATYPE:
	case SKF_AD_RXHASH:
	case SKF_AD_CPU:
	case SKF_AD_ALU_XOR_X:
	case SKF_AD_VLAN_TAG:
	case SKF_AD_VLAN_TAG_PRESENT:
	case SKF_AD_VLAN_TPID:
	case SKF_AD_PAY_OFFSET:
	case SKF_AD_RANDOM:
		return true;
	default:
		return false;
	}
}

static bool is_jump(u16 code)
{
	return BPF_CLASS(code) == BPF_JMP;
}

/* One instruction at @pc of @len. */
static bool insn_ok(const struct sock_filter *f, u32 pc, u32 len)
{
	if (!opcode_known(f->code))
		return false;
	switch (f->code) {
	case BPF_ALU | BPF_DIV | BPF_K:
	case BPF_ALU | BPF_MOD | BPF_K:
		return f->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return f->k < 32;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_JMP | BPF_JA:
		return f->k < len - pc - 1;
	case BPF_LD | BPF_W | BPF_ABS:
	case BPF_LD | BPF_H | BPF_ABS:
	case BPF_LD | BPF_B | BPF_ABS:
		return f->k < (u32)SKF_AD_OFF || ancillary_known(f->k - (u32)SKF_AD_OFF);
	default:
		break;
	}
	if (is_jump(f->code))
		return pc + f->jt + 1 < len && pc + f->jf + 1 < len;
	return true;
}

/*
 * Is each scratch word written before it is read, on every way? @known[pc] are the words that are written on all ways to pc found so far;
 * because jumps go forward, it is final when pc is reached. -EINVAL, -ENOMEM.
 */
static int check_scratch(const struct sock_filter *insns, u32 len)
{
	u16 *known = malloc(len * sizeof(*known));
	int err = 0;

	if (!known)
		return -ENOMEM;
	for (u32 pc = 0; pc < len; pc++)
		known[pc] = ALL_WORDS;
	known[0] = 0;
	for (u32 pc = 0; pc < len; pc++) {
		const struct sock_filter *f = &insns[pc];
		u16 now = known[pc];

		switch (f->code) {
		case BPF_ST:
		case BPF_STX:
			now |= (u16)(1u << f->k);
			break;
		case BPF_LD | BPF_MEM:
		case BPF_LDX | BPF_MEM:
			if (!(now >> f->k & 1))
				err = -EINVAL;
			break;
		case BPF_JMP | BPF_JA:
			known[pc + 1 + f->k] &= now;
			continue;
		default:
			if (is_jump(f->code)) {
				known[pc + 1 + f->jt] &= now;
				known[pc + 1 + f->jf] &= now;
				continue;
			}
			if (BPF_CLASS(f->code) == BPF_RET)
				continue;
			break;
		}
		known[pc + 1] &= now; /* the last one returns: pc + 1 is inside */
	}
	free(known);
	return err;
}

int bpf_check_classic(const struct sock_filter *insns, u32 len)
{
	if (!len || len > BPF_MAXINSNS)
		return -EINVAL;
	for (u32 pc = 0; pc < len; pc++)
		if (!insn_ok(&insns[pc], pc, len))
			return -EINVAL;
	if (BPF_CLASS(insns[len - 1].code) != BPF_RET)
		return -EINVAL;
	return check_scratch(insns, len);
}

int bpf_prog_create(const struct sock_filter *insns, u32 len, struct bpf_prog **ret_prog)
{
	struct bpf_prog *prog;
	int err;

	if (!len || len > BPF_MAXINSNS)
		return -EINVAL;
	prog = malloc(sizeof(*prog) + len * sizeof(*insns));
	if (!prog)
		return -ENOMEM;
	prog->refcount = 1;
	prog->len = len;
	/* What is checked must be what is run: first the copy. */
	memcpy(prog->insns, insns, len * sizeof(*insns));
	err = bpf_check_classic(prog->insns, len);
	if (err) {
		free(prog);
		return err;
	}
	*ret_prog = prog;
	return 0;
}

void bpf_prog_put(struct bpf_prog *prog)
{
	if (prog && --prog->refcount == 0)
		free(prog);
}

/* ---- loads --------------------------------------------------------------------------------------------- */

/* @size octets at @at from skb->data, which may lie in front of it. */
static bool load_at(const struct sk_buff *skb, s64 at, u32 size, u8 *buf)
{
	/* Headers that were pulled are in the head area still. */
	if (likely(at >= -(s64)skb_headroom(skb) && at + size <= skb_headlen(skb))) {
		memcpy(buf, skb->data + at, size);
		return true;
	}
	return at >= 0 && at + size <= skb->len && !skb_copy_bits(skb, (u32)at, buf, size);
}

/* Where offset @k of a program lies, from skb->data; INT64_MIN: nowhere. */
static s64 resolve(const struct sk_buff *skb, int off, u32 k)
{
	s32 sk = (s32)k;

	if (likely(sk >= 0))
		return (s64)off + sk;
	if (sk >= SKF_NET_OFF && sk < SKF_AD_OFF)
		return (s64)skb_network_offset(skb) + (sk - SKF_NET_OFF);
	if (sk >= SKF_LL_OFF && sk < SKF_NET_OFF && skb_mac_header_was_set(skb))
		return (s64)(skb_mac_header(skb) - skb->data) + (sk - SKF_LL_OFF);
	return INT64_MIN;
}

static bool load(const struct sk_buff *skb, int off, u32 k, u32 size, u32 *ret)
{
	s64 at = resolve(skb, off, k);
	u8 b[4];

	if (at == INT64_MIN || !load_at(skb, at, size, b))
		return false;
	switch (size) {
	case 1:
		*ret = b[0];
		break;
	case 2:
		*ret = (u32)b[0] << 8 | b[1];
		break;
	default:
		*ret = (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
		break;
	}
	return true;
}

/* ---- facts about the packet (SKF_AD_*) ------------------------------------------------------------------ */

static u32 transport_header_len(const struct sk_buff *skb, u8 proto, s64 at)
{
	u8 doff;

	switch (proto) {
	case IPPROTO_TCP:
		return load_at(skb, at + 12, 1, &doff) ? max_t(u32, (u32)(doff >> 4) * 4, 20) : 0;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_IGMP:
		return 8;
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
		return 12;
	default:
		return 0;
	}
}

/* Where the payload begins, from skb->data: behind the network and the transport header, as far as they are known. */
static u32 pay_offset(const struct sk_buff *skb)
{
	s64 at = skb_network_offset(skb);
	u8 h[40];

	switch (be16_to_cpu(skb->protocol)) {
	case ETH_P_IP:
		if (!load_at(skb, at, sizeof(struct ip_hdr), h) || (h[0] & 15) < 5)
			return 0;
		at += (h[0] & 15) * 4;
		if ((h[6] & 0x1f) | h[7]) /* not the first fragment: no transport header */
			return (u32)at;
		return (u32)(at + transport_header_len(skb, h[9], at));
	case ETH_P_IPV6:
		if (!load_at(skb, at, 40, h))
			return 0;
		at += 40;
		return (u32)(at + transport_header_len(skb, h[6], at));
	default:
		return 0;
	}
}

/* False: it is not known, the program ends. */
static bool ancillary(const struct sk_buff *skb, int off, u32 ad, u32 a, u32 x, u32 *ret)
{
	switch (ad) {
	case SKF_AD_PROTOCOL:
		*ret = be16_to_cpu(skb->protocol);
		return true;
	case SKF_AD_PKTTYPE:
		*ret = skb->pkt_type;
		return true;
	case SKF_AD_IFINDEX:
		if (!skb->dev)
			return false;
		*ret = (u32)skb->dev->ifindex;
		return true;
	case SKF_AD_HATYPE:
		if (!skb->dev)
			return false;
		*ret = skb->dev->type;
		return true;
	case SKF_AD_MARK:
		*ret = skb->mark;
		return true;
	case SKF_AD_QUEUE:
		*ret = skb->queue_mapping;
		return true;
	case SKF_AD_RXHASH:
		*ret = skb->hash;
		return true;
	case SKF_AD_CPU:
		*ret = skb->cpu->id;
		return true;
	case SKF_AD_ALU_XOR_X:
		*ret = a ^ x;
		return true;
	case SKF_AD_VLAN_TAG:
		*ret = skb->vlan_tci;
		return true;
	case SKF_AD_VLAN_TAG_PRESENT:
		*ret = skb->vlan_present;
		return true;
	case SKF_AD_VLAN_TPID:
		*ret = be16_to_cpu(skb->vlan_proto);
		return true;
	case SKF_AD_PAY_OFFSET:
		*ret = pay_offset(skb) - (u32)off;
		return true;
	case SKF_AD_RANDOM:
		*ret = (u32)cpu_random(skb->cpu);
		return true;
	default:
		return false;
	}
}

/* ---- interpreter ---------------------------------------------------------------------------------------- */

static u32 load_size(u16 code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* False: division by an X of 0. */
static bool alu(u16 code, u32 *a, u32 v)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		*a += v;
		break;
	case BPF_SUB:
		*a -= v;
		break;
	case BPF_MUL:
		*a *= v;
		break;
	case BPF_DIV:
		if (!v)
			return false;
		*a /= v;
		break;
	case BPF_MOD:
		if (!v)
			return false;
		*a %= v;
		break;
	case BPF_AND:
		*a &= v;
		break;
	case BPF_OR:
		*a |= v;
		break;
	case BPF_XOR:
		*a ^= v;
		break;
	case BPF_LSH:
		*a <<= v & 31;
		break;
	case BPF_RSH:
		*a >>= v & 31;
		break;
	case BPF_NEG:
		*a = -*a;
		break;
	}
	return true;
}

static bool compare(u16 code, u32 a, u32 v)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == v;
	case BPF_JGT:
		return a > v;
	case BPF_JGE:
		return a >= v;
	default: /* BPF_JSET */
		return a & v;
	}
}

u32 bpf_prog_run(const struct bpf_prog *prog, const struct sk_buff *skb, int off)
{
	const struct sock_filter *f = prog->insns;
	u32 len = (u32)((s64)skb->len - off);
	u32 a = 0, x = 0, v, mem[BPF_MEMWORDS];

	for (;; f++) {
		switch (f->code) {
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_RET | BPF_A:
			return a;
		case BPF_LD | BPF_W | BPF_ABS:
		case BPF_LD | BPF_H | BPF_ABS:
		case BPF_LD | BPF_B | BPF_ABS:
			if (unlikely(f->k >= (u32)SKF_AD_OFF)) {
				if (!ancillary(skb, off, f->k - (u32)SKF_AD_OFF, a, x, &a))
					return 0;
			} else if (!load(skb, off, f->k, load_size(f->code), &a)) {
				return 0;
			}
			break;
		case BPF_LD | BPF_W | BPF_IND:
		case BPF_LD | BPF_H | BPF_IND:
		case BPF_LD | BPF_B | BPF_IND:
			if (!load(skb, off, x + f->k, load_size(f->code), &a))
				return 0;
			break;
		case BPF_LDX | BPF_B | BPF_MSH:
			if (!load(skb, off, f->k, 1, &v))
				return 0;
			x = (v & 15) * 4;
			break;
		case BPF_LD | BPF_W | BPF_LEN:
			a = len;
			break;
		case BPF_LDX | BPF_W | BPF_LEN:
			x = len;
			break;
		case BPF_LD | BPF_IMM:
			a = f->k;
			break;
		case BPF_LDX | BPF_IMM:
			x = f->k;
			break;
		case BPF_LD | BPF_MEM:
			a = mem[f->k];
			break;
		case BPF_LDX | BPF_MEM:
			x = mem[f->k];
			break;
		case BPF_ST:
			mem[f->k] = a;
			break;
		case BPF_STX:
			mem[f->k] = x;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_MISC | BPF_TXA:
			a = x;
			break;
		case BPF_JMP | BPF_JA:
			f += f->k;
			break;
		default:
			v = BPF_SRC(f->code) == BPF_X ? x : f->k;
			if (is_jump(f->code))
				f += compare(f->code, a, v) ? f->jt : f->jf;
			else if (!alu(f->code, &a, v))
				return 0;
			break;
		}
	}
}
