/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir.h - the Linux networking subsystem as a library
 *
 * A machine (struct weir_machine) is the root: clock, entropy, memory. A net (struct weir_net) is one stack instance of it: its
 * own devices, addresses, routes, sockets - what Linux calls a network namespace. Machines share nothing.
 *
 * Errors: functions return 0 or a count, or a negative errno value. They do not touch errno, but those that return a pointer
 * return NULL and set errno. Units: times are nanoseconds (WEIR_FOREVER: no limit), sizes octets.
 * Threads: any thread may call anything on objects that are alive, unless said otherwise. A file may be closed while others are in
 * calls on it: they end with EBADF. Files of different machines cannot be waited for together (EINVAL).
 *
 * Driving: a machine without workers does nothing by itself. Call weir_run() from your loop, or let weir_arm() give you one
 * descriptor to watch. Blocking calls turn the loop themselves. With workers, threads of the library do it.
 *
 * Configuration is netlink, and only netlink: open a socket(AF_NETLINK) in the net and talk rtnetlink(7), or use
 * weir_netlink() for one request. A fresh net has only "lo", which is down - as in Linux.
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/poll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_API     __attribute__((visibility("default")))
#define WEIR_FOREVER UINT64_MAX

struct weir_crypto; /* weir/crypto.h */
struct weir_machine;
struct weir_net;
struct weir_file;
struct nlmsghdr;

/* ---- machines ------------------------------------------------------------------------------------------ */

enum weir_clock {
	WEIR_CLOCK_REAL,
	WEIR_CLOCK_VIRTUAL, /* time jumps to the next event when nothing runs */
};

struct weir_machine_config {
	enum weir_clock clock;
	bool seeded; /* random choices are a function of @seed (always so under a virtual clock) */
	uint64_t seed;
	uint32_t ncpus;          /* 0: 1 */
	bool workers;            /* one thread per cpu drives the machine */
	uint32_t net_cpus;       /* on so many of them is what weir_net_create() makes; 0: 1 */
	uint64_t mem_limit;      /* octets for packets; 0: 1 GiB per cpu */
	uint64_t start_realtime; /* virtual clock: ns since 1970 at time 0 */
	const struct weir_crypto *crypto; /* NULL: no TCP-MD5, no TCP-AO */
	/* Directories, separated by ':', in which weir_socket() looks for families that are absent (net-pf-N.so) and
	 * weir_module_load() for names. NULL: nothing is loaded on demand. */
	const char *module_path;
	bool module_root_only; /* ignore files there that others than root can change, or the way to them */
	/* A module was there but could not be loaded on demand; @text says why. No lock is held. May be NULL. */
	void (*module_log)(void *arg, const char *text);
	void *module_log_arg;
	/* The program promises that never two of its threads are in calls on this machine at once (one after another is fine, if one knows
	 * that the other has returned; weir_arm()'s descriptor is for whoever waits). Then nothing is locked, which is some 30 ns less a
	 * call. Overlapping calls are asserted against. Not with @workers, nor on more than one cpu: EINVAL.
	 * Devices over the host's interfaces have a thread: EOPNOTSUPP. */
	bool single_threaded;
};

/* @cfg NULL: defaults (real time, caller-driven, one cpu). */
WEIR_API struct weir_machine *weir_machine_create(const struct weir_machine_config *cfg);
/* Every net and file must be gone or is closed here; no thread may be inside a call. */
WEIR_API void weir_machine_destroy(struct weir_machine *m);

/*
 * Lets the machine work: timers, queues, devices. Returns when at least one round was done and nothing is left to do now, or after
 * @timeout_ns without work. Caller-driven machines only (-EINVAL with workers). Under a virtual clock time moves by at most
 * @timeout_ns. Returns 0, or 1 when an event for the caller is pending: an epoll has become ready, or the last weir_epoll_wait() with
 * timeout 0 left something in one; it may turn out to be nothing. -ENOMEM; -EINTR when the machine is being destroyed.
 * What came while another function was called, behind a weir_recv() that found nothing for instance, is not work of weir_run()'s: who sleeps in it
 * asks weir_poll() or weir_epoll_wait() before.
 */
