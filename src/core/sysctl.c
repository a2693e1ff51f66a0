/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl.c - tunables as rows, and the files of /proc and /sys as text
 *
 * Theory of operation
 *   Folders register tables once per machine. A row's value lies in a structure of the net; reading and writing a file under
 *   /proc/sys/net, or /sys/module for parameters, finds the row by its path, and formats or parses by its kind. Directories are not stored: their listings are
 *   made from the paths of the rows. Views (/proc/net/...) are functions that print. /sys/class/net is made by dev_views.c.
 *   All numbers of a list are parsed and checked before the first is stored: a bad write changes nothing.
 * Locking
 *   The registry is filled while the machine is set up and only read after. Values: the net's home cpu lock, taken here.
 */
#include "core/sysctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/netdevice.h"
#include "core/net_group.h"
#include "host/host.h"

struct sysctl_registry {
	const struct sysctl_table **tables;
	const struct sysctl_dir **dirs;
	const struct view_desc **views;
	u32 nr_tables, nr_dirs, nr_views;
};

/* ---- text ---------------------------------------------------------------------------------------------- */

static bool text_reserve(struct text *t, size_t n)
{
	size_t size = t->size ? t->size : 256;
	char *p;

	if (t->failed)
		return false;
	while (size < t->len + n + 1)
		size *= 2;
	if (size == t->size)
		return true;
	p = realloc(t->buf, size);
	if (!p) {
		t->failed = true;
		return false;
	}
	t->buf = p;
	t->size = size;
	return true;
}

