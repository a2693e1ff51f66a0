/* SPDX-License-Identifier: BSD-2-Clause */
/* af_netlink_test.c - netlink sockets as netlink(7) has them, and links through them */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/netdevice.h"
#include "netlink/netlink.h"
#include "weir/weir.h"

#define SOL_NETLINK_ 270

static struct weir_machine *machine;
static struct weir_net *net;

static int setup(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };

	machine = weir_machine_create(&cfg);
	net = machine ? weir_net_create(machine, "n") : NULL;
	return !net;
}

static int teardown(void **state)
{
	weir_net_destroy(net);
	weir_machine_destroy(machine);
	return 0;
}

static struct weir_file *nl_socket(u32 groups)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = groups };
	struct weir_file *f;

	assert_int_equal(weir_socket(net, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE, &f),
			 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&nl, sizeof(nl)), 0);
	return f;
}

/* A link request with a name, and a kind if given. */
static struct nl_msg link_msg(int type, int flags, const char *name, const char *kind)
{
	struct nl_msg m;
	u32 nest;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	assert_non_null(nlmsg_begin(&m, 0, 7, (u16)type, (u16)(NLM_F_REQUEST | flags),
				    sizeof(struct ifinfomsg)));
	if (name)
		nla_put_string(&m, IFLA_IFNAME, name);
	if (kind) {
		nest = nla_nest_start(&m, IFLA_LINKINFO);
		nla_put_string(&m, IFLA_INFO_KIND, kind);
		nla_nest_end(&m, nest);
	}
	return m;
}

static int send_msg(struct nl_msg *m, char *text, size_t size)
{
	int err;

	assert_int_equal(nlmsg_finish(m), 0);
	err = weir_netlink(net, NETLINK_ROUTE, (struct nlmsghdr *)m->buf, NULL, NULL, text, size);
	nl_msg_fini(m);
	return err;
}

static int link_request(int type, int flags, const char *name, const char *kind)
{
	struct nl_msg m = link_msg(type, flags | NLM_F_ACK, name, kind);

	return send_msg(&m, NULL, 0);
}

#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

static void ports_are_unique_and_bound_once(void **state)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(nl);
	struct weir_file *a = nl_socket(0), *b;
	u32 port;

	assert_int_equal(weir_getsockname(a, (struct sockaddr *)&nl, &len), 0);
	assert_int_equal(len, sizeof(nl));
	port = nl.nl_pid;
	assert_int_not_equal(port, 0);

	assert_int_equal(weir_socket(net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &b), 0);
	assert_int_equal(weir_bind(b, (struct sockaddr *)&nl, sizeof(nl)), -EADDRINUSE);
	nl.nl_pid = 4711;
	assert_int_equal(weir_bind(b, (struct sockaddr *)&nl, sizeof(nl)), 0);
	nl.nl_pid = 4712;
	assert_int_equal(weir_bind(b, (struct sockaddr *)&nl, sizeof(nl)), -EINVAL);
	assert_int_equal(weir_bind(b, (struct sockaddr *)&nl, 4), -EINVAL);
	weir_close(a);
	weir_close(b);
	assert_int_equal(weir_socket(net, AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE, &a),
			 -ESOCKTNOSUPPORT);
	assert_int_equal(weir_socket(net, AF_NETLINK, SOCK_RAW, 31, &a), -EPROTONOSUPPORT);
}

static void links_are_made_shown_and_removed(void **state)
{
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), 0);
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), -EEXIST);
	assert_int_equal(link_request(RTM_GETLINK, 0, "d0", NULL), 0);
	assert_int_equal(link_request(RTM_GETLINK, 0, "d1", NULL), -ENODEV);
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "x0", "nosuchkind"), -EOPNOTSUPP);
	assert_int_equal(link_request(RTM_NEWLINK, 0, "x0", NULL), -ENODEV);
	assert_int_equal(link_request(RTM_DELLINK, 0, "d0", NULL), 0);
	assert_int_equal(link_request(RTM_DELLINK, 0, "d0", NULL), -ENODEV);
	assert_int_equal(link_request(RTM_DELLINK, 0, "lo", NULL), -EOPNOTSUPP);
	assert_int_equal(link_request(RTM_DELLINK, 0, NULL, NULL), -EINVAL);
}