WEIR_API int weir_run(struct weir_machine *m, uint64_t timeout_ns);
/*
 * For somebody else's loop: a descriptor that becomes readable when weir_run(m, 0) has something to do or an event to report.
 * weir_arm() must be called before each sleep on it, after the epolls were asked. The descriptor belongs to the machine. -errno on failure; -EINVAL with workers, and under a virtual
 * clock, for which nobody can wait on a descriptor.
 */
WEIR_API int weir_arm(struct weir_machine *m);
/* Optional, after the sleep: what is done until the next weir_arm() needs not make the descriptor readable. Spares system calls. */
WEIR_API void weir_disarm(struct weir_machine *m);
/* Nanoseconds of the machine's clock; real or virtual. */
WEIR_API uint64_t weir_now(struct weir_machine *m);
WEIR_API uint64_t weir_realtime(struct weir_machine *m);
/* Sleeps on the machine's clock (drives a caller-driven machine meanwhile). */
WEIR_API void weir_sleep(struct weir_machine *m, uint64_t ns);
/* Under a virtual clock, threads that use the machine must be started here, so that time knows when all sleep. */
struct weir_thread;
WEIR_API struct weir_thread *weir_thread_start(struct weir_machine *m, const char *name,
					       void (*fn)(void *arg), void *arg);
WEIR_API void weir_thread_join(struct weir_thread *t);

/* ---- nets ---------------------------------------------------------------------------------------------- */

WEIR_API struct weir_net *weir_net_create(struct weir_machine *m, const char *name);
/*
 * A net on @ncpus cpus of the machine, or as many as it has. It is used and configured like another one. Connections are spread over
 * its cpus: those that it accepts by a hash of their addresses and ports, those that it opens in turn. Other sockets belong to one
 * cpu; what is not TCP to the first unless weir_socket_on() says otherwise. doc/adr/0009-shards.md, doc/limits.md
 */
WEIR_API struct weir_net *weir_net_create_on(struct weir_machine *m, const char *name,
					     uint32_t ncpus);
/* Its files go on to exist, and fail with ENETDOWN; threads inside calls on them leave first. Its taps must be gone. */
WEIR_API void weir_net_destroy(struct weir_net *net);
/* A number > 0 that names the net in its machine: the value for IFLA_NET_NS_FD in netlink requests. */
WEIR_API uint32_t weir_net_id(const struct weir_net *net);
WEIR_API const char *weir_net_name(const struct weir_net *net);
WEIR_API struct weir_machine *weir_net_machine(const struct weir_net *net);

/*
 * One netlink request of @protocol (NETLINK_ROUTE): sends @msg, calls @reply for each answering message (may be NULL), and
 * returns 0 or the -errno of its acknowledgement. A negative value from @reply ends the call, which returns it. @ret_error, if given, receives the sentence of an extended
 * acknowledgement (at most @error_size octets with the NUL; empty if there is none).
 */
WEIR_API int weir_netlink(struct weir_net *net, int protocol, const struct nlmsghdr *msg,
			  int (*reply)(const struct nlmsghdr *nlh, void *arg), void *arg,
			  char *ret_error, size_t error_size);

/* ---- sockets: POSIX calls on files --------------------------------------------------------------------- */

/* A TCP or UDP socket that belongs to the @cpu-th cpu of its net, from 0 on: for a thread for each cpu. UDP sockets of several cpus can
 * have one port if all have SO_REUSEPORT. -EINVAL: the net has no such cpu; -EOPNOTSUPP: another kind of socket, elsewhere than on the
 * net's own cpu. */
WEIR_API int weir_socket_on(struct weir_net *net, uint32_t cpu, int domain, int type, int protocol,
			    struct weir_file **ret_file);
/* @type may carry SOCK_NONBLOCK. On success *ret_file has one reference: weir_close(). */
WEIR_API int weir_socket(struct weir_net *net, int domain, int type, int protocol,
			 struct weir_file **ret_file);
WEIR_API int weir_socketpair(struct weir_net *net, int domain, int type, int protocol,
			     struct weir_file *ret_files[2]);
