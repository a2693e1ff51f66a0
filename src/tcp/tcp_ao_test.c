/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_ao_test.c - RFC 9235's vectors, the upper half of sequence numbers, and what the options refuse */
#include "core/cpu.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_auth_uapi.h"
#include "tcp/tcp_test.h"
#include "wire/ipv6.h"

struct vector {
	const char *section, *alg;
	bool exclude_options;
	u32 sisn, disn;
	const char *traffic_key, *packet;
};

/* Those of the RFC's sections: packets from the IP header on; the master key is "testvector". */
static const struct vector vectors[] = {
	{ "4.1.1", "hmac(sha1)", false, 0xfbfbab5au, 0x00000000u,
	  "6d63ef1b02fe1509d4b1402707fd7b0416abb74f",
	  "45e0004cdd0f4000ff06bf6b0a0b0c0dac1b1c1de9d700b3fbfbab5a00000000"
	  "e002ffffcac40000020405b4010303080402080a00155ab7000000001d103d54"
	  "2ee437c6f8ede6d7c4d602e7" },
	{ "4.1.2", "hmac(sha1)", false, 0x11c14261u, 0xfbfbab5au,
	  "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96",
	  "45e0004c65064000ff063775ac1b1c1d0a0b0c0d00b3e9d711c14261fbfbab5b"
	  "e012ffff37760000020405b4010303080402080a84a50beb00155ab71d10543d"
	  "eeab0fe24c3010815116b3be" },
	{ "4.1.3", "hmac(sha1)", false, 0xfbfbab5au, 0x11c14261u,
	  "d2e59c65ffc7b1a39347656463b70edc24a13d71",
	  "45e0008736a14000ff06659f0a0b0c0dac1b1c1de9d700b3fbfbab5b11c14262"
	  "c0180104a16200000101080a00155ac184a50beb1d103d547064cf998cc6c315"
	  "c2c2e2bfffffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d"
	  "260206010400010001020280000202020002024200020641040000dabf020840"
	  "06006400010100" },
	{ "4.1.4", "hmac(sha1)", false, 0x11c14261u, 0xfbfbab5au,
	  "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96",
	  "45e000871fa94000ff067c97ac1b1c1d0a0b0c0d00b3e9d711c14262fbfbab9e"
	  "c0180100400c00000101080a84a50bf500155ac11d10543da63f0ecbbb2e635c"
	  "954deac7ffffffffffffffffffffffffffffffff00430104dac000b4ac1b1c1d"
	  "260206010400010001020280000202020002024200020641040000dac0020840"
	  "06006400010100" },
	{ "4.2.1", "hmac(sha1)", true, 0xcb0efbeeu, 0x00000000u,
	  "30eaa1560cf0be57dab5c045229fb10a423cd7ea",
	  "45e0004c53994000ff0648e20a0b0c0dac1b1c1dff1200b3cb0efbee00000000"
	  "e002ffff541f0000020405b4010303080402080a00024cce000000001d103d54"
	  "80af3cfeb85368937b8f9ec2" },
	{ "4.2.2", "hmac(sha1)", true, 0xacd5b5e1u, 0xcb0efbeeu,
	  "b5b2896bb3664e8176b0edc6e799524101a8307f",
	  "45e0004c32844000ff0669f7ac1b1c1d0a0b0c0d00b3ff12acd5b5e1cb0efbef"
	  "e012ffff388e0000020405b4010303080402080a576772f300024cce1d10543d"
	  "09306f9acea63a8c68cb9a70" },
	{ "4.2.3", "hmac(sha1)", true, 0xcb0efbeeu, 0xacd5b5e1u,
	  "f3db1793d7910ecd806c34f155ea1f00345953e3",
	  "45e00087a8f54000ff06f34a0a0b0c0dac1b1c1dff1200b3cb0efbefacd5b5e2"
	  "c01801046c4500000101080a00024cce576772f31d103d54710608cc696c03a2"
	  "71c93aa5ffffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d"
	  "260206010400010001020280000202020002024200020641040000dabf020840"
	  "06006400010100" },
	{ "5.1.1", "cmac(aes128)", false, 0x787a1ddfu, 0x00000000u,
	  "f5b8b3d5f34fdbb6eb8d4ab9660e60e3",
	  "45e0004c7b9f4000ff0620dc0a0b0c0dac1b1c1dc4fa00b3787a1ddf00000000"
	  "e002ffff5a0f0000020405b4010303080402080a00017ed0000000001d103d54"
	  "e477e99c8040765498e55091" },
	{ "6.1.1", "hmac(sha1)", false, 0x176a833fu, 0x00000000u,
	  "625ec09d575836edc9b6428418bbf06989a361bb",
	  "6e0891dc00380640fd000000000000000000000000000001fd00000000000000"
	  "0000000000000002f7e400b3176a833f00000000e002ffff47210000020405a0"
	  "010303080402080a0041d087000000001d103d549033ec3d7334b64c5edd039f" },
	{ "6.1.2", "hmac(sha1)", false, 0x3f51994bu, 0x176a833fu,
	  "e4a37ada2a0afca8711434913fe138c771ebcb4a",
	  "6e01009e00380640fd000000000000000000000000000002fd00000000000000"
	  "000000000000000100b3f7e43f51994b176a8340e012ffffbfec0000020405a0"
	  "010303080402080abd33129b0041d0871d10543df1cba346c3526163f71f1f55" },
	{ "6.2.2", "hmac(sha1)", true, 0xeba3734du, 0x020c1e69u,
	  "405108947f996575e7bdbc26d40216a2c7fa91bd",
	  "6e0a7e1f00380640fd000000000000000000000000000002fd00000000000000"
	  "000000000000000100b3c6cdeba3734d020c1e6ae012ffff774d0000020405a0"
	  "010303080402080a5ec99b70009db95b1d10543d3c546bad9743f12df8b8010d" },
	{ "7.1.2", "cmac(aes128)", false, 0xa6744ecbu, 0x193cccecu,
	  "cf1b1e225e06a63616764a067b46f4b1",
	  "6e06152000380640fd000000000000000000000000000002fd00000000000000"
	  "000000000000000100b3f85aa6744ecb193cccede012ffffeabb0000020405a0"
	  "010303080402080a71daabc813e4ab991d10543ddc2843a84e78a6bcfdc5ed80" },
	{ "7.1.4", "cmac(aes128)", false, 0xa6744ecbu, 0x193cccecu,
	  "cf1b1e225e06a63616764a067b46f4b1",
	  "6e06152000730640fd000000000000000000000000000002fd00000000000000"
	  "000000000000000100b3f85aa6744ecc193ccd30c018010052f400000101080a"
	  "71daabd313e4aba31d10543dc1069b7dfd3d693a6df3f289ffffffffffffffff"
	  "ffffffffffffffff00430104fde800b40101017a260206010400010001020280"
	  "000202020002024200020641040000fde802084006006400010100" },
};

