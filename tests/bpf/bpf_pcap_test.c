/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_pcap_test.c - our interpreter of socket filters against libpcap's, which tcpdump uses on files
 *
 * Real expressions, compiled and optimised by libpcap, on packets that are mutations of real ones; and random programs on random octets.
 * Both must give the same verdict. Random programs leave out what differs on purpose: shifts by an X of 32 or more (libpcap gives 0, Linux
 * takes X modulo 32), and loads at X + k where the sum wraps (libpcap drops, Linux loads).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pcap/pcap.h>

#include "core/core_test.h"
#include "core/uio.h"

/* linux/filter.h and pcap/bpf.h define the same names: this side only sees pcap's. */
struct sock_filter {
	u16 code;
	u8 jt, jf;
	u32 k;
};
struct bpf_prog;
int bpf_prog_create(const struct sock_filter *insns, u32 len, struct bpf_prog **ret_prog);
void bpf_prog_put(struct bpf_prog *prog);
u32 bpf_prog_run(const struct bpf_prog *prog, const struct sk_buff *skb, int off);

static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn), "the same layout");

static const char *const expressions[] = {
	"ip",
	"arp",
	"tcp",
	"udp port 53",
	"tcp port 80",
	"host 10.0.0.1",
	"src host 10.0.0.2 and tcp dst port 80",
	"net 10.0.0.0/8",
	"ip6",
	"icmp[icmptype] == icmp-echo",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"ip[0] & 0xf > 5",
	"ip[6:2] & 0x1fff != 0",
	"ether host 02:00:00:00:00:01",
	"ether broadcast",
	"ether multicast",
	"len > 60",
	"less 60",
	"greater 100",
	"portrange 1000-2000",
	"not (tcp or udp)",
	"vlan 5 and ip",
	"ip proto 47 or ip proto 50",
	"udp[8:4] = 0x01020304",
	"tcp[((tcp[12] & 0xf0) >> 2):2] = 0x4745",
	"ip[2:2] - ((ip[0] & 0x0f) << 2) - ((tcp[12] & 0xf0) >> 2) != 0",
	"ip6 and tcp port 443",
	"mpls",
	"pppoes",
	"ether proto 0x88cc",
	"port 53 or port 67 or port 68 or host 192.168.0.1",
	"ip[8] % 7 = 3",
	"ip[8] ^ 5 = 69",
};

static const struct {
	const char *octets;
	u32 len;
} packets[] = {
	{ "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0\x45\0\0\x2a\0\x01\0\0\x40\x06\0\0\x0a\0\0\x02\x0a"
	  "\0\0\x01\x04\x01\0\x50"
	  "\0\0\0\x01\0\0\0\x02\x50\x12\x01\0\0\0\0\0\x47\x45",
	  56 },
	{ "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x02\x08\x06\0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0"
	  "\x02\x0a\0\0\x02\0\0\0\0\0\0"
	  "\x0a\0\0\x01",
	  42 },
	{ "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0\x46\0\0\x2c\0\x01\0\0\x40\x11\0\0\xc0\xa8\0\x01"
	  "\x0a\0\0\x01\x94\x04\0\0"
	  "\x04\x01\0\x35\0\x14\0\0\x01\x02\x03\x04\0\0\0\0",
	  54 },
	{ "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x86\xdd\x60\0\0\0\0\x14\x06\x40\x20\x01\x0d\xb8\0\0\0\0"
	  "\0\0\0\0\0\0\0\x01\x20\x01"
	  "\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x04\x01\x01\xbb\0\0\0\x01\0\0\0\0\x50\x02\0\0\0\0\0"
	  "\0",
	  74 },
	{ "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x81\0\0\x05\x08\0\x45\0\0\x1c\0\0\0\0\x40\x01\0\0\x0a\0"
	  "\0\x02\x0a\0\0\x01\x08\0"
	  "\0\0\0\0\0\0",
	  46 },
};

static u64 rnd(u64 *s)
{
	*s = *s * 6364136223846793005ULL + 1442695040888963407ULL;
	return *s >> 33;
}

/* In one piece, or with a tail in a fragment. */
static struct sk_buff *make_skb(struct cpu *cpu, const u8 *p, u32 len, u32 linear)
{
	struct sk_buff *skb = alloc_skb(cpu, 128);
	struct iovec iov = { (u8 *)p + linear, len - linear };
	struct iov_iter iter;

	assert_non_null(skb);
	skb_put_data(skb, p, linear);
	iov_iter_init(&iter, &iov, 1, iov.iov_len);
	if (iov.iov_len)
		assert_int_equal(skb_append_iter(skb, &iter, len - linear, false), len - linear);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	return skb;
}

