// SPDX-License-Identifier: BSD-2-Clause
/* What is measured. */
#include "bench.h"

#include <string.h>

/* Families, receivers and bytes; then rooms and CPUs; then what is not usual. */
#define BR_CASE_OF(from_, to_, n, size, rooms_, cpus_, ...)                                        \
	.from = (from_), .to = (to_), .receivers = (n), .bytes = (size), .rooms = (rooms_),        \
	.cpus = (cpus_), __VA_ARGS__
#define BR_CASE_4(n, size, ...)	    BR_CASE_OF(4, 4, n, size, 1, 1, __VA_ARGS__)
#define BR_CASE(from_, to_, n, ...) BR_CASE_OF(from_, to_, n, 1200, 1, 1, __VA_ARGS__)

static const struct br_bench_case cases[] = {
	{"n1", BR_CASE_4(1, 1200, .bare = BR_BARE_TX, .quick = true)},
	{"n1-redirect", BR_CASE_4(1, 1200, .bare = BR_BARE_REDIRECT, .quick = true)},
	{"n1-other", BR_CASE_4(1, 1200, .bare = BR_BARE_REDIRECT, .other = true, .quick = true)},
	{"n2", BR_CASE_4(2, 1200)},
	{"n3", BR_CASE_4(3, 1200)},
	{"n10", BR_CASE_4(10, 1200, .quick = true)},
	{"n50", BR_CASE_4(50, 1200, .quick = true)},
	{"n100", BR_CASE_4(100, 1200)},
	{"n300", BR_CASE_4(300, 1200)},
	{"n1000", BR_CASE_4(1000, 1200, .quick = true)},

	{"n1-small", BR_CASE_4(1, 160, .bare = BR_BARE_TX)},
	{"n2-small", BR_CASE_4(2, 160)},
	{"n3-small", BR_CASE_4(3, 160)},
	{"n10-small", BR_CASE_4(10, 160)},
	{"n50-small", BR_CASE_4(50, 160)},
	{"n100-small", BR_CASE_4(100, 160)},
	{"n300-small", BR_CASE_4(300, 160)},
	{"n1000-small", BR_CASE_4(1000, 160)},

	{"n1-v6", BR_CASE(6, 6, 1, .bare = BR_BARE_TX)},
	{"n10-v6", BR_CASE(6, 6, 10)},
	{"n50-v6", BR_CASE(6, 6, 50, .quick = true)},
	{"n1000-v6", BR_CASE(6, 6, 1000)},
	{"n1-v4-v6", BR_CASE(4, 6, 1, .bare = BR_BARE_TX)},
	{"n50-v4-v6", BR_CASE(4, 6, 50)},
	{"n1-v6-v4", BR_CASE(6, 4, 1, .bare = BR_BARE_TX)},
	{"n50-v6-v4", BR_CASE(6, 4, 50)},

	{"n4-one-room", BR_CASE_4(4, 1200, .quick = true)},
	{"n4-10000-rooms", BR_CASE_OF(4, 4, 4, 1200, 10000, 1, .quick = true)},
	{"n50-two-cpus", BR_CASE_OF(4, 4, 50, 1200, 1, 2, .quick = true)},
	{"n10-two-cpus", BR_CASE_OF(4, 4, 10, 1200, 1, 2)},

	{"n1-generic", BR_CASE_4(1, 1200, .bare = BR_BARE_TX, .generic = true)},
	{"n2-generic", BR_CASE_4(2, 1200, .generic = true)},
	{"n3-generic", BR_CASE_4(3, 1200, .generic = true)},
	{"n10-generic", BR_CASE_4(10, 1200, .generic = true)},
	{"n50-generic", BR_CASE_4(50, 1200, .generic = true)},
	{"n100-generic", BR_CASE_4(100, 1200, .generic = true)},
	{"n300-generic", BR_CASE_4(300, 1200, .generic = true)},
	{"n1000-generic", BR_CASE_4(1000, 1200, .generic = true)},
};
#define BR_CASES (sizeof(cases) / sizeof(cases[0]))

const struct br_bench_case *br_bench_cases(size_t *count)
{
	*count = BR_CASES;
	return cases;
}

const struct br_bench_case *br_bench_case_find(const char *name)
{
	for (size_t i = 0; i < BR_CASES; i++)
		if (!strcmp(cases[i].name, name))
			return &cases[i];
	return NULL;
}

const char *br_bench_family(const struct br_bench_case *spec)
{
	if (spec->from == 4)
		return spec->to == 4 ? "v4" : "v4-v6";
	return spec->to == 6 ? "v6" : "v6-v4";
}

uint32_t br_bench_publishers(const struct br_bench_case *spec)
{
	return spec->rooms * spec->cpus;
}