struct seen {
	int links, index;
	u32 mtu, flags, txqlen;
	char name[IFNAMSIZ], alias[64], kind[32];
	bool stats64;
};

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	const struct ifinfomsg *ifm = NLMSG_DATA(nlh);
	struct seen *s = arg;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return -EINVAL;
	if (nlmsg_parse(nlh, sizeof(*ifm), tb, IFLA_MAX, NULL, NULL))
		return -EINVAL;
	memset(s->kind, 0, sizeof(s->kind));
	s->links++;
	s->index = ifm->ifi_index;
	s->flags = ifm->ifi_flags;
	s->mtu = nla_get_u32(tb[IFLA_MTU]);
	s->txqlen = nla_get_u32(tb[IFLA_TXQLEN]);
	s->stats64 =
		tb[IFLA_STATS64] && nla_len(tb[IFLA_STATS64]) == sizeof(struct rtnl_link_stats64);
	nla_strscpy(s->name, tb[IFLA_IFNAME], sizeof(s->name));
	if (tb[IFLA_IFALIAS])
		nla_strscpy(s->alias, tb[IFLA_IFALIAS], sizeof(s->alias));
	if (tb[IFLA_LINKINFO] &&
	    !nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL, NULL))
		nla_strscpy(s->kind, info[IFLA_INFO_KIND], sizeof(s->kind));
	return 0;
}

static int get_link(const char *name, struct seen *s)
{
	struct nl_msg m = link_msg(RTM_GETLINK, NLM_F_ACK, name, NULL);
	int err;

	memset(s, 0, sizeof(*s));
	assert_int_equal(nlmsg_finish(&m), 0);
	err = weir_netlink(net, NETLINK_ROUTE, (struct nlmsghdr *)m.buf, take_link, s, NULL, 0);
	nl_msg_fini(&m);
	return err;
}

static void what_is_set_is_what_is_shown(void **state)
{
	struct ifinfomsg *ifm;
	struct nl_msg m;
	struct seen s;

	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), 0);
	m = link_msg(RTM_NEWLINK, NLM_F_ACK, "d0", NULL);
	ifm = NLMSG_DATA(m.buf);
	ifm->ifi_flags = ifm->ifi_change = IFF_UP;
	nla_put_u32(&m, IFLA_MTU, 1400);
	nla_put_u32(&m, IFLA_TXQLEN, 77);
	nla_put_string(&m, IFLA_IFALIAS, "the alias");
	assert_int_equal(send_msg(&m, NULL, 0), 0);

	assert_int_equal(get_link("d0", &s), 0);
	assert_int_equal(s.links, 1);
	assert_int_equal(s.mtu, 1400);
	assert_int_equal(s.txqlen, 77);
	assert_true(s.flags & IFF_UP);
	assert_true(s.flags & IFF_RUNNING);
	assert_string_equal(s.alias, "the alias");
	assert_string_equal(s.kind, "dummy");
	assert_true(s.stats64);

	m = link_msg(RTM_SETLINK, NLM_F_ACK, NULL,
		     NULL); /* ip link set d0 down; ip link set d0 name e0 */
	ifm = NLMSG_DATA(m.buf);
	ifm->ifi_index = s.index;
	ifm->ifi_change = IFF_UP;
	assert_int_equal(send_msg(&m, NULL, 0), 0);
	m = link_msg(RTM_SETLINK, NLM_F_ACK, "e0", NULL);
	ifm = NLMSG_DATA(m.buf);
	ifm->ifi_index = s.index;
	assert_int_equal(send_msg(&m, NULL, 0), 0);
	assert_int_equal(get_link("e0", &s), 0);
	assert_false(s.flags & IFF_UP);
	assert_int_equal(get_link("d0", &s), -ENODEV);
}

