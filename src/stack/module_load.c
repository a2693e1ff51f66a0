/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module_load.c - from the name of a module to its code
 *
 * Theory of operation
 *   NAME is looked for as DIR/NAME.so in the directories of the machine's module path, in order. The object is mapped, and its
 *   weir_this_module examined: the api number and the size of every structure must be ours, and every function that it asks for
 *   must be in our table, which is made of the same list in module.h as the module's. Only then is a pointer written into it and code of it called.
 *   (Constructors of the object run before that: whoever can write to the module path can run code in this process. With
 *   module_root_only a file is not even opened on demand unless root alone could have written it.)
 *   An object is mapped once in a process. Its pointers are the same for all machines, because they lead to this copy of libweir;
 *   a second copy of libweir in the process is noticed, and refused.
 * Locking: rtnl while a module is loaded or unloaded.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/module.h"
#include "host/host.h"
#include "stack/stack.h"
#include "weir/module.h"

#define MODULE_SUFFIX ".so"

static const struct module_layout layouts[] = { WEIR_MODULE_STRUCTS(WEIR_MODULE_LAYOUT_) };

struct module_export {
	const char *name;
	void (*fn)(void);
};
#define MODULE_EXPORT_(f) { #f, (void (*)(void))f },
static const struct module_export exports[] = { WEIR_MODULE_FUNCTIONS(MODULE_EXPORT_) };

/* What went wrong, for a person. */
struct sentence {
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
say(const struct sentence *s, int err, const char *fmt, ...)
{
	va_list ap;

	if (s->size) {
		va_start(ap, fmt);
		vsnprintf(s->text, s->size, fmt, ap);
		va_end(ap);
	}
	return err;
}

/* ---- joining ----------------------------------------------------------------------------------------------- */

static int check_layouts(const struct module *mod, const struct sentence *s)
{
	if (mod->api != WEIR_MODULE_API)
		return say(s, -ENOEXEC, "%s: made for module interface %u, this is %u", mod->name,
			   mod->api, WEIR_MODULE_API);
	for (u32 i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct module_layout *l = &mod->layouts[i];

		if (!l->name || strcmp(l->name, layouts[i].name) != 0)
			return say(s, -ENOEXEC, "%s: made for another version of weir", mod->name);
		if (l->size != layouts[i].size)
			return say(s, -ENOEXEC,
				   "%s: made for another weir: %s has %u octets there, %u here",
				   mod->name, l->name, l->size, layouts[i].size);
	}
	return 0;
}

static void *find_export(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(exports); i++) {
		if (strcmp(exports[i].name, name) == 0)
			return (void *)exports[i].fn;
	}
	return NULL;
}

static int join_imports(const struct module *mod, const struct sentence *s)
{
	const struct module_import *im;

	for (im = mod->imports; im->name; im++) {
		void *fn = find_export(im->name);

		if (!fn)
			return say(s, -ENOEXEC, "%s: needs %s(), which this weir does not have",
				   mod->name, im->name);
		if (*im->slot && *im->slot != fn)
			return say(s, -EBUSY,
				   "%s: in use by another copy of libweir in this process",
				   mod->name);
	}
	for (im = mod->imports; im->name; im++) {
		if (!*im->slot)
			*im->slot = find_export(im->name);
	}
	return 0;
}

static int load_object(struct machine *m, const char *name, const char *path,
		       const struct sentence *s)
{
	char why[256] = "";
	void *object = host_object_open(path, why, sizeof(why));
	const struct module *mod;
	int err;

	if (!object)
		return say(s, -ENOEXEC, "%s", why);
	mod = host_object_symbol(object, "weir_this_module");
	if (!mod)
		err = say(s, -ENOEXEC, "%s: not a weir module", path);
	else if (mod->api == WEIR_MODULE_API && name && strcmp(mod->name, name) != 0)
		err = say(s, -ENOEXEC, "%s: calls itself %s", path, mod->name);
	else
		err = check_layouts(mod, s);
	if (!err)
		err = join_imports(mod, s);
	if (!err) {
		err = module_add(m, mod, object);
		if (err)
			say(s, err, "%s: %s", mod->name, strerror(-err));
	}
	if (err)
		host_object_close(object);
	return err;
}

/* ---- finding ----------------------------------------------------------------------------------------------- */

