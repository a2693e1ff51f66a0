/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt.c - socket options of level SOL_SOCKET, for every family
 *
 * One row per option. A plain option is an int with a set and a get function, or just a bit of sk_flags; options with another
 * shape bring set_raw or get_raw. A side that is missing answers ENOPROTOOPT, as Linux does. Lengths follow Linux: setting needs
 * at least an int (EINVAL) unless the row brings set_raw and says otherwise; getting copies min(asked, there is) octets.
 * What a program in an instance may do is what a process with CAP_NET_ADMIN may do: the instance is its own.
 *
 * SO_ATTACH_FILTER takes a struct sock_fprog whose pointer is followed: classic BPF, verified (core/bpf_classic.c).
 * SO_ATTACH_REUSEPORT_CBPF takes the same, for a group (core/sock_reuseport.c). SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_EBPF: ENOPROTOOPT.
 * See socket(7); tests/api/sockopt_compare.c compares all of it with the kernel of the machine.
 */
#include <asm/socket.h>
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "core/bpf_classic.h"
#include "core/dst.h"
#include "core/netdevice.h"
#include "core/sock_mem.h"
#include "core/sock_reuseport.h"
#include "socket/socket.h"
#include "socket/socket_internal.h"

/* Younger than some <asm/socket.h>. */
#define SO_RESERVE_MEM_ 73
#define SO_TXREHASH_    74
#define SO_PASSPIDFD_   76
#define SO_PEERPIDFD_   77
#define SO_RCVPRIORITY_ 82
#define SOCK_MIN_SNDBUF 4608
#define SOCK_MIN_RCVBUF 2304

struct sockopt {
	int name;
	const char *label;
	int flag_bit; /* enum sock_flags + 1, for rows that are just that; 0: not */
	int (*set)(struct socket *sock, int val);
	int (*get)(struct socket *sock, int *ret_val);
	u32 set_min; /* octets that set_raw needs */
	int (*set_raw)(struct socket *sock, const void *val, socklen_t len);
	/* @len in: room, out: octets there are; @val holds 128 octets */
	int (*get_raw)(struct socket *sock, void *val, socklen_t *len);
};

/* ---- integers ------------------------------------------------------------------------------------------ */

static int get_type(struct socket *sock, int *v)
{
	*v = sock->type;
	return 0;
}
static int get_protocol(struct socket *sock, int *v)
{
	*v = sock->sk->sk_protocol;
	return 0;
}
static int get_domain(struct socket *sock, int *v)
{
	*v = sock->sk->sk_family;
	return 0;
}
static int get_error(struct socket *sock, int *v)
{
	struct sock *sk = sock->sk;

	*v = -sock_error(sk);
	if (!*v) {
		*v = sk->sk_err_soft;
		sk->sk_err_soft = 0;
	}
	return 0;
}
static int get_acceptconn(struct socket *sock, int *v)
{
	*v = sock->sk->sk_state == SS_TCP_LISTEN;
	return 0;
}

static int set_reuse(struct socket *sock, int val)
{
	sock->sk->sk_reuse = val ? SK_CAN_REUSE : SK_NO_REUSE;
	return 0;
}
static int get_reuse(struct socket *sock, int *v)
{
	*v = sock->sk->sk_reuse;
	return 0;
}

static int set_reuseport(struct socket *sock, int val)
{
	if (val && sock->sk->sk_family != AF_INET && sock->sk->sk_family != AF_INET6)
		return -EOPNOTSUPP;
	sock->sk->sk_reuseport = !!val;
	return 0;
}
static int get_reuseport(struct socket *sock, int *v)
{
	*v = sock->sk->sk_reuseport;
	return 0;
}

/* Linux doubles what is asked for, to account for the overhead of buffers: so do we, and count truesize. */
static void sndbuf_set(struct sock *sk, int val)
{
	u32 v = (u32)max(val, 0);

	v = min(v, (u32)INT_MAX / 2);
	sk->sk_userlocks |= SK_SNDBUF_LOCK;
	sk->sk_sndbuf = max(v * 2, (u32)SOCK_MIN_SNDBUF);
	sk_write_space(sk);
}
static void rcvbuf_set(struct sock *sk, int val)
{
	u32 v = (u32)max(val, 0);

	v = min(v, (u32)INT_MAX / 2);
	sk->sk_userlocks |= SK_RCVBUF_LOCK;
	sk->sk_rcvbuf = max(v * 2, (u32)SOCK_MIN_RCVBUF);
}
/* As an unsigned comparison on purpose: a negative size asks for the maximum, as in Linux. */
static int set_sndbuf(struct socket *sock, int val)
{
	sndbuf_set(sock->sk, (int)min((u32)val, sock->net->core->wmem_max));
	return 0;
}
static int set_rcvbuf(struct socket *sock, int val)
{
	rcvbuf_set(sock->sk, (int)min((u32)val, sock->net->core->rmem_max));
	return 0;
}
static int set_sndbufforce(struct socket *sock, int val)
{
	sndbuf_set(sock->sk, val);
	return 0;
}
static int set_rcvbufforce(struct socket *sock, int val)
{
	rcvbuf_set(sock->sk, val);
	return 0;
}
static int get_sndbuf(struct socket *sock, int *v)
{
	*v = (int)sock->sk->sk_sndbuf;
	return 0;
}
static int get_rcvbuf(struct socket *sock, int *v)
{
	*v = (int)sock->sk->sk_rcvbuf;
	return 0;
}