static void errors_come_with_a_sentence(void **state)
{
	struct nl_msg m = link_msg(RTM_NEWLINK, CREATE | NLM_F_ACK, "d0", "dummy");
	char text[160];

	nla_put_u32(&m, IFLA_NUM_TX_QUEUES, 0);
	assert_int_equal(send_msg(&m, text, sizeof(text)), -ERANGE);
	assert_string_equal(text, "Attribute 31 (transmit queues) is out of range");

	m = link_msg(RTM_NEWLINK, CREATE | NLM_F_ACK, "d0", "nosuchkind");
	assert_int_equal(send_msg(&m, text, sizeof(text)), -EOPNOTSUPP);
	assert_string_equal(text, "Unknown device type");

	m = link_msg(RTM_NEWLINK, NLM_F_ACK, "lo", NULL);
	nla_put_u32(&m, IFLA_MASTER, 3);
	assert_int_equal(send_msg(&m, text, sizeof(text)), -EOPNOTSUPP);
	assert_non_null(strstr(text, "masters"));

	m = link_msg(99, NLM_F_ACK, NULL, NULL);
	assert_int_equal(send_msg(&m, text, sizeof(text)), -EOPNOTSUPP);
	assert_true(text[0]);
}

static void a_long_dump_comes_in_parts_and_is_complete(void **state)
{
	struct nl_msg m;
	struct seen s = { 0 };
	char name[IFNAMSIZ];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(link_request(RTM_NEWLINK, CREATE, name, "dummy"), 0);
	}
	m = link_msg(RTM_GETLINK, NLM_F_DUMP, NULL, NULL);
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(
		weir_netlink(net, NETLINK_ROUTE, (struct nlmsghdr *)m.buf, take_link, &s, NULL, 0),
		0);
	assert_int_equal(s.links, 101);
	nl_msg_fini(&m);

	/* ip link show type veth: none */
	memset(&s, 0, sizeof(s));
	m = link_msg(RTM_GETLINK, NLM_F_DUMP, NULL, "veth");
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(
		weir_netlink(net, NETLINK_ROUTE, (struct nlmsghdr *)m.buf, take_link, &s, NULL, 0),
		0);
	assert_int_equal(s.links, 0);
	nl_msg_fini(&m);
}

static void a_second_dump_has_to_wait(void **state)
{
	struct weir_file *f = nl_socket(0);
	struct nl_msg m;
	char name[IFNAMSIZ], buf[32768];
	struct nlmsghdr *nlh = (void *)buf;
	bool busy = false;
	ssize_t n;
	int small = 1; /* the dump stops when half the buffer is used */

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(link_request(RTM_NEWLINK, CREATE, name, "dummy"), 0);
	}
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	m = link_msg(RTM_GETLINK, NLM_F_DUMP, NULL, NULL);
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(weir_send(f, m.buf, m.len, 0), (ssize_t)m.len);
	assert_int_equal(
		weir_setsockopt(f, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 1 << 20 }, sizeof(int)), 0);
	assert_int_equal(weir_send(f, m.buf, m.len, 0), (ssize_t)m.len);
	while ((n = weir_recv(f, buf, sizeof(buf), 0)) > 0)
		if (nlh->nlmsg_type == NLMSG_ERROR)
			busy |= ((struct nlmsgerr *)NLMSG_DATA(nlh))->error == -EBUSY;
	assert_int_equal(n, -EAGAIN);
	assert_true(busy);
	nl_msg_fini(&m);
	weir_close(f);
}

static void truncation_tells_the_true_length(void **state)
{
	struct weir_file *f = nl_socket(0);
	struct nl_msg m = link_msg(RTM_GETLINK, 0, "lo", NULL);
	struct sockaddr_nl from;
	struct iovec iov;
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	char small[20], big[4096];
	ssize_t full;

	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(weir_send(f, m.buf, m.len, 0), (ssize_t)m.len);
	iov = (struct iovec){ small, sizeof(small) };
	full = weir_recvmsg(f, &msg, MSG_PEEK | MSG_TRUNC);
	assert_true(full > 100);
	assert_true(msg.msg_flags & MSG_TRUNC);
	assert_int_equal(from.nl_family, AF_NETLINK);
	assert_int_equal(from.nl_pid, 0);
	iov = (struct iovec){ big, sizeof(big) };
	assert_int_equal(weir_recvmsg(f, &msg, 0), full);
	assert_false(msg.msg_flags & MSG_TRUNC);
	assert_int_equal(weir_recvmsg(f, &msg, 0), -EAGAIN);
	nl_msg_fini(&m);
	weir_close(f);
}