static size_t octets(const char *hex, u8 *to)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		to[i] = (u8)strtoul((char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
	return n;
}

static struct ao_add_arg add_arg(const char *alg, u8 flags)
{
	struct ao_add_arg a = { .sndid = 61, .rcvid = 84, .keyflags = flags, .keylen = 10 };

	a.addr.ss_family = AF_INET;
	strcpy(a.alg_name, alg);
	memcpy(a.key, "testvector", 10);
	return a;
}

/* A socket that is nothing yet, with one key for everybody. */
static struct tcp_ao_key *key_of(struct sock *sk, const char *alg, bool exclude)
{
	struct ao_add_arg a = add_arg(alg, exclude ? TCP_AO_KEYF_EXCLUDE_OPT_ : 0);
	u32 any = 0;

	sk->sk_state = SS_TCP_CLOSE;
	assert_int_equal(tcp_auth_setsockopt(sk, TCP_AO_ADD_KEY_, &a, sizeof(a)), 0);
	return tcp_ao_lookup(tcp_auth(sk)->ao, AF_INET, &any, -1, -1);
}

static void forget_keys(struct sock *sk)
{
	tcp_auth_put(tcp_rare(sk)->auth);
	tcp_rare(sk)->auth = NULL;
}

static struct sk_buff *payload_of(struct tcp_fixture *f, const u8 *p, u32 len)
{
	struct sk_buff *skb = alloc_skb(f->net->cpu, 256);

	assert_non_null(skb);
	memcpy(skb_put(skb, len), p, len);
	return skb;
}

static void ao_traffic_keys_and_macs_are_those_of_rfc_9235(void **state)
{
	struct tcp_fixture *f = *state;

	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		u8 p[256], want_key[64], digest[WEIR_MAC_DIGEST_MAX];
		u8 prepared[WEIR_MAC_KEY_MAX] __attribute__((aligned(16)));
		u32 len = (u32)octets(v->packet, p),
		    key_len = (u32)octets(v->traffic_key, want_key);
		bool v6 = p[0] >> 4 == 6;
		struct tcp_ends e = { v6 ? AF_INET6 : AF_INET, p + (v6 ? 8 : 12),
				      p + (v6 ? 24 : 16) };
		struct tcp_hdr *th = (struct tcp_hdr *)(p + (v6 ? 40 : 20));
		struct tcp_ao_key *key = key_of(f->sk, v->alg, v->exclude_options);
		u32 off = (u32)((u8 *)th - p) + tcp_hdr_len(th);
		struct sk_buff *skb = payload_of(f, p + off, len - off);
		struct tcp_opts_view opts;

		tcp_ao_traffic_key(key, &e, th->source, th->dest, v->sisn, v->disn, digest);
		assert_int_equal(key->mac->digest_size, key_len);
		assert_memory_equal(digest, want_key, key_len);
		key->mac->setkey(prepared, digest, key_len);
		tcp_opts_parse((const u8 *)th, tcp_hdr_len(th), false, &opts);
		assert_non_null(opts.ao);
		assert_int_equal(opts.ao[1], 4 + key->maclen);
		tcp_ao_mac(key, prepared, 0, &e, th, opts.ao, skb, 0, len - off, digest);
		assert_memory_equal(digest, opts.ao + 4, key->maclen);
		/* Every octet counts, but not those that are left out. */
		((u8 *)th)[21] ^= 1;
		tcp_ao_mac(key, prepared, 0, &e, th, opts.ao, skb, 0, len - off, digest);
		assert_int_equal(!memcmp(digest, opts.ao + 4, key->maclen), v->exclude_options);
		consume_skb(skb);
		forget_keys(f->sk);
	}
	f->sk->sk_state = SS_TCP_ESTABLISHED;
}

