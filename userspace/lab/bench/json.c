// SPDX-License-Identifier: BSD-2-Clause
/* What programs read: an array with an object for each case; see README. */
#include "report.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

static const char *br_bare_name(const struct br_bench_case *spec)
{
	if (spec->bare == BR_BARE_TX)
		return "xdp_tx";
	return spec->bare == BR_BARE_REDIRECT || spec->receivers == 1 ? "redirect" : "clone";
}

static cJSON *br_json_row(const struct br_report_row *row)
{
	const struct br_bench_case *spec = row->spec;
	const struct br_bench_result *result = &row->result;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "case", spec->name);
	cJSON_AddStringToObject(object, "service", "fan-out");
	cJSON_AddStringToObject(object, "family", br_bench_family(spec));
	cJSON_AddStringToObject(object, "xdp_mode", spec->generic ? "generic" : "native");
	cJSON_AddStringToObject(object, "bare", br_bare_name(spec));
	cJSON_AddNumberToObject(object, "bytes", spec->bytes);
	cJSON_AddNumberToObject(object, "receivers", spec->receivers);
	cJSON_AddNumberToObject(object, "rooms", spec->rooms);
	cJSON_AddNumberToObject(object, "interfaces", spec->other ? 2 : 1);
	cJSON_AddNumberToObject(object, "cpus", spec->cpus);
	cJSON_AddNumberToObject(object, "ns_per_copy", result->ns_per_copy);
	cJSON_AddNumberToObject(object, "packets_per_s", result->packets_per_s);
	cJSON_AddNumberToObject(object, "limit_ns", result->limit_ns);
	cJSON_AddNumberToObject(object, "ratio", result->ratio);
	if (result->scaling > 0)
		cJSON_AddNumberToObject(object, "scaling", result->scaling);
	cJSON_AddNumberToObject(object, "lost", (double)result->lost);
	cJSON_AddNumberToObject(object, "refused", (double)result->refused);
	cJSON_AddNumberToObject(object, "runs", result->runs);
	return object;
}

static cJSON *br_json_peer(const struct br_peer_result *peer)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "case", peer->peer->versus);
	cJSON_AddStringToObject(object, "peer", peer->peer->name);
	cJSON_AddStringToObject(object, "title", peer->peer->title);
	cJSON_AddNumberToObject(object, "receivers", peer->peer->receivers);
	cJSON_AddNumberToObject(object, "bytes", peer->peer->bytes);
	cJSON_AddBoolToObject(object, "installed", peer->installed);
	if (!peer->installed)
		return object;
	cJSON_AddNumberToObject(object, "peer_packets_per_s", peer->packets_per_s);
	cJSON_AddNumberToObject(object, "peer_cpus", peer->cpu);
	if (peer->own_packets_per_s > 0) {
		cJSON_AddNumberToObject(object, "packets_per_s", peer->own_packets_per_s);
		cJSON_AddNumberToObject(object, "ratio",
					peer->own_packets_per_s / peer->packets_per_s);
	}
	return object;
}

static cJSON *br_json_join(const struct br_join_result *join)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "case", "join");
	cJSON_AddNumberToObject(object, "joins", (double)join->count);
	cJSON_AddNumberToObject(object, "median_ms", join->median_ms);
	cJSON_AddNumberToObject(object, "p90_ms", join->p90_ms);
	cJSON_AddNumberToObject(object, "p99_ms", join->p99_ms);
	cJSON_AddNumberToObject(object, "max_ms", join->max_ms);
	cJSON_AddNumberToObject(object, "answer_ms", join->answer_ms);
	return object;
}

static cJSON *br_json_memory(const struct br_memory_result *memory)
{
	cJSON *object = cJSON_CreateObject(), *maps;

	cJSON_AddStringToObject(object, "case", "memory");
	cJSON_AddNumberToObject(object, "legs", memory->legs);
	cJSON_AddNumberToObject(object, "bytes", (double)memory->bytes);
	cJSON_AddNumberToObject(object, "bytes_per_leg", (double)memory->bytes / memory->legs);
	maps = cJSON_AddObjectToObject(object, "maps");
	for (size_t i = 0; i < memory->count; i++)
		cJSON_AddNumberToObject(maps, memory->maps[i].name, (double)memory->maps[i].bytes);
	return object;
}

static cJSON *br_json_profile(const struct br_profile_result *profile)
{
	cJSON *object = cJSON_CreateObject(), *parts;

	cJSON_AddStringToObject(object, "case", "profile");
	cJSON_AddStringToObject(object, "of", profile->spec->name);
	cJSON_AddNumberToObject(object, "ns_per_copy", profile->ns_per_copy);
	cJSON_AddNumberToObject(object, "statistics_ns", profile->statistics_ns);
	parts = cJSON_AddObjectToObject(object, "programs_ns");
	for (size_t i = 0; i < profile->count; i++)
		cJSON_AddNumberToObject(parts, profile->parts[i].name, profile->parts[i].ns);
	return object;
}

static cJSON *br_json_target(const struct br_target *target)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "case", "target");
	cJSON_AddStringToObject(object, "what", target->what);
	cJSON_AddNumberToObject(object, "value", target->value);
	cJSON_AddNumberToObject(object, target->at_least ? "at_least" : "at_most", target->limit);
	cJSON_AddBoolToObject(object, "reached", target->reached);
	return object;
}

static cJSON *br_json_report(const struct br_report *report)
{
	struct br_target targets[BR_TARGETS_MAX];
	size_t count = br_report_targets(report, targets);
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < report->count; i++)
		cJSON_AddItemToArray(array, br_json_row(&report->rows[i]));
	for (size_t i = 0; i < report->peer_count; i++)
		cJSON_AddItemToArray(array, br_json_peer(&report->peers[i]));
	if (report->has_join)
		cJSON_AddItemToArray(array, br_json_join(&report->join));
	if (report->has_memory)
		cJSON_AddItemToArray(array, br_json_memory(&report->memory));
	for (size_t i = 0; i < report->profile_count; i++)
		cJSON_AddItemToArray(array, br_json_profile(&report->profiles[i]));
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(array, br_json_target(&targets[i]));
	return array;
}

int br_report_save(const char *path, const struct br_report *report)
{
	cJSON *array = br_json_report(report);
	char *text = cJSON_Print(array);
	FILE *file = fopen(path, "we");
	int err = 0;

	if (!file)
		err = -errno;
	else if (!text || fprintf(file, "%s\n", text) < 0)
		err = -EIO;
	if (file && fclose(file) && !err)
		err = -EIO;
	free(text);
	cJSON_Delete(array);
	return err;
}