/* Gives one reference back; @f must not be used through it any more. 0, or -EBADF for NULL. Blocks as SO_LINGER says. */
WEIR_API int weir_close(struct weir_file *f);
WEIR_API struct weir_file *weir_file_get(struct weir_file *f); /* another reference (dup) */
WEIR_API int weir_bind(struct weir_file *f, const struct sockaddr *addr, socklen_t len);
WEIR_API int weir_listen(struct weir_file *f, int backlog);
WEIR_API int weir_connect(struct weir_file *f, const struct sockaddr *addr, socklen_t len);
/* @addr, @len may be NULL. @flags: SOCK_NONBLOCK. *ret_file as of weir_socket(). */
WEIR_API int weir_accept(struct weir_file *f, struct sockaddr *addr, socklen_t *len, int flags,
			 struct weir_file **ret_file);
WEIR_API int weir_getsockname(struct weir_file *f, struct sockaddr *addr, socklen_t *len);
WEIR_API int weir_getpeername(struct weir_file *f, struct sockaddr *addr, socklen_t *len);
WEIR_API int weir_setsockopt(struct weir_file *f, int level, int name, const void *val,
			     socklen_t len);
WEIR_API int weir_getsockopt(struct weir_file *f, int level, int name, void *val, socklen_t *len);
WEIR_API int weir_shutdown(struct weir_file *f, int how);
WEIR_API ssize_t weir_read(struct weir_file *f, void *buf, size_t n);
WEIR_API ssize_t weir_write(struct weir_file *f, const void *buf, size_t n);
WEIR_API ssize_t weir_readv(struct weir_file *f, const struct iovec *iov, int n);
WEIR_API ssize_t weir_writev(struct weir_file *f, const struct iovec *iov, int n);
/*
 * MSG_ZEROCOPY with SO_ZEROCOPY (TCP) sends from the program's memory itself: until MSG_ERRQUEUE tells that a call is done it must stay
 * mapped, and what is written to it may be sent. After weir_close() nobody tells: read all messages before, or leave
 * the memory there until the net is destroyed. Calls whose messages were not read are limited by net.core.optmem_max: then -ENOBUFS.
 */
WEIR_API ssize_t weir_send(struct weir_file *f, const void *buf, size_t n, int flags);
/*
 * A flag of weir_recv() beside those of recv(2), for TCP: -EAGAIN, instead of octets, when what is next is an urgent one that nobody has read. Then
 * SIOCATMARK says 1. Without it a read steps over such an octet (SO_OOBINLINE: begins with it), and one that came since the last question is missed.
 */
#define WEIR_MSG_TO_MARK 0x10000000
WEIR_API ssize_t weir_recv(struct weir_file *f, void *buf, size_t n, int flags);
WEIR_API ssize_t weir_sendto(struct weir_file *f, const void *buf, size_t n, int flags,
			     const struct sockaddr *addr, socklen_t len);
WEIR_API ssize_t weir_recvfrom(struct weir_file *f, void *buf, size_t n, int flags,
			       struct sockaddr *addr, socklen_t *len);
WEIR_API ssize_t weir_sendmsg(struct weir_file *f, const struct msghdr *msg, int flags);
/*
 * sendmmsg(2), at most 1024 messages: how many were sent, or the error of the first. msg_len of these is set. One of which a stream took only
 * a part is the last. Up to 64 of them that leave by a device over the host's network enter the stack together, which tells it of what it has to
 * send once for all.
 */
struct mmsghdr;
WEIR_API int weir_sendmmsg(struct weir_file *f, struct mmsghdr *msgs, unsigned n, int flags);
WEIR_API ssize_t weir_recvmsg(struct weir_file *f, struct msghdr *msg, int flags);
/*
 * Receiving without copying (TCP; other sockets: -EOPNOTSUPP). Takes up to @n octets from the stream as weir_recv() does, but describes where they
 * lie, in at most *nr_iov pieces (-EINVAL: none, or more than 1024); *nr_iov becomes their number. They may be read, not written, until weir_recv_release(*ret_hold).
 * Until then they count against SO_RCVBUF: who keeps them closes his own window, and gets -EAGAIN or waits when nothing else fits. @flags:
 * MSG_DONTWAIT; others -EINVAL. 0: end of the stream; with 0 and with errors there is nothing to release. All must
 * be released before the net is destroyed; the file may be closed earlier.
 */
struct weir_recv_hold;
WEIR_API ssize_t weir_recv_zc(struct weir_file *f, struct iovec *iov, int *nr_iov, size_t n,
			      int flags, struct weir_recv_hold **ret_hold);
