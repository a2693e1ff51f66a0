/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopt_test.c - SOL_SOCKET answers what the kernel of this machine answers */
#include <arpa/inet.h>
#include <asm/socket.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/time.h>

#include "lib/types.h"
#include "weir/weir.h"

static struct weir_machine *machine;
static struct weir_net *net;

static int setup(void **state)
{
	machine = weir_machine_create(NULL);
	net = machine ? weir_net_create(machine, "n") : NULL;
	return !net;
}

static int teardown(void **state)
{
	weir_net_destroy(net);
	weir_machine_destroy(machine);
	return 0;
}

/* A socket of the kernel or of weir. */
struct any {
	int fd;
	struct weir_file *f; /* NULL: the kernel's */
};

static int any_set(struct any s, int level, int name, const void *val, socklen_t len)
{
	if (s.f)
		return weir_setsockopt(s.f, level, name, val, len);
	return setsockopt(s.fd, level, name, val, len) ? -errno : 0;
}

static int any_get(struct any s, int level, int name, void *val, socklen_t *len)
{
	if (s.f)
		return weir_getsockopt(s.f, level, name, val, len);
	return getsockopt(s.fd, level, name, val, len) ? -errno : 0;
}

static void open_both(int type, struct any *kernel, struct any *ours)
{
	kernel->f = NULL;
	kernel->fd = socket(AF_INET, type, 0);
	assert_true(kernel->fd >= 0);
	assert_int_equal(weir_socket(net, AF_INET, type, 0, &ours->f), 0);
}

static void close_both(struct any kernel, struct any ours)
{
	close(kernel.fd);
	weir_close(ours.f);
}

/* What happens to an option: what it is, setting @val, what it is then, too little room for setting. */
static void story(struct any s, int name, int val, char *out, size_t size)
{
	u8 buf[64] = { 0 };
	socklen_t len = sizeof(buf);
	int v, r = any_get(s, SOL_SOCKET, name, buf, &len);
	size_t n;

	memcpy(&v, buf, sizeof(v));
	n = (size_t)snprintf(out, size, "get %d len %u val %d", r, r ? 0 : len, r ? 0 : v);
	r = any_set(s, SOL_SOCKET, name, &val, sizeof(val));
	n += (size_t)snprintf(out + n, size - n, "; set %d", r);
	memset(buf, 0, sizeof(buf));
	len = sizeof(buf);
	r = any_get(s, SOL_SOCKET, name, buf, &len);
	memcpy(&v, buf, sizeof(v));
	n += (size_t)snprintf(out + n, size - n, "; get %d val %d", r, r ? 0 : v);
	r = any_set(s, SOL_SOCKET, name, &val, 2);
	len = 2;
	snprintf(out + n, size - n, "; short %d %d", r, any_get(s, SOL_SOCKET, name, buf, &len));
}

static void options_behave_as_the_kernels(void **state)
{
	/* Not here: what needs privileges on the kernel's side, what differs between kernel versions, and what weir does not
	 * have yet (filters, zero copy). */
	static const int names[] = {
		SO_REUSEADDR,
		SO_TYPE,
		SO_ERROR,
		SO_DONTROUTE,
		SO_BROADCAST,
		SO_KEEPALIVE,
		SO_OOBINLINE,
		SO_NO_CHECK,
		SO_PRIORITY,
		SO_LINGER,
		SO_BSDCOMPAT,
		SO_REUSEPORT,
		SO_RCVLOWAT,
		SO_SNDLOWAT,
		SO_RCVTIMEO_OLD,
		SO_SNDTIMEO_OLD,
		SO_RCVTIMEO_NEW,
		SO_SNDTIMEO_NEW,
		SO_PEERNAME,
		SO_TIMESTAMP_OLD,
		SO_ACCEPTCONN,
		SO_TIMESTAMPNS_OLD,
		SO_TIMESTAMPING_OLD,
		SO_PROTOCOL,
		SO_DOMAIN,
		SO_RXQ_OVFL,
		SO_WIFI_STATUS,
		SO_NOFCS,
		SO_SELECT_ERR_QUEUE,
		SO_MAX_PACING_RATE,
		SO_INCOMING_CPU,
		SO_INCOMING_NAPI_ID,
		SO_TIMESTAMP_NEW,
		SO_TIMESTAMPNS_NEW,
		9999,
	};
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	char k[256], w[256];

	for (u32 t = 0; t < ARRAY_SIZE(types); t++)
		for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
			struct any kernel, ours;

			open_both(types[t], &kernel, &ours);
			story(kernel, names[i], 1, k, sizeof(k));
			story(ours, names[i], 1, w, sizeof(w));
			if (strcmp(k, w))
				print_error("type %d option %d\n", types[t], names[i]);
			assert_string_equal(w, k);
			close_both(kernel, ours);
		}
}

