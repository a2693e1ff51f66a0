/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - the stack process: one thread, one epoll
 *
 * Theory of operation
 *   Event sources are the listeners of program trees, the supervisor's ends (in an epoll of their own, so that they can be swept before
 *   each notification), the machine's descriptor (weir_arm), the front, signals, the control socket, and what the embedder watches. A turn:
 *   handle events; let the machine work and its sockets react until both are quiet; look after parked calls, timers and orphans;
 *   free what died; sleep until the earliest deadline.
 * Invariants
 *   Sockets that died in a turn are freed at its end: events already fetched may name them.
 *   The loop never blocks elsewhere: all descriptors are non-blocking, or known to be ready.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weir/crypto.h>

#define EVENTS     64
#define WEIR_TURNS 16 /* rounds of stack and sockets before programs have their turn */

struct run_timer {
	LIST_ENTRY(run_timer) link;
	uint64_t at;
	void (*fn)(void *arg);
	void *arg;
};

struct run_watch {
	struct loop_source source;
	LIST_ENTRY(run_watch) link;
	void (*fn)(int fd, uint32_t events, void *arg);
	void *arg;
	bool gone;
};

struct run_turn {
	LIST_ENTRY(run_turn) link;
	bool (*fn)(void *arg);
	void *arg;
};

struct finish_hook {
	LIST_ENTRY(finish_hook) link;
	void (*fn)(struct run *r, void *arg);
	void *arg;
};

