/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_run.c - from a description to a lab that lives
 *
 * Theory of operation
 *   Runs in the stack process of the runner (run/run.h). set_up() builds nets and links by netlink, before the loop. Then a small machine of
 *   steps: each process is started and waited for, in the order of the file; then the exec commands run one by one. A step ends
 *   by a callback (a program ended) or by a poll of its condition every WAIT_POLL_NS. The first failure decides the exit status and
 *   ends the lab, unless it is to stay up.
 */
#include "lab/lab_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/weir.h>

#include "lab/lab_net.h"
#include "lab/report.h"
#include "see/session.h"
#include "see/walk.h"
#include "uplink/uplink.h"

#define WAIT_POLL_NS 10000000ull

struct live_process {
	struct lab *lab;
	const struct lab_process *desc;
	size_t node;
	struct run_proc *proc; /* NULL: not running */
	bool foreground;       /* on the terminal: when it stops, so do we */
	bool ended;
	int status; /* of waitpid() */
};

struct lab {
	struct lab_desc *desc;
	const struct lab_options *opt;
	struct run *run;
	struct run_node **nodes;
	struct weir_net *media; /* NULL: the lab has none */
	struct see_session *see;
	struct lab_report *report;
	struct live_process *procs; /* processes of all nodes, then exec commands of all nodes */
	size_t nr_procs, nr_background, step;
	uint64_t step_started;
	char dir[4096];
	int exit_status; /* of waitpid(); the first that was not 0 */
};

/* ---- messages ------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int complain(const struct lab *lab, unsigned line,
							  const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", lab->desc->file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

static const char *reason(int err, const struct net_error *e)
{
	return *e->text ? e->text : strerror(-err);
}

/* ---- network --------------------------------------------------------------------------------------------- */

static struct weir_net *net_of(const struct lab *lab, size_t node)
{
	return run_node_net(lab->nodes[node]);
}

static int make_node(struct lab *lab, size_t i)
{
	const struct lab_node *n = &lab->desc->nodes[i];
	struct weir_net *net = weir_net_create(run_machine(lab->run), n->name);
	int err = net ? run_net_open(net) : -errno;

	if (err == 0)
		err = run_node_create(lab->run, n->name, net, &lab->nodes[i]);
	if (err == 0)
		err = run_node_set_hostname(lab->nodes[i], n->hostname ? n->hostname : n->name);
	if (err < 0)
		return complain(lab, n->line, "node '%s' cannot be made: %s", n->name,
				strerror(-err));
	err = see_session_watch(lab->see, net);
	if (err < 0)
		return complain(lab, n->line, "node '%s' cannot be watched: %s", n->name,
				strerror(-err));
	return 0;
}

/* ---- media and cards ---------------------------------------------------------------------------------------- */

/* Media belong to no node: they are in a net of their own, which no program sees. */
static int make_media(struct lab *lab)
{
	struct net_error e = { "" };

	if (!lab->desc->nr_media)
		return 0;
	lab->media = weir_net_create(run_machine(lab->run), ":media");
	if (!lab->media || see_session_watch(lab->see, lab->media))
		return complain(lab, lab->desc->media[0].line, "media cannot be made: %s",
				strerror(errno));
	for (size_t i = 0; i < lab->desc->nr_media; i++) {
		const struct lab_medium *m = &lab->desc->media[i];
		int err = net_medium_add(lab->media, m->name, m->kind, &e);

		if (!err)
			err = net_medium_configure(lab->media, m, &e);
		if (err)
			return complain(lab, m->line, "%s '%s' cannot be made: %s", m->kind,
					m->name, reason(err, &e));
	}
	return 0;
}

/* Everything about a card but what it is plugged into. */
static int configure_card(struct lab *lab, const struct lab_endpoint *end,
			  const struct lab_card *card, uint32_t mtu, unsigned line)
{
	struct weir_net *net = net_of(lab, end->node);
	const char *node = lab->desc->nodes[end->node].name;
	struct net_error e = { "" };
	int err = net_nic_configure(net, end->ifname, card, &end->out, &e);

	if (!err && mtu)
		err = net_link_set_mtu(net, end->ifname, mtu, &e);
	if (err)
		return complain(lab, line, "card %s:%s cannot be set up: %s", node, end->ifname,
				reason(err, &e));
	for (size_t i = 0; i < card->nr_features; i++) {
		const struct lab_feature *f = &card->features[i];

		err = net_set_feature(net, end->ifname, f);
		if (err)
			return complain(lab, f->line, "card %s:%s: feature '%s' %s", node,
					end->ifname, f->name,
					err == -ENOENT ? "is unknown; ethtool -k lists them"
						       : "cannot be changed");
	}
	return 0;
}

