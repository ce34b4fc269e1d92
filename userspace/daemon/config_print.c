// SPDX-License-Identifier: BSD-2-Clause
/* The configuration as people read it: effective values as JSON, and the list of keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "config_keys.h"

static cJSON *interfaces_json(const struct br_config *config)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < config->interface_count; i++)
		cJSON_AddItemToArray(array, cJSON_CreateString(config->interfaces[i]));
	return array;
}

static cJSON *networks_json(const struct br_config *config)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < config->static_allow_count; i++) {
		char text[BR_NETWORK_TEXT];

		br_network_format(&config->static_allow[i], text);
		cJSON_AddItemToArray(array, cJSON_CreateString(text));
	}
	return array;
}

static cJSON *endpoint_json(const struct br_endpoint *endpoint)
{
	char text[BR_ENDPOINT_TEXT];

	if (endpoint->addr.family == 0)
		return cJSON_CreateString("none");
	return cJSON_CreateString(br_endpoint_format(endpoint, text));
}

static cJSON *value_json(const struct br_config *config, const struct br_config_key *key)
{
	const void *value = (const char *)config + key->offset;

	switch (key->type) {
	case BR_CONFIG_UINT:
		return cJSON_CreateNumber(*(const uint32_t *)value);
	case BR_CONFIG_BOOL:
		return cJSON_CreateBool(*(const bool *)value);
	case BR_CONFIG_CHOICE:
		return cJSON_CreateString(key->words[*(const int *)value]);
	case BR_CONFIG_ENDPOINT:
		return endpoint_json(value);
	case BR_CONFIG_SOCKET:
		return cJSON_CreateString(*config->socket ? config->socket : "none");
	case BR_CONFIG_DIRECTORY:
		return cJSON_CreateString(*config->state ? config->state : "none");
	case BR_CONFIG_INTERFACES:
		return interfaces_json(config);
	case BR_CONFIG_NETWORKS:
		return networks_json(config);
	}
	return NULL;
}

int br_config_print(const struct br_config *config, FILE *out)
{
	cJSON *root = cJSON_CreateObject(), *section = NULL;
	char *text = NULL;
	int err = -ENOMEM;

	for (size_t i = 0; root && i < br_config_key_count; i++) {
		const struct br_config_key *key = &br_config_keys[i];
		cJSON *value = value_json(config, key);

		if (i == 0 || strcmp(key->section, br_config_keys[i - 1].section) != 0)
			section = cJSON_AddObjectToObject(root, key->section);
		if (!cJSON_AddItemToObject(section, key->name, value)) {
			cJSON_Delete(value);
			goto out;
		}
	}
	text = root ? cJSON_Print(root) : NULL;
	if (text && fprintf(out, "%s\n", text) >= 0)
		err = 0;
out:
	cJSON_free(text);
	cJSON_Delete(root);
	return err;
}

/* Words of @text in lines of at most 78 characters, each behind a tab. */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column && column + 1 + length > 70) {
			fputc('\n', out);
			column = 0;
		}
		column += length + (column ? 1 : 0);
		fprintf(out, "%s%.*s", column == length ? "        " : " ", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_type(FILE *out, const struct br_config_key *key)
{
	switch (key->type) {
	case BR_CONFIG_UINT:
		fprintf(out, "integer, %u to %u", key->min, key->max);
		break;
	case BR_CONFIG_BOOL:
		fprintf(out, "true or false");
		break;
	case BR_CONFIG_CHOICE:
		for (size_t i = 0; i < key->word_count; i++)
			fprintf(out, "%s\"%s\"", i ? " | " : "", key->words[i]);
		break;
	case BR_CONFIG_ENDPOINT:
		fprintf(out, "string, address:port or \"none\"");
		break;
	case BR_CONFIG_SOCKET:
	case BR_CONFIG_DIRECTORY:
		fprintf(out, "string, absolute path or \"none\"");
		break;
	case BR_CONFIG_INTERFACES:
	case BR_CONFIG_NETWORKS:
		fprintf(out, "array of %u to %u %s", key->min, key->max,
			key->type == BR_CONFIG_NETWORKS ? "networks" : "interface names");
		break;
	}
}

static void print_default(FILE *out, const struct br_config_key *key)
{
	bool bare = key->type == BR_CONFIG_UINT || key->type == BR_CONFIG_BOOL;

	if (key->initial)
		fprintf(out, bare ? "default %s" : "default \"%s\"", key->initial);
	else
		fprintf(out, key->min ? "required" : "default []");
}

void br_config_help(FILE *out)
{
	fprintf(out, "The configuration is one JSON object of sections: "
		     "{\"media\": {\"port\": 40000}, ...}\n"
		     "Every key is optional unless it says required; unknown keys are refused.\n");
	for (size_t i = 0; i < br_config_key_count; i++) {
		const struct br_config_key *key = &br_config_keys[i];

		fprintf(out, "\n%s.%s: ", key->section, key->name);
		print_type(out, key);
		fprintf(out, "; ");
		print_default(out, key);
		fprintf(out, "\n");
		print_wrapped(out, key->meaning);
	}
}
