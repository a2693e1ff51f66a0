/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl.h - tunables as tables, and the text views of /proc and /sys
 *
 * A sysctl is a row: path under /proc/sys/net, kind, where the value lies, range, help. Rows of one table share a base. Parsing,
 * range checks, /proc/sys files and the manual are derived. Parameters of what is a module in Linux are rows, too: below
 * /sys/module. A view is a file under /proc/net or /sys/class/net made by a function.
 * Both are registered per machine by the folders' machine_init.
 * Context: control; sysctl functions take the cpu lock around the access themselves.
 */
#ifndef WEIR_CORE_SYSCTL_H
#define WEIR_CORE_SYSCTL_H

#include <stdarg.h>

#include "core/net.h"
#include "lib/types.h"

/* ---- text: a growing string --------------------------------------------------------------------------- */

struct text {
	char *buf; /* NUL-terminated when len > 0 */
	size_t len, size;
	bool failed; /* out of memory: the rest is missing */
};

__printf(2, 3) void text_printf(struct text *t, const char *fmt, ...);
void text_append(struct text *t, const char *s, size_t n);
void text_free(struct text *t);

/* ---- sysctls ------------------------------------------------------------------------------------------- */

enum sysctl_kind {
	SYSCTL_U8,
	SYSCTL_U16,
	SYSCTL_U32,
	SYSCTL_S32,
	SYSCTL_U64,
	SYSCTL_NS_AS_S,  /* u64 ns, shown in seconds */
	SYSCTL_NS_AS_MS, /* u64 ns, shown in milliseconds */
	SYSCTL_NS_AS_CS, /* u64 ns, shown in hundredths of a second (USER_HZ) */
	SYSCTL_U16_PAIR, /* two u16 in a row: "32768\t60999" */
	SYSCTL_U32_PAIR,
	SYSCTL_U32_TRIPLE, /* tcp_rmem */
	SYSCTL_STRING,     /* char[len] */
	SYSCTL_IN6_ADDR,   /* 16 octets; all 0: an empty line */
	SYSCTL_FUNC,       /* show/store */
};

struct sysctl_desc {
	const char *path; /* "ipv4/ip_forward" */
	enum sysctl_kind kind;
	u32 offset; /* from the table's base */
	u64 def, min, max;
	u32 max_at; /* U32: offset of another value that must not be exceeded either; 0: none */
	u32 len;
	bool readonly;
	const char *help;
	void (*show)(struct net *net, struct text *t);               /* FUNC */
	int (*store)(struct net *net, const char *text, size_t len); /* FUNC; 0 or -errno */
	void (*changed)(struct net *net); /* optional: after a write; cpu lock held */
};

struct sysctl_table {
	void *(*base)(struct net *net); /* structure the offsets refer to */
	const struct sysctl_desc *rows;
	u32 count;
	bool parameters; /* below SYSCTL_MODULE: "tcp_cubic/parameters/hystart" */
};
#define SYSCTL_NET    "/proc/sys/net"
#define SYSCTL_MODULE "/sys/module"

#define SYSCTL_ROW(path_, kind_, type_, field_, def_, min_, max_, help_)                           \
	{                                                                                          \
		.path = (path_), .kind = (kind_), .offset = offsetof(type_, field_),               \
		.def = (def_), .min = (min_), .max = (max_), .help = (help_)                       \
	}

/* @table must live as long as the machine. Files that depend on devices (net.ipv4.conf.DEV.*) are a table with a dir function. */
int sysctl_register(struct machine *m, const struct sysctl_table *table);
/* Writes the defaults of @table into @base: for net_init. */
void sysctl_set_defaults(const struct sysctl_table *table, void *base);

/* Per-device directories: "ipv4/conf/eth0/forwarding". @base gives the structure for a name ("all", "default", a device), or NULL;
 * @list appends the names, one a line. */
struct sysctl_dir {
	const char *path; /* "ipv4/conf" */
	void *(*base)(struct net *net, const char *name);
	void (*list)(struct net *net, struct text *t);
	const struct sysctl_desc *rows; /* path: file name only */
	u32 count;
};
/* Calls @fn for each row of the machine. @root: SYSCTL_NET or SYSCTL_MODULE. @dir: of a directory with devices, else NULL. */
void sysctl_for_each(const struct machine *m,
		     void (*fn)(const char *root, const char *dir, const struct sysctl_desc *d,
				void *arg),
		     void *arg);
/* "0 to 255", or "" where every value of the kind will do. */
void sysctl_range(const struct sysctl_desc *d, struct text *t);
/* Frees the registry of the machine (NULL is fine). */
void sysctl_registry_free(struct machine *m);
/* net.core.*, in struct netns_core. */
extern const struct sysctl_table core_sysctls;
int sysctl_register_dir(struct machine *m, const struct sysctl_dir *dir);

/* ---- views --------------------------------------------------------------------------------------------- */

struct view_desc {
	const char *path;                              /* "/proc/net/tcp" */
	void (*show)(struct net *net, struct text *t); /* cpu lock held */
	bool rows; /* a headline and a row for each socket: of a net on several cpus, the rows of all of them */
};
int view_register(struct machine *m, const struct view_desc *views, u32 n);

/* @path as a program names it, any of /proc/net/..., /proc/sys/net/..., /sys/class/net/..., /sys/module/.... 0, -ENOENT, -EISDIR
 * (the entries, one a line, are in @t), -ENOMEM. */
int view_read(struct net *net, const char *path, struct text *t);
/* 0, -ENOENT, -EINVAL, -ERANGE, -EACCES */
int view_write(struct net *net, const char *path, const char *buf, size_t len);

#endif