static int make_plug(struct lab *lab, const struct lab_plug *p)
{
	struct net_error e = { "" };
	int err = net_nic_add(lab->media, lab->desc->media[p->medium].name,
			      net_of(lab, p->end.node), p->end.ifname, &e);

	if (err)
		return complain(lab, p->line, "card %s:%s cannot be made: %s",
				lab->desc->nodes[p->end.node].name, p->end.ifname, reason(err, &e));
	return configure_card(lab, &p->end, &p->card, p->mtu, p->line);
}

static int make_plugs(struct lab *lab)
{
	for (size_t i = 0; i < lab->desc->nr_plugs; i++)
		if (make_plug(lab, &lab->desc->plugs[i]))
			return 1;
	return 0;
}

/* A cable between two cards. */
static int make_cable(struct lab *lab, const struct lab_link *l)
{
	struct weir_net *a = net_of(lab, l->end[0].node), *b = net_of(lab, l->end[1].node);
	struct net_error e = { "" };
	int err = net_nic_add(a, NULL, a, l->end[0].ifname, &e);

	if (!err)
		err = net_nic_add(a, l->end[0].ifname, b, l->end[1].ifname, &e);
	if (err)
		return complain(lab, l->line, "cable %s:%s - %s:%s cannot be made: %s",
				lab->desc->nodes[l->end[0].node].name, l->end[0].ifname,
				lab->desc->nodes[l->end[1].node].name, l->end[1].ifname,
				reason(err, &e));
	for (int k = 0; k < 2; k++)
		if (configure_card(lab, &l->end[k], &l->card, l->mtu, l->line))
			return 1;
	return 0;
}

/* ---- links -------------------------------------------------------------------------------------------------- */

static int make_link(struct lab *lab, size_t i)
{
	static const struct lab_impairment none;
	const struct lab_link *l = &lab->desc->links[i];
	struct net_error e = { "" };
	int err;

	if (l->card.present)
		return make_cable(lab, l);
	err = net_veth_add(net_of(lab, l->end[0].node), l->end[0].ifname,
			   net_of(lab, l->end[1].node), l->end[1].ifname, l->mtu, &e);

	for (int k = 0; k < 2 && err == 0; k++) {
		struct weir_net *net = net_of(lab, l->end[k].node);

		if (memcmp(&l->end[k].out, &none, sizeof(none)))
			err = net_link_impair(net, l->end[k].ifname, &l->end[k].out, &e);
	}
	return err == 0 ? 0
			: complain(lab, l->line, "link %s:%s - %s:%s cannot be made: %s",
				   lab->desc->nodes[l->end[0].node].name, l->end[0].ifname,
				   lab->desc->nodes[l->end[1].node].name, l->end[1].ifname,
				   reason(err, &e));
}

static int make_host_device(struct lab *lab, const struct lab_host_link *l)
{
	struct weir_net *net = net_of(lab, l->node);
	struct net_error e = { "" };
	int err = weir_dev_attach(net, l->ifname, l->host, e.text, sizeof(e.text));

	if (err == 0 && l->mtu)
		err = net_link_set_mtu(net, l->ifname, l->mtu, &e);
	return err == 0 ? 0
			: complain(lab, l->line, "link %s:%s - %s cannot be made: %s",
				   lab->desc->nodes[l->node].name, l->ifname, l->host,
				   reason(err, &e));
}

/* The way out: a gateway of its own for each link. */
static int make_uplink(struct lab *lab, const struct lab_host_link *l)
{
	struct uplink_config cfg = { .ifname = l->ifname, .mtu = l->mtu };
	char why[256];
	int err = uplink_create(lab->run, lab->nodes[l->node], &cfg, why, sizeof(why));

	return err == 0 ? 0
			: complain(lab, l->line, "link %s:%s - uplink: cannot be made: %s%s%s",
				   lab->desc->nodes[l->node].name, l->ifname, strerror(-err),
				   why[0] ? ": " : "", why);
}

