/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_internal.h - what the runner's files share
 *
 * struct run (one) -> struct run_node (a net) -> struct tree (a program and its descendants: one seccomp listener)
 *                  -> struct asock (an attached socket: one weir_file and the supervisor's end of a socketpair)
 * A struct call is one notified system call on its way through a handler; a struct parked is one that waits.
 *
 * One thread runs all of this; there are no locks.
 */
#ifndef RUN_RUN_INTERNAL_H
#define RUN_RUN_INTERNAL_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <weir/weir.h>

#include "clock.h"
#include "run.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

#define SCRATCH_SIZE  (256 * 1024) /* one pump step; also the largest datagram with room to spare */
#define SOCK_HASH     16384
#define DGRAM_WEIGHTS 65536 /* lengths whose weight is remembered */

struct asock;
struct call;
struct nested;
struct parked;
struct tree;

/* A descriptor in one of the loop's two epolls. Embedded first in what it stands for. */
struct loop_source {
	void (*fn)(struct loop_source *src, uint32_t events);
	int fd;
};

/* What this machine's kernel and policy let us do; probed once (doctor.c). */
struct facilities {
	bool killable;   /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (5.19) */
	bool addfd_send; /* SECCOMP_ADDFD_FLAG_SEND (5.14) */
	bool pidfd_getfd;
	bool pidfd_thread; /* PIDFD_THREAD (6.9): one pidfd per thread, worth caching */
	bool vm_access;    /* process_vm_readv and process_vm_writev */
	bool nested;       /* under a weir run, whose listener serves us too: nested.c */
	int landlock;      /* ABI, 0: none, or not to be used */
};

TAILQ_HEAD(parked_list, parked);
TAILQ_HEAD(asock_list, asock);

#define PIDFD_CACHE 256
struct pidfd_slot {
	pid_t tid;
	int fd;          /* -1: free */
	uint64_t opened; /* run.seq then */
};

#define UNIX_OWN_HASH 1024
#define CLOSE_HASH    1024

struct run {
	const char *name, *kind;
	char *dir; /* state directory */
	int dir_fd;
	struct weir_machine *machine;
	struct weir_file *wep; /* weir epoll: every attached socket, edge triggered */
	int ep;                /* the loop's epoll */
	int ep_ends; /* inside it: supervisor ends and inotify; swept before each notification */
	struct loop_source ends_source, weir_source, front_source, signal_source, control_source;
	struct run_clock clock;
	struct facilities fac;
	struct sock_filter *filter;
	unsigned filter_len;
	int ruleset; /* of Landlock, -1: none */
	int meet;    /* sock.c: where fresh streams get their other ends; -1: not needed yet */
	struct rlimit nofile; /* as the front was started with: for the programs */
	sigset_t sigmask;     /* the same */
	bool sigpipe_ignored;
	int front; /* channel */
	bool detached, ready;
	bool busy; /* the last turn left work in the stack */
	bool finishing;
	int finish_status;
	void (*on_stream_end)(struct run_node *node, struct weir_file *f, void *arg);
	void *on_stream_end_arg;
	void (*on_signal)(struct run *r, int sig, bool direct, void *arg);
	void *on_signal_arg;
	char *scratch, *junk; /* junk: only without pidfd_getfd */
	unsigned *weights;    /* dgram.c: by length; 0: not weighed yet */
	char *weigh_octets;

	LIST_HEAD(, run_node) nodes;
	LIST_HEAD(tree_list, tree) trees, dead_trees;
	LIST_HEAD(, relay) relays;
	struct nested *nested; /* NULL: we have listeners of our own */
	LIST_HEAD(, run_proc) procs;
	LIST_HEAD(, run_timer) timers;
	LIST_HEAD(, swap) swaps; /* packet.c: rings that lie where their socket was */
	struct run_timer *swap_timer;
	LIST_HEAD(, run_watch) watches;
	LIST_HEAD(, run_turn) turns;
	LIST_HEAD(, control_verb) verbs;
	LIST_HEAD(, run_request) requests;
	LIST_HEAD(, finish_hook) finish_hooks;
	LIST_HEAD(, asock) hash[SOCK_HASH]; /* by inode of the program's end */
	struct asock_list orphans;   /* whose closing is not visible on the supervisor's end */
	struct asock_list again;     /* pump stopped for fairness */
	struct asock_list graveyard; /* freed when no event can name them any more */
	uint64_t orphan_scan;        /* when to look for them next */
	uid_t uid;
	unsigned nr_asocks;

	struct parked_list parked;
	unsigned wake_round;
	uint64_t park_check; /* earliest moment at which a parked call needs a look */
	struct undelivered *undelivered;

	struct pidfd_slot pidfds[PIDFD_CACHE];
	uint64_t seq; /* of the notification that was received last */
	struct views *views;
	struct loop_source inotify_source;     /* fd < 0: there is none */
	LIST_HEAD(, asock) closes[CLOSE_HASH]; /* by close_wd */

	LIST_HEAD(, unix_own)
	unix_own[UNIX_OWN_HASH]; /* by inode: sockets of AF_UNIX that our programs bound */
	unsigned nr_unix_own;
	pid_t unix_pid; /* as whom we connect: ourselves, or the outermost runner */
	LIST_HEAD(, unix_allowed) unix_allowed;
	struct asock *
		native; /* stands for sockets of the host that calls wait for: only its waiters are used */
	struct run_timer *native_timer;
};

struct unix_own {
	LIST_ENTRY(unix_own) link;
	uint32_t ino;
	bool alive; /* only while closed ones are looked for */
};

struct node_file {
	LIST_ENTRY(node_file) link;
	char *path, *text;
};

struct run_node {
	LIST_ENTRY(run_node) link;
	struct run *run;
	char *name;
	char *hostname;
	struct weir_net *net;
	bool borrowed;         /* the net is not ours: attach.c */
	struct weir_file *ctl; /* for interface ioctls on descriptors that are not ours */
	LIST_HEAD(, node_file) files;
	bool said_no_way_out;
};

/* ---- loop.c ---- */
int loop_main(const struct run_config *cfg, struct run *r);
/* The parts that do not ask where the machine comes from: what this system can, buffers, epolls, views. */
int loop_open(struct run *r);
/* One turn; sleeps until there is something to do. */
void loop_turn(struct run *r);
/* Ends the programs, frees everything that hangs off @r, the machine too unless it is NULL. */
void loop_free(struct run *r);
int loop_add(struct run *r, int ep, struct loop_source *src, int fd, uint32_t events,
	     void (*fn)(struct loop_source *src, uint32_t events));
int loop_modify(int ep, struct loop_source *src, uint32_t events);
void loop_remove(int ep, struct loop_source *src);
/* Handles everything that the programs did to their ends before the notification at hand. */
void loop_sweep_ends(struct run *r);
/* Lets the machine work, and the attached sockets react to it. */
void loop_turn_weir(struct run *r);
void loop_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- filter.c ---- */
/* The program for seccomp(2); *ret_prog is malloced. */
int filter_build(const struct facilities *fac, struct sock_filter **ret_prog, unsigned *ret_len);
/* What makes a domain of Landlock, where that is used: a descriptor; -1: it is not; -errno (below -1). */
int filter_ruleset(const struct facilities *fac);
/* In the child: no_new_privs, confinement if @ruleset >= 0. Calls nothing that is notified. 0, -errno */
int filter_confine(int ruleset);
/* The same, and the filter. Returns the listener's descriptor, or -errno. */
int filter_install(const struct facilities *fac, int ruleset, struct sock_filter *prog,
		   unsigned len);
int filter_landlock_abi(void);

/* ---- notify.c ---- */

/* What a notification's caller is told: by the kernel's listener, or by the runner around us. As the functions below. */
struct notify_ops {
	int (*answer)(struct call *c, long ret);
	int (*cont)(struct call *c);
	int (*addfd)(struct call *c, int fd, bool cloexec, int at, bool send);
	bool (*valid)(const struct call *c);
};

struct tree {
	struct loop_source source; /* the listener */
	const struct notify_ops *ops;
	LIST_ENTRY(tree) link;
	struct run *run;
	struct run_node *node;
	struct run_proc *
		proc; /* NULL after the program has ended: the tree goes on while it has processes */
	pid_t pid;
};

enum call_result {
	CALL_DONE,     /* answered already */
	CALL_RETURN,   /* answer with c->ret */
	CALL_CONTINUE, /* the kernel does it */
	CALL_PARK, /* ask again when c->wait_on changes, until c->deadline, then answer c->expire */
};

#define EARLY_SIZE 128 /* an address, most options */

struct call {
	struct run *run;
	struct tree *tree;
	struct seccomp_notif n;
	struct asock *sock; /* set by call_sock() */
	int a;        /* transient copy of the program's end, or -1; closed after the handler */
	bool alive;   /* the caller was found waiting since the handler began */
	uint64_t seq; /* run.seq when it was received; 0: it came by another way */
	bool certain; /* ident.c: its thread lives, and has lived since before it called */
	uint64_t early_addr; /* mem.c: what was read before that was known */
	size_t early_len;
	char early[EARLY_SIZE];
	long ret;
	struct asock *wait_on;
	uint64_t deadline;
	int expire;
	struct parked *parked; /* the call waited already */
	unsigned
		done; /* sendmmsg, recvmmsg: messages that are done; the result when the wait ends */
	uint64_t until; /* recvmmsg: its time limit; 0: none, or not read yet */
};

static inline int call_int(const struct call *c, int i)
{
	return (int)c->n.data.args[i];
}

static inline uint64_t call_ptr(const struct call *c, int i)
{
	return c->n.data.args[i];
}

static inline enum call_result call_return(struct call *c, long ret)
{
	c->ret = ret;
	return CALL_RETURN;
}

int notify_tree_add(struct run *r, struct run_node *node, int listener, pid_t pid,
		    struct tree **ret);
void notify_tree_free(struct tree *t);
void notify_bury(struct run *r); /* trees that ended in this turn */
/* 0, or -ENOENT: nobody waits for the answer any more (killed, or interrupted on old kernels). @ret may be -errno. */
int notify_answer(struct call *c, long ret);
int notify_continue(struct call *c);
/* Gives the program @fd (>= 0: at number @at) and answers the call with its number if @send. The number, or -errno. */
int notify_addfd(struct call *c, int fd, bool cloexec, int at, bool send);
bool notify_valid(const struct call *c);
/* Runs the handler and does what it says. True: the call waits (again). */
bool notify_dispatch(struct call *c);
/* From a notification to its answer, or until it waits. */
void notify_handle(struct call *c);
/* The same for one of @t, unless it is a nested runner's. */
void notify_take(struct tree *t, const struct seccomp_notif *n);

/* ---- relay.c: runners that run under us ---- */
enum call_result relay_open(struct call *c, uint64_t flags); /* of RELAY_PATH, read and write */
/* True: the call is one of a nested runner's programs, and went to that. */
bool relay_forward(struct call *c);
void relay_tree_gone(struct tree *t);
void relay_exit(struct run *r);

/* ---- nested.c: under another runner ---- */
bool nested_possible(void);
int nested_open(struct run *r);
void nested_close(struct run *r);
int nested_attach(struct run_node *node); /* a program of @node is about to start */
bool nested_waiting(const struct run *r);
void nested_serve(struct run *r);
/* A copy of @fd of thread @tid, or -errno. */
int nested_copy(struct run *r, pid_t tid, int fd);

/* ---- mem.c: 0, -EFAULT, or -ENOENT when the caller is gone. Nothing is read or written for a dead caller. ---- */
int mem_read(struct call *c, uint64_t addr, void *buf, size_t n);
/* Reads ahead, before call_sock(): if that finds that it was the caller's memory, mem_read() needs no system call. */
void mem_read_early(struct call *c, uint64_t addr, uint64_t n);
int mem_write(struct call *c, uint64_t addr, const void *buf, size_t n);
/* Several places at once, with one system call where that is allowed. */
struct mem_part {
	uint64_t addr;
	void *buf;
	size_t len;
};
#define MEM_PARTS 24
int mem_read_parts(struct call *c, const struct mem_part *parts, unsigned nr);
int mem_write_parts(struct call *c, const struct mem_part *parts, unsigned nr);
/* A string of at most @size - 1 octets; its length, -ENAMETOOLONG, or as above. */
int mem_read_string(struct call *c, uint64_t addr, char *buf, size_t size);
/* @n octets from or to the program's vector. */
int mem_read_iov(struct call *c, const struct iovec *remote, unsigned nr, void *buf, size_t n);
int mem_write_iov(struct call *c, const struct iovec *remote, unsigned nr, const void *buf,
		  size_t n);

/* ---- ident.c ---- */
/* The attached socket behind the program's @fd, with a transient copy in c->a; NULL: not one of ours. */
struct asock *call_sock(struct call *c, int fd);
/* The same for a caller that reads the program's memory next: that tells whether the program still waits. */
struct asock *__call_sock(struct call *c, int fd);
/* A copy of @fd of thread @tid, or -errno. */
int ident_copy(struct run *r, pid_t tid, int fd);
/* A copy of the program's end of @s, whoever holds it; -1 if nobody does. The caller closes it. */
int ident_find(struct asock *s);
/* Does (tid, fd) still name the program's end? */
bool ident_hint_holds(const struct asock *s);
/* Frees those of run->orphans that no process holds. */
void ident_scan_orphans(struct run *r);
void ident_check_listeners(struct run *r);
bool ident_is_socket(struct call *c, int fd);
/* The inode of the caller's socket @fd; 0: it is none. */
ino_t ident_inode(struct call *c, int fd);
pid_t ident_process(pid_t tid); /* whose thread it is, or -1 */
pid_t ident_parent(pid_t pid);  /* or -1: gone */
/* In how many pid namespaces, from ours on, @pid has a number; 0: it cannot be told. */
unsigned ident_pid_namespaces(pid_t pid);
/* Is @pid one of ours: a descendant of this process? */
bool ident_in_tree(pid_t pid);
/* Calls @fn for each descendant of @ancestor. */
void ident_each_descendant(pid_t ancestor, void (*fn)(pid_t pid, void *arg), void *arg);

/* ---- sock.c ---- */

enum asock_state {
	AS_NEW,        /* not connected; a stream's program end is stuffed: not writable */
	AS_CONNECTING, /* a stream's SYN is out; stuffed */
	AS_CONNECTED,  /* octets flow */
	AS_LISTENING,  /* stuffed; an octet in the program's end tells of a waiting connection */
	AS_FAILED, /* @b is closed, so that the program sees an error; it may connect again with a new pair */
};

struct leftover {
	char *buf; /* NULL: none */
	size_t off, len;
};

/* A datagram that lies in the program's end: where it came from. */
struct dgram_entry {
	TAILQ_ENTRY(dgram_entry) link;
	struct sockaddr_storage addr;
	socklen_t addrlen;
	size_t len;
	int flags;
	unsigned weight; /* what the kernel charges us for it until it is read */
	size_t controllen;
	char *data; /* only for one that was taken out again: its octets */
	char control[];
};
TAILQ_HEAD(dgram_queue, dgram_entry);

struct asock {
	struct loop_source end; /* b */
	LIST_ENTRY(asock) hash_link;
	TAILQ_ENTRY(asock) orphan_link, again_link, dead_link;
	LIST_ENTRY(asock) close_link;
	int close_wd; /* inotify: the last close of the program's end is told; 0: not awaited */
	struct run *run;
	struct run_node *node;
	struct weir_file *file;
	ino_t ino;      /* of the program's end */
	int b;          /* our end, or -1 */
	pid_t hint_tid; /* where the program's end was seen last */
	int hint_fd;
	int domain, type, protocol;
	bool stream;
	uint8_t state; /* enum asock_state */
	bool dead, orphan, in_again, observed, joined;
	bool out_armed; /* EPOLLOUT is asked for on b */
	int kept_a; /* without pidfd_getfd: the program's end, until a stream is connected; else -1 */
	uint64_t rcvtimeo, sndtimeo; /* ns, 0: for ever */
	struct linger linger;
	int err; /* for SO_ERROR */
	struct parked_list waiters;

	/* streams */
	struct run_shortcut *shortcut; /* NULL: none */
	bool b_large;                  /* b's send buffer is */
	bool b_ready;                  /* b may have something to read: its edge was not used up */
	bool b_edge; /* and a short read is not the end of it: EOF, an error or an urgent octet is behind */
	size_t stuffed; /* octets in b that the program did not write */
	bool lag; /* without pidfd_getfd: one octet that was read already stays in b, so that closing b shows an error */
	size_t chunk; /* how much to read from b at once: halves when the stack takes less */
	struct leftover up, down;      /* read from one side, not yet taken by the other */
	bool b_eof;                    /* the program's end was shut or closed */
	bool fin_sent;                 /* weir_shutdown(SHUT_WR) done */
	bool peer_eof;                 /* the peer's FIN was passed on to the program */
	bool app_shut_rd, app_shut_wr; /* shutdown() by the program */
	bool closed;                   /* nobody holds the program's end */
	bool abort;                    /* ... and unread octets were lost: close with RST */
	bool undelivered_connect;      /* connect() succeeded, but its caller was interrupted */
	bool token;                    /* the octet of a listener is in the program's end */
	struct asock *stash;           /* listener: accepted, but its caller was interrupted */
	int stash_fd;                  /* of an asock that is a stash: the program's end */

	/* datagrams */
	bool shown;               /* an error: dgram.c */
	struct dgram_queue queue; /* lies in the program's end */
	size_t queue_weight;
	unsigned queue_len;
	struct dgram_entry *undelivered; /* taken for a caller that was interrupted */
	struct packet_end *packet;       /* a packet socket with a ring; else NULL */
};

/* A socket for @file (consumed, on failure too), @fresh from socket(). @ret_a: the program's end, which the caller injects and closes. */
int asock_create(struct run_node *node, struct weir_file *file, int domain, int type, int protocol,
		 bool fresh, struct asock **ret_sock, int *ret_a);
/* A fresh stream gets its other end, before it is bound, listens or is connected. @a: the program's end. 0, -errno; again: 0. */
int asock_join(struct asock *s, int a);
void asock_free(struct asock *s);
struct asock *asock_find(struct run *r, ino_t ino);
void asock_set_hint(struct asock *s, pid_t tid, int fd);
/* We are told when nobody holds the program's end, @a, any more; where that is not possible it is an orphan. */
void asock_await_close(struct asock *s, int a);
void asock_close_event(struct run *r, int wd);
void asock_close_events_lost(struct run *r);
void asock_orphan(struct asock *s); /* look from time to time whether anybody still holds it */
int asock_pair_type(const struct asock *s); /* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
void asock_unkeep(struct asock *s);         /* its closing is visible again: see kept_a */
void asock_again(struct asock *s);          /* pump it in the next turn */
void asock_arm_out(struct asock *s, bool on);
void asock_set_buffer(int fd); /* the largest that we use */
/* Gives @s a new pair; the program's end replaces descriptor @fd of the caller. */
int asock_renew(struct asock *s, struct call *c, int fd);
void asock_event(struct asock *s, uint32_t events); /* from weir */
void asock_bury(struct run *r);
void asock_observe(struct asock *s); /* tells run_observe_streams()'s function, once */
int asock_error(struct asock *s);    /* SO_ERROR of the weir socket, cleared */

/* ---- stream.c ---- */
void stream_connected(struct asock *s, int a);    /* @a -1: not at hand */
void stream_connect_done(struct asock *s, int a); /* @a -1: not at hand */
/* Octets from a call; the stack may keep some for later. How many were taken, or -errno. */
long stream_give(struct asock *s, const char *data, size_t len, int flags);
void stream_pump(struct asock *s);
void stream_end_event(struct asock *s, uint32_t events);
void stream_connect_failed(struct asock *s);
void stream_fail(struct asock *s, int a); /* the program's end shows an error from now on */
void stream_listener_event(struct asock *s);
void stream_token_put(struct asock *s);
void stream_token_take(struct asock *s, int a);
/* How many octets the program's end took; all, when nobody reads there any more. */
ssize_t stream_give_end(struct asock *s, const char *data, size_t len, int flags);
void leftover_free(struct leftover *l);

/* ---- shortcut.c ---- */
enum shortcut_way {
	SHORTCUT_NONE, /* as packets */
	SHORTCUT_OPEN,
	SHORTCUT_WAIT, /* until what goes as packets has arrived: then the socket is pumped again */
};
/* How the program's octets go now. */
enum shortcut_way shortcut_way(struct asock *s);
/* How many of them were taken; when there is room for the rest the socket is pumped again. Only when SHORTCUT_OPEN. */
size_t shortcut_give(struct asock *s, const char *data, size_t len);
void shortcut_look(struct asock *s);     /* @s was pumped: who waits for it may go on */
void shortcut_end(struct asock *s);      /* @s is about to go */
void shortcut_accepted(struct asock *s); /* the other end may be a program's of ours, too */

/* ---- dgram.c ---- */

/* A datagram on its way to a caller. */
struct dgram_msg {
	struct sockaddr_storage addr;
	socklen_t addrlen;
	int flags;
	size_t len; /* in run->scratch */
	size_t controllen;
	char control[1024];
};

void dgram_down(struct asock *s); /* stack -> program's end */
void dgram_up(struct asock *s);   /* program's end -> stack */
void dgram_end_event(struct asock *s, uint32_t events);
/* The next datagram, for a caller that wants its address. 0, -EAGAIN, or the socket's error. @a: the program's end. */
int dgram_take(struct asock *s, int a, bool peek, struct dgram_msg *ret);
/* The caller is gone: keep the datagram for the restarted call. */
void dgram_put_back(struct asock *s, const struct dgram_msg *m);
void dgram_free(struct asock *s);
void dgram_closed(struct asock *s); /* nobody holds the program's end any more */
/* The socket's pending error (positive) or 0; it is told. @a: the program's end, or -1. */
int dgram_error(struct asock *s, int a);
/* One was taken from the queue of errors, and is no longer in run->scratch. */
void dgram_error_read(struct asock *s, int a);
/* If there is an error, the program's end shows one. */
void dgram_look_for_errors(struct asock *s, int a);
/* What FIONREAD says. */
int dgram_next_len(struct asock *s);

/* ---- packet.c ---- */
bool packet_event(struct asock *s); /* from weir; false: @s has no ring */
void packet_option_set(struct asock *s, int level, int name, const void *val, socklen_t len);
void packet_swap_back(struct call *c); /* before a call is looked at */
void packet_free(struct asock *s);
enum call_result call_mmap(struct call *c);

/* ---- calls.c, calls_msg.c, calls_opt.c, views.c, unix.c: handlers ---- */
struct call_row {
	int nr;
	enum call_result (*fn)(struct call *c);
	/* Which arguments are a pointer to what the handler reads first, and its length; 0: none */
	uint8_t early_addr, early_len;
	uint8_t early_size; /* a length that is no argument */
};
const struct call_row *calls_find(int nr); /* NULL */
enum call_result call_sendto(struct call *c);
enum call_result call_recvfrom(struct call *c);
enum call_result call_sendmsg(struct call *c);
enum call_result call_recvmsg(struct call *c);
enum call_result call_sendmmsg(struct call *c);
enum call_result call_recvmmsg(struct call *c);
enum call_result call_getsockopt(struct call *c);
enum call_result call_setsockopt(struct call *c);
enum call_result call_ioctl(struct call *c);
enum call_result call_open(struct call *c);
enum call_result call_openat(struct call *c);
enum call_result call_openat2(struct call *c);
enum call_result call_creat(struct call *c);
enum call_result call_uname(struct call *c);
enum call_result call_sethostname(struct call *c);
enum call_result call_target_pid(struct call *c);
/* Does the caller want to wait? By O_NONBLOCK of the program's end and @flags (MSG_DONTWAIT). */
/* O_* of a program's descriptor, as /proc shows them; 0: it cannot be read. */
unsigned fdinfo_flags(pid_t tid, int fd);
bool call_nonblock(const struct call *c, int flags);
enum call_result call_park(struct call *c, uint64_t timeout_ns, int expire);
/* An address in and out, as the calls of socket(2) have it. */
int call_read_addr(struct call *c, uint64_t addr, uint64_t len, struct sockaddr_storage *ret);
int call_write_addr(struct call *c, uint64_t addr, uint64_t lenp, const struct sockaddr_storage *ss,
		    socklen_t len);
/* Says on stderr, once for each node, why nothing outside can be reached. */
void call_no_way_out(struct call *c, const struct sockaddr_storage *to);

/* ---- unix.c ---- */

/* A struct msghdr of the caller, copied once. */
#define IOV_LIMIT 1024
struct user_msg {
	uint64_t hdr; /* 0: not from a msghdr; the name length is behind lenp */
	uint64_t name, lenp, control;
	socklen_t namelen;
	size_t controllen, len;
	unsigned iovlen;
	struct iovec iov[IOV_LIMIT];
};

enum call_result unix_bind(struct call *c);
enum call_result unix_connect(struct call *c);
enum call_result unix_pair(struct call *c); /* socketpair() */
/* How many octets went, or -errno. -EAGAIN: unix_send_wait(). */
long unix_send(struct call *c, const struct user_msg *m, int flags);
enum call_result unix_send_wait(struct call *c);
int unix_init(struct run *r);
void unix_exit(struct run *r);

/* ---- park.c ---- */
struct parked {
	TAILQ_ENTRY(parked) link, sock_link;
	struct call call;
	uint64_t since;
	unsigned round; /* of park_wake() */
	bool busy;      /* its handler runs */
};
int park_add(struct call *c);             /* from notify_dispatch() */
void park_wake(struct asock *s);          /* try again: each call that waits for @s */
bool park_wake_one(struct asock *s);      /* the first that can go on; false: nobody waits or can */
void park_fail(struct asock *s, int err); /* all are answered @err (negative) */
void park_check(struct run *r);           /* expire and signals */
void park_tree_gone(struct tree *t);
uint64_t park_next(const struct run *r); /* when park_check() is due */
/* Exactly once on kernels where a signal can take the answer away: remember it for the restarted call. */
void park_remember(struct call *c, long ret);
bool park_recall(struct call *c, long *ret);

/* ---- path.c ---- */
/* What @path is for the caller, from directory @dirfd of its own: an O_PATH descriptor, or -errno. @follow: a link at its end, too. */
int path_open(struct call *c, int dirfd, const char *path, bool follow);
/* Is it /proc/PID/mem of a process that is not ours? */
bool path_is_foreign_memory(int fd);

/* ---- views.c ---- */
int views_init(struct run *r);
void views_exit(struct run *r);
struct inotify_event;
void views_event(struct run *r, const struct inotify_event *ev);

/* ---- inotify.c ---- */
void inotify_open(struct run *r);
void inotify_close(struct run *r);
/* Of what @fd is open on, whatever it is. The watch's number, above 0, or -errno. */
int inotify_watch(struct run *r, int fd, uint32_t mask);
void inotify_unwatch(struct run *r, int wd);

/* ---- node.c ---- */
void node_free_all(struct run *r);
const char *node_file_text(const struct run_node *node, const char *path);

/* ---- launch.c ---- */
struct run_proc {
	struct run *run;
	LIST_ENTRY(run_proc) link;
	struct tree *tree; /* NULL: nothing of it runs any more */
	struct run_node *node;
	pid_t pid;
	char *command;
	void (*changed)(struct run_proc *p, int wait_status, void *arg);
	void *arg;
};
void launch_reap(struct run *r);   /* SIGCHLD */
void launch_forget(struct run *r); /* the end: frees what is known of programs */
/* Kills every descendant of this process and waits for the last. */
void launch_kill_all(void);

/* ---- front.c ---- */
struct relayed_signal {
	int sig;     /* 0: none, the answer to FRONT_BYE */
	bool direct; /* sent to the front alone: programs in its process group have not seen it */
};
void front_report(struct run *r, int wait_status); /* the last message */

/* ---- control.c ---- */
int control_init(struct run *r);
void control_exit(struct run *r);

/* ---- state.c ---- */
/* Creates and locks the directory. @ret_fd: of the directory; @ret_lock: held while the instance lives. */
int state_create(const char *name, char **ret_dir, int *ret_fd, int *ret_lock);
void state_remove(const char *name);
/* Opens the directory of a live instance. */
int state_open(const char *name);
bool state_name_valid(const char *name);

/* ---- doctor.c ---- */
int doctor_probe(struct facilities *ret, char *why, size_t why_size);

#endif
