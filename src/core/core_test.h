/* SPDX-License-Identifier: BSD-2-Clause */
/* core_test.h - for the unit tests of this folder: a machine in virtual time with nothing but the core */
#ifndef WEIR_CORE_CORE_TEST_H
#define WEIR_CORE_CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "core/core_module.h"
#include "core/cpu.h"
#include "core/machine.h"
#include "core/net.h"
#include "host/host.h"

static const struct net_module test_modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
};

static inline struct machine *test_machine_with(struct host *host, u32 ncpus, bool workers,
						u64 mem_limit)
{
	struct machine_config cfg = {
		.host = host,
		.ncpus = ncpus,
		.workers = workers,
		.mem_limit = mem_limit,
		.modules = test_modules,
		.nr_modules = ARRAY_SIZE(test_modules),
	};
	struct machine *m = machine_create(&cfg);

	assert_non_null(m);
	return m;
}

static inline struct machine *test_machine(void)
{
	return test_machine_with(host_sim_create(1, 0), 1, false, 0);
}

/* A machine whose only cpu is locked. */
static inline struct cpu *test_cpu(void)
{
	struct machine *m = test_machine();

	cpu_lock(m->cpus[0]);
	return m->cpus[0];
}

static inline void test_cpu_done(struct cpu *cpu)
{
	struct machine *m = cpu->machine;

	cpu_unlock(cpu);
	machine_destroy(m);
}

#endif