/* Both numbers are known by then: the segment's own is not the peer's first one. */
static void ao_believes_a_reset_before_the_handshake_is_complete(void **state)
{
	const struct vector *v = &vectors[3];
	struct tcp_fixture *f = *state;
	struct tcp_ao_key *key = key_of(f->sk, v->alg, false);
	struct tcp_ao *ao = tcp_auth(f->sk)->ao;
	u8 prepared[WEIR_MAC_KEY_MAX] __attribute__((aligned(16))), digest[WEIR_MAC_DIGEST_MAX];
	struct tcp_opts_view opts;
	struct tcp_hdr *th;
	struct tcp_ends e;
	struct sk_buff *skb;
	u8 p[256], *opt;
	u32 hlen;

	skb = payload_of(f, p, (u32)octets(v->packet, p));
	skb->protocol = cpu_to_be16(ETH_P_IP);
	skb_reset_network_header(skb);
	__skb_pull(skb, 20);
	skb_reset_transport_header(skb);
	th = (struct tcp_hdr *)skb_transport_header(skb);
	hlen = tcp_hdr_len(th);
	__skb_pull(skb, hlen);
	th->flags = TCP_FLAG_RST | TCP_FLAG_ACK;
	tcp_opts_parse((const u8 *)th, hlen, false, &opts);
	opt = (u8 *)th + (opts.ao - (const u8 *)th);
	opt[2] = key->rcvid;
	tcp_ends_of_skb(skb, &e);
	tcp_ao_traffic_key(key, &e, th->source, th->dest, v->sisn, v->disn, digest);
	key->mac->setkey(prepared, digest, key->mac->digest_size);
	tcp_ao_mac(key, prepared, 0, &e, th, opt, skb, 0, skb->len, digest);
	memcpy(opt + 4, digest, key->maclen);
	ao->risn = v->sisn;
	ao->lisn = v->disn;
	f->sk->sk_state = SS_TCP_SYN_RECV;
	assert_int_equal(tcp_ao_inbound(f->sk, NULL, skb, opt), 0);
	opt[4] ^= 1;
	assert_int_equal(tcp_ao_inbound(f->sk, NULL, skb, opt), SKB_DROP_TCP_AOFAILURE);
	consume_skb(skb);
	forget_keys(f->sk);
	f->sk->sk_state = SS_TCP_ESTABLISHED;
}