/* In any order, in any thread that may make calls on the file. NULL is fine. */
WEIR_API void weir_recv_release(struct weir_recv_hold *hold);
/*
 * sendfile(2): @count octets of the host's descriptor @fd, a regular file, from *@off on (NULL: from its position on). May send less. EINVAL,
 * ESPIPE, EAGAIN as there.
 */
WEIR_API ssize_t weir_sendfile(struct weir_file *out, int fd, off_t *off, size_t count);
/* A pipe of 64 KiB: [0] reads, [1] writes. @flags: SOCK_NONBLOCK. */
WEIR_API int weir_pipe(struct weir_machine *m, struct weir_file *ret_files[2], int flags);
/* splice(2): between a pipe and a socket, or two pipes. @flags: SPLICE_F_NONBLOCK, SPLICE_F_MORE. Moves 64 KiB at most. */
WEIR_API ssize_t weir_splice(struct weir_file *in, struct weir_file *out, size_t len,
			     unsigned flags);
/* SIOC*, FIONREAD, FIONBIO ... @arg as ioctl(2) has it */
WEIR_API int weir_ioctl(struct weir_file *f, unsigned long cmd, void *arg);
/* F_GETFL, F_SETFL with O_NONBLOCK */
WEIR_API int weir_fcntl(struct weir_file *f, int cmd, int arg);
/* A number that no other socket of this machine has or had. 0: not a socket, or its net is gone. */
WEIR_API uint64_t weir_cookie(const struct weir_file *f);
/* The number shown as "inode" in /proc/net/tcp; weir_set_inode() makes it the one a program's fstat() sees, and @uid the owner. */
WEIR_API uint64_t weir_inode(const struct weir_file *f);
WEIR_API void weir_set_inode(struct weir_file *f, uint64_t ino, uint32_t uid);

/* ---- any destination: for gateways in user space --------------------------------------------------------- */

/*
 * Makes @f take what is for any destination, address and port, and for no other socket of its net. One socket per net, protocol and IP
 * version (-EADDRINUSE; an AF_INET6 one takes IPv6 only); SO_BINDTODEVICE limits it to what arrives by that device. It must not be bound
 * (-EINVAL). Packets must reach the net's sockets in the first place: by a route that calls all others' destinations local, as
 *     ip route add local default dev lo
 * TCP: each SYN is told by weir_next_syn() and waits, unanswered, for weir_answer_syn(). When the handshake that it allows is complete,
 * weir_accept() gives the connection: its weir_getsockname() is the destination, weir_cookie() the SYN's. @backlog (at most 65535) bounds
 * what waits; so does net.ipv4.tcp_max_syn_backlog. The socket is readable (POLLIN) while there is something to be told or accepted.
 * UDP: weir_recvmsg() tells the source; the destination is in a control message IP_ORIGDSTADDR or IPV6_ORIGDSTADDR if IP_RECVORIGDSTADDR
 * or IPV6_RECVORIGDSTADDR is set. The same control message given to weir_sendmsg() is the source address and port of what is sent.
 * ICMP needs nothing of the kind: a raw socket sees requests to any destination (net.ipv4.icmp_echo_ignore_all keeps the stack from
 * answering), and with IP_TRANSPARENT answers with any source (IP_PKTINFO).
 * -EOPNOTSUPP: other protocols.
 */
WEIR_API int weir_listen_any(struct weir_file *f, int backlog);
struct weir_syn {
	uint64_t cookie;
	bool gone; /* told before; no connection will come of it: the sender gave up, or the handshake came to nothing */
	struct sockaddr_storage src, dst; /* sockaddr_in or sockaddr_in6 */
};
/* The next SYN, or the end of one. 0; -EAGAIN: none; -EINVAL: not such a socket. Never waits. */
WEIR_API int weir_next_syn(struct weir_file *f, struct weir_syn *ret);
/*
 * What becomes of @syn; @err is the outcome of the caller's own connect, as errno: 0 the SYN-ACK is sent; ECONNREFUSED a RST;
 * ENETUNREACH, EHOSTUNREACH, EACCES (administratively prohibited) an ICMP error about the SYN; ETIMEDOUT nothing: its sender will find out.
 * -EINVAL: another error; -ENOENT: it is gone (and that is told); -EALREADY; -EHOSTUNREACH: no route back. Without an answer a SYN ends
 * after three minutes.
 */
