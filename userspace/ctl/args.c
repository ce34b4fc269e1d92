// SPDX-License-Identifier: BSD-2-Clause
/* Flags and arguments: every refusal names the flag and what was expected. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/top/top.h"
#include "lib/addr.h"
#include "lib/text.h"

static const struct {
	const char *name;
	const char *value; /* what is expected after the flag; NULL: nothing */
	const char *meaning;
} flags[BR_FLAG_COUNT] = {
	[BR_FLAG_SOCKET] = {"--socket", "PATH",
			    "Unix socket of the daemon, else $BLINDRELAY_SOCKET,\n"
			    "                      else " BR_CTL_DEFAULT_SOCKET},
	[BR_FLAG_URL] = {"--url", "URL", "its HTTP address instead, as http://127.0.0.1:8080"},
	[BR_FLAG_JSON] = {"--json", NULL, "print JSON, as the daemon answers it"},
	[BR_FLAG_HELP] = {"--help", NULL, "print this"},
	[BR_FLAG_VERSION] = {"--version", NULL, "print the version"},
	[BR_FLAG_ADDRESS] = {"--address", "ADDRESS", "IPv4 or IPv6 address of the participant"},
	[BR_FLAG_PORT] = {"--port", "PORT", "its UDP port, 1 to 65535"},
	[BR_FLAG_ROLE] = {"--role", "ROLE", "publisher, subscriber or both"},
	[BR_FLAG_SSRC] = {"--ssrc", "SSRC", "it may send this stream only; repeatable"},
	[BR_FLAG_RECEIVE] = {"--receive", "SSRC", "it receives this stream only; repeatable"},
	[BR_FLAG_WAIT] = {"--wait", "SECONDS", "wait until it is ready, 1 to 3600"},
	[BR_FLAG_INTERFACE] = {"--interface", "NAME", "look at this one only; repeatable"},
	[BR_FLAG_STATE] = {"--state", "PATH",
			   "state.path of the daemon; else " BR_CTL_DEFAULT_STATE},
	[BR_FLAG_PACKETS] = {"--packets", "N", "packets per second it may send; 0: no limit"},
	[BR_FLAG_RATE] = {"--rate", "BITS",
			  "bits per second it may send, as 500k or 4M; 0: no limit"},
	[BR_FLAG_FEEDBACK] = {"--feedback", "WHERE",
			      "its RTCP goes along its route, or to the daemon"},
	[BR_FLAG_EXPIRES] = {"--expires", "SECONDS", "it ends then unless renewed; 0: never"},
	[BR_FLAG_INTERVAL] = {"--interval", "SECONDS", "rates over this time, 0.1 to 60; else 1"},
	[BR_FLAG_ONCE] = {"--once", NULL, "one plain table, as --count 1"},
	[BR_FLAG_TIMES] = {"--count", "N", "end after so many packets, or plain tables"},
	[BR_FLAG_SORT] = {"--sort", "KEY",
			  "out, out_bits, in, in_bits, drops, legs or name; else out"},
	[BR_FLAG_ROOM] = {"--room", "ROOM", "this room only"},
	[BR_FLAG_MATCH] = {"--match", "TEXT", "rooms and legs with this in their names only"},
	[BR_FLAG_LIMIT] = {"--limit", "N", "rooms, and legs, to list, 0 to 1000"},
	[BR_FLAG_ASCII] = {"--ascii", NULL, "bars without Unicode"},
	[BR_FLAG_LEG] = {"--leg", "NAME", "what this leg sends and gets only"},
	[BR_FLAG_OUTPUT] = {"--output", "FILE",
			    "write there (-o); else, or with -, standard output"},
	[BR_FLAG_FORCE] = {"--force", NULL, "overwrite a file that exists"},
	[BR_FLAG_DURATION] = {"--duration", "SECONDS", "end after so long, 1 to 86400"},
	[BR_FLAG_SNAPLEN] = {"--snaplen", "BYTES", "keep so much of each packet, 64 to 16384"},
	[BR_FLAG_NEXT_HOP] =
		{"--next-hop", "HOP",
		 "INTERFACE,MAC[,vlan=ID[:PRIORITY]]... instead of the routing\n"
		 "                      table; also source=ADDRESS, source-mac=MAC, mtu=N"},
};