static void ao_sequence_numbers_have_an_upper_half(void **state)
{
	(void)state;
	assert_int_equal(tcp_ao_sne(5, 1000, 2000), 5);
	assert_int_equal(tcp_ao_sne(5, 2000, 1000), 5);
	assert_int_equal(tcp_ao_sne(5, 0xfffffff0u, 10), 6); /* ahead, wrapped */
	assert_int_equal(tcp_ao_sne(5, 10, 0xfffffff0u), 4); /* behind, before it wrapped */
	assert_int_equal(tcp_ao_sne(5, 0x80000000u, 0x7fffffffu), 5);
}

static void ao_keys_are_refused_for_what_is_wrong_with_them(void **state)
{
	struct tcp_fixture *f = *state;
	struct sock *sk = f->sk;
	struct ao_add_arg a;
	struct sockaddr_in *sin = (struct sockaddr_in *)&a.addr;

#define TRY(change, err)                                                                           \
	do {                                                                                       \
		a = add_arg("hmac(sha1)", 0);                                                      \
		change;                                                                            \
		assert_int_equal(tcp_auth_setsockopt(sk, TCP_AO_ADD_KEY_, &a, sizeof(a)), err);    \
	} while (0)
	TRY((void)0, -EISCONN); /* an unsigned connection */
	sk->sk_state = SS_TCP_CLOSE;
	assert_int_equal(tcp_auth_setsockopt(sk, TCP_AO_ADD_KEY_, &a, sizeof(a) - 1), -EINVAL);
	TRY(a.keylen = 0, -EINVAL);
	TRY(a.keylen = 81, -EINVAL);
	TRY(a.keyflags = 4, -EINVAL);
	TRY(a.reserved = 1, -EINVAL);
	TRY(a.ifindex = 1, -EINVAL);
	TRY(a.addr.ss_family = AF_INET6, -EINVAL);
	TRY(sin->sin_port = 1, -EINVAL);
	TRY(a.prefix = 8, -EINVAL); /* of 0.0.0.0 */
	TRY((a.prefix = 33, sin->sin_addr.s_addr = 1), -EINVAL);
	TRY((a.prefix = 8, sin->sin_addr.s_addr = htonl(0x0a000001)), -EINVAL);
	TRY(strcpy(a.alg_name, "hmac(sha7)"), -ENOENT);
	TRY(strcpy(a.alg_name, "md5"), -ENOENT);
	TRY(a.maclen = 17, -EMSGSIZE);
	TRY((void)0, 0);
	TRY(a.rcvid = 1, -EEXIST);
	TRY(a.sndid = 1, -EEXIST);
	TRY((a.sndid = 1, a.rcvid = 1), 0);
	TRY((a.prefix = 8, sin->sin_addr.s_addr = htonl(0x0a000000)), -EEXIST); /* part of all */
#undef TRY
	forget_keys(sk);
	sk->sk_state = SS_TCP_ESTABLISHED;
}