static void compare(struct cpu *cpu, const struct bpf_insn *insns, u32 n, const u8 *p, u32 len,
		    u32 linear)
{
	u32 want = bpf_filter(insns, p, len, len);
	struct sk_buff *skb = make_skb(cpu, p, len, linear);
	struct bpf_prog *prog;

	assert_int_equal(bpf_prog_create((const struct sock_filter *)insns, n, &prog), 0);
	assert_int_equal(bpf_prog_run(prog, skb, 0), want);
	bpf_prog_put(prog);
	consume_skb(skb);
}

static void expressions_give_the_verdict_of_libpcap(void **state)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct cpu *cpu = test_cpu();
	u64 seed = 1;

	for (u32 e = 0; e < ARRAY_SIZE(expressions); e++) {
		struct bpf_program prog;

		if (pcap_compile(pcap, &prog, expressions[e], 1, PCAP_NETMASK_UNKNOWN))
			fail_msg("%s: %s", expressions[e], pcap_geterr(pcap));
		for (u32 i = 0; i < 400; i++) {
			u32 which = i % ARRAY_SIZE(packets), len = packets[which].len;
			u8 p[128];

			memcpy(p, packets[which].octets, len);
			for (u32 k = i / 20; k; k /= 2)
				p[rnd(&seed) % len] = (u8)rnd(&seed);
			if (i % 11 == 10)
				len = (u32)(rnd(&seed) % len) + 1;
			compare(cpu, prog.bf_insns, prog.bf_len, p, len,
				i & 1 ? len : (u32)(rnd(&seed) % len));
		}
		pcap_freecode(&prog);
	}
	test_cpu_done(cpu);
	pcap_close(pcap);
}

/* Instructions that mean the same on both sides, whatever the values. */
static struct bpf_insn random_insn(u64 *seed, u32 left)
{
	static const u16 codes[] = {
		BPF_ALU | BPF_ADD | BPF_K,
		BPF_ALU | BPF_SUB | BPF_X,
		BPF_ALU | BPF_MUL | BPF_K,
		BPF_ALU | BPF_DIV | BPF_X,
		BPF_ALU | BPF_MOD | BPF_X,
		BPF_ALU | BPF_AND | BPF_K,
		BPF_ALU | BPF_OR | BPF_X,
		BPF_ALU | BPF_XOR | BPF_K,
		BPF_ALU | BPF_LSH | BPF_K,
		BPF_ALU | BPF_RSH | BPF_K,
		BPF_ALU | BPF_NEG,
		BPF_LD | BPF_W | BPF_ABS,
		BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS,
		BPF_LD | BPF_W | BPF_LEN,
		BPF_LDX | BPF_B | BPF_MSH,
		BPF_LDX | BPF_IMM,
		BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA,
		BPF_JMP | BPF_JA,
		BPF_JMP | BPF_JEQ | BPF_K,
		BPF_JMP | BPF_JGT | BPF_X,
		BPF_JMP | BPF_JGE | BPF_K,
		BPF_JMP | BPF_JSET | BPF_X,
		BPF_ST,
		BPF_STX,
		BPF_LD | BPF_MEM,
		BPF_LDX | BPF_MEM,
	};
	struct bpf_insn f = { .code = codes[rnd(seed) % ARRAY_SIZE(codes)] };

	f.k = (u32)rnd(seed) % 48;
	switch (BPF_CLASS(f.code)) {
	case BPF_JMP:
		f.k = BPF_OP(f.code) == BPF_JA ? f.k % left : f.k;
		f.jt = (u8)(rnd(seed) % min(left, 8u));
		f.jf = (u8)(rnd(seed) % min(left, 8u));
		break;
	case BPF_ALU:
		f.k &= 31;
		break;
	case BPF_ST:
	case BPF_STX:
		f.k &= 15;
		break;
	default:
		if (BPF_MODE(f.code) == BPF_MEM && BPF_CLASS(f.code) <= BPF_LDX)
			f.k &= 15;
		break;
	}
	return f;
}

static void random_programs_give_the_verdict_of_libpcap(void **state)
{
	struct cpu *cpu = test_cpu();
	u64 seed = 99;
	u32 valid = 0;

	for (u32 i = 0; i < 40000; i++) {
		u32 n = 24, len = 64;
		struct bpf_insn prog[24];
		struct bpf_prog *ours;
		u8 p[64];

		for (u32 k = 0; k < len; k++)
			p[k] = (u8)rnd(&seed);
		for (u32 k = 0; k < n - 1; k++)
			prog[k] = random_insn(&seed, n - 1 - k);
		prog[n - 1] = (struct bpf_insn)BPF_STMT(BPF_RET | BPF_A, 0);
		/* Ours also refuses to read scratch words that were not written. */
		if (bpf_prog_create((const struct sock_filter *)prog, n, &ours))
			continue;
		bpf_prog_put(ours);
		assert_true(bpf_validate(prog, (int)n));
		compare(cpu, prog, n, p, len, (u32)(rnd(&seed) % len));
		valid++;
	}
	assert_true(valid > 1000);
	test_cpu_done(cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_give_the_verdict_of_libpcap),
		cmocka_unit_test(random_programs_give_the_verdict_of_libpcap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
