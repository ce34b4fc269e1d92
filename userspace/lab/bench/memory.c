// SPDX-License-Identifier: BSD-2-Clause
/* Kernel memory of the daemon's maps: what the kernel itself says in /proc/PID/fdinfo. */
#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define BR_MEMORY_FDS_MAX 8192
#define BR_MEMORY_LEGS	  "legs" /* the map with one entry per leg */

/* Reads one fdinfo; false when the descriptor is no map. */
static bool br_memory_read(pid_t pid, const char *fd, uint32_t *id, uint64_t *bytes)
{
	char path[320], line[128];
	bool map = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, fd);
	file = fopen(path, "re");
	*bytes = *id = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "map_id:", 7)) {
			*id = (uint32_t)strtoul(line + 7, NULL, 10);
			map = true;
		} else if (!strncmp(line, "memlock:", 8)) {
			*bytes = strtoull(line + 8, NULL, 10);
		}
	}
	if (file)
		fclose(file);
	return map;
}

static int br_memory_info(uint32_t id, struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);
	int fd = bpf_map_get_fd_by_id(id), err;

	if (fd < 0)
		return -errno;
	memset(info, 0, sizeof(*info));
	err = bpf_obj_get_info_by_fd(fd, info, &length) ? -errno : 0;
	close(fd);
	return err;
}

static int br_memory_add(struct br_memory_result *result, uint32_t id, uint64_t bytes)
{
	struct bpf_map_info info = {0};
	size_t i = 0;
	int err = br_memory_info(id, &info);

	if (err)
		return err;
	while (i < result->count && strcmp(result->maps[i].name, info.name) != 0)
		i++;
	if (i == BR_MEMORY_MAPS_MAX)
		return -E2BIG;
	if (i == result->count) {
		memset(&result->maps[i], 0, sizeof(result->maps[i]));
		snprintf(result->maps[i].name, sizeof(result->maps[i].name), "%s", info.name);
		result->count++;
	}
	result->maps[i].maps++;
	result->maps[i].bytes += bytes;
	result->bytes += bytes;
	if (!strcmp(info.name, BR_MEMORY_LEGS))
		result->legs = info.max_entries;
	return 0;
}

static int br_memory_compare(const void *a, const void *b)
{
	const struct br_memory_map *x = a, *y = b;

	return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

static bool br_memory_seen(const uint32_t *ids, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static int br_memory_each(DIR *folder, pid_t pid, struct br_memory_result *result)
{
	static uint32_t ids[BR_MEMORY_FDS_MAX];
	size_t count = 0;
	struct dirent *entry;
	uint64_t bytes;
	uint32_t id;
	int err = 0;

	while (!err && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !br_memory_read(pid, entry->d_name, &id, &bytes) ||
		    br_memory_seen(ids, count, id))
			continue;
		if (count == BR_MEMORY_FDS_MAX)
			return -E2BIG;
		ids[count++] = id;
		err = br_memory_add(result, id, bytes);
	}
	return err;
}

int br_memory_measure(const struct br_daemon *daemon, struct br_memory_result *result,
		      struct br_error *error)
{
	char path[64];
	DIR *folder;
	int err;

	memset(result, 0, sizeof(*result));
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int)daemon->pid);
	folder = opendir(path);
	if (!folder)
		return br_error_set(error, -errno, NULL, "cannot read %s: %s", path,
				    strerror(errno));
	err = br_memory_each(folder, daemon->pid, result);
	closedir(folder);
	if (!err && !result->legs)
		err = -ENOENT;
	if (err)
		return br_error_set(error, err, NULL, "cannot read the daemon's maps: %s",
				    strerror(-err));
	qsort(result->maps, result->count, sizeof(*result->maps), br_memory_compare);
	return 0;
}
