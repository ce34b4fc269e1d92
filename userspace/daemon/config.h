/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's configuration: one table of keys makes the defaults, the JSON reader, the
 * flags, `--help-config` and `--check-config`.
 */
#ifndef BR_CONFIG_H
#define BR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include "lib/addr.h"
#include "lib/error.h"
#include "plane/plane.h"

#define BR_INTERFACE_NAME   16	       /* IFNAMSIZ: name with NUL */
#define BR_STATIC_ALLOW_MAX 64	       /* networks in rooms.static_allow */
#define BR_CONFIG_FILE_MAX  (1u << 20) /* bytes */

/* Filled by the table in config.c: keep uint32_t for integers and int for choices. */
struct br_config {
	char interfaces[BR_EGRESS_MAX][BR_INTERFACE_NAME];
	size_t interface_count;
	uint32_t media_port; /* host byte order */
	int xdp_mode;	     /* enum br_xdp_mode */
	uint32_t burst_ms;
	uint32_t strangers_per_source; /* packets per second; 0: no limit */
	uint32_t strangers_per_cpu;

	struct br_endpoint listen; /* family 0: no TCP */
	bool allow_remote;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": no Unix socket */

	uint32_t max_rooms;
	uint32_t max_legs_per_room;
	uint32_t ssrc_limit;
	uint32_t max_packets_per_s; /* of a leg; 0: no limit */
	uint32_t max_bits_per_s;
	uint32_t expired_grace_s;
	struct br_network static_allow[BR_STATIC_ALLOW_MAX];
	size_t static_allow_count;

	uint32_t max_legs;
	uint32_t max_streams;
	uint32_t max_edges;
	uint32_t chunk;

	char state[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* directory; "": none */
	bool keep;						 /* after a clean stop */

	int log_level; /* enum br_log_level */
};

/** br_config_defaults - the value of every key that nobody sets; no interface */
void br_config_defaults(struct br_config *config);

/**
 * br_config_parse - read a JSON document over what @config holds
 * @text: @length bytes, any content, no NUL needed
 * @config: keys that are absent keep their value; undefined content on failure
 *
 * Return: 0, -EINVAL (error names key or line and column), -ENOMEM.
 */
int br_config_parse(const char *text, size_t length, struct br_config *config,
		    struct br_error *error);

/**
 * br_config_load - read a file, at most BR_CONFIG_FILE_MAX bytes, by br_config_parse
 *
 * Return: as br_config_parse, or -errno of the file with the field "--config".
 */
int br_config_load(const char *path, struct br_config *config, struct br_error *error);

/**
 * br_config_set - set one key from text, as a flag does
 * @key: path such as "media.port"; an unknown one is a programming error
 * @flag: name for the error, such as "--port"
 * @text: the value; for lists one element, which is added to the list
 *
 * Return: 0 or -EINVAL.
 */
int br_config_set(struct br_config *config, const char *key, const char *flag, const char *text,
		  struct br_error *error);
/** br_config_clear - empty a list key, so that flags replace the list of the file */
void br_config_clear(struct br_config *config, const char *key);

/** br_config_check - rules over several keys, once everything is set; 0 or -EINVAL */
int br_config_check(const struct br_config *config, struct br_error *error);

/** br_config_print - the effective configuration as JSON that br_config_parse reads; 0 or -ENOMEM
 */
int br_config_print(const struct br_config *config, FILE *out);
/** br_config_help - every key: type, default, range, meaning */
void br_config_help(FILE *out);

#endif