static int br_args_fail(const struct br_ctl_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int br_args_fail(const struct br_ctl_command *command, const char *format, ...)
{
	va_list list;

	fprintf(stderr, "blindrelay%s%s: ", command ? " " : "", command ? command->name : "");
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	if (command)
		fprintf(stderr, "\n`blindrelay %s --help` shows examples\n", command->name);
	else
		fprintf(stderr, "\n`blindrelay --help` lists commands and flags\n");
	return BR_CTL_USAGE;
}

/* Decimal, or "0x" and up to eight hexadecimal digits. */
static bool br_args_ssrc(const char *text, uint32_t *out)
{
	size_t digits;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return br_text_to_u32(text, 0, UINT32_MAX, out);
	digits = strspn(text + 2, "0123456789abcdefABCDEF");
	if (!digits || digits > 8 || text[2 + digits])
		return false;
	*out = (uint32_t)strtoul(text + 2, NULL, 16);
	return true;
}

static int br_args_add_ssrc(const struct br_ctl_command *command, const char *name,
			    const char *value, uint32_t *list, size_t *count)
{
	if (*count == BR_CTL_SSRCS_MAX)
		return br_args_fail(command, "%s: expected at most %d times", name,
				    BR_CTL_SSRCS_MAX);
	if (!br_args_ssrc(value, &list[*count]))
		return br_args_fail(command,
				    "%s: expected an SSRC as 439041101 or 0x1a2b3c4d, got \"%s\"",
				    name, value);
	(*count)++;
	return BR_CTL_OK;
}

static int br_args_add_interface(const struct br_ctl_command *command, const char *name,
				 const char *value, struct br_ctl_args *args)
{
	if (!*value)
		return br_args_fail(command, "%s: expected the name of an interface", name);
	if (args->interface_count == BR_CTL_INTERFACES_MAX)
		return br_args_fail(command, "%s: expected at most %d times", name,
				    BR_CTL_INTERFACES_MAX);
	args->interfaces[args->interface_count++] = value;
	return BR_CTL_OK;
}

/* Bits per second with k, M or G behind the number. */
static bool br_args_rate(const char *text, uint32_t *out)
{
	static const char prefixes[] = "kMG";
	size_t length = strlen(text);
	const char *prefix = length ? strchr(prefixes, text[length - 1]) : NULL;
	uint64_t value;
	char digits[16];
	uint32_t number;

	if (!prefix)
		return br_text_to_u32(text, 0, UINT32_MAX, out);
	if (length > sizeof(digits))
		return false;
	snprintf(digits, sizeof(digits), "%.*s", (int)length - 1, text);
	if (!br_text_to_u32(digits, 0, UINT32_MAX, &number))
		return false;
	value = number;
	for (const char *p = prefixes; p <= prefix; p++)
		value *= 1000;
	*out = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* The terms of a leg: the daemon knows their bounds. */
static int br_args_set_term(const struct br_ctl_command *command, enum br_ctl_flag flag,
			    const char *value, struct br_ctl_args *args)
{
	const char *name = flags[flag].name;

	if (flag == BR_FLAG_RATE && !br_args_rate(value, &args->rate))
		return br_args_fail(
			command, "%s: expected bits per second as 800000, 500k or 4M, got \"%s\"",
			name, value);
	if (flag == BR_FLAG_PACKETS && !br_text_to_u32(value, 0, UINT32_MAX, &args->packets))
		return br_args_fail(command, "%s: expected packets per second, got \"%s\"", name,
				    value);
	if (flag == BR_FLAG_EXPIRES && !br_text_to_u32(value, 0, 31536000, &args->expires))
		return br_args_fail(command, "%s: expected seconds from 0 to 31536000, got \"%s\"",
				    name, value);
	if (flag == BR_FLAG_FEEDBACK) {
		args->feedback = value;
		if (strcmp(value, "route") != 0 && strcmp(value, "daemon") != 0)
			return br_args_fail(command, "%s: expected route or daemon, got \"%s\"",
					    name, value);
	}
	return BR_CTL_OK;
}

/* Digits with at most one point, @min to @max. */
static bool br_args_decimal(const char *text, double min, double max, double *out)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789.")])
		return false;
	*out = strtod(text, &end);
	return !*end && *out >= min && *out <= max;
}

static bool br_args_is_sort(const char *value)
{
	for (unsigned int i = 0; i < BR_TOP_SORTS; i++)
		if (!strcmp(br_top_sorts[i].name, value))
			return true;
	return false;
}

static bool br_args_is_name(const char *value)
{
	size_t length = strlen(value);

	return length && length < BR_TOP_NAME &&
	       strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") ==
		       length;
}

/* The flags of `top`. */
static int br_args_set_top(const struct br_ctl_command *command, enum br_ctl_flag flag,
			   const char *value, struct br_ctl_args *args)
{
	const char *name = flags[flag].name, *expected = NULL;

	switch (flag) {
	case BR_FLAG_INTERVAL:
		if (!br_args_decimal(value, 0.1, 60, &args->interval))
			expected = "seconds from 0.1 to 60";
		break;
	case BR_FLAG_ONCE:
		args->once = true;
		break;
	case BR_FLAG_TIMES:
		if (!br_text_to_u32(value, 1, UINT32_MAX, &args->count))
			expected = "a number from 1 to 4294967295";
		break;
	case BR_FLAG_SORT:
		args->sort = value;
		if (!br_args_is_sort(value))
			expected = "out, out_bits, in, in_bits, drops, legs or name";
		break;
	case BR_FLAG_ROOM:
		args->room = value;
		if (!br_args_is_name(value))
			expected = "the name of a room";
		break;
	case BR_FLAG_MATCH:
		args->match = value;
		if (!br_args_is_name(value))
			expected = "a part of a name";
		break;
	case BR_FLAG_LIMIT:
		if (!br_text_to_u32(value, 0, 1000, &args->limit))
			expected = "a number from 0 to 1000";
		break;
	default:
		args->ascii = true;
		break;
	}
	return expected
		       ? br_args_fail(command, "%s: expected %s, got \"%s\"", name, expected, value)
		       : BR_CTL_OK;
}

static int br_args_number(const struct br_ctl_command *command, enum br_ctl_flag flag,
			  const char *value, uint32_t min, uint32_t max, uint32_t *out)
{
	if (br_text_to_u32(value, min, max, out))
		return BR_CTL_OK;
	return br_args_fail(command, "%s: expected a number from %u to %u, got \"%s\"",
			    flags[flag].name, min, max, value);
}

static int br_args_set_capture(const struct br_ctl_command *command, enum br_ctl_flag flag,
			       const char *value, struct br_ctl_args *args)
{
	switch (flag) {
	case BR_FLAG_LEG:
		args->leg = value;
		break;
	case BR_FLAG_OUTPUT:
		args->output = value;
		break;
	case BR_FLAG_FORCE:
		args->force = true;
		return BR_CTL_OK;
	case BR_FLAG_DURATION:
		return br_args_number(command, flag, value, 1, 86400, &args->duration);
	case BR_FLAG_SNAPLEN:
		return br_args_number(command, flag, value, 64, 16384, &args->snaplen);
	default:
		return BR_CTL_OK;
	}
	return *value ? BR_CTL_OK
		      : br_args_fail(command, "%s: expected %s after it, got nothing",
				     flags[flag].name, flags[flag].value);
}

static int br_args_set_next_hop(const struct br_ctl_command *command, const char *value,
				struct br_ctl_args *args)
{
	cJSON *hop = br_ctl_next_hop(value);

	if (!hop)
		return br_args_fail(command,
				    "%s: expected INTERFACE,MAC and maybe vlan=ID or "
				    "vlan=ID:PRIORITY (two for QinQ, the outer one first), "
				    "source=ADDRESS, source-mac=MAC, mtu=N, with commas between; "
				    "got \"%s\"",
				    flags[BR_FLAG_NEXT_HOP].name, value);
	cJSON_Delete(hop);
	args->next_hop = value;
	return BR_CTL_OK;
}

/* Check and keep one flag's value. */
static int br_args_set(const struct br_ctl_command *command, enum br_ctl_flag flag,
		       const char *value, struct br_ctl_args *args)
{
	const char *name = flags[flag].name;
	struct br_addr addr;

	switch (flag) {
	case BR_FLAG_SOCKET:
		args->socket = value;
		return *value ? BR_CTL_OK : br_args_fail(command, "%s: expected a path", name);
	case BR_FLAG_URL:
		args->url = value;
		if (!strncmp(value, "http://", 7) && value[7])
			return BR_CTL_OK;
		return br_args_fail(command, "%s: expected http://ADDRESS:PORT, got \"%s\"", name,
				    value);
	case BR_FLAG_JSON:
		args->json = true;
		return BR_CTL_OK;
	case BR_FLAG_ADDRESS:
		args->address = value;
		if (br_addr_parse(value, &addr))
			return BR_CTL_OK;
		return br_args_fail(command, "%s: expected an IPv4 or IPv6 address, got \"%s\"",
				    name, value);
	case BR_FLAG_PORT:
		if (br_text_to_u32(value, 1, 65535, &args->port))
			return BR_CTL_OK;
		return br_args_fail(command, "%s: expected a number from 1 to 65535, got \"%s\"",
				    name, value);
	case BR_FLAG_ROLE:
		args->role = value;
		if (!strcmp(value, "publisher") || !strcmp(value, "subscriber") ||
		    !strcmp(value, "both"))
			return BR_CTL_OK;
		return br_args_fail(command,
				    "%s: expected publisher, subscriber or both, got \"%s\"", name,
				    value);
	case BR_FLAG_SSRC:
		return br_args_add_ssrc(command, name, value, args->ssrcs, &args->ssrc_count);
	case BR_FLAG_RECEIVE:
		return br_args_add_ssrc(command, name, value, args->receives, &args->receive_count);
	case BR_FLAG_WAIT:
		if (br_text_to_u32(value, 1, 3600, &args->wait))
			return BR_CTL_OK;
		return br_args_fail(command, "%s: expected seconds from 1 to 3600, got \"%s\"",
				    name, value);
	case BR_FLAG_INTERFACE:
		return br_args_add_interface(command, name, value, args);
	case BR_FLAG_STATE:
		args->state = value;
		return *value == '/'
			       ? BR_CTL_OK
			       : br_args_fail(command, "%s: expected an absolute path, got \"%s\"",
					      name, value);
	case BR_FLAG_NEXT_HOP:
		return br_args_set_next_hop(command, value, args);
	case BR_FLAG_PACKETS:
	case BR_FLAG_RATE:
	case BR_FLAG_FEEDBACK:
	case BR_FLAG_EXPIRES:
		return br_args_set_term(command, flag, value, args);
	default:
		if (flag >= BR_FLAG_LEG && flag <= BR_FLAG_SNAPLEN)
			return br_args_set_capture(command, flag, value, args);
		return flag >= BR_FLAG_INTERVAL && flag <= BR_FLAG_ASCII
			       ? br_args_set_top(command, flag, value, args)
			       : BR_CTL_OK;
	}
}

static int br_args_unknown(const struct br_ctl_command *command, const char *word, size_t length,
			   unsigned int allowed)
{
	const char *names[BR_FLAG_COUNT];
	char typed[64];
	const char *nearest;
	size_t count = 0;

	for (int f = 0; f < BR_FLAG_COUNT; f++)
		if (allowed & BR_FLAG_BIT(f))
			names[count++] = flags[f].name;
	snprintf(typed, sizeof(typed), "%.*s", (int)length, word);
	nearest = br_text_nearest(typed, names, count);
	if (nearest)
		return br_args_fail(command, "%s: unknown flag; did you mean %s?", typed, nearest);
	return br_args_fail(command, "%s: unknown flag", typed);
}

/* One flag at argv[*next]; steps over it and its value. */
static int br_args_flag(const struct br_ctl_command *command, int argc, char **argv,
			struct br_ctl_args *args, int *next, unsigned int allowed)
{
	const char *word = argv[(*next)++], *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const char *value = equals ? equals + 1 : NULL;
	int flag = 0;

	if (!strcmp(word, "-h"))
		flag = BR_FLAG_HELP;
	else if (!strcmp(word, "-o"))
		flag = BR_FLAG_OUTPUT;
	else
		while (flag < BR_FLAG_COUNT && (strlen(flags[flag].name) != length ||
						memcmp(flags[flag].name, word, length) != 0))
			flag++;
	if (flag == BR_FLAG_COUNT || !(allowed & BR_FLAG_BIT(flag)))
		return br_args_unknown(command, word, length, allowed);
	if (!flags[flag].value && value)
		return br_args_fail(command, "%s: expected no value, got \"%s\"", flags[flag].name,
				    value);
	if (flags[flag].value && !value) {
		if (*next == argc)
			return br_args_fail(command, "%s: expected %s after it", flags[flag].name,
					    flags[flag].value);
		value = argv[(*next)++];
	}
	args->given |= BR_FLAG_BIT(flag);
	return br_args_set(command, (enum br_ctl_flag)flag, value ? value : "", args);
}

/* Everything was read: is all there that the command needs? */
static int br_args_complete(const struct br_ctl_command *command, const struct br_ctl_args *args)
{
	if (args->given & BR_FLAG_BIT(BR_FLAG_HELP))
		return BR_CTL_OK;
	if (args->word_count < command->words_min)
		return br_args_fail(command, "expected %s, got %zu argument%s", command->usage,
				    args->word_count, args->word_count == 1 ? "" : "s");
	for (int f = 0; f < BR_FLAG_COUNT; f++)
		if (command->required & ~args->given & BR_FLAG_BIT(f))
			return br_args_fail(command, "%s: missing, expected %s: %s", flags[f].name,
					    flags[f].value, flags[f].meaning);
	if ((args->given & BR_FLAG_BIT(BR_FLAG_URL)) && (args->given & BR_FLAG_BIT(BR_FLAG_SOCKET)))
		return br_args_fail(command, "--url: expected without --socket");
	return BR_CTL_OK;
}

int br_ctl_parse(const struct br_ctl_command *command, int argc, char **argv,
		 struct br_ctl_args *args, int *next)
{
	unsigned int allowed =
		BR_FLAGS_GLOBAL | (command ? command->flags : BR_FLAG_BIT(BR_FLAG_VERSION));
	bool words_only = false;
	const char *socket = getenv("BLINDRELAY_SOCKET");

	if (!args->socket)
		args->socket = socket && *socket ? socket : BR_CTL_DEFAULT_SOCKET;
	while (*next < argc) {
		const char *word = argv[*next];
		int err;

		if (!words_only && word[0] == '-' && word[1]) {
			if (!strcmp(word, "--")) {
				words_only = true;
				(*next)++;
				continue;
			}
			err = br_args_flag(command, argc, argv, args, next, allowed);
			if (err)
				return err;
			continue;
		}
		if (!command)
			return BR_CTL_OK;
		if (args->word_count == command->words_max)
			return br_args_fail(command, "unexpected argument \"%s\"; expected %s",
					    word, *command->usage ? command->usage : "none");
		args->words[args->word_count++] = word;
		(*next)++;
	}
	return command ? br_args_complete(command, args) : BR_CTL_OK;
}

void br_ctl_flags_print(unsigned int which)
{
	for (int f = BR_FLAG_ADDRESS; f < BR_FLAG_COUNT + BR_FLAG_ADDRESS; f++) {
		int flag = f % BR_FLAG_COUNT; /* the command's own first */
		char left[32];

		if (!(which & BR_FLAG_BIT(flag)))
			continue;
		snprintf(left, sizeof(left), "%s %s", flags[flag].name,
			 flags[flag].value ? flags[flag].value : "");
		printf("  %-19s %s\n", left, flags[flag].meaning);
	}
}
