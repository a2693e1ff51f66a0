/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.c - the seccomp filter of attached programs
 *
 * Theory of operation
 *   Calls that make, name or configure sockets are notified to the supervisor; moving data on a connected socket is not: it is native
 *   work on the program's end of a socketpair. Arguments that the filter looks at are in registers and cannot change under it.
 *   What would reach a network around us does not exist (io_uring, foreign system call tables), and what would reach into processes
 *   that are not ours is notified (ptrace, process_vm_*) or refused (pidfd_getfd, kcmp).
 *   Landlock is stacked where the kernel has it, not to restrict files, but because a confined process cannot trace, or open the memory
 *   of, a process that is not confined with it: that holds whatever becomes of paths between our look and the kernel's.
 * Invariants
 *   Nothing notified here is continued if that would make or use a kernel socket outside AF_UNIX; see calls.c.
 * See seccomp(2), seccomp_unotify(2), landlock(7).
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CMP 2

struct filter_rule {
	const char *call; /* libseccomp's name: an architecture without it skips the row */
	uint32_t action;
	unsigned nr_cmp;
	struct scmp_arg_cmp cmp[MAX_CMP];
};

#define NOTIFY SCMP_ACT_NOTIFY
#define LOW32  0xffffffffULL
#define ALWAYS(c)                                                                                  \
	{                                                                                          \
		.call = (c), .action = NOTIFY                                                      \
	}
/* ioctl numbers: compared with the 32 bits that the kernel looks at */
#define IOCTL(mask, val)                                                                           \
	{                                                                                          \
		"ioctl", NOTIFY, 1,                                                                \
		{                                                                                  \
			{                                                                          \
				1, SCMP_CMP_MASKED_EQ, (mask)&LOW32, (val)                         \
			}                                                                          \
		}                                                                                  \
	}

#define DENY_IOCTL(cmd)                                                                            \
	{                                                                                          \
		"ioctl", SCMP_ACT_ERRNO(EPERM), 1,                                                 \
		{                                                                                  \
			{                                                                          \
				1, SCMP_CMP_MASKED_EQ, LOW32, (cmd)                                \
			}                                                                          \
		}                                                                                  \
	}
/* Kinds of sockets that carry addresses with their datagrams. */
#define UNIX_DATAGRAMS(call, action, type)                                                         \
	{                                                                                          \
		call, action, 2,                                                                   \
		{                                                                                  \
			{ 0, SCMP_CMP_EQ, AF_UNIX, 0 },                                            \
			{                                                                          \
				1, SCMP_CMP_MASKED_EQ, 0xf, type                                   \
			}                                                                          \
		}                                                                                  \
	}

static const struct filter_rule rules[] = {
	/* AF_UNIX is the host's. A domain with garbage in its upper half is notified, and the handler decides on the lower. */
	{ "socket", NOTIFY, 1, { { 0, SCMP_CMP_NE, AF_UNIX, 0 } } },
	{ "socketpair", SCMP_ACT_ERRNO(EAFNOSUPPORT), 1, { { 0, SCMP_CMP_NE, AF_UNIX, 0 } } },
	ALWAYS("connect"),
	ALWAYS("bind"),
	ALWAYS("listen"),
	ALWAYS("accept"),
	ALWAYS("accept4"),
	ALWAYS("getsockname"),
	ALWAYS("getpeername"),
	ALWAYS("getsockopt"),
	ALWAYS("setsockopt"),
	ALWAYS("shutdown"),
	/* With an address. Without one the octets themselves are enough. */
	{ "sendto", NOTIFY, 1, { { 4, SCMP_CMP_NE, 0, 0 } } },
	{ "recvfrom", NOTIFY, 1, { { 4, SCMP_CMP_NE, 0, 0 } } },
	{ "recvfrom", NOTIFY, 1, { { 3, SCMP_CMP_MASKED_EQ, MSG_ERRQUEUE, MSG_ERRQUEUE } } },
	ALWAYS("sendmsg"),
	ALWAYS("recvmsg"),
	ALWAYS("sendmmsg"),
	ALWAYS("recvmmsg"),
	/* 0x8908 to 0x89ff: everything about interfaces, routes, ARP; and SIOCOUTQ, which terminals share as TIOCOUTQ. */
	IOCTL(0xfffffff8, 0x8908),
	IOCTL(0xfffffff0, 0x8910),
	IOCTL(0xffffffe0, 0x8920),
	IOCTL(0xffffffc0, 0x8940),
	IOCTL(0xffffff80, 0x8980),
	IOCTL(0xffffffff, 0x5411),
	/* SIOCATMARK; SIOCGSTAMP and SIOCGSTAMPNS, by their old numbers and their new ones */
	IOCTL(0xffffffff, 0x8905),
	IOCTL(0xfffffffe, 0x8906),
	IOCTL(0xfffffffe, 0x80108906),
	/* Rings of packet sockets: shared mappings of descriptors. */
	{ "mmap",
	  NOTIFY,
	  2,
	  { { 3, SCMP_CMP_MASKED_EQ, MAP_TYPE | MAP_ANONYMOUS, MAP_SHARED },
	    { 4, SCMP_CMP_MASKED_EQ, 0x80000000, 0 } } },
	/* /proc/net and friends */
	ALWAYS("open"),
	ALWAYS("creat"),
	ALWAYS("openat"),
	ALWAYS("openat2"),
	ALWAYS("uname"),
	ALWAYS("sethostname"),
	/* other processes */
	ALWAYS("ptrace"),
	ALWAYS("process_vm_readv"),
	ALWAYS("process_vm_writev"),
	{ "pidfd_getfd", SCMP_ACT_ERRNO(EPERM), 0, { { 0 } } },
	{ "kcmp", SCMP_ACT_ERRNO(EPERM), 0, { { 0 } } },
	/* ways around notification */
	{ "io_uring_setup", SCMP_ACT_ERRNO(ENOSYS), 0, { { 0 } } },
	{ "io_uring_enter", SCMP_ACT_ERRNO(ENOSYS), 0, { { 0 } } },
	{ "io_uring_register", SCMP_ACT_ERRNO(ENOSYS), 0, { { 0 } } },
	/* Somebody outside would act for the program: the kernel's helper (DNS keys), the user's shell (typed ahead), a new interface. */
	{ "request_key", SCMP_ACT_ERRNO(EPERM), 0, { { 0 } } },
	{ "bpf", SCMP_ACT_ERRNO(EPERM), 0, { { 0 } } },
	DENY_IOCTL(TIOCSTI),
	DENY_IOCTL(TIOCLINUX),
	DENY_IOCTL(TUNSETIFF),
	/* A page that never comes would stop the supervisor. */
	{ "userfaultfd", SCMP_ACT_ERRNO(EPERM), 0, { { 0 } } },
	/* The supervisor must be able to read the program's memory. */
	{ "prctl",
	  SCMP_ACT_ERRNO(0),
	  2,
	  { { 0, SCMP_CMP_EQ, PR_SET_DUMPABLE, 0 }, { 1, SCMP_CMP_EQ, 0, 0 } } },
};

