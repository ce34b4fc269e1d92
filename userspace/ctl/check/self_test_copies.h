/* SPDX-License-Identifier: BSD-2-Clause */
/* One mode of the self-test: the plane, its legs, packets in and copies out. */
#ifndef BR_CHECK_SELF_TEST_COPIES_H
#define BR_CHECK_SELF_TEST_COPIES_H

#include "ctl/check/self_test.h"

/** br_self_test_copies - test a mode on an open network; fills @result */
void br_self_test_copies(const struct br_self_test_net *net, bool native,
			 struct br_self_test_result *result);

#endif