WEIR_API int weir_answer_syn(struct weir_file *f, const struct weir_syn *syn, int err);

/* ---- around the packets: for who holds both ends of a connection ----------------------------------------- */

/*
 * Octets that an embedder would give to @a, one end of a TCP connection, and take out of @b, its other end, it may hand over itself, while
 * nobody could tell. Sequence numbers and counters move as if segments had carried them. It is asked for each piece anew; single-threaded
 * use of both files between question and weir_bypass() is the caller's matter.
 * weir_bypass_ready(): 0: yes. -EAGAIN: something is still on its way, or was not read at @b: ask again when it was. -EBUSY: something looks
 * at packets on the way (taps, tracing, hooks, queueing disciplines, impairments, raw sockets), the ends do not allow it, or are not the two of
 * one connection with a wire between: use weir_send().
 * weir_bypass(): @n octets went from @a's side to @b's. Only right after weir_bypass_ready() has said 0.
 * weir_peer_inode(): weir_inode() of the other end of @f's connection in @net (NULL: in the one at the other end of its wire); 0: there is none.
 */
WEIR_API int weir_bypass_ready(struct weir_file *a, struct weir_file *b);
WEIR_API void weir_bypass(struct weir_file *a, struct weir_file *b, size_t n);
WEIR_API uint64_t weir_peer_inode(struct weir_file *f, struct weir_net *net);

/* ---- AF_UNIX ------------------------------------------------------------------------------------------- */

/*
 * The library makes no files: path names of AF_UNIX sockets live in a table of the net. A name stays when its socket is closed, as a file
 * would; this removes it. -ENOENT. SCM_RIGHTS messages carry an array of struct weir_file pointers: the sender keeps its
 * references, the receiver gets one on each. AF_UNIX sockets travel only within their net (-EXDEV).
 */
WEIR_API int weir_unix_unlink(struct weir_net *net, const char *path);

/* ---- descriptors --------------------------------------------------------------------------------------- */

/*
 * Optional: a table that gives files numbers, the lowest that is free each time, for code that is written for descriptors. SCM_RIGHTS
 * messages of weir_socketcall() carry such numbers.
 */
struct weir_files;
/* @limit: how many, as RLIMIT_NOFILE (0: 1024). New sockets are made in @net, which must outlive the table. */
WEIR_API int weir_files_create(struct weir_net *net, unsigned limit, struct weir_files **ret_files);
WEIR_API void weir_files_destroy(struct weir_files *files); /* closes all */
/* What fork(2) and execve(2) do to descriptors. */
WEIR_API int weir_files_fork(struct weir_files *files, struct weir_files **ret_files);
WEIR_API void weir_files_exec(struct weir_files *files);
/* A number for @f, whose reference it takes over unless it fails (-EMFILE). @flags: SOCK_CLOEXEC. */
WEIR_API int weir_fd_install(struct weir_files *files, struct weir_file *f, int flags);
WEIR_API struct weir_file *weir_fd_file(struct weir_files *files,
					int fd); /* another reference; NULL: EBADF */
WEIR_API int weir_fd_close(struct weir_files *files, int fd);
WEIR_API int weir_fd_dup(struct weir_files *files, int fd);
WEIR_API int weir_fd_dup2(struct weir_files *files, int fd, int to);
WEIR_API int weir_fd_dup3(struct weir_files *files, int fd, int to, int flags); /* O_CLOEXEC */
/* F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL */
WEIR_API int weir_fd_fcntl(struct weir_files *files, int fd, int cmd, int arg);
/* select(2); @nfds at most FD_SETSIZE. The sets keep what is ready. Machine time: WEIR_FOREVER waits. */
WEIR_API int weir_select(struct weir_files *files, int nfds, fd_set *readfds, fd_set *writefds,
			 fd_set *exceptfds, uint64_t timeout_ns);
/* socketcall(2): @call is SYS_SOCKET ... SYS_SENDMMSG of <linux/net.h>. The result of that call, or -errno. */
WEIR_API long weir_socketcall(struct weir_files *files, int call, const unsigned long *args);