static int make_host_link(struct lab *lab, size_t i)
{
	const struct lab_host_link *l = &lab->desc->host_links[i];

	return strcmp(l->host, LAB_UPLINK) ? make_host_device(lab, l) : make_uplink(lab, l);
}
static int raise_link(struct lab *lab, size_t node, const char *ifname, unsigned line)
{
	struct net_error e = { "" };
	int err = net_link_up(net_of(lab, node), ifname, &e);

	return err == 0 ? 0
			: complain(lab, line, "%s:%s cannot be put up: %s",
				   lab->desc->nodes[node].name, ifname, reason(err, &e));
}

static int raise_links(struct lab *lab)
{
	const struct lab_desc *d = lab->desc;

	for (size_t i = 0; i < d->nr_links * 2; i++) {
		const struct lab_endpoint *end = &d->links[i / 2].end[i % 2];

		if (raise_link(lab, end->node, end->ifname, d->links[i / 2].line))
			return 1;
	}
	for (size_t i = 0; i < d->nr_host_links; i++)
		if (raise_link(lab, d->host_links[i].node, d->host_links[i].ifname,
			       d->host_links[i].line))
			return 1;
	for (size_t i = 0; i < d->nr_plugs; i++)
		if (raise_link(lab, d->plugs[i].end.node, d->plugs[i].end.ifname, d->plugs[i].line))
			return 1;
	return 0;
}

static int configure_node(struct lab *lab, size_t i)
{
	const struct lab_node *n = &lab->desc->nodes[i];
	struct net_error e = { "" };

	for (size_t k = 0; k < n->nr_sysctls; k++) {
		int err = weir_sysctl(net_of(lab, i), n->sysctls[k].name, n->sysctls[k].value);

		if (err < 0)
			return complain(lab, n->sysctls[k].line,
					"topology.nodes.%s.sysctls.%s: '%s' was refused: %s",
					n->name, n->sysctls[k].name, n->sysctls[k].value,
					err == -ENOENT ? "there is no such sysctl"
						       : strerror(-err));
	}
	for (size_t k = 0; k < n->nr_addresses; k++) {
		const struct lab_address *a = &n->addresses[k];
		int err = net_ip_add(net_of(lab, i), a->ifname, &a->addr, a->prefixlen, &e);

		if (err < 0)
			return complain(lab, a->line, "topology.nodes.%s.addresses.%s: %s", n->name,
					a->ifname, reason(err, &e));
	}
	return 0;
}

static int add_routes(struct lab *lab, size_t i)
{
	const struct lab_node *n = &lab->desc->nodes[i];
	struct net_error e = { "" };

	for (size_t k = 0; k < n->nr_routes; k++) {
		int err = net_route_add(net_of(lab, i), &n->routes[k], &e);

		if (err < 0)
			return complain(lab, n->routes[k].line, "topology.nodes.%s.routes[%zu]: %s",
					n->name, k, reason(err, &e));
	}
	return 0;
}

/* The node's first address of @family, or NULL. */
static const struct lab_ip *first_address(const struct lab_node *n, int family)
{
	for (size_t k = 0; k < n->nr_addresses; k++)
		if (n->addresses[k].addr.family == family)
			return &n->addresses[k].addr;
	return NULL;
}

static void write_host(FILE *f, const struct lab_node *n, const char *addr)
{
	fprintf(f, "%s\t%s", addr, n->name);
	if (n->hostname && strcmp(n->hostname, n->name))
		fprintf(f, " %s", n->hostname);
	fputc('\n', f);
}

/* Every node finds every other by name, in both families if it has both. */
static int write_hosts(struct lab *lab)
{
	static const int families[] = { AF_INET, AF_INET6 };
	char *text = NULL;
	size_t len;
	int err = 0;

	for (size_t me = 0; me < lab->desc->nr_nodes && err == 0; me++) {
		FILE *f = open_memstream(&text, &len);

		if (!f)
			return -ENOMEM;
		fprintf(f, "%s", RUN_HOSTS_LOCALHOST);
		for (size_t i = 0; i < lab->desc->nr_nodes; i++) {
			const struct lab_node *n = &lab->desc->nodes[i];

			for (size_t k = 0; k < 2; k++) {
				const struct lab_ip *ip = first_address(n, families[k]);
				char addr[INET6_ADDRSTRLEN];

				if (ip)
					write_host(f, n,
						   inet_ntop(ip->family, ip->octets, addr,
							     sizeof(addr)));
			}
			if (!n->nr_addresses && i == me)
				write_host(f, n, "127.0.1.1");
		}
		fclose(f);
		err = run_node_set_file(lab->nodes[me], "/etc/hosts", text);
		if (err == 0)
			err = run_node_set_file(lab->nodes[me], "/etc/resolv.conf",
						"# this lab has no name server; see /etc/hosts\n");
		free(text);
		text = NULL;
	}
	return err;
}

