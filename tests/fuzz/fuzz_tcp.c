/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"
#include "wire/tcp.h"

#define PORTS_SEQS "\xa8\xca\0\x50\0\0\0\x7b\0\0\0\0"

FUZZ_SEEDS(SEED(PORTS_SEQS "\xa0\x02\xfa\xf0\0\0\0\0"
			   "\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\0\x01\x03\x03\x07"),
	   SEED(PORTS_SEQS "\xd0\x10\xfa\xf0\0\0\0\0"
			   "\x01\x01\x08\x0a\0\0\0\x01\0\0\0\0"
			   "\x01\x01\x05\x12\0\0\0\x01\0\0\0\x05\0\0\0\x09\0\0\0\x0c"),
	   SEED(PORTS_SEQS "\x80\x02\xfa\xf0\0\0\0\0"
			   "\x22\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x01\x01"),
	   SEED(PORTS_SEQS "\xa0\x10\xfa\xf0\0\0\0\0"
			   "\x13\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01"),
	   SEED(PORTS_SEQS "\x90\x10\xfa\xf0\0\0\0\0"
			   "\x1d\x10\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0"));

static void check_inside(const u8 *p, size_t len, const u8 *data, u32 hdr_len)
{
	FUZZ_CHECK(!p || (p >= data + 20 && p + len <= data + hdr_len));
}

/* What was understood can be written again, and is understood the same way. */
static void check_round_trip(const struct tcp_opts_view *o, bool syn)
{
	struct tcp_opts_view again;
	u8 p[60] = { 0 };
	int n = tcp_opts_build(p + 20, o);

	if (n < 0)
		return;
	FUZZ_CHECK(n <= TCP_MAX_OPTIONS && n % 4 == 0);
	tcp_opts_parse(p, 20 + (u32)n, syn, &again);
	FUZZ_CHECK(again.mss == o->mss && again.sack_ok == o->sack_ok &&
		   again.saw_tstamp == o->saw_tstamp && again.tsval == o->tsval &&
		   again.tsecr == o->tsecr && again.wscale_ok == o->wscale_ok &&
		   again.snd_wscale == o->snd_wscale && again.num_sacks == o->num_sacks &&
		   again.saw_fastopen == o->saw_fastopen && again.fastopen_len == o->fastopen_len);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct tcp_view v;
	u8 again[20];
	int n = tcp_parse(data, size, &v);

	if (n < 0)
		return 0;
	FUZZ_CHECK(n >= 20 && n <= 60 && (size_t)n <= size);
	tcp_build(again, &v);
	FUZZ_CHECK(memcmp(again, data, 12) == 0 && again[13] == data[13]);
	for (int syn = 0; syn < 2; syn++) {
		struct tcp_opts_view o;

		tcp_opts_parse(data, v.hdr_len, syn, &o);
		FUZZ_CHECK(o.num_sacks <= TCP_MAX_SACK_BLOCKS && o.snd_wscale <= 14 &&
			   o.fastopen_len <= 16);
		check_inside(o.md5, 16, data, v.hdr_len);
		check_inside(o.fastopen_cookie, o.fastopen_len, data, v.hdr_len);
		if (o.ao)
			check_inside(o.ao, o.ao[1], data, v.hdr_len);
		check_round_trip(&o, syn);
	}
	return 0;
}
