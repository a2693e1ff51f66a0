/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_path_test.c - once a connection is warm, its packets cost no malloc and no system call, and each octet is copied twice:
 * from the sender's buffer, and to the receiver's
 *
 * Allocations are counted by wrapping malloc and friends at link time. System calls are counted by a seccomp filter in a child, which traps
 * every call but the few that the test itself needs; the clock is read through the vDSO and does not count.
 */
#include "tests/api/two_nets.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static unsigned long allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	allocations++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
	allocations++;
	return __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
	allocations++;
	return __real_realloc(p, n);
}

/* What memcpy() and memmove() moved in the stack. (Sizes known when compiling are inlined: headers.) */
static unsigned long copied;

void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
	copied += n;
	return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	copied += n;
	return __real_memmove(to, from, n);
}

static char out[65536], in[65536];

static void transfer(struct two_nets *t, struct weir_file *c, struct weir_file *s, size_t octets)
{
	size_t sent = 0, got = 0;
	int idle = 0;

	while (got < octets && idle < 1000) {
		ssize_t n = 0, r;

		if (sent < octets)
			n = weir_send(c, out,
				      sizeof(out) < octets - sent ? sizeof(out) : octets - sent, 0);
		sent += n > 0 ? (size_t)n : 0;
		r = weir_recv(s, in, sizeof(in), 0);
		got += r > 0 ? (size_t)r : 0;
		if (n <= 0 && r <= 0) {
			weir_run(t->m, 0);
			idle++;
		} else {
			idle = 0;
		}
	}
	assert_int_equal(got, octets);
}

/* After a burst the machine may leave packets to its next turn. */
static ssize_t receive_soon(struct two_nets *t, struct weir_file *s)
{
	ssize_t n = weir_recv(s, in, sizeof(in), 0);

	for (int i = 0; i < 1000 && n == -EAGAIN; i++) {
		weir_run(t->m, 0);
		n = weir_recv(s, in, sizeof(in), 0);
	}
	return n;
}

static void datagrams(struct two_nets *t, struct weir_file *c, struct weir_file *s, int count)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(weir_send(c, out, 1000, 0), 1000);
		assert_int_equal(receive_soon(t, s), 1000);
	}
}

static void udp_pair(struct two_nets *t, struct weir_file **c, struct weir_file **s)
{
	assert_int_equal(weir_socket(t->net[1], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, s), 0);
	assert_int_equal(weir_bind(*s, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, c), 0);
	assert_int_equal(weir_connect(*c, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
}

/*
 * Where the machine halts the process for a while, timers fire and queues grow beyond what has ever been in them, and memory is asked
 * for once more: one round of some is without it. What each packet did would be there every time.
 */
#define ROUNDS 5

static void a_warm_connection_does_not_allocate(void **state)
{
	struct two_nets t;
	struct weir_file *c, *s, *uc, *us;
	struct weir_memory before, after;
	unsigned long start;

	two_nets_create(&t, NULL);
	two_nets_connect(&t, &c, &s);
	udp_pair(&t, &uc, &us);
	transfer(&t, c, s, 20000000);
	datagrams(&t, uc, us, 100);
	weir_run(
		t.m,
		0); /* a thread's first turn makes what it may sleep on: receive_soon() may come to need it only later */
	for (int i = 0; i < ROUNDS; i++) {
		weir_memory(t.m, &before);
		start = allocations;
		transfer(&t, c, s, 20000000);
		datagrams(&t, uc, us, 1000);
		weir_memory(t.m, &after);
		if (allocations == start && after.mallocs == before.mallocs)
			break;
	}
	assert_int_equal(allocations - start, 0);
	assert_int_equal(after.mallocs, before.mallocs);
	weir_close(c);
	weir_close(s);
	weir_close(uc);
	weir_close(us);
	two_nets_destroy(&t);
}

/* @each: octets that memcpy() may move for each octet of payload. */
static void count_copies(const struct lab_impairment *imp, double each)
{
	struct two_nets t;
	struct weir_file *c, *s;
	struct net_error err;
	unsigned long start;

	two_nets_create(&t, NULL);
	for (int i = 0; imp && i < 2; i++)
		assert_int_equal(net_link_impair(t.net[i], "eth0", imp, &err), 0);
	two_nets_connect(&t, &c, &s);
	transfer(&t, c, s, 2000000);
	start = copied;
	transfer(&t, c, s, 20000000);
	print_message("%.3f octets copied per octet\n", (double)(copied - start) / 20e6);
	assert_true((double)(copied - start) >= 20e6); /* the count works */
	assert_true((double)(copied - start) <= each * 20e6);
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
}

static void an_octet_is_copied_in_and_out_and_nowhere_else(void **state)
{
	/* A link with a rate takes wire packets with final checksums: each gets a header, which shares nothing. */
	const struct lab_impairment wire = { .rate_bps = 1000000000000000ull,
					     .queue_packets = 100000 };

	count_copies(NULL, 2.02);
	count_copies(&wire, 2.3);
}

static volatile sig_atomic_t trapped, trapped_nr;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	trapped++;
	trapped_nr = info->si_syscall;
#ifdef __x86_64__
	uc->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#else
	uc->uc_mcontext.regs[0] = (unsigned long long)-ENOSYS;
#endif
}

static void trap_system_calls(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(3);
}

static void a_warm_connection_makes_no_system_call(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct two_nets t;
		struct weir_file *c, *s, *uc, *us;

		two_nets_create(&t, NULL);
		two_nets_connect(&t, &c, &s);
		udp_pair(&t, &uc, &us);
		transfer(&t, c, s, 20000000);
		datagrams(&t, uc, us, 100);
		trap_system_calls();
		for (int i = 0; i < ROUNDS; i++) {
			trapped = 0;
			transfer(&t, c, s, 20000000);
			datagrams(&t, uc, us, 1000);
			if (!trapped)
				break;
		}
		if (trapped)
			dprintf(2, "%d system calls, the last was number %d\n", (int)trapped,
				(int)trapped_nr);
		_exit(trapped ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_warm_connection_does_not_allocate),
		cmocka_unit_test(an_octet_is_copied_in_and_out_and_nowhere_else),
		cmocka_unit_test(a_warm_connection_makes_no_system_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
