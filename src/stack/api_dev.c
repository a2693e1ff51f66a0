/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_dev.c - devices of the embedding API: frames in and out, descriptors of the host
 *
 * struct weir_dev is struct port (drivers/port.h).
 */
#include <errno.h>
#include <stdio.h>

#include "drivers/host_dev.h"
#include "drivers/port.h"
#include "drivers/tun.h"
#include "netlink/netlink.h"
#include "stack/stack.h"

static_assert(WEIR_DEV_L3 == TUN_ATTACH_L3 && WEIR_DEV_VNET_HDR == TUN_ATTACH_VNET_HDR,
	      "the public flags are the driver's");
static_assert(WEIR_DEV_L3 == PORT_L3 && WEIR_DEV_GSO == PORT_GSO,
	      "the public flags are the port's");

static struct port *port_of(struct weir_dev *dev)
{
	return (struct port *)dev;
}

struct weir_dev *weir_dev_create(struct weir_net *wnet, const char *ifname, unsigned flags,
				 uint32_t queue)
{
	struct net *net = net_of(wnet);
	struct port *port = NULL;
	int err = -EINVAL;

	if (!(flags & ~(WEIR_DEV_L3 | WEIR_DEV_GSO))) {
		rtnl_lock(net->machine);
		err = port_create(net, ifname, flags, queue, &port);
		rtnl_unlock(net->machine);
	}
	if (err)
		errno = -err;
	return (struct weir_dev *)port;
}

void weir_dev_destroy(struct weir_dev *dev)
{
	port_destroy(port_of(dev));
}

int weir_dev_input(struct weir_dev *dev, const void *frame, size_t len)
{
	return port_input(port_of(dev), frame, len);
}

int weir_dev_input_merged(struct weir_dev *dev, const void *frame, size_t len, unsigned gso_size)
{
	return port_input_merged(port_of(dev), frame, len, gso_size);
}

ssize_t weir_dev_output(struct weir_dev *dev, void *buf, size_t size, uint64_t timeout_ns)
{
	return (ssize_t)port_output(port_of(dev), buf, size, timeout_ns);
}

int weir_dev_attach_tap(struct weir_net *wnet, const char *ifname, int fd, unsigned flags)
{
	struct net *net = net_of(wnet);
	int err;

	if (flags & ~(WEIR_DEV_L3 | WEIR_DEV_VNET_HDR))
		return -EINVAL;
	rtnl_lock(net->machine);
	err = tun_attach(net, ifname, fd, flags);
	rtnl_unlock(net->machine);
	return err;
}

int weir_dev_attach(struct weir_net *wnet, const char *ifname, const char *spec, char *ret_error,
		    size_t error_size)
{
	struct netlink_ext_ack extack = { "" };
	int err = host_dev_attach(net_of(wnet), ifname, spec, &extack);

	if (ret_error && error_size)
		snprintf(ret_error, error_size, "%s", extack.msg);
	return err;
}
