/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mc_group.h - multicast groups of devices and of sockets, with source filters, for both versions of IP
 *
 * igmp.c and mcast.c parse queries and build messages; who is member, what of it routers have to hear and when is decided here.
 * Addresses are 16 octets; those of IPv4 are mapped (::ffff:a.b.c.d). Theory of operation: mc_group.c.
 * Locking: the cpu lock of the device's net.
 */
#ifndef WEIR_INET_MC_GROUP_H
#define WEIR_INET_MC_GROUP_H

#include <netinet/in.h>

#include "core/netdevice.h"
#include "core/timer.h"
#include "lib/list.h"
#include "lib/types.h"
#include "wire/ipv6.h"

struct mc_dev;
struct mc_group;
struct netlink_callback;
struct nl_msg;
struct sk_buff;
struct sock;

/* What routers of a link understand, oldest first. */
enum mc_generation {
	MC_GEN_JOIN = 1, /* IGMPv1: reports */
	MC_GEN_LEAVE,    /* IGMPv2, MLDv1: a message when the last member leaves, too */
	MC_GEN_FILTER,   /* IGMPv3, MLDv2: source filters */
};

enum mc_record { /* RFC 3376 4.2.12, RFC 3810 5.2.12 */
		 MC_REC_IS_INCLUDE = 1,
		 MC_REC_IS_EXCLUDE,
		 MC_REC_TO_INCLUDE,
		 MC_REC_TO_EXCLUDE,
		 MC_REC_ALLOW,
		 MC_REC_BLOCK,
};

/* One version of IP. All: cpu lock held. */
struct mc_ops {
	u8 family;   /* AF_INET, AF_INET6 */
	u8 addr_len; /* octets of an address in messages: its last ones */
	u8 (*forced)(
		const struct mc_dev
			*d); /* enum mc_generation that the administrator wants; 0: the routers' */
	u8 (*robustness)(const struct mc_dev *d); /* until a query tells */
	/* ns; the longest time before an unsolicited report is repeated */
	u64 (*report_interval)(const struct mc_dev *d, enum mc_generation gen);
	bool (*silent)(const struct mc_group *g); /* a group that is never reported */
	int (*map)(const struct mc_group *g,
		   u8 *ret_mac);                 /* for the device's filter; 0, or -EINVAL: none */
	void (*changed)(const struct mc_dev *d); /* who receives what is another now. Optional */
	/* A report, or a goodbye (@leave), as routers of @gen know it. */
	void (*send_old)(struct mc_group *g, enum mc_generation gen, bool leave);
	/* An empty report of MC_GEN_FILTER, data at the message, room for *ret_room octets of records behind it. NULL: cannot send */
	struct sk_buff *(*report_new)(struct mc_dev *d, u32 *ret_room);
	void (*report_send)(struct mc_dev *d, struct sk_buff *skb, u16 records); /* consumes */
};

struct mc_source { /* a source that somebody on this host named, of one group on one device */
	struct list_head node;
	struct in6_addr addr;
	u32 count[2]; /* sockets that name it: [MCAST_EXCLUDE], [MCAST_INCLUDE] */
	bool in;      /* in the device's filter, as it was told last */
	bool asked;   /* a query names it */
	u8 crcount;   /* state-change reports still to name it */
};

struct mc_group {              /* a group on a device */
	struct list_head node; /* mc_dev.groups */
	struct mc_dev *mcd;
	struct in6_addr addr;
	u32 users;    /* 0: left, but the routers have to be told still */
	u32 count[2]; /* users by mode */
	struct list_head sources;
	u8 mode;        /* MCAST_EXCLUDE, MCAST_INCLUDE: the device's */
	u8 crcount;     /* filter-mode-change reports still to send */
	u8 unsolicited; /* older generations: reports still to send after joining */
	bool reporter;  /* MC_GEN_LEAVE: we reported last, so we say when we leave */
	bool gsquery;   /* the running timer answers a query for sources */
	bool on_dev;    /* its MAC address is in the device's filter */
	u64 cstamp;     /* ns */
	struct timer_list timer;
};

