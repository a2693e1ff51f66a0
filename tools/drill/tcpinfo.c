/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpinfo.c - where the members of structures that the kernel fills lie
 *
 * By hand, not by offsetof() on <linux/tcp.h>: the members must not depend on how old the headers are that this was built with. The layout
 * is that of linux/tcp.h of 6.18; it only ever grows at its end.
 */
#include "drill/tcpinfo.h"

#include <string.h>

#define U8(n, o)                                                                                   \
	{                                                                                          \
		"tcpi_" #n, o, 1, 0, 0                                                             \
	}
#define U16(n, o)                                                                                  \
	{                                                                                          \
		"tcpi_" #n, o, 2, 0, 0                                                             \
	}
#define U32(n, o)                                                                                  \
	{                                                                                          \
		"tcpi_" #n, o, 4, 0, 0                                                             \
	}
#define U64(n, o)                                                                                  \
	{                                                                                          \
		"tcpi_" #n, o, 8, 0, 0                                                             \
	}
#define BITS(n, o, s, w)                                                                           \
	{                                                                                          \
		"tcpi_" #n, o, 1, s, w                                                             \
	}

const struct drill_field drill_tcp_info[] = {
	U8(state, 0),
	U8(ca_state, 1),
	U8(retransmits, 2),
	U8(probes, 3),
	U8(backoff, 4),
	U8(options, 5),
	BITS(snd_wscale, 6, 0, 4),
	BITS(rcv_wscale, 6, 4, 4),
	BITS(delivery_rate_app_limited, 7, 0, 1),
	BITS(fastopen_client_fail, 7, 1, 2),
	U32(rto, 8),
	U32(ato, 12),
	U32(snd_mss, 16),
	U32(rcv_mss, 20),
	U32(unacked, 24),
	U32(sacked, 28),
	U32(lost, 32),
	U32(retrans, 36),
	U32(fackets, 40),
	U32(last_data_sent, 44),
	U32(last_ack_sent, 48),
	U32(last_data_recv, 52),
	U32(last_ack_recv, 56),
	U32(pmtu, 60),
	U32(rcv_ssthresh, 64),
	U32(rtt, 68),
	U32(rttvar, 72),
	U32(snd_ssthresh, 76),
	U32(snd_cwnd, 80),
	U32(advmss, 84),
	U32(reordering, 88),
	U32(rcv_rtt, 92),
	U32(rcv_space, 96),
	U32(total_retrans, 100),
	U64(pacing_rate, 104),
	U64(max_pacing_rate, 112),
	U64(bytes_acked, 120),
	U64(bytes_received, 128),
	U32(segs_out, 136),
	U32(segs_in, 140),
	U32(notsent_bytes, 144),
	U32(min_rtt, 148),
	U32(data_segs_in, 152),
	U32(data_segs_out, 156),
	U64(delivery_rate, 160),
	U64(busy_time, 168),
	U64(rwnd_limited, 176),
	U64(sndbuf_limited, 184),
	U32(delivered, 192),
	U32(delivered_ce, 196),
	U64(bytes_sent, 200),
	U64(bytes_retrans, 208),
	U32(dsack_dups, 216),
	U32(reord_seen, 220),
	U32(rcv_ooopack, 224),
	U32(snd_wnd, 228),
	U32(rcv_wnd, 232),
	U32(rehash, 236),
	U16(total_rto, 240),
	U16(total_rto_recoveries, 242),
	U32(total_rto_time, 244),
	U32(received_ce, 248),
	U32(delivered_e1_bytes, 252),
	U32(delivered_e0_bytes, 256),
	U32(delivered_ce_bytes, 260),
	U32(received_e1_bytes, 264),
	U32(received_e0_bytes, 268),
	U32(received_ce_bytes, 272),
	BITS(ecn_mode, 276, 0, 2),
	BITS(accecn_opt_seen, 276, 2, 2),
	BITS(accecn_fail_mode, 276, 4, 4),
};
const size_t drill_nr_tcp_info = sizeof(drill_tcp_info) / sizeof(drill_tcp_info[0]);

/* struct tcpvegas_info, tcp_dctcp_info, tcp_bbr_info of linux/inet_diag.h */
static const struct drill_field vegas[] = {
	{ "tcpv_enabled", 0, 4, 0, 0 }, { "tcpv_rttcnt", 4, 4, 0, 0 }, { "tcpv_rtt", 8, 4, 0, 0 },
	{ "tcpv_minrtt", 12, 4, 0, 0 }, { NULL, 0, 0, 0, 0 },
};

static const struct drill_field dctcp[] = {
	{ "dctcp_enabled", 0, 2, 0, 0 }, { "dctcp_ce_state", 2, 2, 0, 0 },
	{ "dctcp_alpha", 4, 4, 0, 0 },   { "dctcp_ab_ecn", 8, 4, 0, 0 },
	{ "dctcp_ab_tot", 12, 4, 0, 0 }, { NULL, 0, 0, 0, 0 },
};

static const struct drill_field bbr[] = {
	{ "bbr_bw_lo", 0, 4, 0, 0 },
	{ "bbr_bw_hi", 4, 4, 0, 0 },
	{ "bbr_bw", 0, 8, 0, 0 },
	{ "bbr_min_rtt", 8, 4, 0, 0 },
	{ "bbr_pacing_gain", 12, 4, 0, 0 },
	{ "bbr_cwnd_gain", 16, 4, 0, 0 },
	{ NULL, 0, 0, 0, 0 },
};

const struct drill_field *drill_cc_info(const char *algorithm)
{
	static const struct {
		const char *name;
		const struct drill_field *fields;
	} algorithms[] = { { "vegas", vegas }, { "westwood", vegas }, { "yeah", vegas },
			   { "veno", vegas },  { "illinois", vegas }, { "dctcp", dctcp },
			   { "bbr", bbr } };

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (!strcmp(algorithms[i].name, algorithm))
			return algorithms[i].fields;
	return NULL;
}

uint64_t drill_field_get(const struct drill_field *f, const void *object)
{
	uint64_t v = 0;

	/* Little endian or not: through the type. */
	switch (f->size) {
	case 1:
		v = *((const uint8_t *)object + f->offset);
		break;
	case 2: {
		uint16_t x;

		memcpy(&x, (const char *)object + f->offset, sizeof(x));
		v = x;
		break;
	}
	case 4: {
		uint32_t x;

		memcpy(&x, (const char *)object + f->offset, sizeof(x));
		v = x;
		break;
	}
	default:
		memcpy(&v, (const char *)object + f->offset, sizeof(v));
		break;
	}
	return f->width ? v >> f->shift & ((1u << f->width) - 1) : v;
}

void drill_field_set(const struct drill_field *f, void *object, uint64_t value)
{
	uint8_t v8 = (uint8_t)value;
	uint16_t v16 = (uint16_t)value;
	uint32_t v32 = (uint32_t)value;
	const void *from = f->size == 1   ? (void *)&v8
			   : f->size == 2 ? (void *)&v16
			   : f->size == 4 ? (void *)&v32
					  : (void *)&value;

	memcpy((char *)object + f->offset, from, f->size);
}