/* ---- programs --------------------------------------------------------------------------------------------- */

static void next_step(struct lab *lab);
static bool is_ready(const struct lab *lab, const struct live_process *p);

static void finish(struct lab *lab, int status)
{
	if (!lab->exit_status)
		lab->exit_status = status;
	run_finish(lab->run, lab->exit_status);
}

static const char *label(const struct live_process *p, char *buf, size_t size)
{
	const char *what = p->desc->name;

	if (!what)
		what = p->desc->argv[0];
	if (!p->desc->name && !strcmp(what, "/bin/sh") && p->desc->argv[1] && p->desc->argv[2])
		what = p->desc->argv[2];
	snprintf(buf, size, "%.*s", (int)strcspn(what, "\n"), what);
	return buf;
}

static void describe_status(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "ended with status %d", WEXITSTATUS(status));
}

static void on_change(struct run_proc *proc, int status, void *arg)
{
	struct live_process *p = arg;
	struct lab *lab = p->lab;
	char name[80], how[80];

	(void)proc;
	if (WIFSTOPPED(status)) {
		if (p->foreground)
			run_suspend(lab->run);
		return;
	}
	p->proc = NULL;
	p->ended = true;
	p->status = status;
	describe_status(status, how, sizeof(how));
	if (p != &lab->procs[lab->step]) { /* a process that was ready long ago */
		if (status)
			complain(lab, p->desc->line, "process '%s' on '%s' %s",
				 label(p, name, sizeof(name)), lab->desc->nodes[p->node].name, how);
		return;
	}
	if (lab->step < lab->nr_background) {
		if (status == 0 && is_ready(lab, p))
			return; /* check_ready() goes on */
		complain(lab, p->desc->line, "process '%s' on '%s' %s before it was ready",
			 label(p, name, sizeof(name)), lab->desc->nodes[p->node].name, how);
		finish(lab, status ? status : 1 << 8);
		return;
	}
	if (status) {
		complain(lab, p->desc->line, "command '%s' on '%s' %s",
			 label(p, name, sizeof(name)), lab->desc->nodes[p->node].name, how);
		if (!lab->exit_status)
			lab->exit_status = status;
		if (!lab->opt->stay) {
			finish(lab, status);
			return;
		}
	}
	next_step(lab);
}

static size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

struct program_env {
	char *own[4]; /* the variables that the lab gives; NULL-terminated */
	char **all;
};

static void env_fini(struct program_env *e)
{
	for (size_t i = 0; i < 3; i++)
		free(e->own[i]);
	free(e->all);
}

/* Environment of a program: ours, the lab's variables, the node's, its own; later ones win. 0 or -ENOMEM. */
static int env_init(struct program_env *e, const struct lab *lab, const struct live_process *p)
{
	extern char **environ;
	const struct lab_node *n = &lab->desc->nodes[p->node];
	char **lists[] = { environ, e->own, n->env, p->desc->env };
	size_t max = strv_len(environ) + 3 + strv_len(n->env) + strv_len(p->desc->env), used = 0;

	*e = (struct program_env){ .all = calloc(max + 1, sizeof(char *)) };
	if (!e->all || asprintf(&e->own[0], "WEIR_LAB=%s", lab->desc->name) < 0 ||
	    asprintf(&e->own[1], "WEIR_NODE=%s", n->name) < 0 ||
	    asprintf(&e->own[2], "WEIR_LAB_DIR=%s", lab->dir) < 0)
		return -ENOMEM;
	for (size_t l = 0; l < 4; l++)
		for (char **v = lists[l]; v && *v; v++) {
			size_t key = strcspn(*v, "=") + 1, i;

			for (i = 0; i < used && strncmp(e->all[i], *v, key); i++)
				;
			e->all[i] = *v;
			used += i == used;
		}
	return 0;
}

/* NULL: where weir was called */
static const char *workdir_of(const struct live_process *p)
{
	return p->desc->workdir ? p->desc->workdir : p->lab->desc->nodes[p->node].workdir;
}

