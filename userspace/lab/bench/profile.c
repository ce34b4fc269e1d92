// SPDX-License-Identifier: BSD-2-Clause
#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lane.h"

#define BR_PROFILE_COPIES 400000u

/* The programs that this process has open are those of the case. */
static int br_profile_visit(struct br_profile_result *result, double copies, double sign)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		struct bpf_prog_info info = {0};
		__u32 length = sizeof(info);
		size_t i = 0;

		if (bpf_obj_get_info_by_fd(atoi(entry->d_name), &info, &length) ||
		    info.type != BPF_PROG_TYPE_XDP || !info.run_cnt)
			continue;
		while (i < result->count && strcmp(result->parts[i].name, info.name) != 0)
			i++;
		if (i == BR_PROFILE_PARTS)
			continue;
		if (i == result->count)
			snprintf(result->parts[result->count++].name, sizeof(info.name), "%s",
				 info.name);
		result->parts[i].runs += sign * (double)info.run_cnt / copies;
		result->parts[i].ns += sign * (double)info.run_time_ns / copies;
	}
	closedir(folder);
	return 0;
}

static int br_profile_plain(struct br_lane *lane, uint32_t packets,
			    struct br_profile_result *result, struct br_error *error)
{
	struct br_traffic_sum sum = {0};
	int err = br_lane_run(lane, packets / 4 + 1, 1, &sum, error);

	if (!err)
		err = br_lane_run(lane, packets, 1, &sum, error);
	result->ns_per_copy = sum.ns_per_copy;
	return err;
}

/*
 * The statistics look at the clock before and after each run, so one of two looks counts as
 * the program's. What they cost is what a copy takes longer with them.
 */
static void br_profile_correct(struct br_profile_result *result, double ns_with)
{
	double runs = 0, look;

	if (ns_with > result->ns_per_copy)
		result->statistics_ns = ns_with - result->ns_per_copy;
	for (size_t i = 0; i < result->count; i++)
		runs += result->parts[i].runs;
	look = runs > 0 ? result->statistics_ns / runs / 2 : 0;
	for (size_t i = 0; i < result->count; i++) {
		result->parts[i].ns -= look * result->parts[i].runs;
		if (result->parts[i].ns < 0)
			result->parts[i].ns = 0;
	}
}

static int br_profile_run(struct br_lane *lane, struct br_profile_result *result,
			  struct br_error *error)
{
	uint32_t packets = BR_PROFILE_COPIES / result->spec->receivers;
	double copies = (double)packets * result->spec->receivers;
	struct br_traffic_sum sum = {0};
	int err = br_profile_plain(lane, packets, result, error), statistics;

	if (err)
		return err;
	statistics = bpf_enable_stats(BPF_STATS_RUN_TIME); /* until it is closed */
	if (statistics < 0)
		return br_error_set(error, -errno, NULL,
				    "the kernel keeps no statistics of BPF: %s", strerror(errno));
	err = br_profile_visit(result, copies, -1);
	if (!err)
		err = br_lane_run(lane, packets, 1, &sum, error);
	if (!err)
		err = br_profile_visit(result, copies, 1);
	close(statistics);
	br_profile_correct(result, sum.ns_per_copy);
	return err;
}

int br_profile_measure(const struct br_bench_case *spec, struct br_profile_result *result,
		       struct br_error *error)
{
	struct br_lane *lane = NULL;
	int err;

	memset(result, 0, sizeof(*result));
	result->spec = spec;
	err = br_lane_open(spec, &lane, error);
	if (!err)
		err = br_lane_relay(lane, error);
	if (!err)
		err = br_profile_run(lane, result, error);
	br_lane_close(lane);
	return err;
}