static int set_keepalive(struct socket *sock, int val)
{
	struct sock *sk = sock->sk;

	sock_valbool_flag(sk, SOCK_KEEPOPEN, val);
	if (sk->sk_prot && sk->sk_prot->keepalive)
		sk->sk_prot->keepalive(sk, val);
	return 0;
}
static int get_keepalive(struct socket *sock, int *v)
{
	*v = sock_flag(sock->sk, SOCK_KEEPOPEN);
	return 0;
}

static int set_priority(struct socket *sock, int val)
{
	sock->sk->sk_priority = (u32)val;
	return 0;
}
static int get_priority(struct socket *sock, int *v)
{
	*v = (int)sock->sk->sk_priority;
	return 0;
}

static int set_mark(struct socket *sock, int val)
{
	if (sock->sk->sk_mark != (u32)val) {
		sock->sk->sk_mark = (u32)val;
		sk_dst_reset(sock->sk); /* policy routing may choose another way */
	}
	return 0;
}
static int get_mark(struct socket *sock, int *v)
{
	*v = (int)sock->sk->sk_mark;
	return 0;
}

static int set_rcvlowat(struct socket *sock, int val)
{
	const struct proto *prot = sock->sk->sk_prot;

	if (val < 0)
		val = INT_MAX;
	if (prot && prot->set_rcvlowat)
		return prot->set_rcvlowat(sock->sk, (u32)val);
	sock->sk->sk_rcvlowat = val ? (u32)val : 1;
	return 0;
}
static int get_rcvlowat(struct socket *sock, int *v)
{
	*v = (int)sock->sk->sk_rcvlowat;
	return 0;
}
static int get_sndlowat(struct socket *sock, int *v)
{
	(void)sock;
	*v = 1;
	return 0;
}

static int bind_to_ifindex(struct socket *sock, int ifindex)
{
	struct sock *sk = sock->sk;

	if (ifindex < 0)
		return -EINVAL;
	/* In a hash table by (address, port) the device takes part in the comparison only, so nothing needs to move. */
	sk->sk_bound_dev_if = ifindex;
	sk_dst_reset(sk);
	return 0;
}
static int get_ifindex(struct socket *sock, int *v)
{
	*v = sock->sk->sk_bound_dev_if;
	return 0;
}

static int set_ignored(struct socket *sock, int val)
{
	(void)sock;
	(void)val;
	return 0;
}
static int get_zero(struct socket *sock, int *v)
{
	(void)sock;
	*v = 0;
	return 0;
}

#define RARE_INT(field, dflt)                                                                      \
	static int set_##field(struct socket *sock, int val)                                       \
	{                                                                                          \
		struct sock_rare *r = sock_rare(sock->sk);                                         \
                                                                                                   \
		if (!r)                                                                            \
			return -ENOMEM;                                                            \
		r->field = val;                                                                    \
		return 0;                                                                          \
	}                                                                                          \
	static int get_##field(struct socket *sock, int *v)                                        \
	{                                                                                          \
		*v = sock->sk->sk_rare ? (int)sock->sk->sk_rare->field : (dflt);                   \
		return 0;                                                                          \
	}
RARE_INT(peek_off, -1)
RARE_INT(incoming_cpu, -1)
RARE_INT(busy_poll, 0)

/* Of a net on several cpus: the one that the socket's packets come to. */
static int get_incoming_or_home_cpu(struct socket *sock, int *v)
{
	get_incoming_cpu(sock, v);
	if (*v < 0 && sock->net && sock->net->group)
		*v = sock->cpu_id;
	return 0;
}

static int set_busy_poll_checked(struct socket *sock, int val)
{
	return val < 0 ? -EINVAL : set_busy_poll(sock, val);
}

static int set_busy_poll_budget(struct socket *sock, int val)
{
	(void)sock;
	return val < 0 || val > UINT16_MAX ? -EINVAL : 0;
}

/* Offsets exist where a queue of octets or of messages is walked: UDP, TCP, AF_UNIX. */
static bool has_peek_off(const struct sock *sk)
{
	return sk->sk_family == AF_UNIX || sk->sk_protocol == IPPROTO_TCP ||
	       sk->sk_protocol == IPPROTO_UDP || sk->sk_protocol == IPPROTO_UDPLITE;
}
static int set_peek_off_checked(struct socket *sock, int val)
{
	return has_peek_off(sock->sk) && sock->type != SOCK_RAW ? set_peek_off(sock, val)
								: -EOPNOTSUPP;
}
static int get_peek_off_checked(struct socket *sock, int *v)
{
	return has_peek_off(sock->sk) && sock->type != SOCK_RAW ? get_peek_off(sock, v)
								: -EOPNOTSUPP;
}