void text_append(struct text *t, const char *s, size_t n)
{
	if (!text_reserve(t, n))
		return;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	t->buf[t->len] = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		text_append(t, small, (size_t)n);
		return;
	}
	if (!text_reserve(t, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(t->buf + t->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

void text_free(struct text *t)
{
	free(t->buf);
	*t = (struct text){ 0 };
}

/* ---- values -------------------------------------------------------------------------------------------- */

static u32 kind_count(enum sysctl_kind kind)
{
	switch (kind) {
	case SYSCTL_U16_PAIR:
	case SYSCTL_U32_PAIR:
		return 2;
	case SYSCTL_U32_TRIPLE:
		return 3;
	default:
		return 1;
	}
}

static u32 kind_width(enum sysctl_kind kind)
{
	switch (kind) {
	case SYSCTL_U8:
		return 1;
	case SYSCTL_U16:
	case SYSCTL_U16_PAIR:
		return 2;
	case SYSCTL_U64:
	case SYSCTL_NS_AS_S:
	case SYSCTL_NS_AS_MS:
	case SYSCTL_NS_AS_CS:
		return 8;
	default:
		return 4;
	}
}

static u64 kind_unit(enum sysctl_kind kind)
{
	return kind == SYSCTL_NS_AS_S    ? NSEC_PER_SEC
	       : kind == SYSCTL_NS_AS_CS ? NSEC_PER_SEC / 100
	       : kind == SYSCTL_NS_AS_MS ? NSEC_PER_MSEC
					 : 1;
}

static u64 value_load(const u8 *p, enum sysctl_kind kind)
{
	u64 v = 0;

	memcpy(&v, p, kind_width(kind)); /* little-endian */
	if (kind == SYSCTL_S32)
		return (u64)(s64)(s32)v;
	return v / kind_unit(kind);
}

static void value_store(u8 *p, enum sysctl_kind kind, u64 v)
{
	v *= kind_unit(kind);
	memcpy(p, &v, kind_width(kind));
}

/* All groups in full, as in /proc/sys/net/ipv6/conf/eth0/stable_secret. */
static void in6_addr_show(const u8 *p, struct text *t)
{
	static const u8 none[16];

	for (u32 i = 0; memcmp(p, none, 16) && i < 16; i += 2)
		text_printf(t, "%s%02x%02x", i ? ":" : "", p[i], p[i + 1]);
	text_append(t, "\n", 1);
}

/* 0 or -EINVAL */
static int in6_addr_parse(u8 *p, const char *s, size_t len)
{
	char buf[64];

	while (len && (s[len - 1] == '\n' || s[len - 1] == ' ' || !s[len - 1]))
		len--;
	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, s, len);
	buf[len] = 0;
	return inet_pton(AF_INET6, buf, p) == 1 ? 0 : -EINVAL;
}

static void value_show(const struct sysctl_desc *d, const u8 *p, struct text *t)
{
	if (d->kind == SYSCTL_IN6_ADDR) {
		in6_addr_show(p, t);
		return;
	}
	if (d->kind == SYSCTL_STRING) {
		text_printf(t, "%.*s\n", (int)d->len, (const char *)p);
		return;
	}
	for (u32 i = 0; i < kind_count(d->kind); i++) {
		u64 v = value_load(p + i * kind_width(d->kind), d->kind);

		if (d->kind == SYSCTL_S32)
			text_printf(t, "%s%lld", i ? "\t" : "", (long long)v);
		else
			text_printf(t, "%s%llu", i ? "\t" : "", (unsigned long long)v);
	}
	text_append(t, "\n", 1);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool is_blank(const char *s, const char *end)
{
	while (s < end && (is_space(*s) || !*s))
		s++;
	return s == end;
}

/* The next number of [*s, end). 0, -EINVAL */
static int parse_number(const char **s, const char *end, bool is_signed, u64 *ret)
{
	char buf[32], *stop;
	size_t n = 0;

	while (*s < end && is_space(**s))
		(*s)++;
	while (*s < end && !is_space(**s) && **s && n < sizeof(buf) - 1)
		buf[n++] = *(*s)++;
	buf[n] = 0;
	if (*s < end && !is_space(**s) && **s)
		return -EINVAL; /* too long for a number */
	if (!n || (buf[0] == '-' && !is_signed))
		return -EINVAL;
	errno = 0;
	*ret = is_signed ? (u64)strtoll(buf, &stop, 0) : strtoull(buf, &stop, 0);
	return *stop || errno ? -EINVAL : 0;
}

static bool in_range(const struct sysctl_desc *d, u64 v)
{
	if (d->kind == SYSCTL_S32) {
		if ((s64)v < INT32_MIN || (s64)v > INT32_MAX)
			return false;
		return (!d->min && !d->max) || ((s64)v >= (s64)d->min && (s64)v <= (s64)d->max);
	}
	if (kind_width(d->kind) < 8 && v >> (8 * kind_width(d->kind)))
		return false;
	if (v > UINT64_MAX / kind_unit(d->kind))
		return false;
	return (!d->min && !d->max) || (v >= d->min && v <= d->max);
}

/* Is @v more than the other value of the same structure that bounds it? */
static bool exceeds_other(const struct sysctl_desc *d, const u8 *p, u64 v)
{
	return d->max_at && v > value_load(p - d->offset + d->max_at, SYSCTL_U32);
}

static int value_parse(const struct sysctl_desc *d, u8 *p, const char *s, size_t len)
{
	const char *end = s + len;
	u64 v[3];
	u32 n = kind_count(d->kind), given;

	if (d->kind == SYSCTL_IN6_ADDR)
		return in6_addr_parse(p, s, len);
	if (d->kind == SYSCTL_STRING) {
		while (len && (is_space(s[len - 1]) || !s[len - 1]))
			len--;
		if (len >= d->len)
			return -EINVAL;
		memset(p, 0, d->len);
		memcpy(p, s, len);
		return 0;
	}
	for (u32 i = 0; i < n; i++)
		v[i] = value_load(p + i * kind_width(d->kind), d->kind);
	/* As in Linux: values that are not given stay as they are. */
	for (given = 0; given < n && (!given || !is_blank(s, end)); given++) {
		if (parse_number(&s, end, d->kind == SYSCTL_S32, &v[given]))
			return -EINVAL;
		if (!in_range(d, v[given]) || exceeds_other(d, p, v[given]))
			return -EINVAL; /* what Linux says for a value out of range, too */
	}
	/* What comes behind the last number is not looked at, as in Linux. */
	if ((d->kind == SYSCTL_U16_PAIR || d->kind == SYSCTL_U32_PAIR) && v[0] > v[1])
		return -EINVAL; /* pairs are ranges */
	for (u32 i = 0; i < given; i++)
		value_store(p + i * kind_width(d->kind), d->kind, v[i]);
	return 0;
}

/* ---- registry ------------------------------------------------------------------------------------------ */

static struct sysctl_registry *registry(struct machine *m)
{
	if (!m->sysctls)
		m->sysctls = calloc(1, sizeof(*m->sysctls));
	return m->sysctls;
}

static int registry_add(const void ***rows, u32 *nr, const void *row)
{
	const void **p = realloc(*rows, (*nr + 1) * sizeof(*p));

	if (!p)
		return -ENOMEM;
	p[(*nr)++] = row;
	*rows = p;
	return 0;
}

int sysctl_register(struct machine *m, const struct sysctl_table *table)
{
	struct sysctl_registry *r = registry(m);

	return r ? registry_add((const void ***)&r->tables, &r->nr_tables, table) : -ENOMEM;
}

int sysctl_register_dir(struct machine *m, const struct sysctl_dir *dir)
{
	struct sysctl_registry *r = registry(m);

	return r ? registry_add((const void ***)&r->dirs, &r->nr_dirs, dir) : -ENOMEM;
}

int view_register(struct machine *m, const struct view_desc *views, u32 n)
{
	struct sysctl_registry *r = registry(m);
	int err = r ? 0 : -ENOMEM;

	for (u32 i = 0; i < n && !err; i++)
		err = registry_add((const void ***)&r->views, &r->nr_views, &views[i]);
	return err;
}

void sysctl_for_each(const struct machine *m,
		     void (*fn)(const char *root, const char *dir, const struct sysctl_desc *d,
				void *arg),
		     void *arg)
{
	const struct sysctl_registry *r = m->sysctls;

	for (u32 i = 0; r && i < r->nr_tables; i++)
		for (u32 k = 0; k < r->tables[i]->count; k++)
			fn(r->tables[i]->parameters ? SYSCTL_MODULE : SYSCTL_NET, NULL,
			   &r->tables[i]->rows[k], arg);
	for (u32 i = 0; r && i < r->nr_dirs; i++)
		for (u32 k = 0; k < r->dirs[i]->count; k++)
			fn(SYSCTL_NET, r->dirs[i]->path, &r->dirs[i]->rows[k], arg);
}

void sysctl_range(const struct sysctl_desc *d, struct text *t)
{
	if (d->kind == SYSCTL_FUNC || d->kind == SYSCTL_STRING || d->kind == SYSCTL_IN6_ADDR ||
	    (!d->min && !d->max))
		return;
	if (d->kind == SYSCTL_S32)
		text_printf(t, "%lld to %lld", (long long)d->min, (long long)d->max);
	else
		text_printf(t, "%llu to %llu", (unsigned long long)d->min,
			    (unsigned long long)d->max);
}

void sysctl_registry_free(struct machine *m)
{
	if (!m->sysctls)
		return;
	free(m->sysctls->tables);
	free(m->sysctls->dirs);
	free(m->sysctls->views);
	free(m->sysctls);
	m->sysctls = NULL;
}

void sysctl_set_defaults(const struct sysctl_table *table, void *base)
{
	for (u32 i = 0; i < table->count; i++) {
		const struct sysctl_desc *d = &table->rows[i];
		u8 *p = (u8 *)base + d->offset;

		/* Rows with several values, strings and functions have their defaults in code. */
		if (d->kind != SYSCTL_FUNC && d->kind != SYSCTL_STRING &&
		    d->kind != SYSCTL_IN6_ADDR && kind_count(d->kind) == 1)
			value_store(p, d->kind, d->def);
	}
}

/* ---- finding ------------------------------------------------------------------------------------------- */

struct sysctl_place {
	const struct sysctl_desc *desc;
	u8 *base;
};

/* @path "ipv4/conf/eth0/forwarding": does it lie in @dir? */
static bool find_in_dir(struct net *net, const struct sysctl_dir *dir, const char *path,
			struct sysctl_place *ret)
{
	size_t n = strlen(dir->path);
	char name[64];
	const char *file;

	if (strncmp(path, dir->path, n) || path[n] != '/')
		return false;
	path += n + 1;
	file = strchr(path, '/');
	if (!file || (size_t)(file - path) >= sizeof(name))
		return false;
	memcpy(name, path, (size_t)(file - path));
	name[file - path] = 0;
	for (u32 i = 0; i < dir->count; i++)
		if (!strcmp(dir->rows[i].path, file + 1)) {
			ret->desc = &dir->rows[i];
			ret->base = dir->base(net, name);
			return ret->base;
		}
	return false;
}

/* @parameters: @path is below SYSCTL_MODULE, else SYSCTL_NET. cpu lock held. */
static bool sysctl_find(struct net *net, const char *path, bool parameters,
			struct sysctl_place *ret)
{
	const struct sysctl_registry *r = net->machine->sysctls;

	for (u32 i = 0; r && i < r->nr_tables; i++)
		for (u32 k = 0; r->tables[i]->parameters == parameters && k < r->tables[i]->count;
		     k++)
			if (!strcmp(r->tables[i]->rows[k].path, path)) {
				ret->desc = &r->tables[i]->rows[k];
				ret->base = r->tables[i]->base ? r->tables[i]->base(net) : NULL;
				return true;
			}
	for (u32 i = 0; r && !parameters && i < r->nr_dirs; i++)
		if (find_in_dir(net, r->dirs[i], path, ret))
			return true;
	return false;
}

/* ---- directories --------------------------------------------------------------------------------------- */

/* Is the line @s[0..n) in @t already? */
static bool text_has_line(const struct text *t, const char *s, size_t n)
{
	const char *p = t->buf, *end = p + t->len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if ((size_t)(nl - p) == n && !memcmp(p, s, n))
			return true;
		p = nl + 1;
	}
	return false;
}

/* If @path lies below @dir, adds its next component. */
static void list_component(struct text *t, const char *dir, const char *path)
{
	size_t n = strlen(dir);
	const char *name = path + n;

	if (n) {
		if (strncmp(path, dir, n) || *name++ != '/')
			return;
	}
	if (!*name || text_has_line(t, name, strcspn(name, "/")))
		return;
	text_append(t, name, strcspn(name, "/"));
	text_append(t, "\n", 1);
}

/* "ipv4/conf" and "ipv4/conf/eth0" of a directory with devices. */
static void list_in_dir(struct net *net, const struct sysctl_dir *dir, const char *path,
			struct text *t)
{
	size_t n = strlen(dir->path);

	list_component(t, path, dir->path);
	if (!strcmp(path, dir->path)) {
		dir->list(net, t);
		return;
	}
	if (strncmp(path, dir->path, n) || path[n] != '/' || strchr(path + n + 1, '/') ||
	    !dir->base(net, path + n + 1))
		return;
	for (u32 i = 0; i < dir->count; i++)
		text_printf(t, "%s\n", dir->rows[i].path);
}

/* The entries of a directory of rows. -EISDIR or -ENOENT. cpu lock held. */
static int sysctl_list(struct net *net, const char *path, bool parameters, struct text *t)
{
	const struct sysctl_registry *r = net->machine->sysctls;
	size_t before = t->len;

	for (u32 i = 0; r && i < r->nr_tables; i++)
		for (u32 k = 0; r->tables[i]->parameters == parameters && k < r->tables[i]->count;
		     k++)
			list_component(t, path, r->tables[i]->rows[k].path);
	for (u32 i = 0; r && !parameters && i < r->nr_dirs; i++)
		list_in_dir(net, r->dirs[i], path, t);
	return t->len > before ? -EISDIR : -ENOENT;
}

/* ---- reading and writing ------------------------------------------------------------------------------- */

static int sysctl_read(struct net *net, const char *path, bool parameters, struct text *t)
{
	struct sysctl_place place;

	if (!sysctl_find(net, path, parameters, &place))
		return sysctl_list(net, path, parameters, t);
	if (place.desc->kind == SYSCTL_FUNC) {
		if (!place.desc->show)
			return -EACCES;
		place.desc->show(net, t);
	} else {
		value_show(place.desc, place.base + place.desc->offset, t);
	}
	return 0;
}

static int sysctl_write(struct net *net, const char *path, bool parameters, const char *s,
			size_t len)
{
	struct sysctl_place place;
	int err;

	if (!sysctl_find(net, path, parameters, &place))
		return -ENOENT;
	if (place.desc->readonly)
		return -EACCES;
	if (!len)
		return 0; /* as in Linux: nothing is written */
	if (place.desc->kind == SYSCTL_FUNC)
		return place.desc->store ? place.desc->store(net, s, len) : -EACCES;
	err = value_parse(place.desc, place.base + place.desc->offset, s, len);
	if (!err && place.desc->changed)
		place.desc->changed(net);
	return err;
}

/* The path below @prefix without slashes at either end, in @buf; NULL: not below it. */
static const char *path_below(const char *path, const char *prefix, char *buf, size_t size)
{
	size_t n = strlen(prefix);

	if (strncmp(path, prefix, n) || (path[n] && path[n] != '/'))
		return NULL;
	path += n;
	while (*path == '/')
		path++;
	n = strlen(path);
	while (n && path[n - 1] == '/')
		n--;
	if (n >= size)
		return NULL;
	memcpy(buf, path, n);
	buf[n] = 0;
	return buf;
}

static int proc_net_read(struct net *net, const char *path, struct text *t)
{
	const struct sysctl_registry *r = net->machine->sysctls;
	size_t before = t->len;

	for (u32 i = 0; r && i < r->nr_views; i++)
		if (!strcmp(r->views[i]->path, path)) {
			r->views[i]->show(net, t);
			return 0;
		}
	for (u32 i = 0; r && i < r->nr_views; i++)
		list_component(t, path, r->views[i]->path);
	return t->len > before ? -EISDIR : -ENOENT;
}

/* All lines but the first that the other shards of @net show. */
static void other_rows(struct net *net, const struct view_desc *v, struct text *t)
{
	struct net *shard;

	net_for_each_other_shard(net, shard, i)
	{
		struct text more = { 0 };
		const char *rows;

		cpu_lock(shard->cpu);
		v->show(shard, &more);
		cpu_unlock(shard->cpu);
		rows = more.len ? strchr(more.buf, '\n') : NULL;
		if (rows)
			text_append(t, rows + 1, strlen(rows + 1));
		t->failed |= more.failed;
		text_free(&more);
	}
}

static void view_add_shards(struct net *net, const char *path, struct text *t)
{
	const struct sysctl_registry *r = net->machine->sysctls;

	for (u32 i = 0; r && i < r->nr_views; i++)
		if (r->views[i]->rows && !strcmp(r->views[i]->path, path))
			other_rows(net, r->views[i], t);
}

int view_read(struct net *net, const char *path, struct text *t)
{
	char buf[512];
	const char *rest;
	int err = -ENOENT;

	if (unlikely(net->group))
		net_group_sum_mib(net);
	cpu_lock(net->cpu);
	if ((rest = path_below(path, SYSCTL_NET, buf, sizeof(buf))))
		err = sysctl_read(net, rest, false, t);
	else if ((rest = path_below(path, SYSCTL_MODULE, buf, sizeof(buf))))
		err = sysctl_read(net, rest, true, t);
	else if ((rest = path_below(path, "/sys/class/net", buf, sizeof(buf))))
		err = dev_sysfs_read(net, rest, t);
	else if ((rest = path_below(path, "", buf, sizeof(buf) - 1))) {
		/* views are registered with their whole path */
		memmove(buf + 1, buf, strlen(buf) + 1);
		buf[0] = '/';
		err = proc_net_read(net, buf, t);
	}
	cpu_unlock(net->cpu);
	if (unlikely(net->group) && !err && buf[0] == '/')
		view_add_shards(net, buf, t);
	return t->failed ? -ENOMEM : err;
}

int view_write(struct net *net, const char *path, const char *text, size_t len)
{
	char buf[512];
	const char *rest = path_below(path, SYSCTL_NET, buf, sizeof(buf));
	bool parameters = !rest;
	struct net *shard;
	int err;

	if (parameters)
		rest = path_below(path, SYSCTL_MODULE, buf, sizeof(buf));

	if (!rest) {
		struct text t = { 0 };

		err = view_read(net, path, &t);
		text_free(&t);
		return err == -ENOENT ? -ENOENT : -EACCES;
	}
	cpu_lock(net->cpu);
	err = sysctl_write(net, rest, parameters, text, len);
	cpu_unlock(net->cpu);
	net_for_each_other_shard(net, shard, i)
	{
		if (err)
			break;
		cpu_lock(shard->cpu);
		err = sysctl_write(shard, rest, parameters, text, len);
		cpu_unlock(shard->cpu);
	}
	return err;
}

/* ---- net.core ------------------------------------------------------------------------------------------ */

static void *core_base(struct net *net)
{
	return net->core;
}

/* The parts of net.core that are the cpu's: in effect for all nets of the machine. */
static void show_backlog(struct net *net, struct text *t)
{
	text_printf(t, "%u\n", net->cpu->softnet->netdev_max_backlog);
}
static void show_budget(struct net *net, struct text *t)
{
	text_printf(t, "%d\n", net->cpu->softnet->netdev_budget);
}
static void show_weight(struct net *net, struct text *t)
{
	text_printf(t, "%d\n", net->cpu->softnet->dev_weight);
}

static int store_number(const char *s, size_t len, u64 lo, u64 hi, u64 *ret)
{
	const char *end = s + len;
	u64 v;

	if (parse_number(&s, end, false, &v) || v < lo || v > hi)
		return -EINVAL;
	*ret = v;
	return 0;
}
static int store_backlog(struct net *net, const char *s, size_t len)
{
	u64 v;
	int err = store_number(s, len, 0, INT32_MAX, &v);

	if (!err)
		net->cpu->softnet->netdev_max_backlog = (u32)v;
	return err;
}
static int store_budget(struct net *net, const char *s, size_t len)
{
	u64 v;
	int err = store_number(s, len, 1, INT32_MAX, &v);

	if (!err)
		net->cpu->softnet->netdev_budget = (int)v;
	return err;
}
static int store_weight(struct net *net, const char *s, size_t len)
{
	u64 v;
	int err = store_number(s, len, 1, INT32_MAX, &v);

	if (!err)
		net->cpu->softnet->dev_weight = (int)v;
	return err;
}

static void show_normal_batch(struct net *net, struct text *t)
{
	text_printf(t, "%u\n", net->cpu->softnet->gro_normal_batch);
}
static int store_normal_batch(struct net *net, const char *s, size_t len)
{
	u64 v;
	int err = store_number(s, len, 1, INT32_MAX, &v);

	if (!err)
		net->cpu->softnet->gro_normal_batch = (u32)v;
	return err;
}

#define CORE_ROW(path, field, def, min, max, help)                                                 \
	SYSCTL_ROW(path, SYSCTL_U32, struct netns_core, field, def, min, max, help)
#define CORE_FUNC(path_, what, help_)                                                              \
	{                                                                                          \
		.path = (path_), .kind = SYSCTL_FUNC, .show = show_##what, .store = store_##what,  \
		.help = (help_)                                                                    \
	}

static const struct sysctl_desc core_rows[] = {
	CORE_ROW("core/somaxconn", somaxconn, 4096, 0, INT32_MAX, "limit of listen()'s backlog"),
	CORE_ROW("core/rmem_default", rmem_default, 212992, 2304, INT32_MAX,
		 "receive buffer of a new socket, octets"),
	CORE_ROW("core/rmem_max", rmem_max, 212992, 2304, INT32_MAX,
		 "largest SO_RCVBUF, octets before doubling"),
	CORE_ROW("core/wmem_default", wmem_default, 212992, 4608, INT32_MAX,
		 "send buffer of a new socket, octets"),
	CORE_ROW("core/wmem_max", wmem_max, 212992, 4608, INT32_MAX,
		 "largest SO_SNDBUF, octets before doubling"),
	CORE_ROW("core/optmem_max", optmem_max, 131072, 0, INT32_MAX,
		 "memory for options and control messages of a socket"),
	CORE_FUNC("core/netdev_max_backlog", backlog,
		  "packets that wait in a cpu's backlog at most"),
	CORE_FUNC("core/netdev_budget", budget, "packets of one NET_RX round at most"),
	CORE_FUNC("core/dev_weight", weight, "packets of the backlog in one poll"),
	CORE_FUNC(
		"core/gro_normal_batch", normal_batch,
		"received packets that go up together at most; what was merged counts as it came"),
};

const struct sysctl_table core_sysctls = { core_base, core_rows, ARRAY_SIZE(core_rows) };