/* ---- waiting ------------------------------------------------------------------------------------------- */

struct weir_pollfd {
	struct weir_file *file; /* NULL: ignored */
	short events, revents;  /* POLL* */
};
/* The number of files with events, 0 after @timeout_ns, or -errno. POLLNVAL: closed meanwhile. */
WEIR_API int weir_poll(struct weir_machine *m, struct weir_pollfd *fds, unsigned n,
		       uint64_t timeout_ns);
/* Readiness now, as poll(2) would say with all events asked for; never blocks. */
WEIR_API unsigned weir_poll_now(struct weir_file *f);
WEIR_API int weir_epoll_create(struct weir_machine *m, struct weir_file **ret_file);
/* As epoll_ctl(2). An epoll holds no reference: a file leaves it when its last reference is given back. */
WEIR_API int weir_epoll_ctl(struct weir_file *ep, int op, struct weir_file *f,
			    struct epoll_event *ev);
/* The number of events stored, 0 after @timeout_ns, or -errno; -EINTR when the machine is being destroyed. */
WEIR_API int weir_epoll_wait(struct weir_file *ep, struct epoll_event *evs, int max,
			     uint64_t timeout_ns);

/* ---- devices of the program's own, and of the host --------------------------------------------------------- */

/*
 * Frames in and out. A weir_dev is a device of a net whose cable ends in the program: what the net sends waits, in a queue of @queue frames
 * (0: 256), for weir_dev_output(); when that is full the device stops, and its qdisc and the sockets fill up. Frames are of
 * wire size, unless WEIR_DEV_GSO says otherwise; checksums are final in either case. Otherwise it is configured by netlink like any other device, and may be removed by it.
 */
struct weir_dev;
#define WEIR_DEV_L3                                                                                \
	1u /* IP packets without link-layer header; else Ethernet frames without frame check */
#define WEIR_DEV_VNET_HDR                                                                          \
	2u /* weir_dev_attach_tap(): a virtio-net header is in front of each frame */
/* weir_dev_create(): as a card with segmentation offload (SG, checksum, TSO): TCP segments of up to 64 KiB go out whole, and so long frames
 * may come in. */
#define WEIR_DEV_GSO 4u
/* NULL with errno: EEXIST, EINVAL (name, flags), ENOMEM. @ifname may contain "%d". The device is down. */
WEIR_API struct weir_dev *weir_dev_create(struct weir_net *net, const char *ifname, unsigned flags,
					  uint32_t queue);
/* With its device, if that is still there. No thread may be inside a call on it. */
WEIR_API void weir_dev_destroy(struct weir_dev *dev);
/* A frame arrives. 0; -ENETDOWN, -EMSGSIZE (longer than the MTU, or WEIR_DEV_GSO, allows), -EINVAL (shorter than its header), -ENOBUFS (the ring is full, or no
 * memory: the frame is dropped), -ENODEV (the device was removed). */
WEIR_API int weir_dev_input(struct weir_dev *dev, const void *frame, size_t len);
/* The same for one that was merged of TCP segments, each but the last with @gso_size octets of payload: as from a card that merges: its checksum counts as checked. -EINVAL too:
 * it is no such frame. */
WEIR_API int weir_dev_input_merged(struct weir_dev *dev, const void *frame, size_t len,
				   unsigned gso_size);
/*
 * The next frame that the net sends: its length. -EAGAIN: none came within @timeout_ns (0: does not wait); -EMSGSIZE: it is longer than
 * @size, and dropped; -ENODEV; -EINTR. A frame that finds the queue empty is an event for weir_run() and weir_arm().
 */
WEIR_API ssize_t weir_dev_output(struct weir_dev *dev, void *buf, size_t size, uint64_t timeout_ns);

/*
 * A device over a descriptor of /dev/net/tun that was attached to a tap or tun interface of the host (TUNSETIFF with IFF_NO_PI, with or
 * without IFF_VNET_HDR: flags are 0 then, it is asked), or over a socket that keeps the boundaries of messages, with @flags that say what
 * they are. The device has a duplicate of @fd; the open file becomes non-blocking. It is removed by netlink, or with its net.
 * -EINVAL: not such a descriptor; -EBADF, -EEXIST, -ENOMEM; -EOPNOTSUPP under a virtual clock.
 */
