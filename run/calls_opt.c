/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_opt.c - getsockopt, setsockopt, ioctl
 *
 * Options are the stack's. A few have a native side too: time limits of native reads and writes, the low-water mark, the peek offset
 * are set on the program's end as well; SO_ERROR also clears the error that our closing made there; lingering with a time is only
 * remembered, because closing must not block the loop. What contains a pointer is translated, or refused: the stack must never
 * follow an address of the program.
 */
#include "run_internal.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#define OPT_LIMIT  4096
#define CONF_LIMIT (1 << 20)

#ifndef SO_RCVTIMEO_NEW
#define SO_RCVTIMEO_NEW 66
#define SO_SNDTIMEO_NEW 67
#endif

/* On a 64-bit machine the old and the new time limits have the same layout. */
static bool is_timeo(int name)
{
	return name == SO_RCVTIMEO || name == SO_SNDTIMEO || name == SO_RCVTIMEO_NEW ||
	       name == SO_SNDTIMEO_NEW;
}

/* ---- getsockopt ---------------------------------------------------------------------------------------------- */

static int get_error(struct call *c)
{
	struct asock *s = c->sock;
	socklen_t len = sizeof(int);
	int native = 0, err;

	if (!s->stream)
		return dgram_error(s, c->a);
	if (s->state != AS_FAILED) {
		err = s->err;
		s->err = 0;
		return err ? err : asock_error(s);
	}
	/* A read may have fetched the error already; then there is none. */
	if (c->a >= 0 && getsockopt(c->a, SOL_SOCKET, SO_ERROR, &native, &len) == 0 && !native)
		s->err = 0;
	err = s->err;
	s->err = 0;
	return err;
}

static int get_option(struct call *c, int level, int name, void *val, socklen_t *len)
{
	struct asock *s = c->sock;
	int num;

	if (level == SOL_SOCKET && name == SO_LINGER && s->stream) {
		*len = *len < sizeof(s->linger) ? *len : sizeof(s->linger);
		memcpy(val, &s->linger, *len);
		return 0;
	}
	if (level == SOL_SOCKET && name == SO_ERROR) {
		num = get_error(c);
		*len = *len < sizeof(num) ? *len : sizeof(num);
		memcpy(val, &num, *len);
		return 0;
	}
	return weir_getsockopt(s->file, level, name, val, len);
}

/* SO_GET_FILTER: lengths count instructions. */
static enum call_result get_filter(struct call *c, const struct asock *s)
{
	struct sock_filter insns[BPF_MAXINSNS];
	socklen_t room, len;
	int err = mem_read(c, call_ptr(c, 4), &room, sizeof(room));

	if (!err && (int)room < 0)
		err = -EINVAL;
	if (err)
		return call_return(c, err);
	len = room < BPF_MAXINSNS ? room : BPF_MAXINSNS;
	err = weir_getsockopt(s->file, SOL_SOCKET, SO_GET_FILTER, insns, &len);
	if (!err && room && len)
		err = mem_write(c, call_ptr(c, 3), insns, len * sizeof(insns[0]));
	if (!err)
		err = mem_write(c, call_ptr(c, 4), &len, sizeof(len));
	return call_return(c, err);
}

enum call_result call_getsockopt(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int level = call_int(c, 1), name = call_int(c, 2), room, err;
	char val[OPT_LIMIT];
	socklen_t len;

	if (!s)
		return CALL_CONTINUE;
	if (level == SOL_SOCKET && is_timeo(name))
		return CALL_CONTINUE;
	if (level == SOL_SOCKET && name == SO_ERROR && c->a < 0 && s->state == AS_FAILED &&
	    s->err == ECONNRESET) {
		s->err =
			0; /* the same error lies in the program's end, and only the caller can fetch it */
		return CALL_CONTINUE;
	}
	if (level == SOL_SOCKET && name == SO_GET_FILTER)
		return get_filter(c, s);
	err = mem_read(c, call_ptr(c, 4), &room, sizeof(room));
	len = (socklen_t)room;
	if (!err && room < 0) /* always an error: which one depends on the level */
		err = weir_getsockopt(s->file, level, name, val, &len);
	if (err)
		return call_return(c, err);
	len = (size_t)room < sizeof(val) ? (socklen_t)room : sizeof(val);
	/* Some options take an argument too. */
	if (mem_read(c, call_ptr(c, 3), val, len))
		memset(val, 0, sizeof(val));
	err = get_option(c, level, name, val, &len);
	if (!err)
		err = mem_write(c, call_ptr(c, 3), val,
				len < (socklen_t)room ? len : (socklen_t)room);
	if (!err)
		err = mem_write(c, call_ptr(c, 4), &len, sizeof(len));
	return call_return(c, err);
}

