/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostif.c - an interface of the host, followed by rtnetlink
 *
 * Theory of operation
 *   A socket is subscribed to the host's link messages, and then asked for the interface by its number: what it is now and what becomes of it
 *   come by the same door. When messages were lost (ENOBUFS) the question is asked again. A thread waits for them, because what follows
 *   of them is configuration: the carrier is told at once (NETDEV_CHANGE: routes and listeners hear of it), and an MTU that
 *   has become smaller makes the device's smaller. An MTU that grows is the device's only if it had all that there was.
 *   The interface is followed by its number: a new one of the same name is another.
 * Locking: rtnl and the cpu lock in the thread. Who ends it holds rtnl and waits, so the thread takes rtnl by trying.
 * See rtnetlink(7).
 */
#include "drivers/hostif.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/machine.h"
#include "host/host.h"

#define RETRY_MS    1    /* somebody else configures */
#define ANSWER_MS   5000 /* the host answers at once */
#define MESSAGE_MAX 32768

/* ---- messages ---------------------------------------------------------------------------------------------- */

static int ask(const struct hostif *h)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
	} req = {
		.nlh = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST },
		.ifi = { .ifi_index = h->ifindex },
	};

	return send(h->fd, &req, sizeof(req), 0) == sizeof(req) ? 0 : -errno;
}

static void read_attributes(struct hostif *h, const struct ifinfomsg *ifi, size_t len)
{
	size_t left = len - min(len, (size_t)NLMSG_ALIGN(sizeof(*ifi)));
	const struct rtattr *a = (const void *)((const char *)ifi + NLMSG_ALIGN(sizeof(*ifi)));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_MTU && RTA_PAYLOAD(a) >= sizeof(u32)) {
			u32 mtu;

			memcpy(&mtu, RTA_DATA(a), sizeof(mtu));
			__atomic_store_n(&h->mtu, mtu, __ATOMIC_RELAXED);
		} else if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == ETH_ALEN) {
			memcpy(h->addr, RTA_DATA(a), ETH_ALEN);
		}
	}
}

/* Returns true if it is about the interface. */
static bool read_message(struct hostif *h, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(nlh);

	if (nlh->nlmsg_type == NLMSG_ERROR) { /* of our question */
		const struct nlmsgerr *e = NLMSG_DATA(nlh);

		if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || e->error != -ENODEV)
			return false; /* no answer for want of memory, or the like */
		h->gone = true;
		h->up = false;
		return true;
	}
	if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
	    nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*ifi)) || ifi->ifi_family != AF_UNSPEC ||
	    ifi->ifi_index != h->ifindex)
		return false;
	if (nlh->nlmsg_type == RTM_DELLINK)
		h->gone = true;
	h->type = ifi->ifi_type;
	h->up = !h->gone && (ifi->ifi_flags & IFF_UP) && (ifi->ifi_flags & IFF_LOWER_UP);
	read_attributes(h, ifi, nlh->nlmsg_len - NLMSG_HDRLEN);
	return true;
}

/* What is there to be read. Returns true if some of it is about the interface. */
static bool read_messages(struct hostif *h)
{
	char buf[MESSAGE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool ours = false;
	ssize_t n;

	for (;;) {
		size_t left;

		n = recv(h->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS) { /* messages were lost */
			(void)ask(h);
			continue;
		}
		if (n <= 0)
			return ours;
		left = (size_t)n;
		for (struct nlmsghdr *nlh = (void *)buf; NLMSG_OK(nlh, left);
		     nlh = NLMSG_NEXT(nlh, left))
			ours |= read_message(h, nlh);
	}
}

static int open_socket(struct hostif *h)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	h->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (h->fd < 0)
		return -errno;
	return bind(h->fd, (struct sockaddr *)&any, sizeof(any)) ? -errno : 0;
}

int hostif_open(struct hostif *h, const char *name)
{
	struct pollfd p;
	int err;

	*h = (struct hostif){ .fd = -1, .stop_fd = -1 };
	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	strcpy(h->name, name);
	h->ifindex = (int)if_nametoindex(name);
	if (!h->ifindex)
		return -ENODEV;
	err = open_socket(h);
	if (!err)
		err = ask(h);
	p = (struct pollfd){ .fd = h->fd, .events = POLLIN };
	while (!err && !read_messages(h)) {
		if (poll(&p, 1, ANSWER_MS) == 0)
			err = -ETIMEDOUT;
	}
	if (!err && h->gone)
		err = -ENODEV;
	if (err)
		hostif_close(h);
	return err;
}

/* ---- following --------------------------------------------------------------------------------------------- */

void hostif_show_carrier(struct hostif *h)
{
	if (h->up)
		netif_carrier_on(h->dev);
	else
		netif_carrier_off(h->dev);
}

/* rtnl */
static void follow(struct hostif *h)
{
	struct net_device *dev = h->dev;
	bool had_all = dev->mtu == dev->max_mtu;

	cpu_lock(dev->cpu);
	if (netif_running(dev))
		hostif_show_carrier(h);
	cpu_unlock(dev->cpu);
	linkwatch_run(dev->net->machine);
	if (h->mtu == dev->max_mtu || h->mtu < dev->min_mtu)
		return;
	dev->max_mtu = h->mtu;
	if (dev->mtu > h->mtu || had_all)
		(void)dev_set_mtu(dev, (int)h->mtu, NULL);
}

/* False: it is time to end. */
static bool lock_rtnl(struct machine *m, struct pollfd *stop)
{
	while (pthread_mutex_trylock(&m->rtnl)) {
		if (poll(stop, 1, RETRY_MS) > 0)
			return false;
	}
	return true;
}

static void hostif_main(void *arg)
{
	struct hostif *h = arg;
	struct machine *m = h->dev->cpu->machine;
	struct pollfd p[2] = { { .fd = h->stop_fd, .events = POLLIN },
			       { .fd = h->fd, .events = POLLIN } };

	while (poll(p, 2, -1) < 0 || !(p[0].revents & POLLIN)) {
		if (!(p[1].revents & (POLLIN | POLLERR)))
			continue;
		if (!lock_rtnl(m, p))
			return;
		if (read_messages(h))
			follow(h);
		rtnl_unlock(m);
	}
}

int hostif_follow(struct hostif *h, struct net_device *dev)
{
	struct host *host = dev->net->machine->host;
	sigset_t all, old;

	if (dev->net->machine->single_threaded)
		return -EOPNOTSUPP; /* the thread below would be a second one */
	h->dev = dev;
	h->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (h->stop_fd < 0)
		return -errno;
	/* Signals of the process are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	h->thread = host->ops->thread_start(host, "weir/hostif", hostif_main, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return h->thread ? 0 : -ENOMEM;
}

void hostif_close(struct hostif *h)
{
	u64 one = 1;

	if (h->thread) {
		while (write(h->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
		h->dev->cpu->machine->host->ops->thread_join(h->thread);
		h->thread = NULL;
	}
	if (h->stop_fd >= 0)
		close(h->stop_fd);
	if (h->fd >= 0)
		close(h->fd);
	h->stop_fd = h->fd = -1;
}