static void buffers_are_doubled_and_clamped(void **state)
{
	static const int names[] = { SO_SNDBUF, SO_RCVBUF };
	static const int sizes[] = { 0, 1, 2303, 2304, 4608, 10000, 65536, 1 << 30, -1, INT32_MAX };
	struct any kernel, ours;

	open_both(SOCK_DGRAM, &kernel, &ours);
	for (u32 n = 0; n < ARRAY_SIZE(names); n++)
		for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
			int k, w, limit;
			socklen_t len = sizeof(k);

			assert_int_equal(
				any_set(kernel, SOL_SOCKET, names[n], &sizes[i], sizeof(int)), 0);
			assert_int_equal(any_get(kernel, SOL_SOCKET, names[n], &k, &len), 0);
			assert_int_equal(
				any_set(ours, SOL_SOCKET, names[n], &sizes[i], sizeof(int)), 0);
			assert_int_equal(any_get(ours, SOL_SOCKET, names[n], &w, &len), 0);
			/* The kernel's limit is whatever its administrator chose; ours is the default. */
			limit = 2 * 212992;
			assert_int_equal(w, sizes[i] < 0 || sizes[i] > 212992 ? limit : k);
		}
	close_both(kernel, ours);
}

static void times_out_of_range_are_refused(void **state)
{
	struct any kernel, ours;
	struct timeval tv[] = { { 1, 500000 }, { 0, 0 },  { 0, 1000000 },
				{ 0, -1 },     { -1, 0 }, { 1LL << 62, 0 } };

	open_both(SOCK_DGRAM, &kernel, &ours);
	for (u32 i = 0; i < ARRAY_SIZE(tv); i++) {
		struct timeval k, w;
		socklen_t len = sizeof(k);
		int r = any_set(kernel, SOL_SOCKET, SO_RCVTIMEO, &tv[i], sizeof(tv[i]));

		assert_int_equal(any_set(ours, SOL_SOCKET, SO_RCVTIMEO, &tv[i], sizeof(tv[i])), r);
		assert_int_equal(any_get(kernel, SOL_SOCKET, SO_RCVTIMEO, &k, &len), 0);
		assert_int_equal(any_get(ours, SOL_SOCKET, SO_RCVTIMEO, &w, &len), 0);
		assert_int_equal(w.tv_sec, k.tv_sec);
		if (tv[i].tv_usec != 500000) /* the kernel rounds to its ticks */
			assert_int_equal(w.tv_usec, k.tv_usec);
	}
	close_both(kernel, ours);
}

static void sockets_bind_to_devices_by_name(void **state)
{
	struct weir_file *f;
	char name[16] = "";
	socklen_t len = sizeof(name);
	int index = 0;

	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, "nosuch", 6), -ENODEV);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	len = sizeof(name);
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	assert_string_equal(name, "lo");
	assert_int_equal(len, 3);
	len = 4;
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, name, &len), -EINVAL);
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &len), 0);
	assert_int_equal(index, 1);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &len), 0);
	assert_int_equal(index, 0);
	weir_close(f);
}

static void cookies_are_never_the_same(void **state)
{
	struct weir_file *a, *b;
	u32 half;
	socklen_t len = sizeof(half);

	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM, 0, &a), 0);
	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM, 0, &b), 0);
	assert_int_not_equal(weir_cookie(a), 0);
	assert_int_not_equal(weir_cookie(a), weir_cookie(b));
	assert_int_equal(weir_cookie(a), weir_cookie(a));
	assert_int_equal(weir_getsockopt(a, SOL_SOCKET, SO_COOKIE, &half, &len), -EINVAL);
	weir_close(a);
	weir_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(options_behave_as_the_kernels, setup, teardown),
		cmocka_unit_test_setup_teardown(buffers_are_doubled_and_clamped, setup, teardown),
		cmocka_unit_test_setup_teardown(times_out_of_range_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(sockets_bind_to_devices_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(cookies_are_never_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
