// SPDX-License-Identifier: BSD-2-Clause
/* blindrelay-bench: what a copy costs, beside the bare operation it is made of. */
#include "bench.h"

#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

static const struct br_bench_case cases[] = {
	{"n1", 4, 4, false, 1200, 1, 1, true},
	{"n2", 4, 4, false, 1200, 2, 1, false},
	{"n3", 4, 4, false, 1200, 3, 1, false},
	{"n10", 4, 4, false, 1200, 10, 1, true},
	{"n50", 4, 4, false, 1200, 50, 1, true},
	{"n100", 4, 4, false, 1200, 100, 1, false},
	{"n300", 4, 4, false, 1200, 300, 1, false},
	{"n1000", 4, 4, false, 1200, 1000, 1, true},
	{"n50-small", 4, 4, false, 160, 50, 1, false},
	{"n50-v6", 6, 6, false, 1200, 50, 1, true},
	{"n50-v4-v6", 4, 6, false, 1200, 50, 1, false},
	{"n50-v6-v4", 6, 4, false, 1200, 50, 1, false},
	{"n4-one-room", 4, 4, false, 1200, 4, 1, true},
	{"n4-10000-rooms", 4, 4, false, 1200, 4, 10000, true},
	{"n1-generic", 4, 4, true, 1200, 1, 1, false},
	{"n10-generic", 4, 4, true, 1200, 10, 1, false},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static const char usage[] =
	"usage: blindrelay-bench [--quick] [--case NAME]... [--runs N] [--json FILE]\n"
	"\n"
	"Measures the fan-out service: nanoseconds per copy, beside the bare redirect or clone\n"
	"measured in turns with it, all on one CPU. Needs root; makes a network namespace of\n"
	"its own.\n"
	"\n"
	"  --quick      the short list, under a minute\n"
	"  --case NAME  only this case (may be given several times); --list names them\n"
	"  --runs N     runs per case, 1 to 31 (default 7); medians are reported\n"
	"  --json FILE  write the results there as well\n"
	"  --list       list the cases\n";

struct options {
	bool quick;
	bool wanted[CASES];
	bool any_wanted;
	unsigned int runs;
	const char *json;
};

static int want_case(struct options *options, const char *name)
{
	for (size_t i = 0; i < CASES; i++)
		if (!strcmp(cases[i].name, name)) {
			options->wanted[i] = options->any_wanted = true;
			return 0;
		}
	fprintf(stderr, "blindrelay-bench: --case: no case \"%s\"; --list names them\n", name);
	return 2;
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"quick", no_argument, NULL, 'q'},
		{"case", required_argument, NULL, 'c'},
		{"runs", required_argument, NULL, 'r'},
		{"json", required_argument, NULL, 'j'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	char *end;
	int option;

	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (option) {
		case 'q':
			options->quick = true;
			break;
		case 'c':
			if (want_case(options, optarg))
				return 2;
			break;
		case 'r':
			options->runs = (unsigned int)strtoul(optarg, &end, 10);
			if (*end || options->runs < 1 || options->runs > BR_BENCH_RUNS_MAX) {
				fprintf(stderr,
					"blindrelay-bench: --runs: expected an integer from 1 to "
					"%d, got \"%s\"\n",
					BR_BENCH_RUNS_MAX, optarg);
				return 2;
			}
			break;
		case 'j':
			options->json = optarg;
			break;
		case 'l':
			for (size_t i = 0; i < CASES; i++)
				printf("%s\n", cases[i].name);
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	return 0;
}

/* Figures are per core: one CPU generates, copies and sinks, and nothing moves in between. */
static int stay_on_one_cpu(void)
{
	cpu_set_t cpus;
	int cpu = sched_getcpu();

	CPU_ZERO(&cpus);
	CPU_SET(cpu < 0 ? 0 : (unsigned int)cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

int main(int argc, char **argv)
{
	struct options options = {.runs = 7};
	const struct br_bench_case *done[CASES];
	struct br_bench_result results[CASES];
	struct br_error error = {0};
	size_t count = 0;
	int failed = parse(argc, argv, &options);

	if (failed)
		return failed;
	if (stay_on_one_cpu()) {
		perror("blindrelay-bench: cannot stay on one CPU");
		return 1;
	}
	if (unshare(CLONE_NEWNET)) {
		perror("blindrelay-bench: cannot make a network namespace (root is needed)");
		return 1;
	}
	br_log_set_level(BR_LOG_WARN);
	br_bench_print_head(stdout);
	for (size_t i = 0; i < CASES; i++) {
		if (options.any_wanted ? !options.wanted[i] : options.quick && !cases[i].quick)
			continue;
		if (br_bench_measure(&cases[i], options.runs, &results[count], &error)) {
			fprintf(stderr, "%s: %s\n", cases[i].name, error.detail);
			failed = 1;
			continue;
		}
		br_bench_print(stdout, &cases[i], &results[count]);
		done[count++] = &cases[i];
	}
	if (options.json && br_bench_save(options.json, done, results, count)) {
		fprintf(stderr, "blindrelay-bench: cannot write %s\n", options.json);
		failed = 1;
	}
	return failed;
}
