/* SPDX-License-Identifier: BSD-2-Clause */
/* assertion.c - %{ python }% blocks: a program is put together and given to python3 (assertion.h) */
#include "drill/assertion.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drill/tcpinfo.h"

#ifndef TCP_CC_INFO
#define TCP_CC_INFO 26
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

/*
 * Blocks are compiled so that errors name lines of the script. The first line of a block begins behind "%{": its indent means nothing,
 * and that of the others only if they agree.
 */
static const char prelude[] =
	"import sys, textwrap\n"
	"for _i, _n in enumerate('ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT "
	"CLOSE CLOSE_WAIT "
	"LAST_ACK LISTEN CLOSING NEW_SYN_RECV'.split(), 1):\n"
	"    globals()['TCP_' + _n] = _i\n"
	"for _i, _n in enumerate('Open Disorder CWR Recovery Loss'.split()):\n"
	"    globals()['TCP_CA_' + _n] = _i\n"
	"for _i, _n in enumerate('TIMESTAMPS SACK WSCALE ECN ECN_SEEN SYN_DATA USEC_TS "
	"TFO_CHILD'.split()):\n"
	"    globals()['TCPI_OPT_' + _n] = 1 << _i\n"
	"def _run(path, line, text):\n"
	"    pad = '\\n' * (line - 1)\n"
	"    try:\n"
	"        code = compile(pad + text.lstrip(' \\t') + '\\n', path, 'exec')\n"
	"    except IndentationError:\n"
	"        lines = text.split('\\n')\n"
	"        text = lines[0].lstrip() + '\\n' + textwrap.dedent('\\n'.join(lines[1:]))\n"
	"        code = compile(pad + text + '\\n', path, 'exec')\n"
	"    exec(code, globals())\n"
	"def _block(path, line, text, state):\n"
	"    globals().update(state)\n"
	"    try:\n"
	"        _run(path, line, text)\n"
	"    except BaseException as e:\n"
	"        tb = e.__traceback__\n"
	"        while tb:\n"
	"            if tb.tb_frame.f_code.co_filename == path:\n"
	"                line = tb.tb_lineno\n"
	"            tb = tb.tb_next\n"
	"        if isinstance(e, SyntaxError) and e.lineno:\n"
	"            line = e.lineno\n"
	"        print('%d' % line)\n"
	"        print('%s: %s' % (type(e).__name__, e) if str(e) else type(e).__name__)\n"
	"        sys.exit(1)\n";

static int __attribute__((format(printf, 2, 3)))
put(struct drill_assertions *a, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (a->len + (size_t)n + 1 > a->size) {
		size_t size = 2 * a->size + (size_t)n + 4096;
		char *t = realloc(a->text, size);

		if (!t) {
			va_end(again);
			return -ENOMEM;
		}
		a->text = t;
		a->size = size;
	}
	vsnprintf(a->text + a->len, a->size - a->len, fmt, again);
	va_end(again);
	a->len += (size_t)n;
	return 0;
}

/* As a literal of Python's. */
static int put_string(struct drill_assertions *a, const char *s)
{
	int err = put(a, "'");

	for (; *s && !err; s++) {
		if (*s == '\n')
			err = put(a, "\\n");
		else if (*s == '\'' || *s == '\\' || (unsigned char)*s < 0x20)
			err = put(a, "\\x%02x", (unsigned char)*s);
		else
			err = put(a, "%c", *s);
	}
	return err ? err : put(a, "'");
}

static int put_fields(struct drill_assertions *a, const struct drill_field *f, size_t nr,
		      const uint8_t *object, size_t len)
{
	int err = 0;

	for (size_t i = 0; i < nr && f[i].name && !err; i++)
		if (f[i].offset + f[i].size <= len)
			err = put(a, "'%s': %llu,\n", f[i].name,
				  (unsigned long long)drill_field_get(&f[i], object));
	return err;
}

static size_t get_option(struct drill_world *w, int fd, int level, int name, void *buf, size_t size)
{
	socklen_t len = (socklen_t)size;
	const unsigned long arg[6] = { (unsigned long)fd,   (unsigned long)level,
				       (unsigned long)name, (unsigned long)buf,
				       (unsigned long)&len, 0 };

	return w->ops->sys(w, DRILL_SYS_GETSOCKOPT, arg) < 0 ? 0 : len;
}