WEIR_API int weir_dev_attach_tap(struct weir_net *net, const char *ifname, int fd, unsigned flags);

/*
 * A device over something of the host's that @spec names: "KIND:NAME[,OPTION=VALUE...]", as "afpacket:eth1,rx_blocks=64". Kinds and
 * options: doc/drivers.md. A kind that libweir does not have itself is looked for as the module dev-KIND. The device is down; it is removed by
 * netlink, or with its net. What is opened belongs to the network namespace of the calling thread. -EINVAL, -EPROTONOSUPPORT (no such kind),
 * -EEXIST, -ENODEV, -EPERM, -ENOMEM; -EOPNOTSUPP under a virtual clock. @ret_error as in weir_netlink().
 */
WEIR_API int weir_dev_attach(struct weir_net *net, const char *ifname, const char *spec,
			     char *ret_error, size_t error_size);

/* ---- modules: parts of the stack that are loaded while it runs (weir/module.h) -------------------------- */

/*
 * @name: "net-pf-36", looked for in the machine's module path, or a file name with a '/'. 0; -EEXIST: loaded already; -ENOENT;
 * -ENOEXEC: no module, or one for another weir; -EACCES (module_root_only); or what the module's init said. @ret_error as in
 * weir_netlink().
 */
WEIR_API int weir_module_load(struct weir_machine *m, const char *name, char *ret_error,
			      size_t error_size);
/* 0; -ENOENT; -EBUSY: sockets, or packets of theirs, use it. */
WEIR_API int weir_module_unload(struct weir_machine *m, const char *name);
struct weir_module_info {
	const char *name, *description;
	uint32_t users;
};
/* Calls @fn for each loaded module, oldest first, until it returns non-zero, which is returned. @fn makes no weir_ call. */
WEIR_API int weir_module_list(struct weir_machine *m,
			      int (*fn)(const struct weir_module_info *info, void *arg), void *arg);

/* ---- packet sockets ------------------------------------------------------------------------------------ */

/*
 * The memory of a packet socket's rings (PACKET_RX_RING, PACKET_TX_RING; packet(7)), in place of mmap(2) on the socket: a descriptor
 * of the caller's own, to be mapped MAP_SHARED from offset 0, *ret_size octets, the receive ring first. -EINVAL: there is no ring.
 */
WEIR_API int weir_packet_ring_fd(struct weir_file *f, int *ret_fd, size_t *ret_size);

/* ---- views and sysctls --------------------------------------------------------------------------------- */

/*
 * What a program would read under @path: "/proc/net/tcp", "/proc/sys/net/ipv4/ip_forward", "/sys/class/net/eth0/mtu",
 * "/sys/module/tcp_cubic/parameters/hystart". Allocates *ret_text (free() it). -ENOENT: there is no such view. -EISDIR: a directory; *ret_text lists its entries, one a line.
 */
WEIR_API int weir_view_read(struct weir_net *net, const char *path, char **ret_text,
			    size_t *ret_len);
/* Writes a sysctl or a parameter, as writing to the file under /proc/sys/net or /sys/module would. */
WEIR_API int weir_view_write(struct weir_net *net, const char *path, const char *text, size_t len);
/* @name "net.ipv4.ip_forward" or with slashes. */
WEIR_API int weir_sysctl(struct weir_net *net, const char *name, const char *value);

struct weir_sysctl_info {
	const char *
		name; /* "net.ipv4.ip_forward", "net.ipv4.conf.DEV.forwarding", "/sys/module/tcp_cubic/parameters/hystart" */
	const char *default_value; /* as a new net shows it; "" if it cannot be read */
	const char *range;         /* "0 to 255"; "" if every value of its kind will do */
	const char *help;
	int writable;
};
/* Calls @fn for each sysctl and parameter that there is; what it is given is valid during the call. -ENOMEM */
WEIR_API int weir_sysctl_each(struct weir_machine *m,
			      void (*fn)(const struct weir_sysctl_info *info, void *arg),
			      void *arg);

/* ---- seeing -------------------------------------------------------------------------------------------- */

