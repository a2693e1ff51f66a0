/* SPDX-License-Identifier: BSD-2-Clause */
/* node.c - a net and what its programs see besides it: names and a few files */
#include "run_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_node_create(struct run *r, const char *name, struct weir_net *net,
		    struct run_node **ret_node)
{
	struct run_node *node;
	int err;

	if (!name[0] || strchr(name, '/'))
		return -EINVAL;
	if (run_node_find(r, name))
		return -EEXIST;
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->run = r;
	node->net = net;
	LIST_INIT(&node->files);
	err = weir_socket(net, AF_INET, SOCK_DGRAM, 0, &node->ctl);
	if (err)
		goto fail;
	err = -ENOMEM;
	node->name = strdup(name);
	if (!node->name)
		goto fail;
	LIST_INSERT_HEAD(&r->nodes, node, link);
	*ret_node = node;
	return 0;
fail:
	if (node->ctl)
		weir_close(node->ctl);
	free(node);
	return err;
}

struct run_node *run_node_find(struct run *r, const char *name)
{
	struct run_node *node;

	LIST_FOREACH(node, &r->nodes, link)
	if (!strcmp(node->name, name))
		return node;
	return NULL;
}

struct weir_net *run_node_net(struct run_node *node)
{
	return node->net;
}

const char *run_node_name(const struct run_node *node)
{
	return node->name;
}

const char *node_file_text(const struct run_node *node, const char *path)
{
	struct node_file *f;

	LIST_FOREACH(f, &node->files, link)
	if (!strcmp(f->path, path))
		return f->text;
	return NULL;
}

int run_node_set_file(struct run_node *node, const char *path, const char *text)
{
	char *copy = strdup(text);
	struct node_file *f;

	if (!copy)
		return -ENOMEM;
	LIST_FOREACH(f, &node->files, link)
	if (!strcmp(f->path, path))
		break;
	if (!f) {
		f = calloc(1, sizeof(*f));
		if (f)
			f->path = strdup(path);
		if (!f || !f->path) {
			free(f);
			free(copy);
			return -ENOMEM;
		}
		LIST_INSERT_HEAD(&node->files, f, link);
	}
	free(f->text);
	f->text = copy;
	return 0;
}

static bool has_port(const struct asock *s, int proto, uint16_t port)
{
	static const struct {
		int proto, type;
	} types[] = { { IPPROTO_TCP, SOCK_STREAM },
		      { IPPROTO_UDP, SOCK_DGRAM },
		      { IPPROTO_ICMP, SOCK_DGRAM } };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (!s->file || (s->domain != AF_INET && s->domain != AF_INET6))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].proto == proto && types[i].type == s->type)
			return weir_getsockname(s->file, (struct sockaddr *)&ss, &len) == 0 &&
			       ntohs(((struct sockaddr_in *)&ss)->sin_port) == port;
	return false;
}

pid_t run_node_socket_owner(struct run_node *node, int proto, uint16_t port)
{
	struct asock *s;

	for (unsigned i = 0; i < SOCK_HASH; i++)
		LIST_FOREACH(s, &node->run->hash[i], hash_link)
	if (s->node == node && has_port(s, proto, port))
		return s->hint_tid;
	return 0;
}

int run_node_set_hostname(struct run_node *node, const char *hostname)
{
	char line[256], *copy = strdup(hostname);

	if (!copy)
		return -ENOMEM;
	free(node->hostname);
	node->hostname = copy;
	snprintf(line, sizeof(line), "%s\n", hostname);
	return run_node_set_file(node, "/etc/hostname", line);
}

static void node_free(struct run_node *node)
{
	LIST_REMOVE(node, link);
	weir_close(node->ctl);
	if (!node->borrowed)
		weir_net_destroy(node->net);
	while (!LIST_EMPTY(&node->files)) {
		struct node_file *f = LIST_FIRST(&node->files);

		LIST_REMOVE(f, link);
		free(f->path);
		free(f->text);
		free(f);
	}
	free(node->hostname);
	free(node->name);
	free(node);
}

void node_free_all(struct run *r)
{
	while (!LIST_EMPTY(&r->nodes))
		node_free(LIST_FIRST(&r->nodes));
}

/* ---- a net for programs that only want their own loopback --------------------------------------------------------- */

struct lo_request {
	struct nlmsghdr nlh;
	union {
		struct ifinfomsg link;
		struct {
			struct ifaddrmsg msg;
			struct rtattr local_attr;
			struct in_addr local;
			struct rtattr address_attr;
			struct in_addr address;
		} addr;
	};
};

#define LO_INDEX 1

static int lo_up(struct weir_net *net)
{
	struct lo_request q = {
		.nlh = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(q.link)),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.link = { .ifi_index = LO_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP },
	};

	return weir_netlink(net, NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0);
}

/* A stack that gives lo its address by itself says EEXIST. */
static int lo_address(struct weir_net *net)
{
	struct in_addr lo = { htonl(INADDR_LOOPBACK) };
	struct lo_request q = {
		.nlh = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(q.addr)),
			.nlmsg_type = RTM_NEWADDR,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
		},
		.addr = {
			.msg = {
				.ifa_family = AF_INET,
				.ifa_prefixlen = 8,
				.ifa_scope = RT_SCOPE_HOST,
				.ifa_index = LO_INDEX,
			},
			.local_attr = { RTA_LENGTH(sizeof(lo)), IFA_LOCAL },
			.local = lo,
			.address_attr = { RTA_LENGTH(sizeof(lo)), IFA_ADDRESS },
			.address = lo,
		},
	};
	int err = weir_netlink(net, NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0);

	return err == -EEXIST ? 0 : err;
}

int run_net_open(struct weir_net *net)
{
	int err = lo_up(net);

	if (!err)
		err = lo_address(net);
	if (!err)
		err = weir_sysctl(net, "net.ipv4.ip_unprivileged_port_start", "0");
	/* Who else is on the links is known here: programs need not wait a second for their addresses. */
	if (!err)
		err = weir_sysctl(net, "net.ipv6.conf.default.accept_dad", "0");
	if (!err)
		err = weir_sysctl(net, "net.ipv4.ping_group_range", "0 2147483647");
	return err;
}

/* The host's name leads to this instance, as a host's own file has it. */
static int set_hosts(struct run_node *node)
{
	char name[HOST_NAME_MAX + 1] = "", text[sizeof(RUN_HOSTS_LOCALHOST) + sizeof(name) + 16];

	if (gethostname(name, sizeof(name) - 1) < 0 || !name[0] || !strcmp(name, "localhost"))
		return run_node_set_file(node, "/etc/hosts", RUN_HOSTS_LOCALHOST);
	snprintf(text, sizeof(text), "%s127.0.1.1\t%s\n", RUN_HOSTS_LOCALHOST, name);
	return run_node_set_file(node, "/etc/hosts", text);
}

int run_node_loopback(struct run *r, const char *name, struct run_node **ret_node)
{
	struct weir_net *net = weir_net_create(r->machine, name);
	struct run_node *node;
	int err;

	if (!net)
		return -errno;
	err = run_net_open(net);
	if (!err)
		err = run_node_create(r, name, net, &node);
	if (err) {
		weir_net_destroy(net);
		return err;
	}
	set_hosts(node);
	run_node_set_file(node, "/etc/resolv.conf",
			  "# no name server: this instance has no way out\n");
	*ret_node = node;
	return 0;
}