struct mc_dev { /* part of a device's configuration in one version of IP */
	const struct mc_ops *ops;
	struct net_device *dev;
	struct list_head groups;    /* mc_group, newest first */
	struct list_head socklists; /* mc_socklist.on_dev */
	struct timer_list gq_timer, ifc_timer;
	u64 v1_seen, v2_seen; /* until when there is a router of MC_GEN_JOIN, MC_GEN_LEAVE */
	u64 query_interval;   /* ns, as queries tell */
	u8 qrv;               /* robustness variable: how often changes are reported */
};

struct mc_socklist {           /* one membership of a socket */
	struct list_head node; /* sock_rare.mc_list, ipv6_pinfo.mc_list */
	struct list_head on_dev;
	struct mc_dev *mcd; /* NULL: the device has gone */
	int ifindex;
	struct in6_addr group;
	u8 mode;
	u32 n;
	struct in6_addr *sources;
};

/* ---- devices ------------------------------------------------------------------------------------------------- */

void mc_dev_init(struct mc_dev *d, struct net_device *dev, const struct mc_ops *ops);
void mc_dev_up(struct mc_dev *d);
void mc_dev_down(struct mc_dev *d);
void mc_dev_destroy(struct mc_dev *d);
/* Routers shall hear of all groups again, as if they had just been joined. */
void mc_dev_tell_all(struct mc_dev *d);
enum mc_generation mc_dev_generation(const struct mc_dev *d);

struct mc_group *mc_group_find(const struct mc_dev *d, const struct in6_addr *group);
int mc_group_inc(struct mc_dev *d, const struct in6_addr *group, u8 mode); /* 0 or -ENOMEM */
int mc_group_dec(struct mc_dev *d, const struct in6_addr *group, u8 mode); /* 0 or -ENOENT */
/* Does somebody here want what @src (NULL: whoever) sends to @group? */
bool mc_group_wants(const struct mc_dev *d, const struct in6_addr *group,
		    const struct in6_addr *src);
/* ns until the group's timer fires; 0: it does not run */
u64 mc_group_timer_left(const struct mc_group *g);

/* RTM_GETMULTICAST: as rtnl_handler.dumpit. @of: the part of a device, or NULL; cpu lock held */
int mc_group_dump(struct nl_msg *msg, struct netlink_callback *cb,
		  struct mc_dev *(*of)(const struct net_device *dev));

/* ---- what is heard ------------------------------------------------------------------------------------------- */

struct mc_query {
	const struct in6_addr *group;  /* NULL: all */
	enum mc_generation generation; /* of the message */
	u64 max_resp;                  /* ns */
	u8 qrv;                        /* 0: not said. MC_GEN_FILTER, as what follows: */
	u64 query_interval;            /* ns */
	const u8 *sources;             /* ops->addr_len octets each */
	u32 nsrcs;
};
void mc_heard_query(struct mc_dev *d, const struct mc_query *q);
/* Another host is member of @group: a report of an older generation. */
void mc_heard_report(struct mc_dev *d, const struct in6_addr *group);

/* ---- sockets: @list is the socket's of this version of IP ------------------------------------------------------ */

/* @ifindex 0: on any device. */
struct mc_socklist *mc_sk_find(const struct list_head *list, const struct in6_addr *group,
			       int ifindex);
u32 mc_sk_count(const struct list_head *list);
/* 0, -EADDRINUSE (is member), -ENOMEM (also: net.core.optmem_max) */
int mc_sk_join(struct list_head *list, struct mc_dev *d, const struct in6_addr *group, u8 mode);
void mc_sk_leave(struct mc_socklist *ml);
void mc_sk_leave_all(struct list_head *list);
/* One source more or less: @mode MCAST_EXCLUDE blocks, MCAST_INCLUDE takes from it only; without its last one a membership ends.
 * 0, -EINVAL (the membership is of the other mode), -EADDRNOTAVAIL, -ENOBUFS (@limit sources), -ENOMEM */
int mc_sk_source(struct mc_socklist *ml, const struct in6_addr *source, u8 mode, bool add,
		 u32 limit);
/* Another filter. INCLUDE of nothing ends the membership. 0 or -ENOMEM */
int mc_sk_msfilter(struct mc_socklist *ml, u8 mode, const struct in6_addr *sources, u32 n);
/* Does the membership @ml let @src through? */
bool mc_sk_allows(const struct mc_socklist *ml, const struct in6_addr *src);

#endif
