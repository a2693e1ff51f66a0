/* SPDX-License-Identifier: BSD-2-Clause */
/* host_dev.c - from "afpacket:eth1,fanout=7" to a device: kinds, and their options */
#include "drivers/host_dev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "core/module.h"
#include "core/net.h"
#include "netlink/netlink.h"

#define KIND_MAX   32
#define OPTION_MAX 64

int host_dev_register(struct machine *m, const struct host_dev_ops *ops)
{
	const struct host_dev_ops **free_row = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(m->host_devs); i++) {
		if (!m->host_devs[i])
			free_row = free_row ? free_row : &m->host_devs[i];
		else if (strcmp(m->host_devs[i]->kind, ops->kind) == 0)
			return -EEXIST;
	}
	if (!free_row)
		return -ENOSPC;
	*free_row = ops;
	return 0;
}

void host_dev_unregister(struct machine *m, const struct host_dev_ops *ops)
{
	for (u32 i = 0; i < ARRAY_SIZE(m->host_devs); i++) {
		if (m->host_devs[i] == ops)
			m->host_devs[i] = NULL;
	}
}

static const struct host_dev_ops *find_kind(const struct machine *m, const char *kind)
{
	for (u32 i = 0; i < ARRAY_SIZE(m->host_devs); i++) {
		if (m->host_devs[i] && strcmp(m->host_devs[i]->kind, kind) == 0)
			return m->host_devs[i];
	}
	return NULL;
}

/* ---- options ----------------------------------------------------------------------------------------------- */

static int bad_value(const struct host_dev_option *o, const char *value,
		     struct netlink_ext_ack *extack)
{
	char words[96] = "";

	if (!o->choice) {
		nl_set_err_msg(extack, "%s=%s: not a number from %u to %u", o->name, value, o->min,
			       o->max);
		return -EINVAL;
	}
	for (u32 i = 0; i <= o->max; i++) {
		size_t n = strlen(words);

		snprintf(words + n, sizeof(words) - n, "%s%s", i ? ", " : "", o->choice[i]);
	}
	nl_set_err_msg(extack, "%s=%s: none of %s", o->name, value, words);
	return -EINVAL;
}

static int read_value(const struct host_dev_option *o, const char *value, u32 *ret,
		      struct netlink_ext_ack *extack)
{
	unsigned long v;
	char *end;

	if (o->choice) {
		for (u32 i = 0; i <= o->max; i++) {
			if (strcmp(o->choice[i], value) == 0) {
				*ret = i;
				return 0;
			}
		}
		return bad_value(o, value, extack);
	}
	errno = 0;
	v = strtoul(value, &end, 10);
	if (errno || end == value || *end || *value == '-' || v < o->min || v > o->max)
		return bad_value(o, value, extack);
	*ret = (u32)v;
	return 0;
}

/* "NAME=VALUE", @len octets */
static int read_option(const struct host_dev_ops *ops, const char *text, size_t len, u8 *config,
		       struct netlink_ext_ack *extack)
{
	char buf[OPTION_MAX], *value;

	if (len >= sizeof(buf)) {
		nl_set_err_msg(extack, "an option of %s is too long", ops->kind);
		return -EINVAL;
	}
	memcpy(buf, text, len);
	buf[len] = '\0';
	value = strchr(buf, '=');
	if (value)
		*value++ = '\0';
	for (u32 i = 0; i < ops->nr_options; i++) {
		const struct host_dev_option *o = &ops->options[i];

		if (strcmp(o->name, buf) == 0)
			return read_value(o, value ? value : "", (u32 *)(config + o->offset),
					  extack);
	}
	nl_set_err_msg(extack, "%s has no option \"%s\"", ops->kind, buf);
	return -EINVAL;
}

/* What is behind the colon: @ret_name, HOST_DEV_NAME_MAX octets, and the options. */
static int read_spec(const struct host_dev_ops *ops, const char *text, char *ret_name, u8 *config,
		     struct netlink_ext_ack *extack)
{
	size_t len = ops->nr_options ? strcspn(text, ",") : strlen(text);
	int err = 0;

	if (!len || len >= HOST_DEV_NAME_MAX) {
		nl_set_err_msg(extack, "%s: wants the name of something of the host's, as %s:eth1",
			       ops->kind, ops->kind);
		return -EINVAL;
	}
	memcpy(ret_name, text, len);
	ret_name[len] = '\0';
	for (u32 i = 0; i < ops->nr_options; i++)
		memcpy(config + ops->options[i].offset, &ops->options[i].value, sizeof(u32));
	for (text += len; *text && !err; text += len) {
		len = strcspn(++text, ",");
		err = read_option(ops, text, len, config, extack);
	}
	return err;
}

/* ---- attaching --------------------------------------------------------------------------------------------- */

/* Splits at the colon: the kind at @ret_kind (KIND_MAX octets). What is behind it; NULL: there is none. */
static const char *split_kind(const char *spec, char *ret_kind)
{
	const char *colon = strchr(spec, ':');

	if (!colon || colon == spec || colon - spec >= KIND_MAX)
		return NULL;
	memcpy(ret_kind, spec, (size_t)(colon - spec));
	ret_kind[colon - spec] = '\0';
	return colon + 1;
}

int host_dev_attach(struct net *net, const char *ifname, const char *spec,
		    struct netlink_ext_ack *extack)
{
	struct machine *m = net->machine;
	const struct host_dev_ops *ops;
	char kind[KIND_MAX], name[HOST_DEV_NAME_MAX];
	u64 config[HOST_DEV_CONFIG_MAX / sizeof(u64)] = { 0 };
	const char *rest = split_kind(spec, kind);
	int err;

	if (!rest) {
		nl_set_err_msg(extack, "\"%.64s\" is not KIND:NAME[,OPTION=VALUE...]", spec);
		return -EINVAL;
	}
	rtnl_lock(m);
	ops = find_kind(m, kind);
	if (!ops) {
		rtnl_unlock(m);
		(void)request_module(m, "dev-%s", kind);
		rtnl_lock(m);
		ops = find_kind(m, kind);
	}
	if (!ops) {
		nl_set_err_msg(extack,
			       "there is no kind of device \"%s\", nor a module dev-%s for it",
			       kind, kind);
		err = -EPROTONOSUPPORT;
		goto out;
	}
	err = read_spec(ops, rest, name, (u8 *)config, extack);
	if (!err)
		err = ops->attach(net, ifname, name, config, extack);
out:
	rtnl_unlock(m);
	return err;
}