void loop_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("weir: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/* ---- sources --------------------------------------------------------------------------------------------------- */

int loop_add(struct run *r, int ep, struct loop_source *src, int fd, uint32_t events,
	     void (*fn)(struct loop_source *src, uint32_t events))
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	src->fn = fn;
	src->fd = fd;
	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int loop_modify(int ep, struct loop_source *src, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	return epoll_ctl(ep, EPOLL_CTL_MOD, src->fd, &ev) < 0 ? -errno : 0;
}

void loop_remove(int ep, struct loop_source *src)
{
	epoll_ctl(ep, EPOLL_CTL_DEL, src->fd, NULL);
	src->fn = NULL;
}

void loop_sweep_ends(struct run *r)
{
	struct epoll_event ev[EVENTS];
	int n;

	do {
		n = epoll_wait(r->ep_ends, ev, EVENTS, 0);
		for (int i = 0; i < n; i++) {
			struct loop_source *src = ev[i].data.ptr;

			if (src->fn)
				src->fn(src, ev[i].events);
		}
	} while (n == EVENTS);
}

static void ends_event(struct loop_source *src, uint32_t events)
{
	loop_sweep_ends((struct run *)((char *)src - offsetof(struct run, ends_source)));
}

static void weir_event(struct loop_source *src, uint32_t events)
{
	/* The turn's second half does the work. */
}

/* ---- the stack ------------------------------------------------------------------------------------------------- */

/* Those that wait for another round; one that asks for yet another has it in the next turn. */
static bool serve_again(struct run *r)
{
	struct asock *s;
	unsigned n = 0;

	TAILQ_FOREACH(s, &r->again, again_link)
	n++;
	for (unsigned i = 0; i < n && (s = TAILQ_FIRST(&r->again)); i++) {
		TAILQ_REMOVE(&r->again, s, again_link);
		s->in_again = false;
		asock_event(s, EPOLLIN | EPOLLOUT);
	}
	return n > 0;
}

/* The embedder's part of a turn. */
static bool serve_turns(struct run *r)
{
	struct run_turn *t;
	bool any = false;

	LIST_FOREACH(t, &r->turns, link)
	any |= t->fn(t->arg);
	return any;
}

void loop_turn_weir(struct run *r)
{
	struct epoll_event ev[EVENTS];

	r->busy = false;
	for (int turn = 0; turn < WEIR_TURNS; turn++) {
		bool again = serve_again(r);
		int n;

		weir_run(r->machine, 0);
		n = weir_epoll_wait(r->wep, ev, EVENTS, 0);
		for (int i = 0; i < n; i++)
			asock_event(ev[i].data.ptr, ev[i].events);
		again |= serve_turns(r);
		if (n <= 0 && !again)
			return;
	}
	r->busy = true; /* go on after a look at the programs */
}

/* ---- timers, watches, hooks ---------------------------------------------------------------------------------------- */

uint64_t run_now(const struct run *r)
{
	return r->clock.now(&r->clock);
}

struct run_timer *run_timer_add(struct run *r, uint64_t at, void (*fn)(void *arg), void *arg)
{
	struct run_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->at = at;
	t->fn = fn;
	t->arg = arg;
	LIST_INSERT_HEAD(&r->timers, t, link);
	return t;
}

void run_timer_cancel(struct run *r, struct run_timer *t)
{
	LIST_REMOVE(t, link);
	free(t);
}

static struct run_timer *earliest_timer(struct run *r)
{
	struct run_timer *t, *first = NULL;

	LIST_FOREACH(t, &r->timers, link)
	if (!first || t->at < first->at)
		first = t;
	return first;
}

static void run_timers(struct run *r)
{
	uint64_t now = run_now(r);
	struct run_timer *t;

	while ((t = earliest_timer(r)) && t->at <= now) {
		void (*fn)(void *arg) = t->fn;
		void *arg = t->arg;

		run_timer_cancel(r, t);
		fn(arg);
	}
}

static void watch_event(struct loop_source *src, uint32_t events)
{
	struct run_watch *w = (struct run_watch *)src;

	w->fn(src->fd, events, w->arg);
}

struct run_watch *run_watch_add(struct run *r, int fd, uint32_t events,
				void (*fn)(int fd, uint32_t events, void *arg), void *arg)
{
	struct run_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fn = fn;
	w->arg = arg;
	if (loop_add(r, r->ep, &w->source, fd, events, watch_event)) {
		free(w);
		return NULL;
	}
	LIST_INSERT_HEAD(&r->watches, w, link);
	return w;
}

/* It may be named by an event of this turn: freed at the turn's end. */
void run_watch_remove(struct run *r, struct run_watch *w)
{
	loop_remove(r->ep, &w->source);
	w->gone = true;
}

static void sweep_watches(struct run *r)
{
	struct run_watch *w, *next;

	for (w = LIST_FIRST(&r->watches); w; w = next) {
		next = LIST_NEXT(w, link);
		if (w->gone) {
			LIST_REMOVE(w, link);
			free(w);
		}
	}
}

int run_turn_add(struct run *r, bool (*fn)(void *arg), void *arg)
{
	struct run_turn *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fn = fn;
	t->arg = arg;
	LIST_INSERT_HEAD(&r->turns, t, link);
	return 0;
}

void run_turn_remove(struct run *r, bool (*fn)(void *arg), void *arg)
{
	struct run_turn *t;

	LIST_FOREACH(t, &r->turns, link)
	if (t->fn == fn && t->arg == arg)
		break;
	if (!t)
		return;
	LIST_REMOVE(t, link);
	free(t);
}

void run_at_finish(struct run *r, void (*fn)(struct run *r, void *arg), void *arg)
{
	struct finish_hook *h = calloc(1, sizeof(*h));

	if (!h)
		return;
	h->fn = fn;
	h->arg = arg;
	LIST_INSERT_HEAD(&r->finish_hooks, h, link);
}

/* ---- what the embedder asks ------------------------------------------------------------------------------------------ */

struct weir_machine *run_machine(struct run *r)
{
	return r->machine;
}

const char *run_name(const struct run *r)
{
	return r->name;
}

const char *run_state_dir(const struct run *r)
{
	return r->dir;
}

void run_finish(struct run *r, int wait_status)
{
	if (r->finishing)
		return;
	r->finishing = true;
	r->finish_status = wait_status;
}

void run_observe_streams(struct run *r,
			 void (*fn)(struct run_node *node, struct weir_file *f, void *arg),
			 void *arg)
{
	r->on_stream_end = fn;
	r->on_stream_end_arg = arg;
}

void run_on_signal(struct run *r, void (*fn)(struct run *r, int sig, bool direct, void *arg),
		   void *arg)
{
	r->on_signal = fn;
	r->on_signal_arg = arg;
}

/* ---- signals and the front --------------------------------------------------------------------------------------------- */

static void signal_event(struct loop_source *src, uint32_t events)
{
	struct run *r = (struct run *)((char *)src - offsetof(struct run, signal_source));
	struct signalfd_siginfo si;

	while (read(src->fd, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo != SIGCHLD)
			run_finish(r, (int)si.ssi_signo);
	launch_reap(r);
}

/* Without a handler, what asks a program to end ends everything. */
static void give_signal(struct run *r, const struct relayed_signal *s)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	if (r->on_signal) {
		r->on_signal(r, s->sig, s->direct, r->on_signal_arg);
		return;
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (s->sig == ends[i])
			run_finish(r, s->sig);
}

/* The front's end means everybody's. */
static void front_event(struct loop_source *src, uint32_t events)
{
	struct run *r = (struct run *)((char *)src - offsetof(struct run, front_source));
	struct relayed_signal s;

	while (recv(src->fd, &s, sizeof(s), MSG_DONTWAIT) == (ssize_t)sizeof(s))
		give_signal(r, &s);
	if (events & (EPOLLHUP | EPOLLRDHUP))
		run_finish(r, SIGKILL);
}

/* ---- the loop --------------------------------------------------------------------------------------------------------------- */

static uint64_t next_deadline(struct run *r)
{
	struct run_timer *t = earliest_timer(r);
	uint64_t at = park_next(r);

	if (t && t->at < at)
		at = t->at;
	if (!TAILQ_EMPTY(&r->orphans) && r->orphan_scan < at)
		at = r->orphan_scan;
	return TAILQ_EMPTY(&r->again) && !r->busy && !nested_waiting(r) ? at : 0;
}

static int wait_events(struct run *r, struct epoll_event *ev)
{
	struct timespec ts;
	const struct timespec *limit = r->clock.sleep_until(&r->clock, next_deadline(r), &ts);
	int n = epoll_pwait2(r->ep, ev, EVENTS, limit, NULL);

	if (n < 0 && errno == ENOSYS) { /* before 5.11 */
		int ms = limit ? (int)(limit->tv_sec * 1000 + (limit->tv_nsec + 999999) / 1000000)
			       : -1;

		n = epoll_wait(r->ep, ev, EVENTS, ms);
	}
	return n;
}

void loop_turn(struct run *r)
{
	struct epoll_event ev[EVENTS];
	int n;

	weir_arm(r->machine);
	n = wait_events(r, ev);
	weir_disarm(r->machine);
	for (int i = 0; i < n; i++) {
		struct loop_source *src = ev[i].data.ptr;

		if (src->fn)
			src->fn(src, ev[i].events);
	}
	nested_serve(r);
	loop_turn_weir(r);
	park_check(r);
	run_timers(r);
	ident_scan_orphans(r);
	sweep_watches(r);
	asock_bury(r);
	notify_bury(r);
}

static int open_signals(struct run *r)
{
	sigset_t mask;
	int fd;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	return loop_add(r, r->ep, &r->signal_source, fd, EPOLLIN, signal_event);
}

static void say_module(void *arg, const char *text)
{
	loop_say("module %s", text);
}

static int open_machine(struct run *r, const struct run_config *cfg)
{
	const char *path = getenv("WEIR_MODULE_PATH");
	/* Programs must not be able to put code into this process: they run as the same user. */
	struct weir_machine_config mc = {
		.seeded = cfg->seeded,
		.seed = cfg->seed,
		.crypto = weir_crypto_openssl(),
		.module_path = path ? path : WEIR_MODULE_DIR,
		.module_root_only = true,
		.module_log = say_module,
	};
	int err;

	r->machine = weir_machine_create(&mc);
	if (!r->machine)
		return -errno;
	run_clock_real(&r->clock, r->machine);
	err = weir_epoll_create(r->machine, &r->wep);
	if (err)
		return err;
	err = weir_arm(r->machine);
	if (err < 0)
		return err;
	return loop_add(r, r->ep, &r->weir_source, err, EPOLLIN, weir_event);
}

int loop_open(struct run *r)
{
	char why[256];
	int err;

	r->ruleset = r->meet = r->inotify_source.fd = -1;
	r->unix_pid = getpid();
	if (doctor_probe(&r->fac, why, sizeof(why))) {
		loop_say("cannot attach programs here: %s (weir doctor tells more)", why);
		return -ENOTSUP;
	}
	err = filter_build(&r->fac, &r->filter, &r->filter_len);
	if (err)
		return err;
	r->ruleset = filter_ruleset(&r->fac);
	if (r->ruleset < -1)
		return r->ruleset;
	r->uid = geteuid();
	r->scratch = malloc(SCRATCH_SIZE);
	r->weights = calloc(DGRAM_WEIGHTS, sizeof(r->weights[0]));
	r->weigh_octets = calloc(1, SCRATCH_SIZE);
	r->ep = epoll_create1(EPOLL_CLOEXEC);
	r->ep_ends = epoll_create1(EPOLL_CLOEXEC);
	if (!r->fac.pidfd_getfd)
		r->junk = malloc(SCRATCH_SIZE);
	if (!r->scratch || !r->weights || !r->weigh_octets || (!r->fac.pidfd_getfd && !r->junk) ||
	    r->ep < 0 || r->ep_ends < 0)
		return -ENOMEM;
	for (int i = 0; i < PIDFD_CACHE; i++)
		r->pidfds[i].fd = -1;
	TAILQ_INIT(&r->orphans);
	TAILQ_INIT(&r->again);
	TAILQ_INIT(&r->graveyard);
	TAILQ_INIT(&r->parked);
	r->park_check = RUN_NEVER;
	err = loop_add(r, r->ep, &r->ends_source, r->ep_ends, EPOLLIN, ends_event);
	if (!err)
		err = unix_init(r);
	if (!err)
		err = views_init(r);
	inotify_open(r);
	return err || !r->fac.nested ? err : nested_open(r);
}

static int loop_init(struct run *r, const struct run_config *cfg)
{
	int err = loop_open(r);

	if (!err)
		err = open_machine(r, cfg);
	if (!err)
		err = loop_add(r, r->ep, &r->front_source, r->front, EPOLLIN | EPOLLRDHUP,
			       front_event);
	if (!err)
		err = open_signals(r);
	if (!err)
		err = control_init(r);
	return err;
}

static void free_asocks(struct run *r)
{
	for (unsigned i = 0; i < SOCK_HASH; i++)
		while (!LIST_EMPTY(&r->hash[i]))
			asock_free(LIST_FIRST(&r->hash[i]));
	asock_bury(r);
}

static void free_lists(struct run *r)
{
	while (!LIST_EMPTY(&r->timers))
		run_timer_cancel(r, LIST_FIRST(&r->timers));
	while (!LIST_EMPTY(&r->finish_hooks)) {
		struct finish_hook *h = LIST_FIRST(&r->finish_hooks);

		LIST_REMOVE(h, link);
		free(h);
	}
	while (!LIST_EMPTY(&r->watches)) {
		struct run_watch *w = LIST_FIRST(&r->watches);

		LIST_REMOVE(w, link);
		free(w);
	}
	launch_forget(r);
}

/* Also what is there after a set-up that failed. */
void loop_free(struct run *r)
{
	control_exit(r);
	launch_kill_all();
	relay_exit(r);
	while (!LIST_EMPTY(&r->trees))
		notify_tree_free(LIST_FIRST(&r->trees));
	notify_bury(r);
	free_asocks(r);
	nested_close(r);
	views_exit(r);
	inotify_close(r);
	unix_exit(r);
	if (r->wep)
		weir_close(r->wep);
	node_free_all(r);
	if (r->ruleset >= 0)
		close(r->ruleset);
	if (r->meet >= 0)
		close(r->meet);
	if (r->machine)
		weir_machine_destroy(r->machine);
	free_lists(r);
}

static void loop_exit(struct run *r)
{
	struct finish_hook *h;
	struct asock *s;

	for (unsigned i = 0; i < SOCK_HASH; i++)
		LIST_FOREACH(s, &r->hash[i], hash_link)
	asock_observe(s);
	LIST_FOREACH(h, &r->finish_hooks, link)
	h->fn(r, h->arg);
	loop_free(r);
}

/* Returns what the process should exit with if the set-up failed; otherwise tells the front, and 0. */
int loop_main(const struct run_config *cfg, struct run *r)
{
	int err;

	/* Programs must not look into us; a helper of ours must not become the front's orphan before its time. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	err = loop_init(r, cfg);
	if (err) {
		if (err != -ENOTSUP)
			loop_say("cannot start: %s", strerror(-err));
		loop_free(r);
		return 125;
	}
	err = cfg->setup(r, cfg->arg);
	if (err) {
		loop_exit(r); /* what it had made already has its hooks */
		return err;
	}
	while (!r->finishing)
		loop_turn(r);
	loop_exit(r);
	front_report(r, r->finish_status);
	return 0;
}
