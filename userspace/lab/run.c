// SPDX-License-Identifier: BSD-2-Clause
#include "lab/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"

#define PROGRESS_AFTER_NS (5 * BR_NS_PER_S)
#define RESULT_MAX	  (256u << 20) /* bytes of a result file */

uint64_t br_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BR_NS_PER_S + (uint64_t)now.tv_nsec;
}

void br_progress_start(struct br_progress *progress, bool wanted)
{
	progress->on = wanted || isatty(STDERR_FILENO);
	progress->start_ns = br_now_ns();
	progress->next_ns = progress->start_ns + PROGRESS_AFTER_NS;
}

bool br_progress_due(struct br_progress *progress, uint64_t now_ns)
{
	if (!progress->on || now_ns < progress->next_ns)
		return false;
	progress->next_ns = now_ns + BR_NS_PER_S;
	return true;
}

/* Written beside and renamed, so that a reader never sees half a result. */
static int write_file(const char *path, const char *text)
{
	char temporary[PATH_MAX];
	FILE *file;
	int err = 0;

	if (snprintf(temporary, sizeof(temporary), "%s.part", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	file = fopen(temporary, "we");
	if (!file)
		return -errno;
	if (fputs(text, file) == EOF || fputc('\n', file) == EOF)
		err = -EIO;
	if (fclose(file) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

int br_json_output(const cJSON *json, bool print, bool lines, const char *path)
{
	char *text = json ? lines ? cJSON_PrintUnformatted(json) : cJSON_Print(json) : NULL;
	int err = 0;

	if (!text)
		return -ENOMEM;
	if (print)
		puts(text);
	if (fflush(stdout))
		err = -errno;
	if (path && !err) {
		err = write_file(path, text);
		if (err)
			fprintf(stderr, "blindrelay-lab: cannot write %s: %s\n", path,
				strerror(-err));
	}
	cJSON_free(text);
	return err;
}

static int read_file(const char *path, char **text, size_t *length)
{
	size_t room = 65536, used = 0, got;
	char *buffer = NULL, *larger;
	FILE *file = fopen(path, "re");
	int err = 0;

	if (!file)
		return -errno;
	do {
		room *= 2;
		larger = room > RESULT_MAX ? NULL : realloc(buffer, room);
		if (!larger) {
			err = -ENOMEM;
			break;
		}
		buffer = larger;
		got = fread(buffer + used, 1, room - used, file);
		used += got;
	} while (used == room);
	if (!err && ferror(file))
		err = errno ? -errno : -EIO;
	fclose(file);
	if (err) {
		free(buffer);
		return err;
	}
	*text = buffer;
	*length = used;
	return 0;
}

int br_json_load(const char *path, cJSON **json, struct br_error *error)
{
	struct br_error inner = {0};
	char *text = NULL;
	size_t length = 0;
	int err;

	err = read_file(path, &text, &length);
	if (err)
		return br_error_set(error, err, path, "cannot read: %s", strerror(-err));
	err = br_json_parse(text, length, json, &inner);
	free(text);
	if (err)
		return br_error_set(error, err, path, "%s", inner.detail);
	return 0;
}

bool br_json_is(const cJSON *json, const char *kind)
{
	const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, "kind");

	return cJSON_IsString(found) && !strcmp(found->valuestring, kind);
}

uint64_t br_json_u64(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > 9e15)
		return 0;
	return (uint64_t)item->valuedouble;
}