/* Which sizes the program has fixed. */
static int set_buf_lock(struct socket *sock, int val)
{
	struct sock *sk = sock->sk;

	if (val & ~(SK_SNDBUF_LOCK | SK_RCVBUF_LOCK))
		return -EINVAL;
	sk->sk_userlocks = (u8)((sk->sk_userlocks & ~(SK_SNDBUF_LOCK | SK_RCVBUF_LOCK)) | val);
	return 0;
}
static int get_buf_lock(struct socket *sock, int *v)
{
	*v = sock->sk->sk_userlocks & (SK_SNDBUF_LOCK | SK_RCVBUF_LOCK);
	return 0;
}

/* Memory is reserved from a control group's account: there is none. */
static int set_reserve_mem(struct socket *sock, int val)
{
	(void)sock;
	return val < 0 ? -EINVAL : -EOPNOTSUPP;
}

/* MSG_CONFIRM the other way round: the way to the peer is bad, look for another one. */
static int set_cnx_advice(struct socket *sock, int val)
{
	if (val == 1)
		sk_dst_reset(sock->sk);
	return 0;
}

/* A connection whose segments are lost gets another flow hash; ours has none that a path would depend on. */
static int set_txrehash(struct socket *sock, int val)
{
	if (sock->type != SOCK_STREAM || sock->sk->sk_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	if (val < -1 || val > 1)
		return -EINVAL;
	sock_valbool_flag(sock->sk, SOCK_NO_TXREHASH, val == 0);
	return 0;
}
static int get_txrehash(struct socket *sock, int *v)
{
	if (sock->type != SOCK_STREAM || sock->sk->sk_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	*v = !sock_flag(sock->sk, SOCK_NO_TXREHASH);
	return 0;
}

/* Credentials travel where programs of one host meet. */
static int set_passcred(struct socket *sock, int val)
{
	if (sock->sk->sk_family != AF_UNIX && sock->sk->sk_family != AF_NETLINK)
		return -EOPNOTSUPP;
	sock_valbool_flag(sock->sk, SOCK_PASSCRED, val != 0);
	return 0;
}
static int get_passcred(struct socket *sock, int *v)
{
	if (sock->sk->sk_family != AF_UNIX && sock->sk->sk_family != AF_NETLINK)
		return -EOPNOTSUPP;
	*v = sock_flag(sock->sk, SOCK_PASSCRED);
	return 0;
}
static int set_unsupported(struct socket *sock, int val)
{
	(void)sock;
	(void)val;
	return -EOPNOTSUPP;
}
static int get_unsupported(struct socket *sock, int *v)
{
	(void)sock;
	(void)v;
	return -EOPNOTSUPP;
}
static int get_no_peer(struct socket *sock, int *v)
{
	(void)sock;
	(void)v;
	return -ENODATA;
}

static int set_zerocopy(struct socket *sock, int val)
{
	const struct sock *sk = sock->sk;

	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) || sock->type == SOCK_RAW ||
	    (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_UDP))
		return -EOPNOTSUPP;
	if (val < 0 || val > 1)
		return -EINVAL;
	sock_valbool_flag(sock->sk, SOCK_ZEROCOPY, val);
	return 0;
}
static int get_zerocopy(struct socket *sock, int *v)
{
	*v = sock_flag(sock->sk, SOCK_ZEROCOPY);
	return 0;
}

static int set_detach(struct socket *sock, int val)
{
	struct sock *sk = sock->sk;

	(void)val;
	if (sock_flag(sk, SOCK_FILTER_LOCKED))
		return -EPERM;
	if (!sk_has_filter(sk))
		return -ENOENT;
	bpf_prog_put(sk->sk_rare->filter);
	sk->sk_rare->filter = NULL;
	return 0;
}

/* The program that a struct sock_fprog points to; *ret_prog has one reference. */
static int get_fprog(const struct sock *sk, const void *val, socklen_t len,
		     struct bpf_prog **ret_prog)
{
	struct sock_fprog fprog;

	if (len != sizeof(fprog))
		return -EINVAL;
	memcpy(&fprog, val, sizeof(fprog));
	if (sock_flag(sk, SOCK_FILTER_LOCKED))
		return -EPERM;
	if (!fprog.filter)
		return -EINVAL;
	return bpf_prog_create(fprog.filter, fprog.len, ret_prog);
}

static int set_reuseport_cbpf(struct socket *sock, const void *val, socklen_t len)
{
	struct bpf_prog *prog;
	int err = get_fprog(sock->sk, val, len, &prog);

	if (err)
		return err;
	err = reuseport_attach_prog(sock->sk, prog);
	if (err)
		bpf_prog_put(prog);
	return err;
}
static int set_reuseport_detach(struct socket *sock, int val)
{
	(void)val;
	return reuseport_detach_prog(sock->sk);
}

