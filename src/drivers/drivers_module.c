/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers_module.c - registers the link kinds; gives every net its loopback device and takes all devices away at its end */
#include "drivers/drivers_module.h"

#include "core/machine.h"
#include "core/netdevice.h"
#include "drivers/drivers_internal.h"
#include "drivers/host_dev.h"
#include "netlink/netlink.h"

DROP_REASON_TABLE(drivers_drop_reasons, DRIVERS, DRIVERS_DROP_REASONS);
TRACE_POINT_TABLE(drivers_trace_points, DRIVERS, DRIVERS_TRACE_POINTS);

int drivers_machine_init(struct machine *m)
{
	static const struct rtnl_link_ops *const kinds[] = { &dummy_link_ops,   &veth_link_ops,
							     &nic_link_ops,     &hub_link_ops,
							     &switch_link_ops,  &token_link_ops,
							     &tun_link_ops,     &port_link_ops,
							     &afpacket_link_ops };
	static const struct host_dev_ops *const host_devs[] = { &tap_dev_ops, &afpacket_dev_ops };

	drop_reason_register(m, &drivers_drop_reasons);
	trace_point_register(m, &drivers_trace_points);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		int err = rtnl_link_register(m, kinds[i]);

		if (err)
			return err;
	}
	for (u32 i = 0; i < ARRAY_SIZE(host_devs); i++) {
		int err = host_dev_register(m, host_devs[i]);

		if (err)
			return err;
	}
	return 0;
}

int drivers_net_init(struct net *net)
{
	return loopback_net_init(net);
}

/* One device may take others along (a veth its peer): always look again. Loopback goes last, routes lead to it. */
void drivers_net_exit(struct net *net)
{
	for (;;) {
		struct net_device *dev =
			list_first_entry_or_null(&net->core->dev_list, struct net_device, dev_list);

		if (!dev)
			return;
		if (dev == net->loopback_dev && dev->dev_list.next != &net->core->dev_list)
			dev = list_entry(dev->dev_list.next, struct net_device, dev_list);
		if (dev->rtnl_link_ops && dev->rtnl_link_ops->dellink)
			dev->rtnl_link_ops->dellink(dev);
		else
			unregister_netdevice(dev);
	}
}
