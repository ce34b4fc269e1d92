// SPDX-License-Identifier: BSD-2-Clause
/*
 * For files and scripts: every interval one table of words, always with the same columns,
 * under a line that begins with '#'.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/top/top.h"

#define BR_TOP_READY_NS 200000000ll /* until a daemon that is not ready is asked again */

static void plain_row(FILE *out, const char *kind, const char *name, const cJSON *item,
		      double dropped)
{
	fprintf(out, "%-6s %-32s %12.1f %14.0f %12.1f %14.0f %12.1f %12.0f\n", kind, name,
		br_top_rate(item, "received_packets"), br_top_rate(item, "received_bits"),
		br_top_rate(item, "sent_packets"), br_top_rate(item, "sent_bits"),
		br_top_rate(item, "dropped"), dropped);
}

/* A reason: nothing goes in or out, only the two columns of drops are its own. */
static void plain_reason(FILE *out, const cJSON *reason)
{
	fprintf(out, "%-6s %-32s %12s %14s %12s %14s %12.1f %12.0f\n",
		br_member_text(reason, "verdict"), br_member_text(reason, "reason"), "-", "-", "-",
		"-", br_member_number(reason, "packets_per_s"),
		br_member_number(reason, "packets"));
}

static double plain_dropped(const cJSON *item)
{
	const cJSON *counters = cJSON_GetObjectItem(item, "counters");

	return br_member_number(counters, "dropped_received") +
	       br_member_number(counters, "dropped_sent");
}

void br_top_plain_print(const struct br_top *top, FILE *out)
{
	const cJSON *data = top->data, *item;
	const cJSON *relay = cJSON_GetObjectItem(data, "relay");
	char name[2 * BR_TOP_NAME];

	fprintf(out, "# %s interval_ms %.1f rooms %.0f legs %.0f slow_copies_per_s %.1f",
		br_member_text(data, "sampled"), br_member_number(data, "interval_ms"),
		br_member_number(relay, "rooms"), br_member_number(relay, "legs"),
		br_member_number(cJSON_GetObjectItem(relay, "slow"), "copies_per_s"));
	cJSON_ArrayForEach (item, cJSON_GetObjectItem(data, "tables"))
		fprintf(out, " %s %.0f/%.0f", item->string, br_member_number(item, "used"),
			br_member_number(item, "capacity"));
	cJSON_ArrayForEach (item, cJSON_GetObjectItem(data, "interfaces"))
		fprintf(out, " %s %s,%s", br_member_text(item, "name"),
			br_member_text(item, "mode"),
			cJSON_IsTrue(cJSON_GetObjectItem(item, "up")) ? "up" : "down");
	fprintf(out, "\n%-6s %-32s %12s %14s %12s %14s %12s %12s\n", "KIND", "NAME", "IN/S",
		"IN_BIT/S", "OUT/S", "OUT_BIT/S", "DROP/S", "DROPPED");
	plain_row(out, "relay", "-", relay, br_member_number(relay, "dropped"));
	cJSON_ArrayForEach (item, cJSON_GetObjectItem(data, "rooms"))
		plain_row(out, "room", br_member_text(item, "name"), item, plain_dropped(item));
	cJSON_ArrayForEach (item, cJSON_GetObjectItem(data, "legs")) {
		snprintf(name, sizeof(name), "%s/%s", br_member_text(item, "room"),
			 br_member_text(item, "name"));
		plain_row(out, "leg", name, item, plain_dropped(item));
	}
	cJSON_ArrayForEach (item, cJSON_GetObjectItem(data, "reasons"))
		if (br_top_reason_shown(item))
			plain_reason(out, item);
	fputc('\n', out);
}

static void plain_wait(struct timespec *until, long long ns)
{
	ns += until->tv_nsec;
	until->tv_sec += ns / 1000000000;
	until->tv_nsec = ns % 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL) == EINTR)
		;
}

static int plain_show(const struct br_top *top)
{
	char *json;

	if (!top->args->json) {
		br_top_plain_print(top, stdout);
		return fflush(stdout);
	}
	json = cJSON_PrintUnformatted(top->data);
	puts(json ? json : "null");
	cJSON_free(json);
	return fflush(stdout);
}

int br_top_plain(struct br_top *top, uint32_t count)
{
	struct timespec next;
	uint32_t shown = 0;
	bool began = false;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (;;) {
		int got = br_top_fetch(top);

		if (got < 0 && (!began || got == -2)) {
			fprintf(stderr, "blindrelay top: %s\n", top->error);
			return BR_CTL_FAILED;
		}
		if (got < 0)
			fprintf(stderr, "blindrelay top: %s; asking again\n", top->error);
		/* the first sample has no rates yet */
		if (got > 0 && cJSON_IsNumber(cJSON_GetObjectItem(top->data, "interval_ms"))) {
			if (plain_show(top))
				return BR_CTL_FAILED;
			if (++shown == count)
				return BR_CTL_OK;
		}
		began = began || got > 0;
		plain_wait(&next, got ? (long long)(top->interval_s * 1e9) : BR_TOP_READY_NS);
	}
}
