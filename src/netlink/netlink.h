/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink.h - the one door for configuration: messages, attributes, policies, extended acknowledgements
 *
 * Theory of operation
 *   A netlink socket's sendmsg parses each message and calls the handler that a subsystem registered for
 *   (protocol, family, type). Handlers for NETLINK_ROUTE run under rtnl; they take the cpu lock themselves where they
 *   touch packet-path state. Attributes are validated against a policy table before the handler sees them; the same table
 *   documents them. Errors carry a sentence and the offending attribute's offset (NETLINK_EXT_ACK).
 *   Dumps are resumable: a handler fills one message buffer, keeps its place in cb->args[], and is called again.
 * Context: control (a program's thread; may allocate and take mutexes). No cpu lock is held by callers.
 * See RFC 3549, netlink(7), rtnetlink(7).
 */
#ifndef WEIR_NETLINK_NETLINK_H
#define WEIR_NETLINK_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "core/net.h"
#include "lib/types.h"

struct sock;

/* ---- extended acknowledgement ------------------------------------------------------------------------ */

struct netlink_ext_ack {
	char msg[160];
	const struct nlattr *bad_attr; /* inside the request */
	u16 miss_type;                 /* attribute that is missing; 0: none */
	u8 cookie[20];
	u8 cookie_len;
};

__printf(2, 3) void nl_set_err_msg(struct netlink_ext_ack *extack, const char *fmt,
				   ...); /* extack may be NULL */
void nl_set_bad_attr(struct netlink_ext_ack *extack, const struct nlattr *attr);

/* ---- attributes --------------------------------------------------------------------------------------- */

enum nla_kind {
	NLA_K_UNSPEC,
	NLA_K_U8,
	NLA_K_U16,
	NLA_K_U32,
	NLA_K_U64,
	NLA_K_S32,
	NLA_K_BE16,
	NLA_K_BE32,
	NLA_K_STRING,
	NLA_K_NUL_STRING,
	NLA_K_FLAG,
	NLA_K_BINARY,
	NLA_K_NESTED,
	NLA_K_IN_ADDR,
	NLA_K_IN6_ADDR,
	NLA_K_REJECT
};

struct nla_policy {
	enum nla_kind kind;
	u16 len;      /* strings, binary: maximum; UNSPEC: minimum */
	u64 min, max; /* numbers: range, when max != 0 */
	const struct nla_policy *nested;
	u16 maxtype; /* of nested */
	const char *help;
};

/* Fills tb[0..maxtype] (NULL where absent). 0 or -EINVAL/-ERANGE with @extack. Unknown types are ignored unless @strict. */
int nla_parse(const struct nlattr **tb, int maxtype, const void *head, size_t len,
	      const struct nla_policy *policy, bool strict, struct netlink_ext_ack *extack);
int nla_parse_nested(const struct nlattr **tb, int maxtype, const struct nlattr *nest,
		     const struct nla_policy *policy, struct netlink_ext_ack *extack);
int nlmsg_parse(const struct nlmsghdr *nlh, size_t hdrlen, const struct nlattr **tb, int maxtype,
		const struct nla_policy *policy, struct netlink_ext_ack *extack);

static inline const void *nla_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}
static inline int nla_len(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}
static inline int nla_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}
u8 nla_get_u8(const struct nlattr *a);
u16 nla_get_u16(const struct nlattr *a);
u32 nla_get_u32(const struct nlattr *a);
u64 nla_get_u64(const struct nlattr *a);
be32 nla_get_in_addr(const struct nlattr *a);
/* At most @size octets with the NUL. The length, or -E2BIG. */
int nla_strscpy(char *dst, const struct nlattr *a, size_t size);
#define nla_for_each(pos, head, len, rem)                                                          \
	for (pos = (const struct nlattr *)(head), rem = (int)(len); nla_ok(pos, rem);              \
	     rem -= (int)NLA_ALIGN(pos->nla_len),                                                  \
	    pos = (const struct nlattr *)((const char *)pos + NLA_ALIGN(pos->nla_len)))
static inline bool nla_ok(const struct nlattr *a, int rem)
{
	return rem >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= rem;
}

/* ---- message builder ---------------------------------------------------------------------------------- */

struct nl_msg { /* a buffer that holds one or more messages */
	u8 *buf;
	u32 len, size;
	struct nlmsghdr *cur; /* message under construction */
	bool overflow;        /* something did not fit: nothing after it is valid */
};

int nl_msg_init(struct nl_msg *m, u32 size); /* 0 or -ENOMEM */
void nl_msg_fini(struct nl_msg *m);
/* Begins a message with @hdrlen octets of zeroed family header; NULL: does not fit. */
void *nlmsg_begin(struct nl_msg *m, u32 portid, u32 seq, u16 type, u16 flags, u32 hdrlen);
/* 0, or -EMSGSIZE: it did not fit and was taken back. */
int nlmsg_finish(struct nl_msg *m);
void nlmsg_cancel(struct nl_msg *m);
void nla_put(struct nl_msg *m, u16 type, u32 len, const void *data); /* overflow is remembered */
/* Octets without an attribute header: struct rtnexthop in RTA_MULTIPATH. */
void nl_put_raw(struct nl_msg *m, const void *data, u32 len);
void nla_put_u8(struct nl_msg *m, u16 type, u8 v);
void nla_put_u16(struct nl_msg *m, u16 type, u16 v);
void nla_put_u32(struct nl_msg *m, u16 type, u32 v);
void nla_put_u64(struct nl_msg *m, u16 type, u64 v);
void nla_put_string(struct nl_msg *m, u16 type, const char *s);
void nla_put_in_addr(struct nl_msg *m, u16 type, be32 a);
u32 nla_nest_start(struct nl_msg *m, u16 type); /* a mark for nla_nest_end() */
/* Without NLA_F_NESTED: for attributes that are older than the flag, whose readers do not know it (RTA_METRICS). */
u32 nla_nest_start_noflag(struct nl_msg *m, u16 type);
void nla_nest_end(struct nl_msg *m, u32 mark);

