// SPDX-License-Identifier: BSD-2-Clause
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_keys.h"
#include "lib/json.h"
#include "lib/text.h"

#define BR_STRING_MAX 256 /* longest string of the configuration, with NUL */

void br_config_defaults(struct br_config *config)
{
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < br_config_key_count; i++) {
		const struct br_config_key *key = &br_config_keys[i];
		char why[BR_CONFIG_WHY];

		if (key->initial && br_config_key_set(config, key, key->initial, why, sizeof(why)))
			assert(!"default in the table of keys");
	}
}

static const struct br_config_key *find_key(const char *path)
{
	const char *dot = strchr(path, '.');

	for (size_t i = 0; dot && i < br_config_key_count; i++) {
		const struct br_config_key *key = &br_config_keys[i];
		size_t length = strlen(key->section);

		if (length == (size_t)(dot - path) && strncmp(path, key->section, length) == 0 &&
		    strcmp(dot + 1, key->name) == 0)
			return key;
	}
	assert(!"path of a key");
	abort();
}

int br_config_set(struct br_config *config, const char *key, const char *flag, const char *text,
		  struct br_error *error)
{
	char why[BR_CONFIG_WHY], quoted[BR_QUOTE_TEXT];
	int err = br_config_key_set(config, find_key(key), text, why, sizeof(why));

	if (err)
		br_error_set(error, err, flag, "%s, got %s", why,
			     br_text_quote(text, strlen(text), quoted));
	return err;
}

static void clear_list(struct br_config *config, const struct br_config_key *key)
{
	if (key->type == BR_CONFIG_INTERFACES)
		config->interface_count = 0;
	else if (key->type == BR_CONFIG_NETWORKS)
		config->static_allow_count = 0;
}

void br_config_clear(struct br_config *config, const char *key)
{
	clear_list(config, find_key(key));
}

/* Store text that stands at @name, which is the key or an element of it. */
static void set_from_json(struct br_json_reader *reader, const char *name, struct br_config *config,
			  const struct br_config_key *key, const char *text)
{
	char why[BR_CONFIG_WHY], quoted[BR_QUOTE_TEXT];

	if (br_config_key_set(config, key, text, why, sizeof(why)))
		br_json_fail(reader, name, "%s, got %s", why,
			     br_text_quote(text, strlen(text), quoted));
}

static void read_list(struct br_json_reader *reader, struct br_config *config,
		      const struct br_config_key *key)
{
	const cJSON *array;
	size_t index = 0;

	if (!br_json_array(reader, key->name, BR_JSON_OPTIONAL, key->min, key->max, &array))
		return;
	clear_list(config, key);
	for (const cJSON *item = array->child; item; item = item->next, index++) {
		char text[BR_STRING_MAX], name[BR_STRING_MAX];

		if (!br_json_item_string(reader, key->name, index, item, text, sizeof(text)))
			return;
		snprintf(name, sizeof(name), "%s[%zu]", key->name, index);
		set_from_json(reader, name, config, key, text);
	}
}

static void read_key(struct br_json_reader *reader, struct br_config *config,
		     const struct br_config_key *key)
{
	void *value = br_config_key_value(config, key);
	char text[BR_STRING_MAX];

	switch (key->type) {
	case BR_CONFIG_UINT:
		br_json_uint(reader, key->name, BR_JSON_OPTIONAL, key->min, key->max, value);
		break;
	case BR_CONFIG_BOOL:
		br_json_bool(reader, key->name, BR_JSON_OPTIONAL, value);
		break;
	case BR_CONFIG_CHOICE:
		br_json_choice(reader, key->name, BR_JSON_OPTIONAL, key->words, key->word_count,
			       value);
		break;
	case BR_CONFIG_ENDPOINT:
	case BR_CONFIG_SOCKET:
	case BR_CONFIG_DIRECTORY:
		if (br_json_string(reader, key->name, BR_JSON_OPTIONAL, text, sizeof(text)))
			set_from_json(reader, key->name, config, key, text);
		break;
	case BR_CONFIG_INTERFACES:
	case BR_CONFIG_NETWORKS:
		read_list(reader, config, key);
		break;
	}
}

