/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/bpf_classic.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "core/dev_test.h"

#define N(insns) ARRAY_SIZE(insns)

static struct sk_buff *packet(struct cpu *cpu, const void *octets, u32 len)
{
	struct sk_buff *skb = alloc_skb(cpu, len + 64);

	assert_non_null(skb);
	skb_reserve(skb, 64);
	skb_put_data(skb, octets, len);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	return skb;
}

/* The verdict of @insns on 40 octets 0, 1, 2, ... */
static u32 run(const struct sock_filter *insns, u32 n)
{
	struct cpu *cpu = test_cpu();
	struct bpf_prog *prog;
	struct sk_buff *skb;
	u8 octets[40];
	u32 ret;

	for (u32 i = 0; i < sizeof(octets); i++)
		octets[i] = (u8)i;
	assert_int_equal(bpf_prog_create(insns, n, &prog), 0);
	skb = packet(cpu, octets, sizeof(octets));
	ret = bpf_prog_run(prog, skb, 0);
	bpf_prog_put(prog);
	consume_skb(skb);
	test_cpu_done(cpu);
	return ret;
}

#define S     BPF_STMT
#define J     BPF_JUMP
#define RET_A S(BPF_RET | BPF_A, 0)

static void bpf_arithmetic(void **state)
{
	static const struct {
		u16 op;
		u32 a, v, want;
	} cases[] = {
		{ BPF_ADD, 7, 0xffffffff, 6 },
		{ BPF_SUB, 5, 7, 0xfffffffe },
		{ BPF_MUL, 0x10000, 0x10001, 0x10000 },
		{ BPF_DIV, 100, 7, 14 },
		{ BPF_MOD, 100, 7, 2 },
		{ BPF_AND, 0xff0, 0x3c, 0x30 },
		{ BPF_OR, 0xf0, 0x0c, 0xfc },
		{ BPF_XOR, 0xf0, 0xcc, 0x3c },
		{ BPF_LSH, 3, 4, 48 },
		{ BPF_RSH, 48, 4, 3 },
	};

	for (u32 i = 0; i < N(cases); i++) {
		struct sock_filter k[] = { S(BPF_LD | BPF_IMM, cases[i].a),
					   S((u16)(BPF_ALU | cases[i].op | BPF_K), cases[i].v),
					   RET_A };
		struct sock_filter x[] = { S(BPF_LDX | BPF_IMM, cases[i].v),
					   S(BPF_LD | BPF_IMM, cases[i].a),
					   S((u16)(BPF_ALU | cases[i].op | BPF_X), 0), RET_A };

		assert_int_equal(run(k, N(k)), cases[i].want);
		assert_int_equal(run(x, N(x)), cases[i].want);
	}
}

static void bpf_division_by_zero_drops(void **state)
{
	struct sock_filter div[] = { S(BPF_LD | BPF_IMM, 9), S(BPF_ALU | BPF_DIV | BPF_X, 0),
				     S(BPF_RET | BPF_K, 1) };
	struct sock_filter mod[] = { S(BPF_LD | BPF_IMM, 9), S(BPF_ALU | BPF_MOD | BPF_X, 0),
				     S(BPF_RET | BPF_K, 1) };

	assert_int_equal(run(div, N(div)), 0);
	assert_int_equal(run(mod, N(mod)), 0);
}

