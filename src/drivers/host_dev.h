/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_dev.h - devices over something of the host's, named by a line of text: "afpacket:eth1,fanout=7"
 *
 * A specification is KIND:NAME[,OPTION=VALUE...]. A kind is a row that somebody has registered: those of this folder, or a loadable module
 * that is called dev-KIND. It has a table of its options, which are numbers, words or yes and no; what they say is put into a structure of
 * the kind's. Only the program that embeds the stack can make such a device: no netlink request reaches this.
 */
#ifndef WEIR_DRIVERS_HOST_DEV_H
#define WEIR_DRIVERS_HOST_DEV_H

#include <stddef.h>

#include "lib/types.h"

struct machine;
struct module;
struct net;
struct netlink_ext_ack;

#define HOST_DEV_NAME_MAX 256 /* octets of NAME, with the NUL */

struct host_dev_option {
	const char *name;
	u32 offset;          /* of a u32 in the structure of the kind's */
	u32 value, min, max; /* value: if it is not given */
	const char *const
		*choice; /* words for min, min + 1, ...: max of them in all. NULL: a number */
};

#define HOST_DEV_NUMBER(name_, type_, field_, value_, min_, max_)                                  \
	{                                                                                          \
		.name = (name_), .offset = offsetof(type_, field_), .value = (value_),             \
		.min = (min_), .max = (max_)                                                       \
	}
/* @words_: an array; the value is the index of one. */
#define HOST_DEV_CHOICE(name_, type_, field_, value_, words_)                                      \
	{                                                                                          \
		.name = (name_), .offset = offsetof(type_, field_), .value = (value_),             \
		.max = ARRAY_SIZE(words_) - 1, .choice = (words_)                                  \
	}

#define HOST_DEV_CONFIG_MAX 256

struct host_dev_ops {
	const char *kind;
	const struct module *owner; /* NULL: libweir itself */
	const struct host_dev_option
		*options; /* nr_options of them; none: all behind the colon is NAME */
	u32 nr_options;
	/* rtnl. Makes and registers the device @ifname ("%d" allowed); @config: the structure that the options filled. 0 or -errno */
	int (*attach)(struct net *net, const char *ifname, const char *name, const void *config,
		      struct netlink_ext_ack *extack);
};

int host_dev_register(struct machine *m,
		      const struct host_dev_ops *ops); /* rtnl or init; 0, -EEXIST, -ENOSPC */
void host_dev_unregister(struct machine *m, const struct host_dev_ops *ops);
/*
 * No lock held. 0; -EINVAL: the text is not understood; -EPROTONOSUPPORT: there is no such kind, nor a module for it; or what the kind
 * says. A sentence is in @extack.
 */
int host_dev_attach(struct net *net, const char *ifname, const char *spec,
		    struct netlink_ext_ack *extack);

#endif