/* ---- setsockopt ---------------------------------------------------------------------------------------------- */

#define SET_NATIVELY                                                                               \
	1 /* without a copy of the end, the caller does it itself: these are harmless there */

static int set_native(struct call *c, int name, const void *val, socklen_t len)
{
	if (c->a < 0)
		return SET_NATIVELY;
	return setsockopt(c->a, SOL_SOCKET, name, val, len) < 0 ? -errno : 0;
}

static int set_timeo(struct call *c, int name, const void *val, socklen_t len)
{
	bool rcv = name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW;
	struct timeval tv;
	uint64_t ns;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	ns = tv.tv_sec < 0 ? 0 : (uint64_t)tv.tv_sec * NS_PER_S + (uint64_t)tv.tv_usec * 1000;
	if (rcv)
		c->sock->rcvtimeo = ns;
	else
		c->sock->sndtimeo = ns;
	return set_native(c, name, val, len);
}

static int set_linger(struct call *c, const void *val, socklen_t len)
{
	struct linger l;

	if (len < sizeof(l))
		return -EINVAL;
	memcpy(&l, val, sizeof(l));
	c->sock->linger = l;
	if (l.l_onoff && l.l_linger)
		l.l_onoff = 0;
	return weir_setsockopt(c->sock->file, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* The program's struct sock_fprog points into its memory. */
static int set_filter(struct call *c, int name, const void *val, socklen_t len)
{
	struct sock_fprog prog;
	struct sock_filter *insns;
	size_t size;
	int err;

	if (len != sizeof(prog))
		return -EINVAL;
	memcpy(&prog, val, sizeof(prog));
	size = prog.len * sizeof(*insns);
	if (!prog.len || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	insns = malloc(size);
	if (!insns)
		return -ENOMEM;
	err = mem_read(c, (uintptr_t)prog.filter, insns, size);
	prog.filter = insns;
	if (!err)
		err = weir_setsockopt(c->sock->file, SOL_SOCKET, name, &prog, sizeof(prog));
	free(insns);
	return err;
}

static int set_socket_option(struct call *c, int name, const void *val, socklen_t len)
{
	struct asock *s = c->sock;
	int err;

	if (is_timeo(name))
		return set_timeo(c, name, val, len);
	switch (name) {
	case SO_LINGER:
		if (s->stream)
			return set_linger(c, val, len);
		break;
	case SO_RCVLOWAT:
	case SO_PEEK_OFF:
	case SO_OOBINLINE:
		err = weir_setsockopt(s->file, SOL_SOCKET, name, val, len);
		return err ? err : set_native(c, name, val, len);
	case SO_ATTACH_FILTER:
	case SO_ATTACH_REUSEPORT_CBPF:
		return set_filter(c, name, val, len);
	case SO_ATTACH_REUSEPORT_EBPF:
	case SO_ATTACH_BPF:
		return -ENOPROTOOPT;
	case SO_ZEROCOPY:
		/* The program's memory is another process's: what it sends is copied. */
		return -EOPNOTSUPP;
	default:
		break;
	}
	return weir_setsockopt(s->file, SOL_SOCKET, name, val, len);
}

enum call_result call_setsockopt(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	int level = call_int(c, 1), name = call_int(c, 2), len = call_int(c, 4), err;
	char val[OPT_LIMIT];

	if (!s)
		return CALL_CONTINUE;
	if (len < 0 || (size_t)len > sizeof(val))
		return call_return(c, -EINVAL);
	err = mem_read(c, call_ptr(c, 3), val, (size_t)len);
	if (err)
		return call_return(c, err);
	if (level == SOL_SOCKET)
		err = set_socket_option(c, name, val, (socklen_t)len);
	else
		err = weir_setsockopt(s->file, level, name, val, (socklen_t)len);
	if (!err)
		packet_option_set(s, level, name, val, (socklen_t)len);
	return err == SET_NATIVELY ? CALL_CONTINUE : call_return(c, err);
}

/* ---- ioctl ------------------------------------------------------------------------------------------------------ */

/* Octets that the peer has not acknowledged: in our end, in the leftover, in the stack. */
static enum call_result ioctl_outq(struct call *c)
{
	struct asock *s = c->sock;
	int in_end = 0, in_stack = 0, total, err;

	err = weir_ioctl(s->file, SIOCOUTQ, &in_stack);
	if (err)
		return call_return(c, err);
	if (s->b >= 0)
		ioctl(s->b, FIONREAD, &in_end);
	total = in_end - (int)s->stuffed - (int)s->lag + (int)s->up.len + in_stack;
	return call_return(c, mem_write(c, call_ptr(c, 2), &total, sizeof(total)));
}

/* Of datagrams the kernel would count all that waits, and a program the next. */
static enum call_result ioctl_inq(struct call *c)
{
	const struct asock *s = c->sock;
	int len;

	if (s->state == AS_LISTENING)
		return call_return(c, -EINVAL);
	if (s->stream)
		return CALL_CONTINUE;
	len = dgram_next_len(c->sock);
	return call_return(c, mem_write(c, call_ptr(c, 2), &len, sizeof(len)));
}

static bool is_stamp(unsigned cmd)
{
	return cmd == SIOCGSTAMP_OLD || cmd == SIOCGSTAMPNS_OLD ||
	       cmd == (unsigned)SIOCGSTAMP_NEW || cmd == (unsigned)SIOCGSTAMPNS_NEW;
}

/* When the last datagram came that went to the program's end of the pair: it may not have read it yet. */
static enum call_result ioctl_stamp(struct call *c, unsigned cmd)
{
	int64_t stamp[2];
	int err = weir_ioctl(c->sock->file, cmd, stamp);

	if (!err)
		err = mem_write(c, call_ptr(c, 2), stamp, sizeof(stamp));
	return call_return(c, err);
}

static enum call_result ioctl_ifconf(struct call *c, struct weir_file *file)
{
	struct ifconf conf, mine;
	int err = mem_read(c, call_ptr(c, 2), &conf, sizeof(conf));

	if (err)
		return call_return(c, err);
	if (conf.ifc_len < 0 || conf.ifc_len > CONF_LIMIT)
		return call_return(c, -EINVAL);
	mine = conf;
	mine.ifc_buf = conf.ifc_buf ? malloc((size_t)conf.ifc_len + 1) : NULL;
	err = weir_ioctl(file, SIOCGIFCONF, &mine);
	if (!err && conf.ifc_buf)
		err = mem_write(c, (uintptr_t)conf.ifc_buf, mine.ifc_buf, (size_t)mine.ifc_len);
	if (!err)
		err = mem_write(c, call_ptr(c, 2), &mine.ifc_len, sizeof(mine.ifc_len));
	free(mine.ifc_buf);
	return call_return(c, err);
}

/*
 * SIOCETHTOOL: ifr_data points to a structure that begins with a command. Some are followed by an array, whose length stands in them;
 * before and after the call: what the caller has room for, and what there is. Only so much of the caller's memory is touched.
 */
static const struct ethtool_shape {
	uint32_t cmd;
	uint16_t size, count_at; /* of the structure; of the number of elements in it; 0: none */
	uint16_t element;        /* size */
	bool array_in;           /* the array is an argument */
} ethtool_shapes[] = {
	{ ETHTOOL_GDRVINFO, sizeof(struct ethtool_drvinfo), 0, 0, false },
	{ ETHTOOL_GSET, sizeof(struct ethtool_cmd), 0, 0, false },
	{ ETHTOOL_GRINGPARAM, sizeof(struct ethtool_ringparam), 0, 0, false },
	{ ETHTOOL_SRINGPARAM, sizeof(struct ethtool_ringparam), 0, 0, false },
	{ ETHTOOL_GCOALESCE, sizeof(struct ethtool_coalesce), 0, 0, false },
	{ ETHTOOL_SCOALESCE, sizeof(struct ethtool_coalesce), 0, 0, false },
	{ ETHTOOL_GCHANNELS, sizeof(struct ethtool_channels), 0, 0, false },
	{ ETHTOOL_SCHANNELS, sizeof(struct ethtool_channels), 0, 0, false },
	{ ETHTOOL_GET_TS_INFO, sizeof(struct ethtool_ts_info), 0, 0, false },
	{ ETHTOOL_GLINKSETTINGS, sizeof(struct ethtool_link_settings), 0, 3 * sizeof(uint32_t),
	  false },
	{ ETHTOOL_GSSET_INFO, sizeof(struct ethtool_sset_info), 0, sizeof(uint32_t), false },
	{ ETHTOOL_GPERMADDR, sizeof(struct ethtool_perm_addr),
	  offsetof(struct ethtool_perm_addr, size), 1, false },
	{ ETHTOOL_GSTRINGS, sizeof(struct ethtool_gstrings), offsetof(struct ethtool_gstrings, len),
	  ETH_GSTRING_LEN, false },
	{ ETHTOOL_GSTATS, sizeof(struct ethtool_stats), offsetof(struct ethtool_stats, n_stats),
	  sizeof(uint64_t), false },
	{ ETHTOOL_GFEATURES, sizeof(struct ethtool_gfeatures),
	  offsetof(struct ethtool_gfeatures, size), sizeof(struct ethtool_get_features_block),
	  false },
	{ ETHTOOL_SFEATURES, sizeof(struct ethtool_sfeatures),
	  offsetof(struct ethtool_sfeatures, size), sizeof(struct ethtool_set_features_block),
	  true },
};

#define ETHTOOL_ARG_MAX 65536

static const struct ethtool_shape *ethtool_shape(uint32_t cmd)
{
	static const struct ethtool_shape value = { .size = sizeof(struct ethtool_value) };

	for (size_t i = 0; i < sizeof(ethtool_shapes) / sizeof(ethtool_shapes[0]); i++)
		if (ethtool_shapes[i].cmd == cmd)
			return &ethtool_shapes[i];
	return &value;
}

/* The number of elements behind the structure @arg, as it says. */
static size_t ethtool_count(const struct ethtool_shape *s, const char *arg)
{
	uint32_t n = 0;
	uint64_t mask;
	int8_t words;

	if (s->count_at) {
		memcpy(&n, arg + s->count_at, sizeof(n));
	} else if (s->cmd == ETHTOOL_GSSET_INFO) {
		memcpy(&mask, arg + offsetof(struct ethtool_sset_info, sset_mask), sizeof(mask));
		n = (uint32_t)__builtin_popcountll(mask);
	} else if (s->cmd == ETHTOOL_GLINKSETTINGS) {
		memcpy(&words, arg + offsetof(struct ethtool_link_settings, link_mode_masks_nwords),
		       1);
		n = words > 0 ? (uint32_t)words : 0;
	}
	return n;
}

static enum call_result ioctl_ethtool(struct call *c, struct weir_file *file)
{
	const struct ethtool_shape *shape;
	struct ifreq ifr;
	uint64_t where;
	uint32_t cmd;
	size_t room, n;
	char *arg;
	int err = mem_read(c, call_ptr(c, 2), &ifr, sizeof(ifr)), ret;

	where = (uintptr_t)ifr.ifr_data;
	if (!err)
		err = mem_read(c, where, &cmd, sizeof(cmd));
	if (err)
		return call_return(c, err);
	shape = ethtool_shape(cmd);
	arg = calloc(1, ETHTOOL_ARG_MAX);
	if (!arg)
		return call_return(c, -ENOMEM);
	ret = mem_read(c, where, arg, shape->size);
	memcpy(arg, &cmd,
	       sizeof(cmd)); /* of which @shape is: another thread may have written another one by now */
	room = ret ? 0 : ethtool_count(shape, arg);
	if (!ret && room * shape->element > ETHTOOL_ARG_MAX - (size_t)shape->size)
		ret = -EINVAL;
	if (!ret && shape->array_in)
		ret = mem_read(c, where + shape->size, arg + shape->size, room * shape->element);
	ifr.ifr_data = arg;
	if (!ret)
		ret = weir_ioctl(file, SIOCETHTOOL, &ifr);
	if (ret >= 0) {
		n = ethtool_count(shape, arg);
		/* A count of 0 means that the caller knows what there is. */
		n = n < room || !room ? n : room;
		err = mem_write(c, where, arg,
				shape->size + (shape->array_in ? 0 : n * shape->element));
	}
	free(arg);
	return call_return(c, err ? err : ret);
}

/* Commands whose argument is, or contains, a pointer. */
static bool has_pointer(unsigned cmd)
{
	return cmd == SIOCGIFVLAN || cmd == SIOCSIFVLAN || cmd == SIOCBONDINFOQUERY ||
	       cmd == SIOCSHWTSTAMP || cmd == SIOCGHWTSTAMP ||
	       (cmd >= SIOCBRADDBR && cmd <= SIOCBRDELIF) || cmd >= SIOCDEVPRIVATE ||
	       cmd == SIOCWANDEV || cmd == SIOCGIFBR || cmd == SIOCSIFBR;
}

/* A route names its device by a pointer into the program's memory. */
static enum call_result ioctl_route(struct call *c, struct weir_file *file, unsigned cmd)
{
	struct rtentry rt;
	char dev[IFNAMSIZ] = "";
	int err = mem_read(c, call_ptr(c, 2), &rt, sizeof(rt));

	if (!err && rt.rt_dev) {
		err = mem_read_string(c, (uintptr_t)rt.rt_dev, dev, sizeof(dev));
		err = err < 0 ? err : 0;
		rt.rt_dev = dev;
	}
	return call_return(c, err ? err : weir_ioctl(file, cmd, &rt));
}

static enum call_result ioctl_interface(struct call *c, struct weir_file *file, unsigned cmd)
{
	bool arp = cmd == SIOCGARP || cmd == SIOCSARP || cmd == SIOCDARP;
	size_t size = arp ? sizeof(struct arpreq) : sizeof(struct ifreq);
	union {
		struct ifreq ifr;
		struct arpreq arp;
	} arg;
	int err;

	if (cmd == SIOCGIFCONF)
		return ioctl_ifconf(c, file);
	if (cmd == SIOCETHTOOL)
		return ioctl_ethtool(c, file);
	if (cmd == SIOCADDRT || cmd == SIOCDELRT)
		return ioctl_route(c, file, cmd);
	if (has_pointer(cmd))
		return call_return(c, -EOPNOTSUPP);
	err = mem_read(c, call_ptr(c, 2), &arg, size);
	if (!err)
		err = weir_ioctl(file, cmd, &arg);
	if (!err)
		err = mem_write(c, call_ptr(c, 2), &arg, size);
	return call_return(c, err);
}

/*
 * Interface ioctls work on any socket, and an AF_UNIX one would show the host's interfaces: they are always answered by the
 * node's net, and never continued.
 */
enum call_result call_ioctl(struct call *c)
{
	struct asock *s = call_sock(c, call_int(c, 0));
	unsigned cmd = (unsigned)call_int(c, 1);

	if (cmd == SIOCOUTQ)
		return s ? ioctl_outq(c) : CALL_CONTINUE;
	if (cmd == FIONREAD)
		return s ? ioctl_inq(c) : CALL_CONTINUE;
	if (cmd == SIOCATMARK) /* the program's end knows where its urgent octet is */
		return s && !s->stream ? call_return(c, -ENOTTY) : CALL_CONTINUE;
	if (is_stamp(cmd))
		return s ? ioctl_stamp(c, cmd) : CALL_CONTINUE;
	if (s)
		return ioctl_interface(c, s->file, cmd);
	if (ident_is_socket(c, call_int(c, 0)))
		return ioctl_interface(c, c->tree->node->ctl, cmd);
	return call_return(c, -ENOTTY);
}