/* ---- requests, dumps, notifications ------------------------------------------------------------------- */

struct nl_request {
	struct net *net;
	const struct nlmsghdr *nlh;
	u32 portid;      /* of the requester */
	bool privileged; /* may change things (CAP_NET_ADMIN of the instance) */
	struct netlink_ext_ack *extack;
	struct nl_msg *reply; /* doit: what is put here is sent before the ACK */
};

struct netlink_callback { /* one running dump */
	struct net *net;
	const struct nlmsghdr *nlh; /* the request, kept */
	u32 portid;
	u32 seq;     /* generation: changed in between -> NLM_F_DUMP_INTR */
	u64 args[8]; /* the handler's place */
	struct netlink_ext_ack *extack;
	bool strict;     /* NETLINK_GET_STRICT_CHK */
	bool privileged; /* as the request was */
	int (*dumpit)(struct nl_msg *msg,
		      struct netlink_callback *cb); /* protocols other than NETLINK_ROUTE */
};

struct rtnl_handler {
	u8 family; /* AF_UNSPEC: for families that have none of their own */
	u16 type;  /* RTM_* */
	/* rtnl held. 0 or -errno */
	int (*doit)(struct nl_request *req);
	/* rtnl held. > 0: call again with an empty buffer; 0: done; < 0: error */
	int (*dumpit)(struct nl_msg *msg, struct netlink_callback *cb);
};

/* Per machine, NETLINK_ROUTE. -EEXIST, -ENOMEM */
int rtnl_register(struct machine *m, const struct rtnl_handler *h, u32 n);
/* Runs one request as if a program had sent it. rtnl held, no cpu lock. 0 or -errno */
int rtnl_request(struct net *net, const struct nlmsghdr *nlh);
/* Other protocols (NETLINK_SOCK_DIAG, NETLINK_NETFILTER, NETLINK_GENERIC) bring an input function. */
struct netlink_protocol {
	int protocol;
	/* rtnl held. 0 or -errno. Starts a dump by filling in (*ret_dump)->dumpit and args; then no acknowledgement is sent. */
	int (*rcv)(struct nl_request *req, struct netlink_callback **ret_dump);
	u32 groups;
};
int netlink_register(struct machine *m, const struct netlink_protocol *p);

/* Sends to the members of @group (RTNLGRP_*); borrow m. rtnl or cpu lock may be held by the caller. */
void nlmsg_notify(struct net *net, int protocol, const struct nl_msg *m, u32 exclude_portid,
		  u32 group);
bool netlink_has_listeners(struct net *net, int protocol, u32 group);

/* ---- rtnetlink.c: links ------------------------------------------------------------------------------- */

struct rtnl_link_ops {
	const char *kind; /* "veth" */
	u32 priv_size;
	void (*setup)(struct net_device *dev);
	const struct nla_policy *policy; /* of IFLA_INFO_DATA */
	u16 maxtype;
	int (*validate)(const struct nlattr **tb, const struct nlattr **data,
			struct netlink_ext_ack *extack);
	/* Registers the device (and others it brings). @src_net: of the requester. */
	int (*newlink)(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
		       const struct nlattr **data, struct netlink_ext_ack *extack);
	int (*changelink)(struct net_device *dev, const struct nlattr **tb,
			  const struct nlattr **data, struct netlink_ext_ack *extack);
	void (*dellink)(struct net_device *dev); /* NULL: unregister_netdevice */
	void (*fill_info)(struct nl_msg *m, const struct net_device *dev);
};

/* What a family of addresses has to say of a device: an attribute of IFLA_AF_SPEC. rtnl held, no cpu lock. */
struct rtnl_af_ops {
	u16 family;
	void (*fill)(struct nl_msg *m, struct net_device *dev,
		     u32 ext_mask); /* puts it, or nothing */
	/* 0 or -errno */
	int (*set)(struct net_device *dev, const struct nlattr *a, struct netlink_ext_ack *extack);
};
int rtnl_af_register(struct machine *m, const struct rtnl_af_ops *ops); /* 0, -ENOSPC */

int rtnl_link_register(struct machine *m, const struct rtnl_link_ops *ops);
/* For link types that make a peer: creates from nested attributes, unregistered. */
struct net_device *rtnl_create_link(struct net *net, const char *ifname,
				    const struct rtnl_link_ops *ops, const struct nlattr **tb,
				    struct netlink_ext_ack *extack, int *ret_err);
/* The net that IFLA_NET_NS_FD / IFLA_NET_NS_PID / IFLA_TARGET_NETNSID names: the id of an instance of this machine (weir_net_id()). NULL: none such. */
struct net *rtnl_link_get_net(struct net *src_net, const struct nlattr **tb);
void rtmsg_ifinfo(int type, struct net_device *dev, u32 change);

/* neigh_netlink.c: for neigh_table.notify: tells RTNLGRP_NEIGH. cpu lock held. */
struct neighbour;
void neigh_notify(struct neighbour *n, int rtm_type);

#endif