static int set_attach(struct socket *sock, const void *val, socklen_t len)
{
	struct sock *sk = sock->sk;
	struct bpf_prog *prog;
	int err = sock_rare(sk) ? get_fprog(sk, val, len, &prog) : -ENOMEM;

	if (err)
		return err;
	bpf_prog_put(sk->sk_rare->filter);
	sk->sk_rare->filter = prog;
	return 0;
}

/* Once locked, for ever: a filter is also how a program gives up seeing. */
static int set_lock_filter(struct socket *sock, int val)
{
	if (sock_flag(sock->sk, SOCK_FILTER_LOCKED) && !val)
		return -EPERM;
	sock_valbool_flag(sock->sk, SOCK_FILTER_LOCKED, val);
	return 0;
}
static int get_lock_filter(struct socket *sock, int *v)
{
	*v = sock_flag(sock->sk, SOCK_FILTER_LOCKED);
	return 0;
}

/* How many of the facts SKF_AD_* there are: SKF_AD_MAX. libpcap asks before it compiles vlan expressions. */
static int get_bpf_extensions(struct socket *sock, int *v)
{
	(void)sock;
	*v = SKF_AD_MAX;
	return 0;
}

/* ---- time stamps: three kinds in two widths share two flags -------------------------------------------- */

static int set_stamp(struct socket *sock, int val, bool ns, bool new_abi)
{
	struct sock *sk = sock->sk;

	sock_valbool_flag(sk, SOCK_RCVTSTAMP, val);
	sock_valbool_flag(sk, SOCK_TIMESTAMPNS, val && ns);
	sock_valbool_flag(sk, SOCK_TSTAMP_NEW, val && new_abi);
	if (val)
		sock_set_flag(sk, SOCK_TIMESTAMP);
	return 0;
}
static int get_stamp(struct socket *sock, int *v, bool ns, bool new_abi)
{
	const struct sock *sk = sock->sk;

	*v = sock_flag(sk, SOCK_RCVTSTAMP) && sock_flag(sk, SOCK_TIMESTAMPNS) == ns &&
	     sock_flag(sk, SOCK_TSTAMP_NEW) == new_abi;
	return 0;
}
#define STAMP_OPTION(name, ns, new_abi)                                                            \
	static int set_##name(struct socket *sock, int val)                                        \
	{                                                                                          \
		return set_stamp(sock, val, ns, new_abi);                                          \
	}                                                                                          \
	static int get_##name(struct socket *sock, int *v)                                         \
	{                                                                                          \
		return get_stamp(sock, v, ns, new_abi);                                            \
	}
STAMP_OPTION(timestamp, false, false)
STAMP_OPTION(timestampns, true, false)
STAMP_OPTION(timestamp_new, false, true)
STAMP_OPTION(timestampns_new, true, true)

#define SOF_TIMESTAMPING_OPT_ID_TCP_ (1u << 16) /* younger than some headers */
#define SOF_TIMESTAMPING_ALL_        ((1u << 19) - 1)