static int put_socket(struct drill_assertions *a, struct drill_world *w, int fd)
{
	static const char *const meminfo[] = { "rmem_alloc", "rcvbuf",    "wmem_alloc",
					       "sndbuf",     "fwd_alloc", "wmem_queued",
					       "optmem",     "backlog",   "drops" };
	uint8_t buf[DRILL_TCP_INFO_SIZE] __attribute__((aligned(8)));
	const struct drill_field *cc;
	uint32_t mem[16];
	char name[32];
	size_t len;
	int err;

	len = get_option(w, fd, IPPROTO_TCP, TCP_INFO, buf, sizeof(buf));
	err = put_fields(a, drill_tcp_info, drill_nr_tcp_info, buf, len);
	len = get_option(w, fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof(name) - 1);
	name[len] = '\0';
	cc = drill_cc_info(name);
	if (cc && !err) {
		len = get_option(w, fd, IPPROTO_TCP, TCP_CC_INFO, buf, sizeof(buf));
		err = put_fields(a, cc, SIZE_MAX, buf, len);
	}
	len = get_option(w, fd, SOL_SOCKET, SO_MEMINFO, mem, sizeof(mem));
	for (size_t i = 0; i < sizeof(meminfo) / sizeof(meminfo[0]) && i * 4 < len && !err; i++)
		err = put(a, "'sk_meminfo_%s': %u,\n", meminfo[i], mem[i]);
	return err;
}

int drill_assertion_add(struct drill_assertions *a, const struct drill_event *event,
			struct drill_world *w, int fd)
{
	int err = a->any ? 0 : put(a, "%s", prelude);

	a->any = true;
	if (!err)
		err = put(a, "_block(_path, %u, ", event->text_pos.line);
	if (!err)
		err = put_string(a, event->text);
	if (!err)
		err = put(a, ", {\n");
	if (!err && fd >= 0)
		err = put_socket(a, w, fd);
	return err ? err : put(a, "})\n");
}

/* Our end of a child's standard input, and of its output. */
static pid_t start_python(const char *path, int ret_fd[2])
{
	int in[2], out[2];
	pid_t pid;

	if (pipe(in))
		return -1;
	if (pipe(out)) {
		close(in[0]);
		close(in[1]);
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		execlp("python3", "python3", "-I", "-S", "-c",
		       "import sys\n_path = sys.argv[1]\nexec(compile(sys.stdin.read(), 'drill', "
		       "'exec'))",
		       path, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	ret_fd[0] = in[1];
	ret_fd[1] = out[0];
	if (pid < 0) {
		close(in[1]);
		close(out[0]);
	}
	return pid;
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* the child has ended: its status says how */
		text += n;
		len -= (size_t)n;
	}
}

static char *read_all(int fd)
{
	size_t len = 0, size = 4096;
	char *text = malloc(size);
	ssize_t n;

	while (text && (n = read(fd, text + len, size - len - 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += (size_t)n;
		if (size - len < 1024) {
			char *t = realloc(text, size *= 2);

			if (!t)
				break;
			text = t;
		}
	}
	if (text)
		text[len] = '\0';
	return text;
}

int drill_assertions_run(struct drill_assertions *a, const char *path, uint32_t *ret_line,
			 char **ret_message)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int fd[2], status;
	char *text, *end;
	pid_t pid;

	if (!a->any)
		return 0;
	fflush(NULL);
	pid = start_python(path, fd);
	if (pid < 0) {
		*ret_line = 0;
		*ret_message = strdup("python3 cannot be started");
		return -1;
	}
	sigaction(SIGPIPE, &ignore, &before);
	write_all(fd[0], a->text, a->len);
	sigaction(SIGPIPE, &before, NULL);
	close(fd[0]);
	text = read_all(fd[1]);
	close(fd[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		free(text);
		return 0;
	}
	*ret_line = 0;
	*ret_message = NULL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && text) {
		*ret_line = (uint32_t)strtoul(text, &end, 10);
		*ret_message = strdup(*end ? end + 1 : end);
	} else {
		*ret_message = strdup("python3, which runs the blocks of code, did not end well; "
				      "is it installed?");
	}
	free(text);
	return -1;
}

void drill_assertions_free(struct drill_assertions *a)
{
	free(a->text);
	*a = (struct drill_assertions){ 0 };
}
