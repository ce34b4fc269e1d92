/* SPDX-License-Identifier: BSD-2-Clause */
/* Flags of a subcommand from one table: parsing, errors that name the flag, and --help. */
#ifndef BR_LAB_FLAGS_H
#define BR_LAB_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

/* Exit status of every subcommand. */
enum br_lab_exit {
	BR_LAB_OK = 0,
	BR_LAB_VERDICT = 1, /* ran to its end, and what was measured is not good */
	BR_LAB_USAGE = 2,   /* wrong flag, key or input file */
	BR_LAB_FAILED = 3,  /* could not run: sockets, memory, files */
};

#define BR_SSRC_RANGES 64 /* ranges in one list of SSRCs */
#define BR_SIZES       16 /* sizes in one list */

/* A list of SSRCs; empty means all. */
struct br_ssrcs {
	size_t count;
	struct {
		uint32_t first, last;
	} ranges[BR_SSRC_RANGES];
};

struct br_sizes {
	size_t count;
	uint32_t bytes[BR_SIZES];
};

enum br_flag_type {
	BR_FLAG_SWITCH,	  /* bool */
	BR_FLAG_NUMBER,	  /* uint64_t, min..max, decimal or 0x */
	BR_FLAG_RATE,	  /* uint64_t, min..max, with k, M or G; "max" is 0 */
	BR_FLAG_SECONDS,  /* uint64_t milliseconds, min..max; typed as seconds, as in 1.5 */
	BR_FLAG_TEXT,	  /* const char * */
	BR_FLAG_ADDR,	  /* struct br_addr */
	BR_FLAG_ENDPOINT, /* struct br_endpoint */
	BR_FLAG_SSRCS,	  /* struct br_ssrcs */
	BR_FLAG_SIZES,	  /* struct br_sizes, each min..max */
};

struct br_flag {
	const char *name; /* with its dashes */
	enum br_flag_type type;
	void *out; /* as the type says; untouched when the flag is not given */
	uint64_t min, max;
	const char *metavar;
	const char *help;
};

struct br_command {
	const char *name;
	const char *summary;
	const char *positional; /* "SENT RECEIVED..." or NULL when there are none */
	const char *examples;	/* lines of --help */
	const struct br_flag *flags;
	size_t flag_count;
};

/**
 * br_flags_parse - read the flags of a subcommand
 * @argv: @argc words after the name of the subcommand; positional words are moved to its front
 * @positional: number of positional words
 *
 * Prints help on stdout, or an error on stderr that names the flag and what was expected.
 *
 * Return: -1 to go on, else the exit status.
 */
int br_flags_parse(const struct br_command *command, int argc, char **argv, int *positional);

/** br_flags_fail - report a combination of flags that makes no sense; returns BR_LAB_USAGE */
int br_flags_fail(const struct br_command *command, const char *flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** br_ssrcs_contain - is @ssrc on the list? Always, when the list is empty. */
bool br_ssrcs_contain(const struct br_ssrcs *list, uint32_t ssrc);

#endif
