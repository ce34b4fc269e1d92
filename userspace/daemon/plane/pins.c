// SPDX-License-Identifier: BSD-2-Clause
/* Pinning and unpinning, and the settings. The directory itself: pins_directory.c. */
#include "plane/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "plane/pins_directory.h"

#define BR_SETTINGS_MAX 4096u /* bytes of a settings map, of whatever version */
#define BR_PIN_PATH	(BR_PINS_PATH_MAX + 32)

void br_pins_init(struct br_pins *pins)
{
	memset(pins, 0, sizeof(*pins));
	pins->directory = pins->settings_map = pins->store_map = -1;
}

bool br_pins_in_use(const struct br_pins *pins)
{
	return pins->directory >= 0;
}

uint64_t br_pins_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

static const char *br_pin_path(const struct br_pins *pins, const char *name,
			       char out[static BR_PIN_PATH])
{
	snprintf(out, BR_PIN_PATH, "%s/%s", pins->path, name);
	return out;
}

int br_pins_put(const struct br_pins *pins, int fd, const char *name)
{
	char path[BR_PIN_PATH];

	if (!br_pins_in_use(pins))
		return 0;
	br_pins_remove(pins, name);
	return bpf_obj_pin(fd, br_pin_path(pins, name, path)) ? -errno : 0;
}

int br_pins_get(const struct br_pins *pins, const char *name)
{
	char path[BR_PIN_PATH];
	int fd;

	if (!br_pins_in_use(pins))
		return -ENOENT;
	fd = bpf_obj_get(br_pin_path(pins, name, path));
	return fd < 0 ? -errno : fd;
}

void br_pins_remove(const struct br_pins *pins, const char *name)
{
	if (br_pins_in_use(pins))
		unlinkat(pins->directory, name, 0);
}

int br_pins_read_settings(int fd, struct br_settings *settings)
{
	unsigned char whole[BR_SETTINGS_MAX] = {0};
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info), zero = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &length) || info.value_size < 12 ||
	    info.value_size > sizeof(whole) || bpf_map_lookup_elem(fd, &zero, whole))
		return -ENOENT;
	memcpy(settings, whole, sizeof(*settings));
	if (settings->magic != BR_SETTINGS_MAGIC)
		return -ENOENT;
	/* may come from a program with other ideas, and goes into messages */
	settings->version[sizeof(settings->version) - 1] = '\0';
	for (size_t i = 0; i < BR_EGRESS_MAX; i++)
		settings->interfaces[i][sizeof(settings->interfaces[i]) - 1] = '\0';
	if (settings->interface_count > BR_EGRESS_MAX)
		return 0;
	return settings->abi_version == BR_ABI_VERSION && settings->size == sizeof(*settings) &&
	       info.value_size == sizeof(*settings);
}

int br_pins_save(struct br_pins *pins)
{
	__u32 zero = 0;

	if (!br_pins_in_use(pins))
		return 0;
	if (pins->settings_map < 0) {
		pins->settings_map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "br_settings", sizeof(zero),
						    sizeof(pins->settings), 1, NULL);
		if (pins->settings_map < 0)
			return -errno;
	}
	if (bpf_map_update_elem(pins->settings_map, &zero, &pins->settings, BPF_ANY))
		return -errno;
	return pins->found ? 0 : br_pins_put(pins, pins->settings_map, BR_PIN_SETTINGS);
}

/* Detach and unpin everything. Names with a dot are the kernel's own. */
static void br_pins_wipe(struct br_pins *pins)
{
	int fd = openat(pins->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return;
	}
	/* first: without the settings, what is left of a wipe that was cut off is rubbish */
	br_pins_remove(pins, BR_PIN_SETTINGS);
	while ((entry = readdir(entries))) {
		if (strchr(entry->d_name, '.'))
			continue;
		if (!strncmp(entry->d_name, BR_PIN_LINK, strlen(BR_PIN_LINK))) {
			int link = br_pins_get(pins, entry->d_name);

			/* at once: unpinning alone leaves it to a work queue of the kernel */
			if (link >= 0) {
				bpf_link_detach(link);
				close(link);
			}
		}
		br_pins_remove(pins, entry->d_name);
	}
	closedir(entries);
}

