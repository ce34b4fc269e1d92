// SPDX-License-Identifier: BSD-2-Clause
/* Every key of the configuration, and how its text is understood. */
#include "config_keys.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/text.h"

static const char *const xdp_modes[] = {"auto", "native", "generic", "none"};
_Static_assert(BR_XDP_AUTO == 0 && BR_XDP_NATIVE == 1 && BR_XDP_GENERIC == 2 && BR_XDP_NONE == 3,
	       "order of xdp_modes");

static const char *const log_levels[] = {"error", "warn", "info", "debug"};

#define AT(member)    offsetof(struct br_config, member)
#define WORDS(list)   .words = (list), .word_count = sizeof(list) / sizeof((list)[0])
#define UINT(member)  .type = BR_CONFIG_UINT, .offset = AT(member)
#define RANGE(lo, hi) .min = (lo), .max = (hi)

/* Keys of one section stand together. */
const struct br_config_key br_config_keys[] = {
	{"media", "interfaces", .type = BR_CONFIG_INTERFACES, .offset = AT(interfaces),
	 RANGE(1, BR_EGRESS_MAX),
	 .meaning = "Network interfaces that media comes in and goes out on. Required."},
	{"media", "port", UINT(media_port), RANGE(1, 65535), .initial = "40000",
	 .meaning = "UDP port for media, on every address of the media interfaces."},
	{"media", "xdp_mode", .type = BR_CONFIG_CHOICE, .offset = AT(xdp_mode), WORDS(xdp_modes),
	 .initial = "auto",
	 .meaning =
		 "Where XDP runs: native (in the driver), generic (in the stack, slower, on "
		 "nearly every interface), none (nowhere: the daemon forwards everything itself, "
		 "slower still), auto (native where the driver can, else generic, else none)."},
	{"media", "burst_ms", UINT(burst_ms), RANGE(20, 10000), .initial = "200",
	 .meaning =
		 "How far ahead of its rate a leg or a stranger may be: what it sends at once may "
		 "be as much as its rate gives it in this time, and one packet."},
	{"media", "strangers_per_source", UINT(strangers_per_source), RANGE(0, 1000000),
	 .initial = "200",
	 .meaning = "STUN and DTLS packets per second that reach the daemon from one IPv4 address "
		    "or IPv6 /64 on a port that is no leg. 0: no limit."},
	{"media", "strangers_per_cpu", UINT(strangers_per_cpu), RANGE(0, 1000000),
	 .initial = "5000",
	 .meaning = "The same from all of them together, for each CPU that receives. 0: no limit."},

	{"control", "listen", .type = BR_CONFIG_ENDPOINT, .offset = AT(listen),
	 .initial = "127.0.0.1:8080",
	 .meaning = "Address and TCP port of the HTTP API: 192.0.2.1:8080, [2001:db8::1]:8080, or "
		    "none. The API has no authentication yet, so other than loopback addresses "
		    "are refused unless control.allow_remote is true."},
	{"control", "allow_remote", .type = BR_CONFIG_BOOL, .offset = AT(allow_remote),
	 .initial = "false",
	 .meaning = "Let control.listen be reached from other machines: whoever can connect "
		    "controls the relay."},
	{"control", "socket", .type = BR_CONFIG_SOCKET, .offset = AT(socket),
	 .initial = "/run/blindrelay/control.sock",
	 .meaning = "Path of the Unix socket of the API, or none."},

	{"rooms", "max_rooms", UINT(max_rooms), RANGE(1, 1u << 20), .initial = "16384",
	 .meaning = "Rooms that may exist at the same time."},
	{"rooms", "max_legs_per_room", UINT(max_legs_per_room), RANGE(2, BR_ROUTE_MAX + 1),
	 .initial = "4096", .meaning = "Legs (senders and receivers) in one room."},
	{"rooms", "ssrc_limit", UINT(ssrc_limit), RANGE(1, 1024), .initial = "8",
	 .meaning = "SSRCs learned on a leg that was added without a list of SSRCs."},
	{"rooms", "max_packets_per_s", UINT(max_packets_per_s), RANGE(0, BR_PACKETS_PER_S_MAX),
	 .initial = "0",
	 .meaning =
		 "Packets per second that a leg may send, unless it is given a limit of its own. "
		 "0: no limit."},
	{"rooms", "max_bits_per_s", UINT(max_bits_per_s), RANGE(0, BR_BITS_PER_S_MAX),
	 .initial = "0",
	 .meaning = "The same in bits per second of IP packets, from 10000. 0: no limit."},
	{"rooms", "expired_grace_s", UINT(expired_grace_s), RANGE(0, 86400), .initial = "30",
	 .meaning = "How long a leg that has expired can still be renewed. It sends and receives "
		    "nothing then; after that it is removed."},
	{"rooms", "static_allow", .type = BR_CONFIG_NETWORKS, .offset = AT(static_allow),
	 RANGE(0, BR_STATIC_ALLOW_MAX),
	 .meaning = "Networks (CIDR) whose addresses the API may add as legs without proof that "
		    "they want media. Empty: no static legs."},

	{"tables", "legs", UINT(max_legs), RANGE(2, BR_TICKET_INDEX_MAX), .initial = "65536",
	 .meaning = "Slots for legs, of all rooms together."},
	{"tables", "streams", UINT(max_streams), RANGE(1, BR_TICKET_INDEX_MAX), .initial = "65536",
	 .meaning = "Slots for streams (one SSRC of one leg)."},
	{"tables", "edges", UINT(max_edges), RANGE(2, BR_TICKET_INDEX_MAX), .initial = "1048576",
	 .meaning = "Slots for edges (one receiver of one leg or stream)."},
	{"tables", "chunk", UINT(chunk), RANGE(1, BR_CHUNK_MAX), .initial = "64",
	 .meaning = "Copies made in one turn of a transmit ring; a larger room takes several."},

	{"state", "path", .type = BR_CONFIG_DIRECTORY, .offset = AT(state),
	 .initial = "/run/blindrelay/bpf",
	 .meaning =
		 "Directory in which programs, tables and rooms stay when the daemon ends "
		 "unexpectedly: media goes on, and the next start adopts them. On a bpffs, which "
		 "is mounted there if need be. One relay each. Or none: all ends with the "
		 "daemon."},
	{"state", "keep", .type = BR_CONFIG_BOOL, .offset = AT(keep), .initial = "false",
	 .meaning = "Leave everything in place after SIGINT or SIGTERM as well, for an update."},

	{"log", "level", .type = BR_CONFIG_CHOICE, .offset = AT(log_level), WORDS(log_levels),
	 .initial = "info", .meaning = "Lines that are written: this severity and worse."},
};