static int start(struct live_process *p)
{
	struct lab *lab = p->lab;
	struct program_env env;
	int err = env_init(&env, lab, p);
	struct run_spawn sp = {
		.argv = p->desc->argv,
		.envp = env.all,
		.cwd = workdir_of(p),
		.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
		.changed = on_change,
		.arg = p,
	};
	char name[80];

	/* Only what runs alone may read what we are given; a terminal would stop the others. */
	p->foreground = sp.foreground = lab->step >= lab->nr_background && !lab->opt->stay;
	if (err == 0 && !sp.foreground) {
		sp.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (sp.fds[0] < 0)
			err = -errno;
	}
	if (err == 0)
		err = run_spawn(lab->nodes[p->node], &sp, &p->proc);
	if (sp.fds[0] > STDERR_FILENO)
		close(sp.fds[0]);
	env_fini(&env);
	if (err < 0)
		return complain(lab, p->desc->line, "'%s' on '%s' cannot be started: %s",
				label(p, name, sizeof(name)), lab->desc->nodes[p->node].name,
				strerror(-err));
	return 0;
}

/* Is @port in a table of /proc/net bound (udp) or listening (tcp: state 0A)? */
static bool port_is_open(struct weir_net *net, const char *view, uint16_t port, const char *state)
{
	char *text = NULL, *save = NULL;
	size_t len;
	bool found = false;

	if (weir_view_read(net, view, &text, &len) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned local_port;
		char st[3];

		if (sscanf(line, " %*d: %*32[0-9A-F]:%x %*32[0-9A-F]:%*x %2s", &local_port, st) ==
		    2)
			found = local_port == port && (!state || !strcmp(st, state));
	}
	free(text);
	return found;
}

/* As the process itself would find it. */
static bool file_exists(const struct live_process *p)
{
	const char *dir = workdir_of(p);
	int at = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
	struct stat st;
	bool found = fstatat(at, p->desc->wait.path, &st, 0) == 0;

	if (at >= 0)
		close(at);
	return found;
}

static bool is_ready(const struct lab *lab, const struct live_process *p)
{
	const struct lab_wait *w = &p->desc->wait;

	switch (w->kind) {
	case LAB_WAIT_NONE:
		return true;
	case LAB_WAIT_TCP:
		return port_is_open(net_of(lab, p->node), "/proc/net/tcp", w->port, "0A") ||
		       port_is_open(net_of(lab, p->node), "/proc/net/tcp6", w->port, "0A");
	case LAB_WAIT_UDP:
		return port_is_open(net_of(lab, p->node), "/proc/net/udp", w->port, NULL) ||
		       port_is_open(net_of(lab, p->node), "/proc/net/udp6", w->port, NULL);
	case LAB_WAIT_FILE:
		return file_exists(p);
	case LAB_WAIT_TIME:
		return run_now(lab->run) - lab->step_started >= w->ns;
	case LAB_WAIT_EXIT:
		return p->ended;
	}
	return true;
}

static void check_ready(void *arg)
{
	struct lab *lab = arg;
	struct live_process *p = &lab->procs[lab->step];
	char name[80];

	if (lab->exit_status)
		return; /* on_change() has ended the lab */
	if (is_ready(lab, p)) {
		next_step(lab);
		return;
	}
	if (run_now(lab->run) - lab->step_started >= p->desc->wait.timeout_ns &&
	    p->desc->wait.kind != LAB_WAIT_TIME) {
		complain(lab, p->desc->line, "process '%s' on '%s' was not ready after %.1f s",
			 label(p, name, sizeof(name)), lab->desc->nodes[p->node].name,
			 (double)p->desc->wait.timeout_ns / 1e9);
		finish(lab, 1 << 8);
		return;
	}
	if (!run_timer_add(lab->run, run_now(lab->run) + WAIT_POLL_NS, check_ready, lab))
		finish(lab, 1 << 8);
}

static void run_step(void *arg)
{
	struct lab *lab = arg;

	lab->step_started = run_now(lab->run);
	if (start(&lab->procs[lab->step])) {
		finish(lab, 1 << 8);
		return;
	}
	if (lab->step < lab->nr_background)
		check_ready(lab);
}

static void next_step(struct lab *lab)
{
	lab->step++;
	if (lab->step < lab->nr_procs) {
		run_timer_add(lab->run, run_now(lab->run), run_step, lab);
		return;
	}
	if (lab->opt->stay)
		run_ready(lab->run, lab->exit_status ? 1 : 0);
	else
		finish(lab, 0);
}