static bool br_pins_is_empty(const struct br_pins *pins)
{
	int fd = openat(pins->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool empty = true;

	if (!entries) {
		if (fd >= 0)
			close(fd);
		return true;
	}
	while (empty && (entry = readdir(entries)))
		empty = strchr(entry->d_name, '.') != NULL;
	closedir(entries);
	return empty;
}

static int br_pins_find(struct br_pins *pins, struct br_error *error)
{
	int found;

	pins->settings_map = br_pins_get(pins, BR_PIN_SETTINGS);
	found = pins->settings_map < 0 ? -ENOENT
				       : br_pins_read_settings(pins->settings_map, &pins->settings);
	if (found == 0)
		return br_error_set(
			error, -EPROTO, "state.path",
			"%s holds the state of a blindrelayd with ABI version %u, this one has %u: "
			"its programs go on forwarding. Start that version again, or throw its "
			"rooms away with blindrelayd --reset; `blindrelay doctor` shows more",
			pins->path, pins->settings.abi_version, BR_ABI_VERSION);
	pins->found = found > 0;
	if (pins->found || br_pins_is_empty(pins))
		return 0;
	br_log_warn("state: what is pinned in %s is of a start that did not finish; removed",
		    pins->path);
	br_pins_wipe(pins);
	return 0;
}

int br_pins_open(struct br_pins *pins, const char *path, bool reset, struct br_error *error)
{
	bool mounted = false;
	int err;

	if (!path || !*path)
		return 0;
	if (snprintf(pins->path, sizeof(pins->path), "%s", path) >= (int)sizeof(pins->path))
		return br_error_set(error, -ENAMETOOLONG, "state.path", "expected at most %d bytes",
				    BR_PINS_PATH_MAX - 1);
	pins->directory = br_pins_directory_open(pins->path, &mounted, error);
	if (pins->directory < 0)
		return pins->directory;
	err = reset ? 0 : br_pins_find(pins, error);
	if (err) {
		br_pins_close(pins, true);
		return err;
	}
	if (reset) {
		struct br_settings old = {0};
		int fd = br_pins_get(pins, BR_PIN_SETTINGS);

		mounted =
			mounted || (fd >= 0 && br_pins_read_settings(fd, &old) > 0 && old.mounted);
		if (fd >= 0)
			close(fd);
		br_log_info("state: %s is reset", pins->path);
		br_pins_wipe(pins);
	}
	if (!pins->found) {
		if (pins->settings_map >= 0)
			close(pins->settings_map);
		pins->settings_map = -1;
		memset(&pins->settings, 0, sizeof(pins->settings));
		pins->settings.mounted = mounted;
	}
	return 0;
}

void br_pins_close(struct br_pins *pins, bool keep)
{
	if (!br_pins_in_use(pins))
		return;
	if (!keep)
		br_pins_wipe(pins);
	if (pins->settings_map >= 0)
		close(pins->settings_map);
	if (pins->store_map >= 0)
		close(pins->store_map);
	br_pins_directory_close(pins->directory, pins->path, !keep && pins->settings.mounted);
	br_pins_init(pins);
}

enum br_xdp_mode br_pins_mode(const struct br_settings *settings)
{
	switch (settings->mode) {
	case BR_SETTINGS_NATIVE:
		return BR_XDP_NATIVE;
	case BR_SETTINGS_NONE:
		return BR_XDP_NONE;
	default:
		return BR_XDP_GENERIC;
	}
}

void br_pins_set_mode(struct br_settings *settings, enum br_xdp_mode mode)
{
	settings->mode = mode == BR_XDP_NATIVE ? BR_SETTINGS_NATIVE
			 : mode == BR_XDP_NONE ? BR_SETTINGS_NONE
					       : BR_SETTINGS_GENERIC;
}

static int br_pins_refuse(const char *path, struct br_error *error, const char *key,
			  const char *held, const char *wanted)
{
	return br_error_set(error, -EPROTO, key,
			    "%s holds a relay that runs with %s, not %s. Start with the old value, "
			    "or throw its rooms away with blindrelayd --reset; `blindrelay doctor` "
			    "shows more",
			    path, held, wanted);
}

static int br_pins_check_number(const char *path, struct br_error *error, const char *key,
				uint32_t held, uint32_t wanted)
{
	char texts[2][16];

	if (held == wanted)
		return 0;
	snprintf(texts[0], sizeof(texts[0]), "%u", held);
	snprintf(texts[1], sizeof(texts[1]), "%u", wanted);
	return br_pins_refuse(path, error, key, texts[0], texts[1]);
}

static int br_pins_check_interfaces(const struct br_settings *settings,
				    const struct br_plane_options *options, const char *path,
				    struct br_error *error)
{
	char held[BR_EGRESS_MAX * 17] = "", wanted[BR_EGRESS_MAX * 17] = "";

	for (size_t i = 0; i < settings->interface_count; i++)
		snprintf(held + strlen(held), sizeof(held) - strlen(held), "%s%s", i ? "," : "",
			 settings->interfaces[i]);
	for (size_t i = 0; i < options->interface_count; i++)
		snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s%s",
			 i ? "," : "", options->interfaces[i]);
	return strcmp(held, wanted) ? br_pins_refuse(path, error, "media.interfaces", held, wanted)
				    : 0;
}

int br_pins_check(const struct br_settings *settings, const struct br_plane_options *options,
		  const char *path, struct br_error *error)
{
	const struct {
		const char *key;
		uint32_t held, wanted;
	} numbers[] = {
		{"tables.legs", settings->max_legs, options->max_legs},
		{"tables.streams", settings->max_streams, options->max_streams},
		{"tables.edges", settings->max_edges, options->max_edges},
		{"tables.chunk", settings->chunk, options->chunk},
		{"media.port", settings->media_port, options->media_port},
	};
	int err = br_pins_check_interfaces(settings, options, path, error);

	for (size_t i = 0; !err && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		err = br_pins_check_number(path, error, numbers[i].key, numbers[i].held,
					   numbers[i].wanted);
	if (!err && options->mode != BR_XDP_AUTO && options->mode != br_pins_mode(settings))
		err = br_pins_refuse(path, error, "media.xdp_mode",
				     br_xdp_mode_name(br_pins_mode(settings)),
				     br_xdp_mode_name(options->mode));
	if (!err && settings->netns != br_pins_netns())
		err = br_error_set(error, -EPROTO, "state.path",
				   "%s holds a relay of another network namespace; expected a "
				   "directory of its own for each relay",
				   path);
	return err;
}