static void ao_keys_are_bounded_by_optmem_max(void **state)
{
	struct tcp_fixture *f = *state;
	struct ao_add_arg a = add_arg("cmac(aes)", 0);
	u32 n = 0, before = f->net->core->optmem_max;
	int err;

	f->sk->sk_state = SS_TCP_CLOSE;
	f->net->core->optmem_max = 8192;
	do {
		a.sndid = a.rcvid = (u8)n;
		err = tcp_auth_setsockopt(f->sk, TCP_AO_ADD_KEY_, &a, sizeof(a));
	} while (!err && ++n < 255);
	assert_int_equal(err, -ENOMEM);
	assert_in_range(n, 4, 20);
	assert_true(tcp_auth(f->sk)->octets <= 8192);
	f->net->core->optmem_max = before;
	forget_keys(f->sk);
	f->sk->sk_state = SS_TCP_ESTABLISHED;
}

static struct ao_del_arg del_arg(u8 id)
{
	struct ao_del_arg a = { .sndid = id, .rcvid = id };

	((struct sockaddr_in *)&a.addr)->sin_family = AF_INET;
	return a;
}

/* RFC 5925 3.1: what is in use stays; and a call that fails has changed nothing. */
static void ao_refusing_to_delete_a_key_changes_nothing(void **state)
{
	struct tcp_fixture *f = *state;
	struct ao_del_arg d;
	struct tcp_ao *ao;

	f->sk->sk_state = SS_TCP_CLOSE;
	for (u8 id = 1; id <= 3; id++) {
		struct ao_add_arg a = add_arg("hmac(sha1)", 0);

		a.sndid = a.rcvid = id;
		a.set_current = a.set_rnext = id == 1;
		assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_AO_ADD_KEY_, &a, sizeof(a)), 0);
	}
	ao = tcp_auth(f->sk)->ao;
	/* 1 is still asked for by rnext: that 2 shall be current does not help. */
	d = del_arg(1);
	d.set_current = 1;
	d.current_key = 2;
	assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_AO_DEL_KEY_, &d, sizeof(d)), -EBUSY);
	assert_int_equal(ao->current->sndid, 1);
	assert_int_equal(ao->rnext->rcvid, 1);
	/* With both it goes. */
	d.set_rnext = 1;
	d.rnext = 3;
	assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_AO_DEL_KEY_, &d, sizeof(d)), 0);
	assert_int_equal(ao->current->sndid, 2);
	assert_int_equal(ao->rnext->rcvid, 3);
	forget_keys(f->sk);
	f->sk->sk_state = SS_TCP_ESTABLISHED;
}

/* RFC 5925 6.2: a RST in answer to what has no ACK is of sequence number 0, wherever the connection is. */
static void ao_upper_half_of_a_reset_is_that_of_its_own_number(void **state)
{
	static const struct {
		u32 snd_una, seq, sne;
	} cases[] = {
		{ 0xfffffff0u, 0, 6 },    { 0xfffffff0u, 0xffffff00u, 5 },
		{ 0x10, 0xfffffff0u, 4 }, { 0x10, 0, 5 },
		{ 0x10, 0x20, 5 },
	};
	const struct vector *v = &vectors[3];
	struct tcp_fixture *f = *state;
	struct tcp_ao_key *key = key_of(f->sk, v->alg, false);
	struct tcp_ao *ao = tcp_auth(f->sk)->ao;
	struct sk_buff *skb;
	u8 p[256];

	skb = payload_of(f, p, (u32)octets(v->packet, p));
	skb->protocol = cpu_to_be16(ETH_P_IP);
	skb_reset_network_header(skb);
	__skb_pull(skb, 20);
	skb_reset_transport_header(skb);
	ao->current = ao->rnext = key;
	ao->synchronized = true;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcp_out_opts o = { 0 };

		ao->snd_sne = 5;
		ao->snd_seen = cases[i].snd_una;
		assert_true(tcp_auth_reset(f->net, f->sk, NULL, skb, cases[i].seq, &o));
		assert_int_equal(o.sig_kind, TCPOPT_AO_);
		assert_int_equal(o.sig_sne, cases[i].sne);
	}
	consume_skb(skb);
	forget_keys(f->sk);
}

