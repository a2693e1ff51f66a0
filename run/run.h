/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - the runner: unmodified programs on weir nets
 *
 * Three kinds of process:
 *   front    what the user started. Holds the state directory, relays signals and the terminal, cleans up. run_front().
 *   stack    child of the front: the machine, its nets, and the supervisor that serves the programs. One thread, one loop.
 *            Everything below run_front() in this header is called there, from the set-up function or from callbacks.
 *   programs children of the stack process, each tree attached to one node.
 *
 * Functions return 0 or a positive result, or a negative errno value.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct run;         /* the stack process */
struct run_node;    /* a net, and what its programs see besides it */
struct run_proc;    /* a program that was started here (its children belong to it) */
struct run_request; /* a command that came through the control socket */
struct run_timer;
struct weir_file;
struct weir_machine;
struct weir_net;

/* ---- front.c ------------------------------------------------------------------------------------------- */

struct run_config {
	const char *name; /* of the state directory; NULL: "KIND-PID" */
	const char *kind; /* "run", "lab": shown by weir ps */
	bool seeded;
	uint64_t seed;
	bool detach; /* return when run_ready() is called; the front goes on in the background */
	/*
	 * Called once in the stack process, before the loop. 0: go on until run_finish(). Otherwise an exit status; the function
	 * has then said on stderr why.
	 */
	int (*setup)(struct run *r, void *arg);
	void *arg;
};

/* Returns the exit status for the caller's main(). A program that died by a signal makes the front die by it too. */
int run_front(const struct run_config *cfg);

/* ---- loop.c: the stack process -------------------------------------------------------------------------- */

struct weir_machine *run_machine(struct run *r);
const char *run_name(const struct run *r);
const char *run_state_dir(const struct run *r); /* absolute path */
/* Ends everything: programs are killed, the front exits with @wait_status, a status as waitpid() gives it (exit code << 8). */
void run_finish(struct run *r, int wait_status);

/* With run_config.detach: whoever started us gets exit status @status, and what is said from now on goes to STATE/log. */
void run_ready(struct run *r, int status);
/* Calls @fn for each TCP socket of a program that had a connection, before it is closed: for statistics (TCP_INFO). One observer. */
struct weir_file;
void run_observe_streams(struct run *r,
			 void (*fn)(struct run_node *node, struct weir_file *f, void *arg),
			 void *arg);

/* @fn runs once at run_now() >= @at, then the timer is gone. NULL: out of memory. */
struct run_timer *run_timer_add(struct run *r, uint64_t at, void (*fn)(void *arg), void *arg);
void run_timer_cancel(struct run *r, struct run_timer *t); /* not after it ran */
uint64_t run_now(const struct run *r);
/* Calls @fn with EPOLL* bits whenever @fd is ready (level triggered); the fd stays the caller's. */
struct run_watch;
struct run_watch *run_watch_add(struct run *r, int fd, uint32_t events,
				void (*fn)(int fd, uint32_t events, void *arg), void *arg);
void run_watch_remove(struct run *r, struct run_watch *w);
/* @fn runs in each turn of the stack, after the machine has worked: true if it did something. 0, -ENOMEM */
int run_turn_add(struct run *r, bool (*fn)(void *arg), void *arg);
void run_turn_remove(struct run *r, bool (*fn)(void *arg), void *arg);
/*
 * Signals that the front was sent. @direct: to it alone, so that programs in its process group (run_spawn.foreground) have not seen
 * it. Without a handler SIGINT, SIGTERM, SIGHUP and SIGQUIT end everything.
 */
void run_on_signal(struct run *r, void (*fn)(struct run *r, int sig, bool direct, void *arg),
		   void *arg);
/* The program in the foreground has stopped: the front stops too. */
void run_suspend(struct run *r);
/* Called at the end, while nets and programs still exist: to print tables. */
void run_at_finish(struct run *r, void (*fn)(struct run *r, void *arg), void *arg);

/* ---- unix.c ---------------------------------------------------------------------------------------------- */

/* Programs may reach AF_UNIX socket @path, those in directory @path, or "@NAME", an abstract one; else only those they bind. */
int run_allow_unix(struct run *r, const char *path);

/* ---- launch.c: before the first program ------------------------------------------------------------------- */

/* Programs may mount file systems in namespaces of their own: they are not confined by Landlock, which forbids that. */
void run_allow_mount(struct run *r);

/* ---- node.c ---------------------------------------------------------------------------------------------- */

/* @name without '/'. The net becomes the node's: it is destroyed with it. */
int run_node_create(struct run *r, const char *name, struct weir_net *net,
		    struct run_node **ret_node);
/* A net as `weir run` has it: lo up with 127.0.0.1/8, every port and ping open to everybody. */
int run_node_loopback(struct run *r, const char *name, struct run_node **ret_node);
struct run_node *run_node_find(struct run *r, const char *name); /* NULL: the name is unknown */
struct weir_net *run_node_net(struct run_node *node);
const char *run_node_name(const struct run_node *node);
/* How a hosts file begins. */
#define RUN_HOSTS_LOCALHOST "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
/* What programs read under @path: "/etc/hosts", "/etc/resolv.conf", "/etc/hostname". */
int run_node_set_file(struct run_node *node, const char *path, const char *text);
/* The process of the node's that was seen last with the socket of @proto (IPPROTO_*) on local port @port; 0: none is known. */
pid_t run_node_socket_owner(struct run_node *node, int proto, uint16_t port);
int run_node_set_hostname(struct run_node *node,
			  const char *hostname); /* also sets /etc/hostname */
