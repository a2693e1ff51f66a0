/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter in a child, without anybody who answers: what is refused, and what passes, is seen at once. */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct sock_filter *prog;
static unsigned prog_len;

static int build(void **state)
{
	return filter_build(&(struct facilities){ .pidfd_getfd = true }, &prog, &prog_len);
}

static int drop(void **state)
{
	free(prog);
	return 0;
}

/* The result of @fn in a child under the filter; its listener stays open there, so that notified calls wait. */
static int under_filter(int (*fn)(int listener))
{
	struct facilities fac = { 0 };
	int status;
	pid_t pid = fork();

	if (!pid) {
		int listener = filter_install(&fac, filter_ruleset(&fac), prog, prog_len);

		_exit(listener < 0 ? 255 : fn(listener));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int errno_of(long r)
{
	return r < 0 ? errno : 0;
}

static int io_uring(int listener)
{
	return errno_of(syscall(SYS_io_uring_setup, 1, NULL));
}

static int getfd(int listener)
{
	return errno_of(syscall(SYS_pidfd_getfd, -1, 0, 0));
}

static int not_dumpable(int listener)
{
	return prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_GET_DUMPABLE) != 1;
}

static int unix_socket(int listener)
{
	char c = 'x';
	int sv[2];

	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0)
		return errno;
	/* Data without an address is native. */
	if (send(sv[0], &c, 1, 0) != 1 || recv(sv[1], &c, 1, 0) != 1)
		return errno;
	return 0;
}

/* Who makes a notified call is never answered: what matters is that the listener shows the call. Then its caller is ended. */
static int notified(int listener, long nr, long a0, long a1)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	pid_t caller = fork();
	int shown;

	if (caller == 0) {
		syscall(nr, a0, a1, 0, 0, 8, 0);
		_exit(0);
	}
	shown = poll(&p, 1, 2000);
	kill(caller, SIGKILL);
	waitpid(caller, NULL, 0);
	return shown == 1 ? 0 : ETIMEDOUT;
}

static int inet_socket(int listener)
{
	return notified(listener, SYS_socket, AF_INET, SOCK_STREAM);
}

static int netlink_socket(int listener)
{
	return notified(listener, SYS_socket, AF_NETLINK, SOCK_RAW);
}

static int packet_socket(int listener)
{
	return notified(listener, SYS_socket, AF_PACKET, SOCK_RAW);
}

/* The kernel looks at 32 bits: this is AF_INET for it, whatever is above. */
static int disguised_socket(int listener)
{
	return notified(listener, SYS_socket, 0x100000000 | AF_INET, SOCK_STREAM);
}

static int interface_ioctl(int listener)
{
	return notified(listener, SYS_ioctl, 0, 0x8927);
}

static int disguised_ioctl(int listener)
{
	return notified(listener, SYS_ioctl, 0, 0x7700008927);
}

static int stamp_ioctl(int listener)
{
	return notified(listener, SYS_ioctl, 0, 0x80108907);
}

static int addressed_send(int listener)
{
	return notified(listener, SYS_sendto, 0, 0);
}

static void ways_around_are_shut(void **state)
{
	assert_int_equal(under_filter(io_uring), ENOSYS);
	assert_int_equal(under_filter(getfd), EPERM);
	assert_int_equal(under_filter(not_dumpable), 0);
}

static void unix_sockets_and_plain_data_are_native(void **state)
{
	assert_int_equal(under_filter(unix_socket), 0);
}

static void every_other_domain_is_notified(void **state)
{
	assert_int_equal(under_filter(inet_socket), 0);
	assert_int_equal(under_filter(netlink_socket), 0);
	assert_int_equal(under_filter(packet_socket), 0);
	assert_int_equal(under_filter(disguised_socket), 0);
}

static void what_names_interfaces_and_addresses_is_notified(void **state)
{
	assert_int_equal(under_filter(interface_ioctl), 0);
	assert_int_equal(under_filter(disguised_ioctl), 0);
	assert_int_equal(under_filter(stamp_ioctl), 0);
	assert_int_equal(under_filter(addressed_send), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways_around_are_shut),
		cmocka_unit_test(unix_sockets_and_plain_data_are_native),
		cmocka_unit_test(every_other_domain_is_notified),
		cmocka_unit_test(what_names_interfaces_and_addresses_is_notified),
	};

	return cmocka_run_group_tests(tests, build, drop);
}
