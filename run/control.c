/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - the control socket: commands from other processes of the same user
 *
 * Theory of operation
 *   STATE/control is a SEQPACKET socket. A request is one packet: strings, each ended by NUL, the first being the verb; "exec" also
 *   carries three descriptors (SCM_RIGHTS). Answers are packets too: one octet of kind, then text or a number. Both sides check
 *   that the other has the same uid.
 *   exec is a terminal proxy as docker exec is: the program runs here, as a child of the stack process, on the client's descriptors. If
 *   the client's stdin is a terminal, the client makes a pty, gives us its slave side, and shovels octets between the two; the program
 *   gets a session with that as controlling terminal. Otherwise signals are sent as packets. When the client goes away, its
 *   program is hung up.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define REQUEST_LIMIT (192 * 1024)
#define TEXT_CHUNK    (32 * 1024)

enum answer_kind { ANSWER_TEXT = 't', ANSWER_END = 'e', ANSWER_STARTED = 's', ANSWER_SIGNAL = 'k' };

struct answer {
	char kind;
	char pad[3];
	int value; /* END: exit status; STARTED: pid; SIGNAL (to the server): its number */
	char text[];
};

struct run_request {
	struct run_watch *watch;
	LIST_ENTRY(run_request) link;
	struct run *run;
	int fd;
	char *text;
	size_t len;
	unsigned nr;
	const char **args;
	int fds[3];
	struct run_proc *proc; /* exec */
	bool down;
};

struct control_verb {
	LIST_ENTRY(control_verb) link;
	const char *verb;
	void (*fn)(struct run *r, struct run_request *q, void *arg);
	void *arg;
};

/* ---- names ----------------------------------------------------------------------------------------------------------- */

/* Through /proc/self/fd, so that the path fits whatever the directory is called. */
static void control_address(int dir_fd, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "/proc/self/fd/%d/control", dir_fd);
}

static bool same_user(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == geteuid();
}

/* ---- requests --------------------------------------------------------------------------------------------------------- */

unsigned run_request_count(const struct run_request *q)
{
	return q->nr;
}

const char *run_request_arg(const struct run_request *q, unsigned i)
{
	return i < q->nr ? q->args[i] : "";
}