/* Without copies of descriptors we cannot send for a program: unix.c. */
static const struct filter_rule rules_without_copies[] = {
	UNIX_DATAGRAMS("socket", SCMP_ACT_ERRNO(EPROTONOSUPPORT), SOCK_DGRAM),
	UNIX_DATAGRAMS("socket", SCMP_ACT_ERRNO(EPROTONOSUPPORT), SOCK_RAW),
	UNIX_DATAGRAMS("socketpair", NOTIFY, SOCK_DGRAM),
	UNIX_DATAGRAMS("socketpair", NOTIFY, SOCK_RAW),
	/* FIONREAD: the kernel says it as of UDP, but not on the SEQPACKET pairs that a runner under us has to make do with (sock.c). */
	IOCTL(0xffffffff, 0x541b),
};

static int add_rules(scmp_filter_ctx ctx, const struct filter_rule *rule, size_t n)
{
	for (; n--; rule++) {
		int nr = seccomp_syscall_resolve_name(rule->call);
		int err;

		if (nr < 0) /* this architecture has no such call */
			continue;
		err = seccomp_rule_add_array(ctx, rule->action, nr, rule->nr_cmp, rule->cmp);
		if (err)
			return err;
	}
	return 0;
}

/* libseccomp writes the program to a descriptor; we want it in memory, to install it with flags of our own. */
static int export_program(scmp_filter_ctx ctx, struct sock_filter **ret_prog, unsigned *ret_len)
{
	int fd = memfd_create("weir-filter", MFD_CLOEXEC);
	struct sock_filter *prog = NULL;
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = seccomp_export_bpf(ctx, fd);
	if (err)
		goto out;
	err = -EIO;
	if (fstat(fd, &st) < 0 || st.st_size % (off_t)sizeof(*prog))
		goto out;
	err = -ENOMEM;
	prog = malloc((size_t)st.st_size);
	if (!prog)
		goto out;
	err = -EIO;
	if (pread(fd, prog, (size_t)st.st_size, 0) != st.st_size)
		goto out;
	*ret_prog = prog;
	*ret_len = (unsigned)((size_t)st.st_size / sizeof(*prog));
	prog = NULL;
	err = 0;
out:
	free(prog);
	close(fd);
	return err;
}

int filter_build(const struct facilities *fac, struct sock_filter **ret_prog, unsigned *ret_len)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err;

	if (!ctx)
		return -ENOMEM;
	/* 32-bit and x32 tables: their numbers mean other calls. */
	err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err)
		err = add_rules(ctx, rules, sizeof(rules) / sizeof(rules[0]));
	if (!err && !fac->pidfd_getfd)
		err = add_rules(ctx, rules_without_copies,
				sizeof(rules_without_copies) / sizeof(rules_without_copies[0]));
	if (!err)
		err = export_program(ctx, ret_prog, ret_len);
	seccomp_release(ctx);
	return err;
}

int filter_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif

/*
 * A ruleset that allows everything it handles: it only makes a domain. Moving files between directories must be handled from ABI 2
 * on, and would be forbidden by any domain before: there Landlock is not used.
 */
int filter_ruleset(const struct facilities *fac)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_REFER };
	struct landlock_path_beneath_attr root = { .allowed_access = LANDLOCK_ACCESS_FS_REFER };
	int err = 0;
	int fd;

	if (fac->landlock < 2)
		return -1;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	root.parent_fd = open("/", O_PATH | O_CLOEXEC);
	if (root.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &root, 0) < 0)
		err = -errno;
	if (root.parent_fd >= 0)
		close(root.parent_fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int filter_confine(int ruleset)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}

int filter_install(const struct facilities *fac, int ruleset, struct sock_filter *prog,
		   unsigned len)
{
	struct sock_fprog fprog = { .len = (unsigned short)len, .filter = prog };
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd;
	int err = filter_confine(ruleset);

	if (err)
		return err;
	if (fac->killable)
		flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
	return fd < 0 ? -errno : (int)fd;
}
