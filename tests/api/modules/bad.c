/* SPDX-License-Identifier: BSD-2-Clause */
/* bad.c - modules that must be refused; what is wrong is chosen by BAD_* (meson.build) */
#include "weir/module.h"

#ifndef BAD_OBJECT
static void *slot;
static const struct module_import imports[] = {
#ifdef BAD_IMPORT
	{ "frobnicate_skb", &slot },
#else
	{ "alloc_skb", &slot },
#endif
	{ NULL, NULL },
};

#ifdef BAD_LAYOUT
#define LAYOUT(type) { #type, __builtin_strcmp(#type, "struct sk_buff") ? sizeof(type) : 7 },
#else
#define LAYOUT(type) { #type, sizeof(type) },
#endif
static const struct module_layout layouts[] = { WEIR_MODULE_STRUCTS(LAYOUT){ NULL, 0 } };

__attribute__((visibility("default"))) const struct module weir_this_module = {
	.name = BAD_NAME,
#ifdef BAD_API
	.api = 99,
#else
	.api = WEIR_MODULE_API,
#endif
	.layouts = layouts,
	.imports = imports,
};
#else
__attribute__((visibility("default"))) const int something = 1;
#endif