static int collect_processes(struct lab *lab)
{
	size_t n = 0;

	for (size_t i = 0; i < lab->desc->nr_nodes; i++)
		n += lab->desc->nodes[i].nr_processes + lab->desc->nodes[i].nr_exec;
	lab->procs = calloc(n ? n : 1, sizeof(*lab->procs));
	if (!lab->procs)
		return 1;
	for (size_t i = 0; i < lab->desc->nr_nodes; i++)
		for (size_t k = 0; k < lab->desc->nodes[i].nr_processes; k++)
			lab->procs[lab->nr_procs++] = (struct live_process){
				.lab = lab, .desc = &lab->desc->nodes[i].processes[k], .node = i
			};
	lab->nr_background = lab->nr_procs;
	for (size_t i = 0; i < lab->desc->nr_nodes; i++)
		for (size_t k = 0; k < lab->desc->nodes[i].nr_exec; k++)
			lab->procs[lab->nr_procs++] = (struct live_process){
				.lab = lab, .desc = &lab->desc->nodes[i].exec[k], .node = i
			};
	return 0;
}

/* ---- life -------------------------------------------------------------------------------------------------- */

static void at_finish(struct run *r, void *arg)
{
	struct lab *lab = arg;
	int err;

	(void)r;
	if (lab->opt->report && lab->desc->report && !lab->opt->stay)
		lab_report_print(lab->report, stderr, see_session_recorder(lab->see),
				 lab->opt->walk == NULL);
	err = see_session_end(lab->see, stderr);
	if (err < 0)
		fprintf(stderr, "weir: %s: the capture is incomplete: %s\n", lab->opt->pcapng,
			strerror(-err));
	lab_report_free(lab->report);
	free(lab->procs);
	free(lab->nodes);
}

static int set_up(struct run *r, void *arg)
{
	struct lab *lab = arg;
	struct see_options see = { .record = lab->desc->trace,
				   .pcapng = lab->opt->pcapng,
				   .walk = lab->opt->walk,
				   .without = "its file says trace: false" };

	lab->run = r;
	lab->nodes = calloc(lab->desc->nr_nodes, sizeof(struct run_node *));
	snprintf(lab->dir, sizeof(lab->dir), "%s/files", run_state_dir(r));
	if (!lab->nodes || collect_processes(lab) || mkdir(lab->dir, 0700) < 0) {
		fprintf(stderr, "weir: %s: %s\n", lab->dir, strerror(errno));
		return 1;
	}
	lab->see = see_session_start(r, &see);
	if (!lab->see)
		return 1;
	for (size_t i = 0; i < lab->desc->nr_nodes; i++)
		if (make_node(lab, i))
			return 1;
	if (make_media(lab) || make_plugs(lab))
		return 1;
	for (size_t i = 0; i < lab->desc->nr_links; i++)
		if (make_link(lab, i))
			return 1;
	for (size_t i = 0; i < lab->desc->nr_host_links; i++)
		if (make_host_link(lab, i))
			return 1;
	for (size_t i = 0; i < lab->desc->nr_nodes; i++)
		if (configure_node(lab, i))
			return 1;
	if (raise_links(lab))
		return 1;
	for (size_t i = 0; i < lab->desc->nr_nodes; i++)
		if (add_routes(lab, i))
			return 1;
	if (write_hosts(lab) < 0) {
		fprintf(stderr, "weir: the hosts file of the nodes cannot be written\n");
		return 1;
	}
	lab->report = lab_report_start(r, lab->desc, lab->nodes, lab->media);
	run_at_finish(r, at_finish, lab);
	if (!lab->nr_procs) {
		if (lab->opt->stay)
			run_ready(r, 0);
		else
			run_finish(r, 0);
		return 0;
	}
	return run_timer_add(r, run_now(r), run_step, lab) ? 0 : 1;
}

int lab_run(struct lab_desc *desc, const struct lab_options *opt)
{
	struct lab lab = { .desc = desc, .opt = opt };
	struct run_config cfg = {
		.name = desc->name,
		.kind = "lab",
		.seeded = opt->seeded || desc->seeded,
		.seed = opt->seeded ? opt->seed : desc->seed,
		.detach = opt->stay,
		.setup = set_up,
		.arg = &lab,
	};
	int status = run_front(&cfg);

	lab_desc_free(desc);
	return status;
}