static int send_answer(int fd, char kind, int value, const char *text, size_t len)
{
	struct answer a = { .kind = kind, .value = value };
	struct iovec iov[2] = { { &a, sizeof(a) }, { (void *)(uintptr_t)text, len } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };

	return sendmsg(fd, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int run_request_send(struct run_request *q, const char *text, size_t len)
{
	int err = 0;

	while (len && !err) {
		size_t n = len < TEXT_CHUNK ? len : TEXT_CHUNK;

		err = send_answer(q->fd, ANSWER_TEXT, 0, text, n);
		text += n;
		len -= n;
	}
	return err;
}

int run_request_printf(struct run_request *q, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n, err;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	err = run_request_send(q, text, (size_t)n);
	free(text);
	return err;
}

static void close_fds(int fds[3])
{
	for (int i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

static void request_free(struct run_request *q)
{
	LIST_REMOVE(q, link);
	run_watch_remove(q->run, q->watch);
	close(q->fd);
	close_fds(q->fds);
	free(q->args);
	free(q->text);
	free(q);
}

void run_request_end(struct run_request *q, int status)
{
	send_answer(q->fd, ANSWER_END, status, NULL, 0);
	request_free(q);
}

/* ---- built-in verbs ---------------------------------------------------------------------------------------------------- */

static void exec_changed(struct run_proc *p, int wait_status, void *arg)
{
	struct run_request *q = arg;

	if (WIFSTOPPED(wait_status))
		return;
	q->proc = NULL;
	run_request_end(q, WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
						  : 128 + WTERMSIG(wait_status));
}

static struct run_node *only_node(struct run *r)
{
	struct run_node *first = LIST_FIRST(&r->nodes);

	return first && !LIST_NEXT(first, link) ? first : NULL;
}

static void list_nodes(struct run_request *q)
{
	struct run_node *node;

	LIST_FOREACH(node, &q->run->nodes, link)
	run_request_printf(q, " %s", node->name);
	run_request_printf(q, "\n");
}

/* exec NODE CWD SESSION NR-ARGS ARGS... ENV... */
static void verb_exec(struct run *r, struct run_request *q)
{
	const char *name = run_request_arg(q, 1);
	unsigned nr_args = (unsigned)atoi(run_request_arg(q, 4)), env_at;
	struct run_node *node = name[0] ? run_node_find(r, name) : only_node(r);
	struct run_spawn sp = {
		.fds = { q->fds[0], q->fds[1], q->fds[2] },
		.cwd = run_request_arg(q, 2),
		.session = run_request_arg(q, 3)[0] == '1',
		.changed = exec_changed,
		.arg = q,
	};
	char **vec;
	int err;

	if (!node) {
		run_request_printf(q,
				   name[0] ? "weir: no node \"%s\" here; there are:"
					   : "weir: which node? There are:%.0s",
				   name);
		list_nodes(q);
		run_request_end(q, 2);
		return;
	}
	if (nr_args < 1 || nr_args > q->nr || 5 + nr_args > q->nr || q->fds[2] < 0) {
		run_request_printf(q, "weir: malformed request\n");
		run_request_end(q, 2);
		return;
	}
	env_at = 5 + nr_args;
	vec = calloc(q->nr + 2, sizeof(*vec));
	if (!vec) {
		run_request_end(q, 125);
		return;
	}
	for (unsigned i = 0; i < nr_args; i++)
		vec[i] = (char *)(uintptr_t)q->args[5 + i];
	for (unsigned i = env_at; i < q->nr; i++)
		vec[i - env_at + nr_args + 1] = (char *)(uintptr_t)q->args[i];
	sp.argv = vec;
	sp.envp = vec + nr_args + 1;
	err = run_spawn(node, &sp, &q->proc);
	if (err) {
		run_request_printf(q, "weir: %s: %s\n", vec[0], strerror(-err));
		run_request_end(q, err == -ENOENT ? 127 : 126);
	} else {
		close_fds(q->fds);
		send_answer(q->fd, ANSWER_STARTED, q->proc->pid, NULL, 0);
	}
	free(vec);
}

static json_t *describe_node(struct run *r, struct run_node *node)
{
	json_t *procs = json_array();
	struct run_proc *p;

	LIST_FOREACH(p, &r->procs, link)
	if (p->node == node)
		json_array_append_new(
			procs, json_pack("{s:i, s:s}", "pid", (int)p->pid, "command", p->command));
	return json_pack("{s:s, s:o}", "name", node->name, "processes", procs);
}

/* Nodes and processes are kept newest first; people read them in the order they were made. */
static void verb_ps(struct run *r, struct run_request *q)
{
	json_t *nodes = json_array(), *info;
	struct run_node *node;
	char *text;

	LIST_FOREACH(node, &r->nodes, link)
	json_array_insert_new(nodes, 0, describe_node(r, node));
	info = json_pack("{s:s, s:s, s:o}", "name", r->name, "kind", r->kind, "nodes", nodes);
	text = json_dumps(info, JSON_COMPACT);
	json_decref(info);
	if (text)
		run_request_send(q, text, strlen(text));
	free(text);
	run_request_end(q, text ? 0 : 125);
}

/* Answered when all is over (control_exit). */
static void verb_down(struct run *r, struct run_request *q)
{
	q->down = true;
	run_finish(r, 0);
}

/* ---- the server ---------------------------------------------------------------------------------------------------------- */

int run_control_add(struct run *r, const char *verb,
		    void (*fn)(struct run *r, struct run_request *q, void *arg), void *arg)
{
	struct control_verb *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->verb = verb;
	v->fn = fn;
	v->arg = arg;
	LIST_INSERT_HEAD(&r->verbs, v, link);
	return 0;
}

static bool split_args(struct run_request *q)
{
	if (!q->len || q->text[q->len - 1] != '\0')
		return false;
	for (size_t i = 0; i < q->len; i++)
		q->nr += q->text[i] == '\0';
	q->args = calloc(q->nr, sizeof(*q->args));
	if (!q->args)
		return false;
	for (unsigned i = 0, at = 0; i < q->nr; i++) {
		q->args[i] = q->text + at;
		at += (unsigned)strlen(q->text + at) + 1;
	}
	return true;
}

static void take_fds(struct run_request *q, struct msghdr *h)
{
	struct cmsghdr *cm;

	for (cm = CMSG_FIRSTHDR(h); cm; cm = CMSG_NXTHDR(h, cm))
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS &&
		    cm->cmsg_len == CMSG_LEN(sizeof(q->fds)))
			memcpy(q->fds, CMSG_DATA(cm), sizeof(q->fds));
}

static bool receive_request(struct run_request *q)
{
	char control[CMSG_SPACE(sizeof(q->fds))];
	struct iovec iov = { NULL, REQUEST_LIMIT };
	struct msghdr h = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	iov.iov_base = malloc(REQUEST_LIMIT);
	if (!iov.iov_base)
		return false;
	n = recvmsg(q->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	take_fds(q, &h);
	q->text = iov.iov_base;
	q->len = n > 0 ? (size_t)n : 0;
	return n > 0 && !(h.msg_flags & MSG_TRUNC) && split_args(q);
}

static void dispatch(struct run_request *q)
{
	struct run *r = q->run;
	static const struct {
		const char *verb;
		void (*fn)(struct run *r, struct run_request *q);
	} builtin[] = { { "exec", verb_exec }, { "ps", verb_ps }, { "down", verb_down } };
	const char *verb = run_request_arg(q, 0);
	struct control_verb *v;

	for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
		if (!strcmp(builtin[i].verb, verb)) {
			builtin[i].fn(r, q);
			return;
		}
	LIST_FOREACH(v, &r->verbs, link)
	if (!strcmp(v->verb, verb)) {
		v->fn(r, q, v->arg);
		return;
	}
	run_request_printf(q, "weir: \"%s\" does not know the command \"%s\"\n", r->name, verb);
	run_request_end(q, 2);
}

/* After the request: signals for its program, and the client's end. */
static void client_packet(struct run_request *q)
{
	struct answer a;
	ssize_t n = recv(q->fd, &a, sizeof(a), MSG_DONTWAIT);

	if (n == (ssize_t)sizeof(a) && a.kind == ANSWER_SIGNAL && q->proc) {
		run_proc_kill(q->proc, a.value);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		return;
	if (q->proc) {
		q->proc->changed = NULL;
		run_proc_kill(q->proc, SIGHUP);
	}
	request_free(q);
}

static void client_event(int fd, uint32_t events, void *arg)
{
	struct run_request *q = arg;

	if (q->text) {
		client_packet(q);
		return;
	}
	if (receive_request(q))
		dispatch(q);
	else
		request_free(q);
}

static void control_event(struct loop_source *src, uint32_t events)
{
	struct run *r = (struct run *)((char *)src - offsetof(struct run, control_source));
	int fd = accept4(src->fd, NULL, NULL, SOCK_CLOEXEC);
	struct run_request *q;

	if (fd < 0)
		return;
	q = same_user(fd) ? calloc(1, sizeof(*q)) : NULL;
	if (!q) {
		close(fd);
		return;
	}
	q->run = r;
	q->fd = fd;
	q->fds[0] = q->fds[1] = q->fds[2] = -1;
	q->watch = run_watch_add(r, fd, EPOLLIN, client_event, q);
	if (!q->watch) {
		close(fd);
		free(q);
		return;
	}
	LIST_INSERT_HEAD(&r->requests, q, link);
}

int control_init(struct run *r)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;
	struct sockaddr_un sun;

	if (fd < 0)
		return -errno;
	control_address(r->dir_fd, &sun);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || listen(fd, 16) < 0)
		err = -errno;
	else
		err = loop_add(r, r->ep, &r->control_source, fd, EPOLLIN, control_event);
	if (err)
		close(fd);
	return err;
}

void control_exit(struct run *r)
{
	struct control_verb *v;
	struct run_request *q, *next;

	for (q = LIST_FIRST(&r->requests); q; q = next) {
		next = LIST_NEXT(q, link);
		if (q->proc)
			q->proc->changed = NULL;
		run_request_end(q, q->down ? 0 : 128 + SIGKILL);
	}
	while ((v = LIST_FIRST(&r->verbs))) {
		LIST_REMOVE(v, link);
		free(v);
	}
}

/* ---- the client ------------------------------------------------------------------------------------------------------------ */

static int connect_to(const char *name)
{
	int dir = state_open(name), fd, err = 0;
	struct sockaddr_un sun;

	if (dir < 0)
		return dir;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	control_address(dir, &sun);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		err = -errno;
	else if (!same_user(fd))
		err = -EPERM;
	close(dir);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

struct packet {
	char *text;
	size_t len;
};

static int packet_add(struct packet *p, const char *arg)
{
	size_t n = strlen(arg) + 1;

	if (p->len + n > REQUEST_LIMIT)
		return -E2BIG;
	memcpy(p->text + p->len, arg, n);
	p->len += n;
	return 0;
}

static int send_packet(int fd, const struct packet *p, const int fds[3])
{
	char control[CMSG_SPACE(3 * sizeof(int))] = { 0 };
	struct iovec iov = { p->text, p->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	int size = 2 * REQUEST_LIMIT;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fds) {
		struct cmsghdr *cm;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(3 * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, 3 * sizeof(int));
	}
	return sendmsg(fd, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* One answer. > 0: go on; 0: *ret_status is the end; -errno. */
static int read_answer(int fd, FILE *out, int *ret_status)
{
	char buf[sizeof(struct answer) + TEXT_CHUNK] __attribute__((aligned(8)));
	struct answer *a = (struct answer *)buf;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	if (n < (ssize_t)sizeof(*a))
		return -ECONNRESET;
	if (a->kind == ANSWER_TEXT)
		fwrite(a->text, 1, (size_t)n - sizeof(*a), out);
	if (a->kind != ANSWER_END)
		return 1;
	*ret_status = a->value;
	return 0;
}

/* "down" is over when the front has removed the directory. */
static void wait_gone(const char *name)
{
	for (int i = 0; i < 2000; i++) {
		int fd = state_open(name);

		if (fd < 0)
			return;
		close(fd);
		usleep(5000);
	}
}

int run_control_call(const char *name, const char *const *args, unsigned n, FILE *out)
{
	struct packet p = { malloc(REQUEST_LIMIT), 0 };
	int fd = connect_to(name), err = 0, status;

	if (fd < 0 || !p.text) {
		free(p.text);
		return fd < 0 ? fd : -ENOMEM;
	}
	for (unsigned i = 0; i < n && !err; i++)
		err = packet_add(&p, args[i]);
	if (!err)
		err = send_packet(fd, &p, NULL);
	free(p.text);
	while (!err) {
		err = read_answer(fd, out, &status);
		if (err > 0) {
			err = 0;
			continue;
		}
		break;
	}
	close(fd);
	fflush(out);
	if (!err && !strcmp(args[0], "down"))
		wait_gone(name);
	return err ? err : status;
}

struct proxy {
	int fd; /* control connection */
	int signals;
	int master; /* pty, or -1 */
	int status;
};

static void copy_window(int from, int to)
{
	struct winsize ws;

	if (ioctl(from, TIOCGWINSZ, &ws) == 0)
		ioctl(to, TIOCSWINSZ, &ws);
}

static void proxy_signals(struct proxy *x)
{
	struct signalfd_siginfo si;

	while (read(x->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		struct answer a = { .kind = ANSWER_SIGNAL, .value = (int)si.ssi_signo };

		if (a.value == SIGWINCH && x->master >= 0)
			copy_window(STDIN_FILENO, x->master);
		else if (a.value != SIGCHLD && a.value != SIGTTOU && a.value != SIGTTIN)
			send(x->fd, &a, sizeof(a), MSG_NOSIGNAL);
	}
}

static bool copy_octets(int from, int to)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t off = 0; off < n;) {
		ssize_t k = write(to, buf + off, (size_t)(n - off));

		if (k < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		off += k > 0 ? k : 0;
	}
	return n > 0;
}

/* What the program wrote before it ended. */
static void drain_master(struct proxy *x)
{
	struct pollfd p = { .fd = x->master, .events = POLLIN };

	while (x->master >= 0 && poll(&p, 1, 50) > 0 && (p.revents & POLLIN))
		if (!copy_octets(x->master, STDOUT_FILENO))
			return;
}

static int proxy_loop(struct proxy *x)
{
	struct pollfd p[4] = {
		{ .fd = x->fd, .events = POLLIN },
		{ .fd = x->signals, .events = POLLIN },
		{ .fd = x->master, .events = POLLIN },
		{ .fd = x->master >= 0 ? STDIN_FILENO : -1, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			proxy_signals(x);
		if (p[2].revents && !copy_octets(x->master, STDOUT_FILENO))
			p[2].fd = -1;
		if (p[3].revents && !copy_octets(STDIN_FILENO, x->master))
			p[3].fd = -1;
		if (p[0].revents) {
			int err = read_answer(x->fd, stderr, &x->status);

			if (err <= 0) {
				drain_master(x);
				return err;
			}
		}
	}
}

/* Our terminal passes every octet; the pty's line discipline does the rest. */
static int open_proxy_pty(struct proxy *x, int *ret_slave, struct termios *saved)
{
	struct termios raw;
	struct winsize ws = { 0 };

	if (tcgetattr(STDIN_FILENO, saved) < 0)
		return -errno;
	ioctl(STDIN_FILENO, TIOCGWINSZ, &ws);
	if (openpty(&x->master, ret_slave, NULL, saved, &ws) < 0)
		return -errno;
	fcntl(x->master, F_SETFD, FD_CLOEXEC);
	raw = *saved;
	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0 ? -errno : 0;
}

static int exec_packet(struct packet *p, const char *node, bool session, char *const *argv)
{
	char cwd[PATH_MAX], count[16];
	unsigned n = 0;
	int err;

	while (argv[n])
		n++;
	snprintf(count, sizeof(count), "%u", n);
	err = packet_add(p, "exec");
	if (!err)
		err = packet_add(p, node ? node : "");
	if (!err)
		err = packet_add(p, getcwd(cwd, sizeof(cwd)) ? cwd : "/");
	if (!err)
		err = packet_add(p, session ? "1" : "0");
	if (!err)
		err = packet_add(p, count);
	for (unsigned i = 0; i < n && !err; i++)
		err = packet_add(p, argv[i]);
	for (char **e = environ; *e && !err; e++)
		err = packet_add(p, *e);
	return err;
}

int run_control_exec(const char *name, const char *node, char *const *argv)
{
	struct proxy x = { .fd = connect_to(name), .signals = -1, .master = -1, .status = 125 };
	struct packet p = { malloc(REQUEST_LIMIT), 0 };
	bool tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int fds[3] = { 0, 1, 2 }, slave = -1, err;
	struct termios saved;
	sigset_t set;

	if (x.fd < 0 || !p.text) {
		free(p.text);
		return x.fd < 0 ? x.fd : -ENOMEM;
	}
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	x.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	err = exec_packet(&p, node, tty, argv);
	if (!err && tty) {
		err = open_proxy_pty(&x, &slave, &saved);
		fds[0] = fds[1] = fds[2] = slave;
	}
	if (!err)
		err = send_packet(x.fd, &p, fds);
	free(p.text);
	if (slave >= 0)
		close(slave);
	if (!err)
		err = proxy_loop(&x);
	if (x.master >= 0) {
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
		close(x.master);
	}
	close(x.fd);
	close(x.signals);
	return err ? err : x.status;
}
