/* SPDX-License-Identifier: BSD-2-Clause */
/* session.c - see session.h */
#include "see/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "see/pcapng.h"
#include "see/walk.h"

#define POLL_NS 5000000ull /* often enough that the stack's own ring does not wrap */
#define RECORDS 262144
#define FRAMES  16384

struct see_session {
	struct run *run;
	struct recorder *rec;
	struct pcapng *capture;
	struct run_timer *timer;
	const char *walk;
	const char *without; /* why nothing is recorded */
};

static void poll_now(struct see_session *s)
{
	recorder_poll(s->rec);
	if (s->capture)
		pcapng_poll(s->capture);
}

static void on_timer(void *arg)
{
	struct see_session *s = arg;

	poll_now(s);
	s->timer = run_timer_add(s->run, run_now(s->run) + POLL_NS, on_timer, s);
}

/* walk NODE FILTER MODE ID; MODE is last, drop or id. The answer is the story. */
static void on_walk(struct run *r, struct run_request *q, void *arg)
{
	struct see_session *s = arg;
	const char *node_name = run_request_arg(q, 1), *mode = run_request_arg(q, 3);
	struct run_node *node = run_node_find(r, node_name);
	struct walk_filter *filter;
	uint64_t id = 0;
	uint32_t net_id;
	char *error = NULL, *text = NULL;
	size_t len;
	bool found;
	FILE *out;

	if (!node) {
		run_request_printf(q, "weir walk: there is no node '%s' in '%s'\n", node_name,
				   run_name(r));
		run_request_end(q, 2);
		return;
	}
	if (!s->rec) {
		run_request_printf(q, "weir walk: '%s' records nothing: %s\n", run_name(r),
				   s->without);
		run_request_end(q, 1);
		return;
	}
	filter = walk_filter_compile(run_request_arg(q, 2), &error);
	if (!filter) {
		run_request_printf(q, "weir walk: filter '%s': %s\n", run_request_arg(q, 2), error);
		free(error);
		run_request_end(q, 2);
		return;
	}
	poll_now(s);
	net_id = weir_net_id(run_node_net(node));
	out = open_memstream(&text, &len);
	if (!out) {
		walk_filter_free(filter);
		run_request_end(q, 1);
		return;
	}
	if (!strcmp(mode, "drop")) {
		id = walk_find_last_drop(s->rec, net_id);
	} else if (!strcmp(mode, "id")) {
		id = strtoull(run_request_arg(q, 4), NULL, 10);
	} else {
		const struct recorded_frame *f = walk_find_last(s->rec, net_id, filter, 0);

		if (f) {
			char what[160];

			walk_describe(f, what, sizeof(what));
			fprintf(out, "%s\n", what);
			id = f->skb_id;
		}
	}
	found = id && walk_print(out, s->rec, id);
	if (!found)
		fprintf(out, "weir walk: the recorder of '%s' remembers no such packet\n",
			run_name(r));
	fclose(out);
	run_request_send(q, text, len);
	free(text);
	walk_filter_free(filter);
	run_request_end(q, found ? 0 : 1);
}

struct see_session *see_session_start(struct run *r, const struct see_options *opt)
{
	struct see_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->run = r;
	s->walk = opt->walk;
	s->without = opt->without;
	if (!opt->record && !opt->pcapng && !opt->walk) {
		run_control_add(r, "walk", on_walk, s);
		return s;
	}
	if (opt->walk) {
		char *error = NULL;
		struct walk_filter *f = walk_filter_compile(opt->walk, &error);

		if (!f) {
			fprintf(stderr, "weir: --walk '%s': %s\n", opt->walk, error);
			free(error);
			free(s);
			return NULL;
		}
		walk_filter_free(f);
	}
	s->rec = recorder_create(run_machine(r), RECORDS, FRAMES);
	if (!s->rec) {
		fprintf(stderr, "weir: the flight recorder cannot start: %s\n", strerror(errno));
		free(s);
		return NULL;
	}
	if (opt->pcapng) {
		s->capture = pcapng_create(opt->pcapng, s->rec);
		if (!s->capture) {
			fprintf(stderr, "weir: --pcapng %s: %s\n", opt->pcapng, strerror(errno));
			recorder_free(s->rec);
			free(s);
			return NULL;
		}
	}
	run_control_add(r, "walk", on_walk, s);
	on_timer(s);
	return s;
}

int see_session_watch(struct see_session *s, struct weir_net *net)
{
	int err = s->rec ? recorder_watch(s->rec, net) : 0;

	return err == 0 && s->capture ? pcapng_watch(s->capture, net) : err;
}

struct recorder *see_session_recorder(struct see_session *s)
{
	if (s->rec)
		poll_now(s);
	return s->rec;
}

int see_session_end(struct see_session *s, FILE *out)
{
	int err = 0;

	if (!s->rec) {
		free(s);
		return 0;
	}
	poll_now(s);
	if (s->walk) {
		char *error = NULL;
		struct walk_filter *f = walk_filter_compile(s->walk, &error);
		const struct recorded_frame *frame = f ? walk_find_last(s->rec, 0, f, 0) : NULL;

		free(error);
		if (frame) {
			char what[160];

			walk_describe(frame, what, sizeof(what));
			fprintf(out, "%s\n", what);
			walk_print(out, s->rec, frame->skb_id);
		} else {
			fprintf(out, "weir: no packet matched --walk '%s'\n", s->walk);
		}
		walk_filter_free(f);
	}
	if (s->timer)
		run_timer_cancel(s->run, s->timer);
	if (s->capture)
		err = pcapng_close(s->capture);
	recorder_free(s->rec);
	free(s);
	return err;
}