const size_t br_config_key_count = sizeof(br_config_keys) / sizeof(br_config_keys[0]);

static int expected(char *why, size_t size, const char *what)
{
	snprintf(why, size, "expected %s", what);
	return -EINVAL;
}

static int set_choice(int *value, const struct br_config_key *key, const char *text, char *why,
		      size_t size)
{
	int used;

	for (size_t i = 0; i < key->word_count; i++) {
		if (strcmp(text, key->words[i]) == 0) {
			*value = (int)i;
			return 0;
		}
	}
	used = snprintf(why, size, "expected one of");
	for (size_t i = 0; i < key->word_count && (size_t)used < size; i++)
		used += snprintf(why + used, size - (size_t)used, "%s \"%s\"", i ? "," : "",
				 key->words[i]);
	return -EINVAL;
}

static int set_path(char *path, size_t room, const char *what, const char *text, char *why,
		    size_t size)
{
	size_t length = strlen(text);

	if (strcmp(text, "none") == 0) {
		*path = '\0';
		return 0;
	}
	if (*text != '/' || length >= room || text[length - 1] == '/') {
		snprintf(why, size,
			 "expected the absolute path of a %s, at most %zu bytes, or \"none\"", what,
			 room - 1);
		return -EINVAL;
	}
	memcpy(path, text, length + 1);
	return 0;
}

/* What the kernel takes as a name, dev_valid_name() in net/core/dev.c. */
static bool interface_name_valid(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= BR_INTERFACE_NAME || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return false;
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~' || *text == '/' || *text == ':')
			return false;
	}
	return true;
}

static int add_interface(struct br_config *config, const char *text, char *why, size_t size)
{
	if (!interface_name_valid(text))
		return expected(why, size, "the name of a network interface, 1 to 15 characters");
	for (size_t i = 0; i < config->interface_count; i++) {
		if (strcmp(config->interfaces[i], text) == 0)
			return expected(why, size, "each interface once");
	}
	if (config->interface_count == BR_EGRESS_MAX)
		return expected(why, size, "at most 8 interfaces");
	memcpy(config->interfaces[config->interface_count++], text, strlen(text) + 1);
	return 0;
}
_Static_assert(BR_EGRESS_MAX == 8, "add_interface says how many");

static int add_network(struct br_config *config, const char *text, char *why, size_t size)
{
	struct br_network network;

	if (!br_network_parse(text, &network))
		return expected(why, size,
				"a network as 192.0.2.0/24 or 2001:db8::/32, host bits zero");
	if (config->static_allow_count == BR_STATIC_ALLOW_MAX)
		return expected(why, size, "at most 64 networks");
	config->static_allow[config->static_allow_count++] = network;
	return 0;
}
_Static_assert(BR_STATIC_ALLOW_MAX == 64, "add_network says how many");

static int set_endpoint(struct br_endpoint *endpoint, const char *text, char *why, size_t size)
{
	if (strcmp(text, "none") == 0)
		memset(endpoint, 0, sizeof(*endpoint));
	else if (!br_endpoint_parse(text, endpoint))
		return expected(why, size,
				"address:port as 127.0.0.1:8080 or [::1]:8080 (a literal "
				"address, port 1 to 65535), or \"none\"");
	return 0;
}

int br_config_key_set(struct br_config *config, const struct br_config_key *key, const char *text,
		      char *why, size_t size)
{
	void *value = br_config_key_value(config, key);

	switch (key->type) {
	case BR_CONFIG_UINT:
		if (br_text_to_u32(text, key->min, key->max, value))
			return 0;
		snprintf(why, size, "expected an integer from %u to %u", key->min, key->max);
		return -EINVAL;
	case BR_CONFIG_BOOL:
		*(bool *)value = strcmp(text, "true") == 0;
		if (*(bool *)value || strcmp(text, "false") == 0)
			return 0;
		return expected(why, size, "true or false");
	case BR_CONFIG_CHOICE:
		return set_choice(value, key, text, why, size);
	case BR_CONFIG_ENDPOINT:
		return set_endpoint(value, text, why, size);
	case BR_CONFIG_SOCKET:
		return set_path(value, sizeof(config->socket), "socket", text, why, size);
	case BR_CONFIG_DIRECTORY:
		return set_path(value, sizeof(config->state), "directory", text, why, size);
	case BR_CONFIG_INTERFACES:
		return add_interface(config, text, why, size);
	case BR_CONFIG_NETWORKS:
		return add_network(config, text, why, size);
	}
	assert(!"type of a key");
	return -EINVAL;
}
