/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of configuration keys; private to config*.c. */
#ifndef BR_CONFIG_KEYS_H
#define BR_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum br_config_type {
	BR_CONFIG_UINT,	      /* uint32_t */
	BR_CONFIG_BOOL,	      /* bool */
	BR_CONFIG_CHOICE,     /* int: index of the word */
	BR_CONFIG_ENDPOINT,   /* struct br_endpoint, or "none" */
	BR_CONFIG_SOCKET,     /* path, or "none" */
	BR_CONFIG_DIRECTORY,  /* the same, of a directory */
	BR_CONFIG_INTERFACES, /* list of names; the count follows in the table */
	BR_CONFIG_NETWORKS,   /* list of CIDR networks */
};

struct br_config_key {
	const char *section;
	const char *name;
	enum br_config_type type;
	size_t offset;	     /* of the value in struct br_config */
	uint32_t min, max;   /* of an integer; of the number of elements of a list */
	const char *initial; /* default as text; NULL: an empty list */
	const char *const *words;
	size_t word_count;
	const char *meaning; /* one sentence, may be long */
};

extern const struct br_config_key br_config_keys[];
extern const size_t br_config_key_count;

/** br_config_key_value - where @config keeps the value of @key */
static inline void *br_config_key_value(struct br_config *config, const struct br_config_key *key)
{
	return (char *)config + key->offset;
}

/**
 * br_config_key_set - check text and store it; lists grow by one element
 * @why: set on failure: what was expected, without what was given
 *
 * Return: 0 or -EINVAL.
 */
int br_config_key_set(struct br_config *config, const struct br_config_key *key, const char *text,
		      char *why, size_t size);

#define BR_CONFIG_WHY 160 /* room for @why */

#endif
