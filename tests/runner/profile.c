/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile.c - runs a command under the denials of a kind of host: "profile NAME COMMAND..."
 *
 *   docker   Docker's default without capabilities: no pidfd_getfd, mount, unshare, setns; clone3 looks absent
 *   podman   Podman's default without CAP_SYS_PTRACE: the same, and no process_vm_readv, process_vm_writev
 *   old      a kernel of 2021 (5.14): no WAIT_KILLABLE_RECV, no Landlock, no epoll_pwait2, no close_range with flags, no PIDFD_THREAD
 *   closed   user namespaces forbidden (as by a distribution's sysctl)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct denial {
	const char *profile, *call;
	int err;
	unsigned arg;
	uint64_t flag; /* only where argument @arg has it; 0: always */
};

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define PIDFD_THREAD_FLAG O_EXCL

static const struct denial denials[] = {
	{ "docker", "pidfd_getfd", EPERM },
	{ "docker", "mount", EPERM },
	{ "docker", "unshare", EPERM },
	{ "docker", "setns", EPERM },
	{ "docker", "clone3", ENOSYS },
	{ "podman", "pidfd_getfd", EPERM },
	{ "podman", "mount", EPERM },
	{ "podman", "unshare", EPERM },
	{ "podman", "setns", EPERM },
	{ "podman", "clone3", ENOSYS },
	{ "podman", "process_vm_readv", EPERM },
	{ "podman", "process_vm_writev", EPERM },
	{ "old", "landlock_create_ruleset", ENOSYS },
	{ "old", "epoll_pwait2", ENOSYS },
	{ "old", "close_range", ENOSYS },
	{ "old", "seccomp", EINVAL, 1, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ "old", "pidfd_open", EINVAL, 1, PIDFD_THREAD_FLAG },
	{ "closed", "unshare", EPERM, 0, CLONE_NEWUSER },
	{ "closed", "clone", EPERM, 0, CLONE_NEWUSER },
	{ "closed", "clone3", ENOSYS },
};

int main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rules = 0;

	if (argc < 3 || !ctx)
		return 2;
	/* Real hosts let foreign system call tables pass, or at least do not kill for them. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) < 0)
		return 2;
	for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
		const struct denial *d = &denials[i];

		if (strcmp(d->profile, argv[1]) != 0)
			continue;
		struct scmp_arg_cmp has = { d->arg, SCMP_CMP_MASKED_EQ, d->flag, d->flag };

		if (seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO((unsigned)d->err),
					   seccomp_syscall_resolve_name(d->call), d->flag != 0,
					   &has) < 0)
			return 2;
		rules++;
	}
	if (!rules || seccomp_load(ctx) < 0) {
		fprintf(stderr, "profile: %s cannot be applied\n", argv[1]);
		return 2;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