/* Puts lo up with 127.0.0.1/8 and opens low ports and ping to everybody. */
int run_net_open(struct weir_net *net);

/* ---- launch.c --------------------------------------------------------------------------------------------- */

struct run_spawn {
	char *const *argv;
	char *const *envp; /* NULL: the stack process's own */
	const char *cwd;   /* NULL: unchanged */
	int fds[3];        /* become 0, 1, 2; stay the caller's */
	bool inherit; /* descriptors above 2 that were open when the front started are passed on */
	bool session; /* a session of its own, with descriptor 0 as controlling terminal if it is one */
	bool foreground; /* in the front's process group, as if the front's shell had started it; else in one of its own */
	/* The program itself has ended or stopped; what it left behind may still run. @wait_status as of waitpid(). May be NULL. */
	void (*changed)(struct run_proc *p, int wait_status, void *arg);
	void *arg;
};

/* Fails with the errno of execve (-ENOENT ...) if the program cannot be started. @ret_proc lives until it has ended. */
int run_spawn(struct run_node *node, const struct run_spawn *sp, struct run_proc **ret_proc);
pid_t run_proc_pid(const struct run_proc *p);
void run_proc_kill(struct run_proc *p, int sig); /* its process group, if it has one of its own */
/* Ends the program and every process that descends from it. */
void run_proc_kill_tree(struct run_proc *p);

/* ---- shortcut.c: octets that need not be packets ------------------------------------------------------------ */

/*
 * For an embedder that carries on a program's TCP stream elsewhere: @far is the other end of the stream's connection, in a net of its own.
 * Where weir_bypass_ready() allows it, octets go from the program to it, and back, without being packets. Handshake, close and errors
 * are those of the connection, always. One thread; none of the two calls comes back from inside another of these.
 */
struct run_shortcut_ops {
	/* Octets of the program, in order: how many were taken. If not all, run_shortcut_look() asks for the rest. @nodelay: TCP_NODELAY
	 * of the program's socket. */
	size_t (*give)(void *arg, const char *data, size_t len, bool nodelay);
	/* Ask again for octets for the program: there is room, or those that were packets have arrived. */
	void (*look)(void *arg);
};
struct run_shortcut;
/* NULL: the other end of @far is no program's stream of @node, it has one already, or no memory. */
struct run_shortcut *run_shortcut_open(struct run_node *node, struct weir_file *far,
				       const struct run_shortcut_ops *ops, void *arg);
void run_shortcut_close(struct run_shortcut *sc); /* before @far is closed; NULL: nothing */
/* How octets for the program go now: 0 run_shortcut_give(), -EBUSY weir_send(@far), -EAGAIN not before look() is called. */
int run_shortcut_ready(struct run_shortcut *sc);
/* How many were taken; look() is called when there is room for the rest. */
size_t run_shortcut_give(struct run_shortcut *sc, const char *data, size_t len);
/* There is room for the program's octets, or @far was read empty. */
void run_shortcut_look(struct run_shortcut *sc);

/* ---- attach.c: programs on a net of the caller's own ------------------------------------------------------ */

/*
 * For processes that hold a machine without a front and a loop: drill runs the commands of a script so. One thread calls these. The
 * machine does nothing but answer the programs meanwhile; a virtual clock stands still, so that a program that waits for the network
 * waits for ever. run_attach_create(): 0, or -errno with a sentence in @error.
 */
struct run_attach;
int run_attach_create(struct weir_net *net, struct run_attach **ret_attach, char *error,
		      size_t size);
void run_attach_destroy(struct run_attach *a); /* before the net; NULL: nothing */
/* Runs @argv in @cwd with our standard descriptors until it has ended; what it left behind is ended too. 0 and a status of waitpid(). */
int run_attach_command(struct run_attach *a, char *const *argv, const char *cwd,
		       int *ret_wait_status);

/* ---- control.c: commands from other processes ------------------------------------------------------------ */

/* A request is a list of strings; the first is the verb. */
unsigned run_request_count(const struct run_request *q);
const char *run_request_arg(const struct run_request *q, unsigned i); /* "" behind the end */
/* Text for the client; any number of times. */
int run_request_send(struct run_request *q, const char *text, size_t len);
int run_request_printf(struct run_request *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The client exits with @status. The request is gone afterwards. */
void run_request_end(struct run_request *q, int status);
/* Verbs besides the built-in "exec", "ps" (JSON) and "down" (ends the instance). @fn ends the request now or later. */
int run_control_add(struct run *r, const char *verb,
		    void (*fn)(struct run *r, struct run_request *q, void *arg), void *arg);

/* The client's side. Sends @args to instance @name; the answer's text goes to @out. Returns the status, or -errno. */
int run_control_call(const char *name, const char *const *args, unsigned n, FILE *out);
/* weir exec: runs @argv on @node (NULL or "": the only one) of @name with our descriptors. Returns an exit status. */
int run_control_exec(const char *name, const char *node, char *const *argv);

/* ---- state.c: instances of this user --------------------------------------------------------------------- */

/* Calls @fn for each live instance until it returns non-zero; stale ones are removed on the way. */
int run_state_each(int (*fn)(const char *name, void *arg), void *arg);

/* ---- doctor.c ---------------------------------------------------------------------------------------------- */

/* Prints what this machine offers. Returns 0 if programs can be attached, else 1. */
int run_doctor(FILE *out, bool json);

#endif
