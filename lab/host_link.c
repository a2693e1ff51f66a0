/* SPDX-License-Identifier: BSD-2-Clause */
/* host_link.c - opens a tap or tun interface of the host for a node. See tun(4) of the kernel, ip-tuntap(8) */
#include "lab/host_link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* 0 or -errno; an interface of that name that is of the other kind: -EINVAL */
static int set_iff(int fd, const char *name, int kind)
{
	struct ifreq ifr = { .ifr_flags = (short)(kind | IFF_NO_PI | IFF_VNET_HDR) };

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(fd, TUNSETIFF, &ifr) ? -errno : 0;
}

int host_link_attach(struct weir_net *net, const char *ifname, const char *host_ifname)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	err = set_iff(fd, host_ifname, IFF_TAP);
	if (err == -EINVAL)
		err = set_iff(fd, host_ifname, IFF_TUN);
	if (err == 0)
		err = weir_dev_attach_tap(net, ifname, fd, 0);
	close(fd);
	return err;
}
