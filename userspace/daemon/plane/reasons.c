// SPDX-License-Identifier: BSD-2-Clause
#include "plane/plane.h"

static const struct {
	const char *name;
	const char *meaning;
	enum br_verdict verdict;
} reasons[] = {
#define BR_REASON_ROW(NAME, VERDICT, text, sentence)                                               \
	[BR_##NAME] = {text, sentence, BR_VERDICT_##VERDICT},
	BR_REASONS(BR_REASON_ROW)
#undef BR_REASON_ROW
};

_Static_assert(BR_REASON_COUNT <= BR_REASON_SLOTS, "more reasons than counters in struct br_cpu");

const char *br_reason_name(enum br_reason reason)
{
	return reasons[reason].name;
}

const char *br_reason_meaning(enum br_reason reason)
{
	return reasons[reason].meaning;
}

enum br_verdict br_reason_verdict(enum br_reason reason)
{
	return reasons[reason].verdict;
}