/* Read the section whose first key is @first; returns the index behind its last key. */
static size_t read_section(struct br_json_reader *root, struct br_config *config, size_t first)
{
	const char *section = br_config_keys[first].section;
	struct br_json_reader reader;
	bool present = br_json_object(root, section, BR_JSON_OPTIONAL, &reader);
	size_t i;

	for (i = first; i < br_config_key_count; i++) {
		if (strcmp(br_config_keys[i].section, section) != 0)
			break;
		if (present)
			read_key(&reader, config, &br_config_keys[i]);
	}
	if (present)
		br_json_end(&reader);
	return i;
}

int br_config_parse(const char *text, size_t length, struct br_config *config,
		    struct br_error *error)
{
	struct br_json_reader reader;
	cJSON *tree;
	int err = br_json_parse(text, length, &tree, error);

	if (err)
		return err;
	br_json_begin(&reader, tree, "", error);
	for (size_t i = 0; i < br_config_key_count;)
		i = read_section(&reader, config, i);
	err = br_json_end(&reader);
	cJSON_Delete(tree);
	return err;
}

/* Read until the end of the file or until @size bytes are there; -errno or the length. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, text + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

int br_config_load(const char *path, struct br_config *config, struct br_error *error)
{
	char *text = NULL;
	ssize_t length;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return br_error_set(error, -errno, "--config", "cannot open %s: %m", path);
	text = malloc(BR_CONFIG_FILE_MAX + 1);
	if (!text) {
		err = br_error_set(error, -ENOMEM, "--config", "out of memory for %s", path);
		goto out;
	}
	length = read_all(fd, text, BR_CONFIG_FILE_MAX + 1);
	if (length < 0)
		err = br_error_set(error, (int)length, "--config", "cannot read %s: %s", path,
				   strerror((int)-length));
	else if (length > BR_CONFIG_FILE_MAX)
		err = br_error_set(error, -EINVAL, "--config",
				   "expected a file of at most %u bytes, %s is larger",
				   BR_CONFIG_FILE_MAX, path);
	else
		err = br_config_parse(text, (size_t)length, config, error);
out:
	free(text);
	close(fd);
	return err;
}

int br_config_check(const struct br_config *config, struct br_error *error)
{
	char listen[BR_ENDPOINT_TEXT];

	if (config->interface_count == 0)
		return br_error_set(error, -EINVAL, "media.interfaces",
				    "this key is required: name at least one network interface, "
				    "here or by --interface");
	if (config->listen.addr.family == 0 && !*config->socket)
		return br_error_set(error, -EINVAL, "control.socket",
				    "expected control.listen or control.socket to be other than "
				    "\"none\": nobody could control the relay");
	if (config->max_bits_per_s && config->max_bits_per_s < BR_BITS_PER_S_MIN)
		return br_error_set(error, -EINVAL, "rooms.max_bits_per_s",
				    "expected 0 (no limit) or an integer from %u to %u, got %u",
				    BR_BITS_PER_S_MIN, BR_BITS_PER_S_MAX, config->max_bits_per_s);
	if (config->keep && !*config->state)
		return br_error_set(error, -EINVAL, "state.keep",
				    "expected state.path to be other than \"none\": there is "
				    "nothing to keep anything in");
	if (config->listen.addr.family != 0 && !config->allow_remote &&
	    !br_addr_is_loopback(&config->listen.addr))
		return br_error_set(error, -EINVAL, "control.listen",
				    "expected a loopback address, got %s: the API has no "
				    "authentication yet; set control.allow_remote to true if "
				    "everybody who can connect may control the relay",
				    br_endpoint_format(&config->listen, listen));
	return 0;
}
