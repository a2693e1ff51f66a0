/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.c - many scripts, several at a time
 *
 * Theory of operation
 *   Each job is a child process: a crash of the stack under test is that script's failure, commands of a script change nothing but their own
 *   process's state, and several run at a time. The child writes its result to a pipe when it is done (a struct, and the message);
 *   one that ends without a word has crashed. Reports are made in the order of the jobs, so that the output is the same each time.
 */
#include "drill/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_OUTPUT (1 << 20)

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- jobs ------------------------------------------------------------------------------------------------ */

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static int add_job(struct drill_batch *b, const char *path, enum drill_variant v)
{
	struct drill_job *j = realloc(b->job, (b->nr + 1) * sizeof(*j));

	if (!j)
		return -ENOMEM;
	b->job = j;
	j[b->nr] = (struct drill_job){ .path = strdup(path), .variant = v, .from = -1, .out = -1 };
	if (!j[b->nr].path)
		return -ENOMEM;
	b->nr++;
	return 0;
}

static int add_script(struct drill_batch *b, const char *path, unsigned variants)
{
	int err = 0;

	if (ends_with(path, "v6.pkt"))
		variants &= 1u << DRILL_IPV6;
	else if (ends_with(path, "v4.pkt"))
		variants &= ~(1u << DRILL_IPV6);
	for (int v = 0; v < DRILL_NR_VARIANTS && !err; v++)
		if (variants & 1u << v)
			err = add_job(b, path, (enum drill_variant)v);
	return err;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_directory(struct drill_batch *b, const char *path, unsigned variants)
{
	char *const roots[] = { (char *)(uintptr_t)path, NULL };
	FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	int err = fts ? 0 : -errno;
	FTSENT *e;

	while (!err && (e = fts_read(fts))) {
		if (e->fts_info == FTS_F && ends_with(e->fts_name, ".pkt"))
			err = add_script(b, e->fts_path, variants);
		else if (e->fts_info == FTS_ERR || e->fts_info == FTS_DNR || e->fts_info == FTS_NS)
			err = -e->fts_errno;
	}
	if (fts)
		fts_close(fts);
	return err;
}

int drill_batch_add(struct drill_batch *b, const char *path, unsigned variants)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? add_directory(b, path, variants)
				   : add_script(b, path, variants);
}

void drill_batch_free(struct drill_batch *b)
{
	for (size_t i = 0; i < b->nr; i++) {
		free(b->job[i].path);
		free(b->job[i].output);
		free(b->job[i].result.message);
	}
	free(b->job);
	b->job = NULL;
	b->nr = 0;
}

/* ---- the child ------------------------------------------------------------------------------------------- */

struct answer {
	bool passed;
	uint32_t line;
	uint64_t ns;
	size_t message_len;
};

static void write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(126);
		p += n;
		len -= (size_t)n;
	}
}

/* NAME.pcapng; for one of several NAME-SCRIPT-VARIANT.pcapng */
static char *capture_path(const struct drill_batch *b, const struct drill_job *j)
{
	const char *slash = strrchr(j->path, '/'), *dot = strrchr(b->pcapng, '.');
	const char *name = slash ? slash + 1 : j->path;
	char *path;

	if (b->nr == 1)
		return strdup(b->pcapng);
	if (!dot || strchr(dot, '/'))
		dot = b->pcapng + strlen(b->pcapng);
	if (asprintf(&path, "%.*s-%.*s-%s%s", (int)(dot - b->pcapng), b->pcapng,
		     (int)strcspn(name, "."), name, drill_variant_name[j->variant], dot) < 0)
		return NULL;
	return path;
}

static void __attribute__((noreturn))
child(const struct drill_batch *b, const struct drill_job *j, int to, int out)
{
	struct drill_options o = b->options;
	struct drill_result r = { 0 };
	struct answer a;
	char *pcapng;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	setvbuf(stdout, NULL, _IOLBF, 0); /* what it said counts, however it ends */
	o.variant = j->variant;
	o.log = stdout;
	o.defines = b->defines[j->variant].define;
	o.nr_defines = b->defines[j->variant].nr;
	pcapng = b->pcapng ? capture_path(b, j) : NULL;
	o.pcapng = pcapng;
	drill_run(j->path, &o, &r);
	free(pcapng);
	fflush(NULL);
	a = (struct answer){ r.passed, r.line, r.ns, r.message ? strlen(r.message) : 0 };
	write_all(to, &a, sizeof(a));
	if (r.message)
		write_all(to, r.message, a.message_len);
	free(r.message);
	close(to);
	exit(0); /* what looks for leaks looks now */
}