/* The file of the module, to be freed; -ENOENT, -EACCES, -ENOMEM. */
static int find_file(const struct weir_machine *wm, const char *name, char **ret_path,
		     const struct sentence *s)
{
	const char *dir = wm->module_path, *end;
	int err;

	if (!dir || !*name || *name == '.' || strchr(name, '/'))
		return say(s, -ENOENT, "%s: there is no such module", name);
	for (; *dir; dir = *end ? end + 1 : end) {
		char *path;

		end = strchrnul(dir, ':');
		if (end == dir)
			continue;
		if (asprintf(&path, "%.*s/%s" MODULE_SUFFIX, (int)(end - dir), dir, name) < 0)
			return -ENOMEM;
		err = host_path_root_only(path, ret_path);
		if (err == -EACCES && !wm->module_root_only) {
			*ret_path = path;
			return 0;
		}
		if (err == -EACCES)
			say(s, err,
			    "%s: not loaded: others than root can change it or a directory on its "
			    "way",
			    path);
		free(path);
		if (err != -ENOENT && err != -ENOTDIR)
			return err;
	}
	return say(s, -ENOENT, "%s: there is no such module in %s", name, wm->module_path);
}

static int load_named(struct weir_machine *wm, const char *name, const struct sentence *s)
{
	char *path = NULL;
	int err = find_file(wm, name, &path, s);

	if (!err)
		err = load_object(wm->m, name, path, s);
	free(path);
	return err;
}

static int request(struct machine *m, const char *name)
{
	struct weir_machine *wm = m->request_module_arg;
	char why[512] = "";
	int err;

	rtnl_lock(m);
	err = module_find(m, name) ? 0
				   : load_named(wm, name, &(struct sentence){ why, sizeof(why) });
	rtnl_unlock(m);
	if (err && err != -ENOENT && wm->module_log)
		wm->module_log(wm->module_log_arg, why[0] ? why : strerror(-err));
	return err;
}

int module_load_init(struct weir_machine *wm, const struct weir_machine_config *cfg)
{
	wm->module_log = cfg->module_log;
	wm->module_log_arg = cfg->module_log_arg;
	wm->module_root_only = cfg->module_root_only;
	if (!cfg->module_path)
		return 0;
	wm->module_path = strdup(cfg->module_path);
	if (!wm->module_path)
		return -ENOMEM;
	wm->m->request_module_arg = wm;
	wm->m->request_module = request;
	return 0;
}

void module_load_exit(struct weir_machine *wm)
{
	struct machine *m = wm->m;
	void *object;

	rtnl_lock(m);
	m->request_module = NULL;
	/* Nets and sockets are gone, so nothing has users. */
	while (!list_empty(&m->loaded_modules)) {
		struct loaded_module *lm =
			container_of(m->loaded_modules.prev, struct loaded_module, node);
		int err = module_del(m, lm->mod->name, &object);

		assert(!err);
		if (err)
			break;
		host_object_close(object);
	}
	rtnl_unlock(m);
	free(wm->module_path);
}

/* ---- the embedding API ---------------------------------------------------------------------------------------- */

int weir_module_load(struct weir_machine *wm, const char *name, char *ret_error, size_t error_size)
{
	struct sentence s = { ret_error, ret_error ? error_size : 0 };
	int err;

	say(&s, 0, "%s", "");
	rtnl_lock(wm->m);
	if (strchr(name, '/'))
		err = load_object(wm->m, NULL, name, &s);
	else if (module_find(wm->m, name))
		err = say(&s, -EEXIST, "%s: loaded already", name);
	else
		err = load_named(wm, name, &s);
	rtnl_unlock(wm->m);
	return err;
}

int weir_module_unload(struct weir_machine *wm, const char *name)
{
	void *object;
	int err;

	rtnl_lock(wm->m);
	err = module_del(wm->m, name, &object);
	if (!err)
		host_object_close(object);
	rtnl_unlock(wm->m);
	return err;
}

int weir_module_list(struct weir_machine *wm,
		     int (*fn)(const struct weir_module_info *info, void *arg), void *arg)
{
	struct loaded_module *lm;
	int err = 0;

	rtnl_lock(wm->m);
	list_for_each_entry(lm, &wm->m->loaded_modules, node) {
		struct weir_module_info info = {
			.name = lm->mod->name,
			.description = lm->mod->description,
			.users = __atomic_load_n(&lm->users, __ATOMIC_RELAXED),
		};

		err = fn(&info, arg);
		if (err)
			break;
	}
	rtnl_unlock(wm->m);
	return err;
}
