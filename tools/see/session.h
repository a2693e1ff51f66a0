/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - seeing inside a stack process of the runner: recorder, capture file and the "walk" verb, driven by its loop
 */
#ifndef WEIR_SEE_SESSION_H
#define WEIR_SEE_SESSION_H

#include "run/run.h"
#include "see/recorder.h"

struct see_session;

struct see_options {
	bool record;         /* flight recorder; implied by the others */
	const char *pcapng;  /* NULL: no capture file */
	const char *walk;    /* filter of the walk that is printed at the end; NULL: none */
	const char *without; /* what weir walk says when nothing is recorded: how it would be */
};

/* In the set-up function of run_front(). NULL: an error was printed on stderr. With no option set: an empty session. */
struct see_session *see_session_start(struct run *r, const struct see_options *opt);
/* 0 or -errno */
int see_session_watch(struct see_session *s, struct weir_net *net);
/* NULL when nothing is recorded. Up to date. */
struct recorder *see_session_recorder(struct see_session *s);
/* Prints the walk that was asked for; closes the capture. Nets and machine must still be there. 0, or -errno: the capture is incomplete. */
int see_session_end(struct see_session *s, FILE *out);

#endif