static void members_of_a_group_hear_of_changes(void **state)
{
	struct weir_file *f = nl_socket(RTMGRP_LINK), *other = nl_socket(0);
	char buf[8192];
	struct nlmsghdr *nlh = (void *)buf;
	struct sockaddr_nl from;
	socklen_t len = sizeof(from);

	assert_int_equal(weir_poll_now(f) & POLLIN, 0);
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), 0);
	assert_true(weir_poll_now(f) & POLLIN);
	assert_false(weir_poll_now(other) & POLLIN);
	assert_true(weir_recvfrom(f, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len) > 0);
	assert_int_equal(nlh->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(from.nl_groups, RTMGRP_LINK);
	while (weir_recv(f, buf, sizeof(buf), 0) > 0)
		;
	assert_int_equal(link_request(RTM_DELLINK, 0, "d0", NULL), 0);
	do {
		assert_true(weir_recv(f, buf, sizeof(buf), 0) > 0);
	} while (nlh->nlmsg_type != RTM_DELLINK);

	assert_int_equal(weir_setsockopt(f, SOL_NETLINK_, NETLINK_DROP_MEMBERSHIP,
					 &(int){ RTNLGRP_LINK }, 4),
			 0);
	while (weir_recv(f, buf, sizeof(buf), 0) > 0)
		;
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d1", "dummy"), 0);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), -EAGAIN);
	assert_int_equal(weir_setsockopt(f, SOL_NETLINK_, NETLINK_ADD_MEMBERSHIP, &(int){ 0 }, 4),
			 -EINVAL);
	assert_int_equal(
		weir_setsockopt(f, SOL_NETLINK_, NETLINK_ADD_MEMBERSHIP, &(int){ 9999 }, 4),
		-EINVAL);
	weir_close(f);
	weir_close(other);
}

static void a_full_queue_says_enobufs_once(void **state)
{
	struct weir_file *f = nl_socket(RTMGRP_LINK);
	char buf[8192];
	int small = 1;

	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), 0);
		assert_int_equal(link_request(RTM_DELLINK, 0, "d0", NULL), 0);
	}
	assert_true(weir_poll_now(f) & POLLERR);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), -ENOBUFS);
	assert_true(weir_recv(f, buf, sizeof(buf), 0) > 0);
	weir_close(f);
}

static void acknowledgements_quote_as_much_as_asked(void **state)
{
	struct weir_file *f = nl_socket(0);
	struct nl_msg m = link_msg(RTM_GETLINK, 0, "nosuch", NULL);
	char buf[1024];
	struct nlmsghdr *nlh = (void *)buf;

	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(weir_send(f, m.buf, m.len, 0), (ssize_t)m.len);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), (ssize_t)(NLMSG_HDRLEN + 4 + m.len));
	assert_int_equal(nlh->nlmsg_type, NLMSG_ERROR);
	assert_int_equal(((struct nlmsgerr *)NLMSG_DATA(nlh))->error, -ENODEV);
	assert_memory_equal((char *)NLMSG_DATA(nlh) + 4, m.buf, m.len);

	assert_int_equal(weir_setsockopt(f, SOL_NETLINK_, NETLINK_CAP_ACK, &(int){ 1 }, 4), 0);
	assert_int_equal(weir_send(f, m.buf, m.len, 0), (ssize_t)m.len);
	assert_int_equal(weir_recv(f, buf, sizeof(buf), 0), NLMSG_HDRLEN + 4 + NLMSG_HDRLEN);
	assert_true(nlh->nlmsg_flags & NLM_F_CAPPED);
	nl_msg_fini(&m);
	weir_close(f);
}

static int count_message(const struct nlmsghdr *nlh, void *arg)
{
	++*(int *)arg;
	return 0;
}

/* Handles the whole life of neighbour entries: what `ip neigh add|change|del|show` sends. */
static int neigh_request(int type, int flags, int ifindex, u32 addr, const char *lladdr, u16 nud)
{
	struct nl_msg m;
	struct ndmsg *ndm;

	assert_int_equal(nl_msg_init(&m, 256), 0);
	ndm = nlmsg_begin(&m, 0, 1, (u16)type, (u16)(NLM_F_REQUEST | NLM_F_ACK | flags),
			  sizeof(*ndm));
	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = ifindex;
	ndm->ndm_state = nud;
	nla_put_in_addr(&m, NDA_DST, cpu_to_be32(addr));
	if (lladdr)
		nla_put(&m, NDA_LLADDR, 6, lladdr);
	return send_msg(&m, NULL, 0);
}

