/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of blindrelayd. */
#ifndef BR_OPTIONS_H
#define BR_OPTIONS_H

#include <stdio.h>

#include "config.h"
#include "lib/error.h"

enum br_action {
	BR_ACTION_RUN,
	BR_ACTION_CHECK_CONFIG,
	BR_ACTION_VERSION,
	BR_ACTION_HELP,
	BR_ACTION_HELP_CONFIG,
};

struct br_options {
	enum br_action action;
	struct br_config config; /* of BR_ACTION_RUN and BR_ACTION_CHECK_CONFIG: checked */
	bool reset;		 /* throw away the state of an earlier daemon */
	const char *file;	 /* of --config, from argv; NULL: none */
};

/**
 * br_options_parse - flags and the configuration file they name
 * @argv: as of main(); kept by reference
 * @error: field is the flag or the configuration key at fault
 *
 * Flags override the file wherever they stand. A list flag replaces the list of the file.
 * Help and version need nothing else to be right.
 *
 * Return: 0 or a negative errno; everything is wrong input of the user but -ENOMEM.
 */
int br_options_parse(int argc, char *const argv[], struct br_options *options,
		     struct br_error *error);

/** br_options_help - usage, flags and examples */
void br_options_help(FILE *out);

#endif
