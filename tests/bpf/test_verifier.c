// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instructions that the verifier processed, against a recorded baseline: a program that
 * grows by more than a tenth does so on purpose, or not at all.
 *
 *   tests/bpf/verifier.baseline   one line per program: NAME INSTRUCTIONS
 *   BR_VERIFIER_UPDATE=1          write it anew (`make verifier-baseline`)
 *   BR_VERIFIER_BASELINE=FILE     another file
 *
 * The number depends on the kernel and the compiler a little; the tenth covers that.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "relay.skel.h"
#include "world.h"

#define BASELINE     "tests/bpf/verifier.baseline"
#define LOG_STATS    4 /* BPF_LOG_STATS of the kernel: figures only */
#define LOG_BYTES    65536
#define GROWTH	     10 /* per cent */
#define PROGRAMS_MAX 16
#define COMPLEXITY   1000000 /* BPF_COMPLEXITY_LIMIT_INSNS: beyond it nothing loads */

struct figure {
	char name[64];
	unsigned long instructions;
};

static struct figure measured[PROGRAMS_MAX];
static size_t measured_count;

static const char *baseline_path(void)
{
	const char *path = getenv("BR_VERIFIER_BASELINE");

	return path ? path : BASELINE;
}

/* "processed 123 insns (limit 1000000) ..." */
static unsigned long processed(const char *log)
{
	const char *line = strstr(log, "processed ");
	unsigned long instructions = 0;

	if (!line || sscanf(line, "processed %lu insns", &instructions) != 1)
		fail_msg("the verifier's log has no figures: \"%s\"", log);
	return instructions;
}

static void test_measure(void **state)
{
	static char logs[PROGRAMS_MAX][LOG_BYTES];
	struct relay_bpf *bpf = relay_bpf__open();
	struct bpf_program *program;

	(void)state;
	assert_non_null(bpf);
	bpf_object__for_each_program(program, bpf->obj)
	{
		assert_true(measured_count < PROGRAMS_MAX);
		snprintf(measured[measured_count].name, sizeof(measured[0].name), "%s",
			 bpf_program__name(program));
		assert_int_equal(bpf_program__set_log_level(program, LOG_STATS), 0);
		assert_int_equal(bpf_program__set_log_buf(program, logs[measured_count], LOG_BYTES),
				 0);
		measured_count++;
	}
	assert_int_equal(relay_bpf__load(bpf), 0);
	for (size_t i = 0; i < measured_count; i++) {
		measured[i].instructions = processed(logs[i]);
		print_message("%-12s %lu instructions\n", measured[i].name,
			      measured[i].instructions);
		assert_in_range(measured[i].instructions, 1, COMPLEXITY);
	}
	relay_bpf__destroy(bpf);
}

static void write_baseline(void)
{
	FILE *file = fopen(baseline_path(), "w");

	if (!file)
		fail_msg("cannot write %s: %s", baseline_path(), strerror(errno));
	for (size_t i = 0; i < measured_count; i++)
		fprintf(file, "%s %lu\n", measured[i].name, measured[i].instructions);
	assert_int_equal(fclose(file), 0);
	print_message("%s written\n", baseline_path());
}

static size_t read_baseline(struct figure figures[static PROGRAMS_MAX])
{
	FILE *file = fopen(baseline_path(), "r");
	size_t count = 0;
	int fields;

	if (!file)
		fail_msg("cannot read %s: %s; run it in the top folder of the project, or set "
			 "BR_VERIFIER_BASELINE",
			 baseline_path(), strerror(errno));
	while ((fields = fscanf(file, "%63s %lu", figures[count].name,
				&figures[count].instructions)) == 2)
		if (++count == PROGRAMS_MAX)
			break;
	fclose(file);
	if (fields != EOF || !count)
		fail_msg("%s, line %zu: expected \"NAME INSTRUCTIONS\"", baseline_path(),
			 count + 1);
	return count;
}

static unsigned long recorded(const struct figure *figures, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(figures[i].name, name))
			return figures[i].instructions;
	fail_msg("%s does not know program \"%s\"; `make verifier-baseline` records it",
		 baseline_path(), name);
	return 0;
}

static void test_not_above_baseline(void **state)
{
	struct figure figures[PROGRAMS_MAX + 1];
	const char *update = getenv("BR_VERIFIER_UPDATE");
	size_t count, grown = 0;

	(void)state;
	assert_int_not_equal(measured_count, 0);
	if (update && !strcmp(update, "1")) {
		write_baseline();
		return;
	}
	count = read_baseline(figures);
	for (size_t i = 0; i < measured_count; i++) {
		unsigned long is = measured[i].instructions;
		unsigned long was = recorded(figures, count, measured[i].name);

		if (is * 100 <= was * (100 + GROWTH))
			continue;
		print_error("%s: %lu instructions, the baseline is %lu; more than %d %% above. If "
			    "that is meant: make verifier-baseline\n",
			    measured[i].name, is, was, GROWTH);
		grown++;
	}
	assert_int_equal(grown, 0);
	/* a line for a program that is gone hides its successor */
	assert_int_equal(count, measured_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_not_above_baseline),
	};

	world_need_bpf();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
