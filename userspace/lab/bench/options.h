/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BR_BENCH_OPTIONS_H
#define BR_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define BR_OPTIONS_CASES 64

struct br_bench_options {
	bool quick;
	const char *only[BR_OPTIONS_CASES]; /* names of cases; none: all */
	size_t only_count;
	unsigned int runs; /* 0: as many as is usual */
	const char *json;  /* file, or NULL */
	const char *plots; /* folder, or NULL */
};

#define BR_OPTIONS_GO (-1)
/**
 * br_options_parse - read the command line
 *
 * Return: BR_OPTIONS_GO, or the status to exit with after what was said.
 */
int br_options_parse(int argc, char **argv, struct br_bench_options *options);
/** br_options_want - is a case to be measured? @quick: it is part of BENCH=quick */
bool br_options_want(const struct br_bench_options *options, const char *name, bool quick);

#endif