static void neighbours_are_added_changed_and_removed(void **state)
{
	struct nl_msg m;
	struct seen s;
	int n = 0;

	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), 0);
	m = link_msg(RTM_NEWLINK, NLM_F_ACK, "d0", NULL);
	((struct ifinfomsg *)NLMSG_DATA(m.buf))->ifi_flags = IFF_UP;
	((struct ifinfomsg *)NLMSG_DATA(m.buf))->ifi_change = IFF_UP;
	assert_int_equal(send_msg(&m, NULL, 0), 0);
	assert_int_equal(get_link("d0", &s), 0);
	assert_int_equal(neigh_request(RTM_NEWNEIGH, CREATE, s.index, 0x0a000001, "\2\0\0\0\0\1",
				       NUD_PERMANENT),
			 0);
	assert_int_equal(neigh_request(RTM_NEWNEIGH, CREATE, s.index, 0x0a000001, "\2\0\0\0\0\1",
				       NUD_PERMANENT),
			 -EEXIST);
	assert_int_equal(neigh_request(RTM_GETNEIGH, 0, s.index, 0x0a000001, NULL, 0), 0);
	assert_int_equal(neigh_request(RTM_GETNEIGH, 0, s.index, 0x0a000002, NULL, 0), -ENOENT);
	assert_int_equal(
		neigh_request(RTM_NEWNEIGH, 0, s.index, 0x0a000002, "\2\0\0\0\0\2", NUD_REACHABLE),
		-ENOENT);
	assert_int_equal(neigh_request(RTM_NEWNEIGH, NLM_F_REPLACE, s.index, 0x0a000001,
				       "\2\0\0\0\0\3", NUD_REACHABLE),
			 0);

	m = link_msg(RTM_GETNEIGH, NLM_F_DUMP, NULL, NULL);
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(weir_netlink(net, NETLINK_ROUTE, (struct nlmsghdr *)m.buf, count_message,
				      &n, NULL, 0),
			 0);
	assert_int_equal(n, 1);
	nl_msg_fini(&m);
	assert_int_equal(neigh_request(RTM_DELNEIGH, 0, s.index, 0x0a000001, NULL, 0), 0);
	assert_int_equal(neigh_request(RTM_DELNEIGH, 0, s.index, 0x0a000001, NULL, 0), -ENOENT);
	assert_int_equal(
		neigh_request(RTM_NEWNEIGH, CREATE, 999, 0x0a000001, "\2\0\0\0\0\1", NUD_PERMANENT),
		-ENODEV);
}

/* Sends a request for all links and leaves the answer in the queue. */
static void begin_dump(struct weir_file *f)
{
	struct nl_msg m = link_msg(RTM_GETLINK, NLM_F_DUMP, NULL, NULL);

	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(weir_send(f, m.buf, m.len, 0), (ssize_t)m.len);
	nl_msg_fini(&m);
}

static void a_full_queue_loses_no_part_of_a_dump(void **state)
{
	struct weir_file *f = nl_socket(RTMGRP_LINK);
	char buf[32768];
	int small = 3000, links = 0; /* room for the two messages before the dump */
	bool done = false;

	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d0", "dummy"), 0); /* is in the queue */
	assert_int_equal(link_request(RTM_NEWLINK, CREATE, "d1", "dummy"), 0);
	begin_dump(f);
	while (!done) {
		struct nlmsghdr *nlh = (void *)buf;
		ssize_t n = weir_recv(f, buf, sizeof(buf), 0);

		assert_true(n > 0);
		for (int left = (int)n; NLMSG_OK(nlh, (u32)left); nlh = NLMSG_NEXT(nlh, left)) {
			done |= nlh->nlmsg_type == NLMSG_DONE;
			links += nlh->nlmsg_seq == 7 && nlh->nlmsg_type == RTM_NEWLINK;
		}
	}
	assert_int_equal(links, 3);
	weir_close(f);
}

