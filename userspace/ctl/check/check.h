/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommand `check`: can this machine relay, and over which interfaces? */
#ifndef BR_CHECK_H
#define BR_CHECK_H

#include "ctl/ctl.h"

/**
 * br_ctl_check - look, test and report
 * @args: interfaces to look at (none: all that could carry media), json
 *
 * Asks no daemon.
 *
 * Return: BR_CTL_OK when nothing FAILs, BR_CTL_FAILED, or BR_CTL_USAGE for an interface that does
 * not exist or is named twice.
 */
int br_ctl_check(const struct br_ctl_args *args);

#endif
