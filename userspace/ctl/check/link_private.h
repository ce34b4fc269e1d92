/* SPDX-License-Identifier: BSD-2-Clause */
/* What link.c and link_hardware.c share. */
#ifndef BR_CHECK_LINK_PRIVATE_H
#define BR_CHECK_LINK_PRIVATE_H

#include "ctl/check/link.h"
#include "ctl/check/machine.h"

/** br_check_link_native - does the driver take native XDP now; @why: the reason when not YES */
enum br_check_known br_check_link_native(const struct br_check_link *link,
					 char why[static BR_CHECK_TEXT]);
/** br_check_link_transmits - do frames that XDP sends to the interface go out? */
enum br_check_known br_check_link_transmits(const struct br_check_link *link);
/** br_check_link_judge_hardware - transmit, peer, MTU, queues, rings, offloads */
void br_check_link_judge_hardware(const struct br_check_link *link, const char *part,
				  struct br_check_report *report);

#endif