static void the_end_of_a_dump_says_that_links_went_away(void **state)
{
	struct weir_file *f = nl_socket(0);
	struct nlmsghdr *nlh;
	char buf[32768], name[16];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(link_request(RTM_NEWLINK, CREATE, name, "dummy"), 0);
	}
	begin_dump(f);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(link_request(RTM_DELLINK, 0, name, NULL), 0);
	}
	assert_true(weir_recv(f, buf, sizeof(buf), 0) > 0); /* was made before */
	assert_true(weir_recv(f, buf, sizeof(buf), 0) > 0);
	nlh = (void *)buf;
	assert_int_equal(nlh->nlmsg_type, NLMSG_DONE);
	assert_true(nlh->nlmsg_flags & NLM_F_DUMP_INTR);
	weir_close(f);
}

static struct nl_msg neightbl_msg(const char *table, int ifindex, u16 attr, u32 value)
{
	struct nl_msg m;
	u32 nest;

	assert_int_equal(nl_msg_init(&m, 256), 0);
	assert_non_null(nlmsg_begin(&m, 0, 1, RTM_SETNEIGHTBL, NLM_F_REQUEST | NLM_F_ACK,
				    sizeof(struct ndtmsg)));
	if (table)
		nla_put_string(&m, NDTA_NAME, table);
	nest = nla_nest_start_noflag(&m, NDTA_PARMS);
	if (ifindex)
		nla_put_u32(&m, NDTPA_IFINDEX, (u32)ifindex);
	if (attr == NDTPA_DELAY_PROBE_TIME)
		nla_put_u64(&m, attr, value);
	else
		nla_put_u32(&m, attr, value);
	nla_nest_end(&m, nest);
	return m;
}

/* What "ip ntable change" sets is what the sysctls show, which a comparison with Linux holds. */
static void parameters_of_neighbour_tables_are_set_by_device(void **state)
{
	char text[160], *view;
	struct nl_msg m;
	size_t len;

	m = neightbl_msg("arp_cache", 0, NDTPA_UCAST_PROBES, 7);
	assert_int_equal(send_msg(&m, text, sizeof(text)), 0);
	assert_int_equal(
		weir_view_read(net, "/proc/sys/net/ipv4/neigh/default/ucast_solicit", &view, &len),
		0);
	assert_string_equal(view, "7\n");
	free(view);
	m = neightbl_msg("arp_cache", 1, NDTPA_DELAY_PROBE_TIME, 9000);
	assert_int_equal(send_msg(&m, text, sizeof(text)), 0);
	assert_int_equal(weir_view_read(net, "/proc/sys/net/ipv4/neigh/lo/delay_first_probe_time",
					&view, &len),
			 0);
	assert_string_equal(view, "9\n");
	free(view);
	m = neightbl_msg("arp_cache", 99, NDTPA_UCAST_PROBES, 7);
	assert_int_equal(send_msg(&m, text, sizeof(text)), -ENOENT);
	assert_non_null(strstr(text, "device 99"));
	m = neightbl_msg("nosuch", 0, NDTPA_UCAST_PROBES, 7);
	assert_int_equal(send_msg(&m, text, sizeof(text)), -ENOENT);
	assert_non_null(strstr(text, "nosuch"));
	m = neightbl_msg(NULL, 0, NDTPA_UCAST_PROBES, 7);
	assert_int_equal(send_msg(&m, text, sizeof(text)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ports_are_unique_and_bound_once, setup, teardown),
		cmocka_unit_test_setup_teardown(links_are_made_shown_and_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_set_is_what_is_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_come_with_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_dump_comes_in_parts_and_is_complete, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_second_dump_has_to_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(truncation_tells_the_true_length, setup, teardown),
		cmocka_unit_test_setup_teardown(members_of_a_group_hear_of_changes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_says_enobufs_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_loses_no_part_of_a_dump, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_end_of_a_dump_says_that_links_went_away, setup,
						teardown),
		cmocka_unit_test_setup_teardown(parameters_of_neighbour_tables_are_set_by_device,
						setup, teardown),
		cmocka_unit_test_setup_teardown(acknowledgements_quote_as_much_as_asked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(neighbours_are_added_changed_and_removed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