struct weir_trace_record {
	uint64_t time;
	uint64_t skb_id;
	uint64_t related; /* the packet it was made from, or 0 */
	uint64_t arg1, arg2;
	uint32_t net_id;
	uint32_t ifindex;
	uint32_t len;
	uint16_t reason;                   /* 0: not dropped */
	uint8_t verdict;                   /* enum weir_verdict */
	uint8_t context;                   /* enum weir_context, and WEIR_KSOFTIRQD */
	const char *point, *file;          /* function and file; static storage */
	const char *arg1_name, *arg2_name; /* NULL: unused */
};
enum weir_verdict { WEIR_PASS, WEIR_DROP, WEIR_DONE, WEIR_QUEUED, WEIR_STOLEN, WEIR_CREATE };

/* Who ran the function: doc/paths.md. */
enum weir_context {
	WEIR_CONTEXT_PROCESS,
	WEIR_CONTEXT_WORK,
	WEIR_CONTEXT_TASKLET_HI,
	WEIR_CONTEXT_TIMER,
	WEIR_CONTEXT_NET_TX,
	WEIR_CONTEXT_NET_RX,
	WEIR_CONTEXT_TASKLET,
	WEIR_CONTEXT_HARDIRQ,
};
#define WEIR_KSOFTIRQD 0x80u

/* Why a packet had to wait in a queueing discipline: the argument "held" of trace points. */
enum weir_held {
	WEIR_HELD_NOT,
	WEIR_HELD_DRIVER,
	WEIR_HELD_LOCK,
	WEIR_HELD_POLICY,
	WEIR_HELD_QUOTA,
};

/* Starts recording with a ring of @records per cpu. */
WEIR_API int weir_trace_enable(struct weir_machine *m, uint32_t records);
WEIR_API void weir_trace_disable(struct weir_machine *m);
/* New records of all cpus in order of time; *cursor starts as 0. Returns how many; *ret_lost (may be NULL): overwritten unread. */
WEIR_API int weir_trace_read(struct weir_machine *m, uint64_t cursor[64],
			     struct weir_trace_record *out, uint32_t max, uint64_t *ret_lost);
/*
 * One record as a line of text, indented by @depth steps, without a newline; at most @size octets with the NUL. Returns
 * the length of the whole line, as snprintf(3).
 */
WEIR_API int weir_trace_format(struct weir_machine *m, const struct weir_trace_record *r,
			       unsigned depth, char *buf, size_t size);
/* "process", "softirq/net_rx", "ksoftirqd/net_tx", "tasklet" ... Static storage. */
WEIR_API const char *weir_context_name(uint8_t context);
WEIR_API const char *weir_drop_reason_name(struct weir_machine *m, uint16_t reason);
WEIR_API const char *weir_drop_reason_help(struct weir_machine *m, uint16_t reason);

/* Frames as they pass devices. Called from inside the stack: copy what you need and return; no weir_ call is allowed. */
struct weir_frame {
	uint64_t time; /* ns, real-time scale of the machine */
	uint64_t skb_id;
	uint32_t net_id;
	uint32_t ifindex;
	uint16_t dev_type; /* ARPHRD_* */
	uint16_t protocol; /* ETH_P_*, host order */
	bool outgoing;
	uint32_t len;        /* of the frame */
	uint32_t caplen;     /* of @data */
	const uint8_t *data; /* linear, from the link-layer header on */
	char ifname[16];
};
struct weir_tap;
/*
 * @ifname NULL: all devices; else that of one which is there (ENODEV). @snaplen 0: all octets. A tap must be destroyed before its net,
 * not from its own function.
 */
WEIR_API struct weir_tap *weir_tap_create(struct weir_net *net, const char *ifname,
					  uint32_t snaplen,
					  void (*fn)(const struct weir_frame *frame, void *arg),
					  void *arg);
WEIR_API void weir_tap_destroy(struct weir_tap *tap);

/* Memory held for packets and objects of the machine, in octets: for tests and monitoring. */
struct weir_memory {
	uint64_t skb_live;     /* struct sk_buff in use */
	uint64_t arena_octets; /* taken from the system for packet data */
	uint64_t nr_socks;
	uint64_t mallocs; /* allocations made on the packet path: must not grow with packets */
};
WEIR_API void weir_memory(struct weir_machine *m, struct weir_memory *ret);

WEIR_API const char *weir_version(void);

#ifdef __cplusplus
}
#endif

#endif