/* ---- the parent ------------------------------------------------------------------------------------------ */

static int start(struct drill_batch *b, struct drill_job *j)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	j->out = memfd_create("drill", MFD_CLOEXEC);
	fflush(NULL);
	j->pid = j->out < 0 ? -1 : fork();
	if (j->pid == 0) {
		close(fd[0]);
		child(b, j, fd[1], j->out);
	}
	close(fd[1]);
	if (j->pid < 0) {
		close(fd[0]);
		return -errno;
	}
	j->from = fd[0];
	j->started = now_seconds();
	return 0;
}

static bool read_all(int fd, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_answer(struct drill_job *j)
{
	struct answer a;

	if (!read_all(j->from, &a, sizeof(a)))
		return false;
	j->result = (struct drill_result){ .passed = a.passed, .line = a.line, .ns = a.ns };
	if (!a.message_len)
		return true;
	j->result.message = calloc(1, a.message_len + 1);
	return j->result.message && read_all(j->from, j->result.message, a.message_len);
}

static char *read_output(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text;

	if (len > MAX_OUTPUT)
		len = MAX_OUTPUT;
	text = calloc(1, (size_t)(len > 0 ? len : 0) + 1);
	if (text && len > 0 && pread(fd, text, (size_t)len, 0) < 0)
		text[0] = '\0';
	return text;
}

/* Its end: a result, a crash, or our patience. */
static void finish(struct drill_job *j, bool late)
{
	bool answered = !late && read_answer(j);
	char why[128] = "";
	int status = 0;

	if (late)
		kill(j->pid, SIGKILL);
	while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (late)
		snprintf(why, sizeof(why), "it took more than %.0f s of real time",
			 now_seconds() - j->started);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "the run ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (!answered || WEXITSTATUS(status))
		snprintf(why, sizeof(why), "the run ended with status %d", WEXITSTATUS(status));
	if (why[0]) {
		free(j->result.message);
		j->result.passed = false;
		j->result.message = strdup(why);
	}
	j->output = read_output(j->out);
	close(j->from);
	close(j->out);
	j->seconds = now_seconds() - j->started;
	j->done = true;
}

/* Waits for one of those that run, at most a while. */
static void wait_some(struct drill_batch *b, struct drill_job **run, unsigned nr)
{
	struct pollfd p[64];

	for (unsigned i = 0; i < nr; i++)
		p[i] = (struct pollfd){ .fd = run[i]->from, .events = POLLIN };
	if (poll(p, nr, 200) < 0)
		return;
	for (unsigned i = 0; i < nr; i++) {
		bool late = b->limit > 0 && now_seconds() - run[i]->started > b->limit;

		if (p[i].revents || late)
			finish(run[i], !p[i].revents);
	}
}

int drill_batch_run(struct drill_batch *b)
{
	unsigned max = b->parallel < 1 ? 1 : b->parallel > 64 ? 64 : b->parallel, nr = 0;
	size_t next = 0, told = 0;
	struct drill_job *run[64];
	int failed = 0;

	while (told < b->nr) {
		unsigned kept = 0;

		while (nr < max && next < b->nr) {
			int err = start(b, &b->job[next]);

			if (err)
				return err;
			run[nr++] = &b->job[next++];
		}
		wait_some(b, run, nr);
		for (unsigned i = 0; i < nr; i++)
			if (!run[i]->done)
				run[kept++] = run[i];
		nr = kept;
		for (; told < b->nr && b->job[told].done; told++) {
			failed += !b->job[told].result.passed;
			if (b->report)
				b->report(&b->job[told], b->arg);
		}
	}
	return failed;
}