static int set_timestamping(struct socket *sock, int val)
{
	struct sock_rare *r;

	const struct sock *sk = sock->sk;
	u32 flags = (u32)val;

	if (!flags && !sk->sk_rare)
		return 0;
	if (flags & ~SOF_TIMESTAMPING_ALL_)
		return -EINVAL;
	/* What only refines another flag needs that one. */
	if (flags & SOF_TIMESTAMPING_OPT_ID_TCP_ && !(flags & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	if (flags & SOF_TIMESTAMPING_OPT_STATS && !(flags & SOF_TIMESTAMPING_OPT_TSONLY))
		return -EINVAL;
	if (flags & SOF_TIMESTAMPING_BIND_PHC)
		return -EOPNOTSUPP; /* there are no hardware clocks */
	if (flags & SOF_TIMESTAMPING_OPT_ID && sk->sk_protocol == IPPROTO_TCP &&
	    sock->type == SOCK_STREAM &&
	    (sk->sk_state == SS_TCP_CLOSE || sk->sk_state == SS_TCP_LISTEN))
		return -EINVAL;
	r = sock_rare(sock->sk);
	if (!r)
		return -ENOMEM;
	/* Identifiers count from the moment that they are asked for. */
	if (flags & SOF_TIMESTAMPING_OPT_ID && !(r->tsflags & SOF_TIMESTAMPING_OPT_ID))
		r->tskey =
			sk->sk_prot->tskey_base
				? sk->sk_prot->tskey_base(sk, flags & SOF_TIMESTAMPING_OPT_ID_TCP_)
				: 0;
	r->tsflags = flags;
	if (flags & SOF_TIMESTAMPING_RX_SOFTWARE)
		sock_set_flag(sock->sk, SOCK_TIMESTAMP);
	return 0;
}
static int set_timestamping_new(struct socket *sock, int val)
{
	sock_valbool_flag(sock->sk, SOCK_TSTAMP_NEW, val);
	return set_timestamping(sock, val);
}
static int get_timestamping(struct socket *sock, void *val, socklen_t *len)
{
	int v[2] = { sock->sk->sk_rare ? (int)sock->sk->sk_rare->tsflags : 0, 0 };

	memcpy(val, v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

/* When packets are to leave (SCM_TXTIME) is for queueing disciplines to look at. */
static int set_txtime(struct socket *sock, const void *val, socklen_t len)
{
	struct sock_rare *r;
	struct sock_txtime t;

	if (len != sizeof(t))
		return -EINVAL;
	memcpy(&t, val, sizeof(t));
	if (t.flags & (u32)~SOF_TXTIME_FLAGS_MASK ||
	    (t.clockid != CLOCK_REALTIME && t.clockid != CLOCK_MONOTONIC && t.clockid != CLOCK_TAI))
		return -EINVAL;
	r = sock_rare(sock->sk);
	if (!r)
		return -ENOMEM;
	r->txtime_clock = t.clockid;
	r->txtime_flags = t.flags;
	sock_set_flag(sock->sk, SOCK_TXTIME);
	return 0;
}
static int get_txtime(struct socket *sock, void *val, socklen_t *len)
{
	struct sock_txtime t = { 0 };

	if (sock_flag(sock->sk, SOCK_TXTIME))
		t = (struct sock_txtime){ sock->sk->sk_rare->txtime_clock,
					  sock->sk->sk_rare->txtime_flags };
	memcpy(val, &t, sizeof(t));
	*len = sizeof(t);
	return 0;
}

/* ---- other shapes -------------------------------------------------------------------------------------- */

static int set_linger(struct socket *sock, const void *val, socklen_t len)
{
	struct linger l;

	(void)len;
	memcpy(&l, val, sizeof(l));
	sock_valbool_flag(sock->sk, SOCK_LINGER, l.l_onoff);
	if (l.l_onoff)
		sock->sk->sk_lingertime = (u32)l.l_linger;
	return 0;
}
static int get_linger(struct socket *sock, void *val, socklen_t *len)
{
	struct linger l = { sock_flag(sock->sk, SOCK_LINGER), (int)sock->sk->sk_lingertime };

	memcpy(val, &l, sizeof(l));
	*len = sizeof(l);
	return 0;
}

/* struct timeval and the 64-bit __kernel_sock_timeval are the same on 64-bit machines. */
static int set_timeo(u64 *timeo, const void *val)
{
	struct timeval tv;

	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return -EDOM;
	if (tv.tv_sec < 0)
		*timeo = 0; /* Linux: do not wait at all */
	else if (!tv.tv_sec && !tv.tv_usec)
		*timeo = HOST_FOREVER;
	else if ((u64)tv.tv_sec >= HOST_FOREVER / NSEC_PER_SEC - 1)
		*timeo = HOST_FOREVER;
	else
		*timeo = (u64)tv.tv_sec * NSEC_PER_SEC + (u64)tv.tv_usec * NSEC_PER_USEC;
	return 0;
}
static int get_timeo(u64 timeo, void *val, socklen_t *len)
{
	struct timeval tv = { 0, 0 };

	if (timeo != HOST_FOREVER) {
		tv.tv_sec = (time_t)(timeo / NSEC_PER_SEC);
		tv.tv_usec = (suseconds_t)(timeo % NSEC_PER_SEC / NSEC_PER_USEC);
	}
	memcpy(val, &tv, sizeof(tv));
	*len = sizeof(tv);
	return 0;
}
static int set_rcvtimeo(struct socket *sock, const void *val, socklen_t len)
{
	(void)len;
	return set_timeo(&sock->sk->sk_rcvtimeo, val);
}
static int get_rcvtimeo(struct socket *sock, void *val, socklen_t *len)
{
	return get_timeo(sock->sk->sk_rcvtimeo, val, len);
}
static int set_sndtimeo(struct socket *sock, const void *val, socklen_t len)
{
	(void)len;
	return set_timeo(&sock->sk->sk_sndtimeo, val);
}
static int get_sndtimeo(struct socket *sock, void *val, socklen_t *len)
{
	return get_timeo(sock->sk->sk_sndtimeo, val, len);
}

static int set_bindtodevice(struct socket *sock, const void *val, socklen_t len)
{
	char name[IFNAMSIZ] = { 0 };
	struct net_device *dev;

	memcpy(name, val, min(len, (socklen_t)IFNAMSIZ - 1));
	if (!name[0])
		return bind_to_ifindex(sock, 0);
	dev = __dev_get_by_name(sock->net, name);
	return dev ? bind_to_ifindex(sock, dev->ifindex) : -ENODEV;
}
static int get_bindtodevice(struct socket *sock, void *val, socklen_t *len)
{
	struct net_device *dev;

	if (!sock->sk->sk_bound_dev_if) {
		*len = 0;
		return 0;
	}
	if (*len < IFNAMSIZ)
		return -EINVAL;
	dev = __dev_get_by_index(sock->net, sock->sk->sk_bound_dev_if);
	if (!dev)
		return -ENODEV;
	*len = (socklen_t)strlen(dev->name) + 1;
	memcpy(val, dev->name, *len);
	return 0;
}

static int get_cookie(struct socket *sock, void *val, socklen_t *len)
{
	struct sock *sk = sock->sk;

	if (*len < sizeof(u64))
		return -EINVAL;
	if (!sk->sk_cookie)
		sk->sk_cookie = sock_new_cookie(sk);
	memcpy(val, &sk->sk_cookie, sizeof(u64));
	*len = sizeof(u64);
	return 0;
}
static int get_netns_cookie(struct socket *sock, void *val, socklen_t *len)
{
	u64 id = sock->net->id;

	if (*len != sizeof(id))
		return -EINVAL;
	memcpy(val, &id, sizeof(id));
	return 0;
}

static int set_pacing_rate(struct socket *sock, const void *val, socklen_t len)
{
	struct sock_rare *r = sock_rare(sock->sk);
	u64 rate = 0;

	if (!r)
		return -ENOMEM;
	if (len >= sizeof(u64)) {
		memcpy(&rate, val, sizeof(u64));
	} else {
		memcpy(&rate, val, sizeof(u32));
	}
	/* The 32-bit form of "no limit". */
	r->max_pacing_rate = len < sizeof(u64) && rate == UINT32_MAX ? UINT64_MAX : rate;
	return 0;
}
static int get_pacing_rate(struct socket *sock, void *val, socklen_t *len)
{
	u64 rate = sock->sk->sk_rare ? sock->sk->sk_rare->max_pacing_rate : UINT64_MAX;
	u32 rate32 = rate > UINT32_MAX ? UINT32_MAX : (u32)rate;

	if (*len >= sizeof(u64)) {
		memcpy(val, &rate, sizeof(rate));
		*len = sizeof(rate);
	} else {
		memcpy(val, &rate32, sizeof(rate32));
		*len = sizeof(rate32);
	}
	return 0;
}

static int get_meminfo(struct socket *sock, void *val, socklen_t *len)
{
	const struct sock *sk = sock->sk;
	/* The order of enum SK_MEMINFO_* of linux/sock_diag.h. */
	u32 m[9] = { sk->sk_rmem_alloc,
		     sk->sk_rcvbuf,
		     sk->sk_wmem_alloc,
		     sk->sk_sndbuf,
		     sk_mem_forward(sk),
		     sk->sk_wmem_queued,
		     0,
		     0,
		     sk->sk_drops };

	memcpy(val, m, sizeof(m));
	*len = sizeof(m);
	return 0;
}

static int get_peercred(struct socket *sock, void *val, socklen_t *len)
{
	struct ucred c = { 0, (uid_t)-1, (gid_t)-1 };

	int err = sock->ops->peercred ? sock->ops->peercred(sock, &c) : 0;

	memcpy(val, &c, sizeof(c));
	*len = sizeof(c);
	return err;
}

static int get_peername(struct socket *sock, void *val, socklen_t *len)
{
	struct sockaddr_storage ss = { 0 };
	int n = sock->ops->getname ? sock->ops->getname(sock, &ss, 1) : -ENOTCONN;

	if (n < 0)
		return n == -EOPNOTSUPP ? -ENOTCONN : n;
	if (*len > (socklen_t)n)
		return -EINVAL;
	memcpy(val, &ss, (size_t)n);
	*len = (socklen_t)n;
	return 0;
}

/* ---- the table ----------------------------------------------------------------------------------------- */

#define FLAG(bit) .flag_bit = (bit) + 1

static const struct sockopt sock_options[] = {
	{ SO_DEBUG, "SO_DEBUG", FLAG(SOCK_DBG) },
	{ SO_REUSEADDR, "SO_REUSEADDR", .set = set_reuse, .get = get_reuse },
	{ SO_TYPE, "SO_TYPE", .get = get_type },
	{ SO_ERROR, "SO_ERROR", .get = get_error },
	{ SO_DONTROUTE, "SO_DONTROUTE", FLAG(SOCK_LOCALROUTE) },
	{ SO_BROADCAST, "SO_BROADCAST", FLAG(SOCK_BROADCAST) },
	{ SO_SNDBUF, "SO_SNDBUF", .set = set_sndbuf, .get = get_sndbuf },
	{ SO_RCVBUF, "SO_RCVBUF", .set = set_rcvbuf, .get = get_rcvbuf },
	{ SO_SNDBUFFORCE, "SO_SNDBUFFORCE", .set = set_sndbufforce },
	{ SO_RCVBUFFORCE, "SO_RCVBUFFORCE", .set = set_rcvbufforce },
	{ SO_KEEPALIVE, "SO_KEEPALIVE", .set = set_keepalive, .get = get_keepalive },
	{ SO_OOBINLINE, "SO_OOBINLINE", FLAG(SOCK_URGINLINE) },
	{ SO_NO_CHECK, "SO_NO_CHECK", FLAG(SOCK_NO_CHECK_TX) },
	{ SO_PRIORITY, "SO_PRIORITY", .set = set_priority, .get = get_priority },
	{ SO_LINGER, "SO_LINGER", .set_min = sizeof(struct linger), .set_raw = set_linger,
	  .get_raw = get_linger },
	{ SO_BSDCOMPAT, "SO_BSDCOMPAT", .set = set_ignored, .get = get_zero },
	{ SO_REUSEPORT, "SO_REUSEPORT", .set = set_reuseport, .get = get_reuseport },
	{ SO_PASSCRED, "SO_PASSCRED", .set = set_passcred, .get = get_passcred },
	{ SO_PASSSEC, "SO_PASSSEC", .set = set_unsupported, .get = get_unsupported },
	{ SO_PASSPIDFD_, "SO_PASSPIDFD", .set = set_unsupported, .get = get_unsupported },
	{ SO_PEERPIDFD_, "SO_PEERPIDFD", .get = get_no_peer },
	{ SO_PEERGROUPS, "SO_PEERGROUPS", .get = get_no_peer },
	{ SO_BUF_LOCK, "SO_BUF_LOCK", .set = set_buf_lock, .get = get_buf_lock },
	{ SO_RESERVE_MEM_, "SO_RESERVE_MEM", .set = set_reserve_mem, .get = get_zero },
	{ SO_TXREHASH_, "SO_TXREHASH", .set = set_txrehash, .get = get_txrehash },
	{ SO_RCVPRIORITY_, "SO_RCVPRIORITY", FLAG(SOCK_RCVPRIORITY) },
	{ SO_CNX_ADVICE, "SO_CNX_ADVICE", .set = set_cnx_advice },
	{ SO_PEERCRED, "SO_PEERCRED", .get_raw = get_peercred },
	{ SO_RCVLOWAT, "SO_RCVLOWAT", .set = set_rcvlowat, .get = get_rcvlowat },
	{ SO_SNDLOWAT, "SO_SNDLOWAT", .get = get_sndlowat },
	{ SO_RCVTIMEO_OLD, "SO_RCVTIMEO", .set_min = sizeof(struct timeval),
	  .set_raw = set_rcvtimeo, .get_raw = get_rcvtimeo },
	{ SO_SNDTIMEO_OLD, "SO_SNDTIMEO", .set_min = sizeof(struct timeval),
	  .set_raw = set_sndtimeo, .get_raw = get_sndtimeo },
	{ SO_RCVTIMEO_NEW, "SO_RCVTIMEO_NEW", .set_min = sizeof(struct timeval),
	  .set_raw = set_rcvtimeo, .get_raw = get_rcvtimeo },
	{ SO_SNDTIMEO_NEW, "SO_SNDTIMEO_NEW", .set_min = sizeof(struct timeval),
	  .set_raw = set_sndtimeo, .get_raw = get_sndtimeo },
	{ SO_BINDTODEVICE, "SO_BINDTODEVICE", .set_raw = set_bindtodevice,
	  .get_raw = get_bindtodevice },
	{ SO_ATTACH_FILTER, "SO_ATTACH_FILTER", .set_raw = set_attach },
	{ SO_ATTACH_REUSEPORT_CBPF, "SO_ATTACH_REUSEPORT_CBPF", .set_min = sizeof(int),
	  .set_raw = set_reuseport_cbpf },
	{ SO_DETACH_REUSEPORT_BPF, "SO_DETACH_REUSEPORT_BPF", .set = set_reuseport_detach },
	{ SO_LOCK_FILTER, "SO_LOCK_FILTER", .set = set_lock_filter, .get = get_lock_filter },
	{ SO_BPF_EXTENSIONS, "SO_BPF_EXTENSIONS", .get = get_bpf_extensions },
	{ SO_DETACH_FILTER, "SO_DETACH_FILTER", .set = set_detach },
	{ SO_PEERNAME, "SO_PEERNAME", .get_raw = get_peername },
	{ SO_TIMESTAMP_OLD, "SO_TIMESTAMP", .set = set_timestamp, .get = get_timestamp },
	{ SO_ACCEPTCONN, "SO_ACCEPTCONN", .get = get_acceptconn },
	{ SO_TIMESTAMPNS_OLD, "SO_TIMESTAMPNS", .set = set_timestampns, .get = get_timestampns },
	{ SO_MARK, "SO_MARK", .set = set_mark, .get = get_mark },
	{ SO_TIMESTAMPING_OLD, "SO_TIMESTAMPING", .set = set_timestamping,
	  .get_raw = get_timestamping },
	{ SO_PROTOCOL, "SO_PROTOCOL", .get = get_protocol },
	{ SO_DOMAIN, "SO_DOMAIN", .get = get_domain },
	{ SO_RXQ_OVFL, "SO_RXQ_OVFL", FLAG(SOCK_RXQ_OVFL) },
	{ SO_WIFI_STATUS, "SO_WIFI_STATUS", FLAG(SOCK_WIFI_STATUS) },
	{ SO_PEEK_OFF, "SO_PEEK_OFF", .set = set_peek_off_checked, .get = get_peek_off_checked },
	{ SO_NOFCS, "SO_NOFCS", FLAG(SOCK_NOFCS) },
	{ SO_SELECT_ERR_QUEUE, "SO_SELECT_ERR_QUEUE", FLAG(SOCK_SELECT_ERR_QUEUE) },
	{ SO_BUSY_POLL, "SO_BUSY_POLL", .set = set_busy_poll_checked, .get = get_busy_poll },
	{ SO_MAX_PACING_RATE, "SO_MAX_PACING_RATE", .set_min = sizeof(u32),
	  .set_raw = set_pacing_rate, .get_raw = get_pacing_rate },
	{ SO_INCOMING_CPU, "SO_INCOMING_CPU", .set = set_incoming_cpu,
	  .get = get_incoming_or_home_cpu },
	{ SO_MEMINFO, "SO_MEMINFO", .get_raw = get_meminfo },
	{ SO_INCOMING_NAPI_ID, "SO_INCOMING_NAPI_ID", .get = get_zero },
	{ SO_COOKIE, "SO_COOKIE", .get_raw = get_cookie },
	{ SO_ZEROCOPY, "SO_ZEROCOPY", .set = set_zerocopy, .get = get_zerocopy },
	{ SO_BINDTOIFINDEX, "SO_BINDTOIFINDEX", .set = bind_to_ifindex, .get = get_ifindex },
	{ SO_TIMESTAMP_NEW, "SO_TIMESTAMP_NEW", .set = set_timestamp_new,
	  .get = get_timestamp_new },
	{ SO_TIMESTAMPNS_NEW, "SO_TIMESTAMPNS_NEW", .set = set_timestampns_new,
	  .get = get_timestampns_new },
	{ SO_TIMESTAMPING_NEW, "SO_TIMESTAMPING_NEW", .set = set_timestamping_new,
	  .get_raw = get_timestamping },
	{ SO_PREFER_BUSY_POLL, "SO_PREFER_BUSY_POLL", FLAG(SOCK_PREFER_BUSY_POLL) },
	{ SO_BUSY_POLL_BUDGET, "SO_BUSY_POLL_BUDGET", .set = set_busy_poll_budget },
	{ SO_NETNS_COOKIE, "SO_NETNS_COOKIE", .get_raw = get_netns_cookie },
	{ SO_TXTIME, "SO_TXTIME", .set_min = sizeof(struct sock_txtime), .set_raw = set_txtime,
	  .get_raw = get_txtime },
	{ SO_RCVMARK, "SO_RCVMARK", FLAG(SOCK_RCVMARK) },
};

static const struct sockopt *sockopt_find(int name)
{
	for (u32 i = 0; i < ARRAY_SIZE(sock_options); i++)
		if (sock_options[i].name == name)
			return &sock_options[i];
	return NULL;
}

int sock_setsockopt(struct socket *sock, int name, const void *val, socklen_t len)
{
	const struct sockopt *o = sockopt_find(name);
	int v;

	if (o && o->set_raw && !o->set_min)
		return o->set_raw(sock, val, len);
	if (len < sizeof(int))
		return -EINVAL;
	if (!o)
		return -ENOPROTOOPT;
	if (o->set_raw)
		return len < o->set_min ? -EINVAL : o->set_raw(sock, val, len);
	memcpy(&v, val, sizeof(v));
	if (o->flag_bit) {
		sock_valbool_flag(sock->sk, (enum sock_flags)(o->flag_bit - 1), v != 0);
		return 0;
	}
	return o->set ? o->set(sock, v) : -ENOPROTOOPT;
}

/* SO_GET_FILTER: counts instructions, not octets. Asking with no room tells how many there are. */
static int sock_get_filter(const struct sock *sk, void *val, socklen_t *len)
{
	const struct bpf_prog *prog = sk_has_filter(sk) ? sk->sk_rare->filter : NULL;
	socklen_t room = *len;

	*len = prog ? prog->len : 0;
	if (!prog || !room)
		return 0;
	if (room < prog->len)
		return -EINVAL;
	memcpy(val, prog->insns, prog->len * sizeof(prog->insns[0]));
	return 0;
}

int sock_getsockopt(struct socket *sock, int name, void *val, socklen_t *len)
{
	const struct sockopt *o = sockopt_find(name);
	u8 buf[128];
	socklen_t have = *len;
	int v = 0, err = 0;

	if (name == SO_GET_FILTER)
		return sock_get_filter(sock->sk, val, len);
	if (!o || (!o->flag_bit && !o->get && !o->get_raw))
		return -ENOPROTOOPT;
	if (o->get_raw) {
		err = o->get_raw(sock, buf, &have);
	} else {
		if (o->flag_bit)
			v = sock_flag(sock->sk, (enum sock_flags)(o->flag_bit - 1));
		else
			err = o->get(sock, &v);
		memcpy(buf, &v, sizeof(v));
		have = sizeof(v);
	}
	if (err)
		return err;
	*len = min(*len, have);
	memcpy(val, buf, *len);
	return 0;
}
