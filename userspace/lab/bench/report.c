// SPDX-License-Identifier: BSD-2-Clause
/* The table that people read and the JSON that programs read. */
#include "bench.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

static const char *br_bench_family(const struct br_bench_case *spec)
{
	if (spec->from == 4)
		return spec->to == 4 ? "v4" : "v4-v6";
	return spec->to == 6 ? "v6" : "v6-v4";
}

void br_bench_print_head(FILE *out)
{
	fprintf(out, "%-22s %-8s %-8s %6s %5s %6s %9s %9s %6s %10s %7s %7s\n", "case", "service",
		"family", "bytes", "recv", "rooms", "ns/copy", "bare ns", "ratio", "copies/s",
		"lost", "refused");
}

void br_bench_print(FILE *out, const struct br_bench_case *spec,
		    const struct br_bench_result *result)
{
	fprintf(out, "%-22s %-8s %-8s %6u %5u %6u %9.1f %9.1f %6.2f %10.0f %7llu %7llu\n",
		spec->name, "fan-out", br_bench_family(spec), spec->bytes, spec->receivers,
		spec->rooms, result->ns_per_copy, result->limit_ns, result->ratio,
		result->packets_per_s, (unsigned long long)result->lost,
		(unsigned long long)result->refused);
	fflush(out);
}

static cJSON *br_bench_json(const struct br_bench_case *spec, const struct br_bench_result *result)
{
	cJSON *row = cJSON_CreateObject();

	cJSON_AddStringToObject(row, "case", spec->name);
	cJSON_AddStringToObject(row, "service", "fan-out");
	cJSON_AddStringToObject(row, "family", br_bench_family(spec));
	cJSON_AddStringToObject(row, "xdp_mode", spec->generic ? "generic" : "native");
	cJSON_AddNumberToObject(row, "bytes", spec->bytes);
	cJSON_AddNumberToObject(row, "receivers", spec->receivers);
	cJSON_AddNumberToObject(row, "rooms", spec->rooms);
	cJSON_AddNumberToObject(row, "ns_per_copy", result->ns_per_copy);
	cJSON_AddNumberToObject(row, "packets_per_s", result->packets_per_s);
	cJSON_AddNumberToObject(row, "limit_ns", result->limit_ns);
	cJSON_AddNumberToObject(row, "ratio", result->ratio);
	cJSON_AddNumberToObject(row, "lost", (double)result->lost);
	cJSON_AddNumberToObject(row, "refused", (double)result->refused);
	cJSON_AddNumberToObject(row, "runs", result->runs);
	return row;
}

int br_bench_save(const char *path, const struct br_bench_case *const *specs,
		  const struct br_bench_result *results, size_t count)
{
	cJSON *rows = cJSON_CreateArray();
	FILE *file = fopen(path, "we");
	char *text;
	int err = 0;

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(rows, br_bench_json(specs[i], &results[i]));
	text = cJSON_Print(rows);
	if (!file || !text || fprintf(file, "%s\n", text) < 0)
		err = -EIO;
	if (file && fclose(file))
		err = -EIO;
	free(text);
	cJSON_Delete(rows);
	return err;
}