/* What a connection has left to TIME_WAIT stays as it was, whatever the socket does next. */
static void ao_keys_of_timewait_are_not_those_of_the_socket_any_more(void **state)
{
	struct tcp_fixture *f = *state;
	struct ao_add_arg a = add_arg("hmac(sha1)", 0);
	struct tcp_auth *timewait;
	struct tcp_ao_key *key;

	f->sk->sk_state = SS_TCP_CLOSE;
	a.set_current = a.set_rnext = 1;
	assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_AO_ADD_KEY_, &a, sizeof(a)), 0);
	timewait = tcp_auth(f->sk);
	timewait->refcnt++;
	timewait->ao->lisn = 77;
	timewait->ao->synchronized = true;
	key = timewait->ao->current;

	a.sndid = a.rcvid = 9;
	assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_AO_ADD_KEY_, &a, sizeof(a)), 0);
	assert_int_equal(tcp_auth(f->sk)->ao->current->sndid, 9);
	assert_ptr_not_equal(tcp_auth(f->sk), timewait);
	assert_int_equal(timewait->refcnt, 1);
	assert_ptr_equal(timewait->ao->current, key);

	/* And connect(2), which chooses among the keys and begins anew. */
	tcp_auth_put(tcp_auth(f->sk));
	tcp_rare(f->sk)->auth = timewait;
	timewait->refcnt++;
	f->tp->write_seq = 1234;
	assert_int_equal(tcp_auth_connect(f->sk), 0);
	assert_int_equal(tcp_auth(f->sk)->ao->lisn, 1234);
	assert_false(tcp_auth(f->sk)->ao->synchronized);
	assert_int_equal(tcp_auth(f->sk)->ao->current->sndid, key->sndid);
	assert_int_equal(tcp_auth(f->sk)->octets, timewait->octets);
	assert_int_equal(timewait->ao->lisn, 77);
	assert_true(timewait->ao->synchronized);
	assert_ptr_equal(timewait->ao->current, key);
	tcp_auth_put(timewait);
	f->tp->write_seq = f->tp->snd_nxt;
	forget_keys(f->sk);
	f->sk->sk_state = SS_TCP_ESTABLISHED;
}

static void signatures_need_a_machine_with_cryptography(void **state)
{
	struct tcp_fixture *f = *state;
	const struct weir_crypto *had = f->m->crypto;
	struct ao_add_arg a = add_arg("hmac(sha1)", 0);
	socklen_t len = sizeof(a);

	f->m->crypto = NULL;
	assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_AO_ADD_KEY_, &a, sizeof(a)), -ENOPROTOOPT);
	assert_int_equal(tcp_auth_setsockopt(f->sk, TCP_MD5SIG, &a, sizeof(a)), -ENOPROTOOPT);
	assert_int_equal(tcp_auth_getsockopt(f->sk, TCP_AO_INFO_, &a, &len), -ENOPROTOOPT);
	f->m->crypto = had;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ao_traffic_keys_and_macs_are_those_of_rfc_9235),
		cmocka_unit_test(ao_believes_a_reset_before_the_handshake_is_complete),
		cmocka_unit_test(ao_sequence_numbers_have_an_upper_half),
		cmocka_unit_test(ao_keys_are_refused_for_what_is_wrong_with_them),
		cmocka_unit_test(ao_keys_are_bounded_by_optmem_max),
		cmocka_unit_test(ao_refusing_to_delete_a_key_changes_nothing),
		cmocka_unit_test(ao_upper_half_of_a_reset_is_that_of_its_own_number),
		cmocka_unit_test(ao_keys_of_timewait_are_not_those_of_the_socket_any_more),
		cmocka_unit_test(signatures_need_a_machine_with_cryptography),
	};

	/* As ever without the library: what the tests are about is not there. */
	if (!weir_crypto_openssl())
		return 0;
	return cmocka_run_group_tests(tests, tcp_fixture_setup, tcp_fixture_teardown);
}