static void bpf_loads(void **state)
{
	struct sock_filter w[] = { S(BPF_LD | BPF_W | BPF_ABS, 36), RET_A };
	struct sock_filter beyond[] = { S(BPF_LD | BPF_W | BPF_ABS, 37), S(BPF_RET | BPF_K, 1) };
	struct sock_filter ind[] = { S(BPF_LDX | BPF_IMM, 10), S(BPF_LD | BPF_H | BPF_IND, 1),
				     RET_A };
	struct sock_filter msh[] = { S(BPF_LDX | BPF_B | BPF_MSH, 0x15), S(BPF_MISC | BPF_TXA, 0),
				     RET_A };
	struct sock_filter len[] = { S(BPF_LD | BPF_W | BPF_LEN, 0), RET_A };
	struct sock_filter mem[] = { S(BPF_LD | BPF_IMM, 5),   S(BPF_ST, 3),
				     S(BPF_LD | BPF_IMM, 0),   S(BPF_LDX | BPF_MEM, 3),
				     S(BPF_MISC | BPF_TXA, 0), RET_A };

	assert_int_equal(run(w, N(w)), 0x24252627);
	assert_int_equal(run(beyond, N(beyond)), 0);
	assert_int_equal(run(ind, N(ind)), 0x0b0c);
	assert_int_equal(run(msh, N(msh)), 20);
	assert_int_equal(run(len, N(len)), 40);
	assert_int_equal(run(mem, N(mem)), 5);
}

static void bpf_offsets_from_headers(void **state)
{
	struct sock_filter ll[] = { S(BPF_LD | BPF_B | BPF_ABS, (u32)SKF_LL_OFF + 2), RET_A };
	struct sock_filter nh[] = { S(BPF_LD | BPF_B | BPF_ABS, (u32)SKF_NET_OFF + 1), RET_A };
	struct sock_filter at[] = { S(BPF_LD | BPF_B | BPF_ABS, 0), RET_A };
	struct cpu *cpu = test_cpu();
	struct sk_buff *skb = packet(cpu, "0123456789", 10);
	struct bpf_prog *p;

	__skb_pull(skb, 4);
	skb_reset_network_header(skb);
	__skb_pull(skb, 2); /* the program's packet begins at the transport header */
	assert_int_equal(bpf_prog_create(ll, N(ll), &p), 0);
	assert_int_equal(bpf_prog_run(p, skb, 0), '2');
	bpf_prog_put(p);
	assert_int_equal(bpf_prog_create(nh, N(nh), &p), 0);
	assert_int_equal(bpf_prog_run(p, skb, 0), '5');
	bpf_prog_put(p);
	assert_int_equal(bpf_prog_create(at, N(at), &p), 0);
	assert_int_equal(bpf_prog_run(p, skb, 0), '6');
	assert_int_equal(bpf_prog_run(p, skb, -6), '0');
	assert_int_equal(bpf_prog_run(p, skb, 3), '9');
	bpf_prog_put(p);
	consume_skb(skb);
	test_cpu_done(cpu);
}

static u32 fact(const struct sk_buff *skb, u32 ad)
{
	struct sock_filter f[] = { S(BPF_LD | BPF_W | BPF_ABS, (u32)SKF_AD_OFF + ad), RET_A };
	struct bpf_prog *p;
	u32 ret;

	assert_int_equal(bpf_prog_create(f, N(f), &p), 0);
	ret = bpf_prog_run(p, skb, 0);
	bpf_prog_put(p);
	return ret;
}

