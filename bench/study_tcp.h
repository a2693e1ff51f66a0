/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_tcp.h - the bottleneck of study_tcp, and what was measured at it: over the stack in virtual time (study_tcp.c), and in real time between two
 * processes (study_tcp_kernel.c) whose TCP is the host's or weir's (study_tcp_weir.c); and with disciplines at it (study_aqm.c)
 */
#ifndef WEIR_BENCH_STUDY_TCP_H
#define WEIR_BENCH_STUDY_TCP_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#define STUDY_RATE      50000000.0
#define STUDY_RTT_US    40000.0
#define STUDY_MSS       1448
#define STUDY_FRAME     1514
#define STUDY_MAX_FLOWS 4
#define STUDY_STEP_S    2 /* a connection begins so long after the one before */

struct weir_file;

struct study_scenario {
	const char *control;
	unsigned flows;
	double buffer;      /* of the product */
	double loss;        /* parts of all frames, each way */
	unsigned mark_from; /* packets that wait; 0: nothing is marked */
	const char *qdisc; /* at the bottleneck: study_aqm.c; NULL: a plain queue, in study_tcp.c */
	double from_s, to_s; /* what counts */
	/* In real time only: */
	double rate, rtt_us; /* 0: as above */
	uint64_t seed;       /* of the losses */
	bool weir_ends;      /* false: the host's TCP */
};

struct study_result {
	double goodput, rtt, losses, fairness;
	double wait_ms; /* of a datagram beside several: 99 of 100 wait less. With a qdisc only */
};

/* What each connection had. */
struct study_flow {
	uint64_t octets;        /* read, since counting began */
	double srtt_us;         /* mean */
	uint32_t retrans, sent; /* segments, since counting began */
};

/* A sender's part of it, from looks at TCP_INFO. */
struct study_sender {
	double srtt_sum;
	unsigned samples;
	uint32_t retrans0, sent0;
	struct study_flow result;
};

static inline void study_look(struct study_sender *s, const struct tcp_info *i, bool first)
{
	if (first) {
		s->retrans0 = i->tcpi_total_retrans;
		s->sent0 = i->tcpi_data_segs_out;
	}
	s->srtt_sum += i->tcpi_rtt;
	s->samples++;
	s->result.srtt_us = s->srtt_sum / s->samples;
	s->result.retrans = i->tcpi_total_retrans - s->retrans0;
	s->result.sent = i->tcpi_data_segs_out - s->sent0;
}

static inline double study_rate(const struct study_scenario *s)
{
	return s->rate > 0 ? s->rate : STUDY_RATE;
}

static inline double study_rtt_us(const struct study_scenario *s)
{
	return s->rtt_us > 0 ? s->rtt_us : STUDY_RTT_US;
}

/* In packets, one at least. */
static inline unsigned study_queue(const struct study_scenario *s)
{
	double bdp = study_rate(s) * study_rtt_us(s) / 8e6 / STUDY_FRAME;

	return (unsigned)(s->buffer * bdp) > 1 ? (unsigned)(s->buffer * bdp) : 1;
}

/* In virtual time. */
struct study_result study_run(const struct study_scenario *s);

/* study_aqm.c */
struct topo;
#define STUDY_PROBES 4096

struct study_probe { /* a program that sends a little all the time */
	struct weir_file *from, *to;
	uint64_t next; /* when it sends */
	int64_t shortest_ns;
	unsigned n;
	double wait_ms[STUDY_PROBES];
};

bool study_aqm_create(struct topo *t, const struct study_scenario *s);
bool study_probe_open(struct study_probe *p, struct topo *t);
void study_probe_turn(struct study_probe *p, uint64_t now, bool counts);
double study_probe_close(struct study_probe *p); /* study_result.wait_ms */
bool study_aqm(bool json, const char *svg);      /* the table and the picture */
int study_aqm_check(void);                       /* how many results are not what they should be */

struct study_result study_sum_up(const struct study_scenario *s, const struct study_flow *f);

/* In real time, between two network namespaces that are there for this run only. False: not possible here; *ret_why says why. */
bool study_kernel_run(const struct study_scenario *s, struct study_result *ret,
		      const char **ret_why);

/* study_tcp_weir.c: an end of that, on "tap0" of this namespace; as those of study_tcp_kernel.c they speak with @channel. They exit(1) when
 * something fails. */
void study_weir_send(const struct study_scenario *s, int channel);
void study_weir_receive(const struct study_scenario *s, int channel);
#define STUDY_NET    0x0a4d0000u /* 10.77.N.2 is the end in N, 1 and 2; 10.77.N.1 its router */
#define STUDY_WMEM   "4096 16384 16777216"
#define STUDY_RMEM   "4096 131072 16777216"
#define STUDY_LOOK_S 0.02 /* between two looks at TCP_INFO */

#endif
