/* SPDX-License-Identifier: BSD-2-Clause */
/* A lab file of any content is read whole, or refused with one sentence that names file and line. */
#include "fuzz.h"
#include "lab/lab.h"

#include <string.h>

#define NODES "name: n\ntopology:\n  nodes:\n    a: { addresses: { eth0: 10.0.0.1/24 } }\n    b:\n"

FUZZ_SEEDS(SEED(NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b:e1\"], delay: 10ms, loss: "
		      "0.1%, rate: 1Mbit,\n"
		      "        reverse: { jitter: 1us, queue: 9, loss_burst: 2, corrupt: 0.5, "
		      "reorder: 1%, duplicate: 0 } }\n"),
	   SEED("seed: 0x7f\ntrace: false\nreport: true\n" NODES "    c:\n"
		"      kind: linux\n      hostname: h\n      env: { A: b }\n      workdir: /\n"
		"      sysctls: { net.ipv4.ip_forward: 1 }\n      routes: [ { to: default, via: "
		"10.0.0.2, metric: 1 } ]\n"
		"      addresses: { lo: [ 10.1.0.1/32, 10.1.0.2/32 ] }\n"
		"      processes: [ x, { name: p, cmd: [ a, b ], wait: \"tcp:80\", timeout: 3s, "
		"env: { C: d } } ]\n"
		"      exec: [ { cmd: y, workdir: /tmp } ]\n"),
	   SEED("name: &x !t l\ntopology: &t\n  nodes: { *x : { exec: [ &c \"a\\0b\", *c ], env: "
		"*t } }\n"),
	   SEED("- &a [ *a, { *a : *a } ]\n"),
	   SEED("%YAML 1.1\n---\nname: \"\\u0000\"\n...\n--- {}\n"));

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	FILE *in = size ? fmemopen((void *)data, size, "r") : fopen("/dev/null", "r");
	struct lab_desc *d;
	char *error = NULL;

	FUZZ_CHECK(in != NULL);
	d = lab_desc_read_stream(in, "f", &error);
	fclose(in);
	if (d) {
		FUZZ_CHECK(!error && *d->name && d->nr_nodes);
		for (size_t i = 0; i < d->nr_links * 2; i++)
			FUZZ_CHECK(d->links[i / 2].end[i % 2].node < d->nr_nodes &&
				   *d->links[i / 2].end[i % 2].ifname);
		for (size_t i = 0; i < d->nr_nodes; i++)
			for (size_t k = 0; k < d->nodes[i].nr_processes; k++)
				FUZZ_CHECK(d->nodes[i].processes[k].argv[0]);
	} else {
		FUZZ_CHECK(error && strncmp(error, "f:", 2) == 0 && error[2] >= '1' &&
			   error[2] <= '9');
	}
	lab_desc_free(d);
	free(error);
	return 0;
}