static void bpf_facts_about_the_packet(void **state)
{
	static const u8 tcp[40] = { 0x45, [9] = IPPROTO_TCP, [32] = 0x80 };
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "eth0", true);
	struct sk_buff *skb;

	cpu_lock(net->cpu);
	skb = packet(net->cpu, tcp, sizeof(tcp));
	skb->protocol = cpu_to_be16(ETH_P_IP);
	skb->pkt_type = SKB_PACKET_MULTICAST;
	skb->mark = 77;
	skb->hash = 88;
	assert_int_equal(fact(skb, SKF_AD_IFINDEX), 0); /* no device: the program ends */
	skb->dev = dev;
	assert_int_equal(fact(skb, SKF_AD_IFINDEX), dev->ifindex);
	assert_int_equal(fact(skb, SKF_AD_HATYPE), dev->type);
	assert_int_equal(fact(skb, SKF_AD_PROTOCOL), ETH_P_IP);
	assert_int_equal(fact(skb, SKF_AD_PKTTYPE), SKB_PACKET_MULTICAST);
	assert_int_equal(fact(skb, SKF_AD_MARK), 77);
	assert_int_equal(fact(skb, SKF_AD_RXHASH), 88);
	assert_int_equal(fact(skb, SKF_AD_CPU), 0);
	assert_int_equal(fact(skb, SKF_AD_VLAN_TAG_PRESENT), 0);
	skb->vlan_present = 1;
	skb->vlan_tci = 5;
	assert_int_equal(fact(skb, SKF_AD_VLAN_TAG_PRESENT), 1);
	assert_int_equal(fact(skb, SKF_AD_VLAN_TAG), 5);
	assert_int_equal(fact(skb, SKF_AD_PAY_OFFSET), 20 + 32);
	consume_skb(skb);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static void bpf_verifier_refuses(void **state)
{
#define BAD(...)                                                                                   \
	do {                                                                                       \
		struct sock_filter f_[] = { __VA_ARGS__ };                                         \
		assert_int_equal(bpf_check_classic(f_, N(f_)), -EINVAL);                           \
	} while (0)
	struct sock_filter ok = S(BPF_RET | BPF_K, 0);
	struct sock_filter *many = calloc(BPF_MAXINSNS + 1, sizeof(*many));

	assert_int_equal(bpf_check_classic(&ok, 1), 0);
	assert_int_equal(bpf_check_classic(&ok, 0), -EINVAL);
	for (u32 i = 0; i <= BPF_MAXINSNS; i++)
		many[i] = ok;
	assert_int_equal(bpf_check_classic(many, BPF_MAXINSNS), 0);
	assert_int_equal(bpf_check_classic(many, BPF_MAXINSNS + 1), -EINVAL);
	free(many);
	BAD(S(BPF_LD | BPF_IMM, 1));                    /* no return */
	BAD(S(0xffff, 0), ok);                          /* no opcode */
	BAD(S(BPF_RET | BPF_X, 0));                     /* not in Linux */
	BAD(J(BPF_JMP | BPF_JA, 1, 0, 0), ok);          /* too far */
	BAD(J(BPF_JMP | BPF_JA, 0xffffffff, 0, 0), ok); /* back */
	BAD(J(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), ok); /* too far */
	BAD(J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), ok);
	BAD(S(BPF_ALU | BPF_DIV | BPF_K, 0), ok);
	BAD(S(BPF_ALU | BPF_MOD | BPF_K, 0), ok);
	BAD(S(BPF_ALU | BPF_LSH | BPF_K, 32), ok);
	BAD(S(BPF_ST, BPF_MEMWORDS), ok);
	BAD(S(BPF_LD | BPF_MEM, 0), ok); /* never written */
	BAD(J(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), S(BPF_ST, 2), S(BPF_LD | BPF_MEM, 2),
	    ok); /* on one way only */
	BAD(S(BPF_LD | BPF_W | BPF_ABS, (u32)SKF_AD_OFF + SKF_AD_NLATTR), ok);
	BAD(S(BPF_LD | BPF_W | BPF_ABS, (u32)SKF_AD_OFF + SKF_AD_MAX), ok);
#undef BAD
}

static void bpf_verifier_accepts_words_written_on_both_ways(void **state)
{
	struct sock_filter f[] = { J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
				   S(BPF_ST, 2),
				   J(BPF_JMP | BPF_JA, 1, 0, 0),
				   S(BPF_STX, 2),
				   S(BPF_LD | BPF_MEM, 2),
				   RET_A };

	assert_int_equal(bpf_check_classic(f, N(f)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf_arithmetic),
		cmocka_unit_test(bpf_division_by_zero_drops),
		cmocka_unit_test(bpf_loads),
		cmocka_unit_test(bpf_offsets_from_headers),
		cmocka_unit_test(bpf_facts_about_the_packet),
		cmocka_unit_test(bpf_verifier_refuses),
		cmocka_unit_test(bpf_verifier_accepts_words_written_on_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
