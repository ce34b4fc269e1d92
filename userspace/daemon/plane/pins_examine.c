// SPDX-License-Identifier: BSD-2-Clause
/* Looking at a state without changing it, also while a daemon uses it. */
#include "plane/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "plane/pins_directory.h"

static void br_examine_names(int directory, struct br_pins_report *report)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(entries))) {
		if (strchr(entry->d_name, '.'))
			continue;
		if (!strncmp(entry->d_name, BR_PIN_LINK, strlen(BR_PIN_LINK)))
			report->links++;
		else
			report->maps++;
	}
	closedir(entries);
}

static void br_examine_link(const struct br_pins *pins, const char *pin, const char *name,
			    struct br_pins_report *report)
{
	struct br_pins_link *link = &report->interfaces[report->interface_count++];
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	int fd = br_pins_get(pins, pin);

	snprintf(link->name, sizeof(link->name), "%s", name);
	if (fd < 0)
		return;
	link->pinned = true;
	if (!bpf_obj_get_info_by_fd(fd, &info, &length))
		link->ifindex = info.xdp.ifindex;
	close(fd);
}

static void br_examine_links(const struct br_pins *pins, struct br_pins_report *report)
{
	char pin[32], name[24];

	for (size_t i = 0; i < report->settings.interface_count; i++) {
		snprintf(pin, sizeof(pin), BR_PIN_LINK "%zu", i);
		br_examine_link(pins, pin, report->settings.interfaces[i], report);
	}
	snprintf(name, sizeof(name), BR_LOOP_QUEUE_NAME, report->settings.media_port);
	br_examine_link(pins, BR_PIN_LOOP_QUEUE, name, report);
	snprintf(name, sizeof(name), BR_LOOP_CLOCK_NAME, report->settings.media_port);
	br_examine_link(pins, BR_PIN_LOOP_CLOCK, name, report);
}

/* Entries of the hash map of five-tuples: one per leg. */
static uint32_t br_examine_legs(const struct br_pins *pins)
{
	struct br_tuple key, next;
	uint32_t count = 0;
	int fd = br_pins_get(pins, "tuples");
	int err = fd < 0 ? -1 : bpf_map_get_next_key(fd, NULL, &next);

	for (; !err; key = next, err = bpf_map_get_next_key(fd, &key, &next))
		count++;
	if (fd >= 0)
		close(fd);
	return count;
}

/* First parts of records: one per room, while no record is being replaced. */
static uint32_t br_examine_rooms(const struct br_pins *pins)
{
	struct br_store_key key, next;
	uint32_t count = 0;
	int fd = br_pins_get(pins, BR_PIN_STORE);
	int err = fd < 0 ? -1 : bpf_map_get_next_key(fd, NULL, &next);

	for (; !err; key = next, err = bpf_map_get_next_key(fd, &key, &next))
		count += next.kind == BR_STORE_ROOM && !(next.part & ~BR_STORE_ODD);
	if (fd >= 0)
		close(fd);
	return count;
}

int br_pins_examine(const char *path, struct br_pins_report *report, struct br_error *error)
{
	struct br_pins pins;
	int settings, found = -ENOENT, err = 0;

	memset(report, 0, sizeof(*report));
	br_pins_init(&pins);
	if (snprintf(pins.path, sizeof(pins.path), "%s", path) >= (int)sizeof(pins.path))
		return br_error_set(error, -ENAMETOOLONG, "--state", "expected at most %d bytes",
				    BR_PINS_PATH_MAX - 1);
	pins.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pins.directory < 0 && errno == ENOENT)
		return 0;
	if (pins.directory < 0)
		return br_error_set(error, -errno, "--state", "cannot open %s: %s", path,
				    strerror(errno));
	report->exists = true;
	report->bpffs = br_pins_is_bpffs(pins.directory);
	report->holder = br_pins_holder(pins.directory);
	if (!report->bpffs)
		goto out;
	br_examine_names(pins.directory, report);
	settings = br_pins_get(&pins, BR_PIN_SETTINGS);
	if (settings == -EPERM || settings == -EACCES) {
		err = br_error_set(error, settings, "--state", "%s: %s; run as root", path,
				   strerror(-settings));
		goto out;
	}
	if (settings >= 0) {
		found = br_pins_read_settings(settings, &report->settings);
		close(settings);
	}
	report->settings_found = found >= 0;
	report->abi_agrees = found > 0;
	if (report->abi_agrees) {
		report->other_net = report->settings.netns != br_pins_netns();
		br_examine_links(&pins, report);
		report->legs = br_examine_legs(&pins);
		report->rooms = br_examine_rooms(&pins);
	}
out:
	/* not br_pins_close: the lock is not ours */
	close(pins.directory);
	return err;
}
