// SPDX-License-Identifier: BSD-2-Clause
#include "options.h"

#include <errno.h>
#include <string.h>

#include "lib/text.h"

#define BR_FLAG_CONFIG "--config"
#define BR_FLAG_RESET  "--reset"

struct flag {
	const char *name;
	const char *argument;  /* as shown in the help; NULL: takes none, a key becomes true */
	const char *key;       /* of the configuration that it sets, or NULL */
	enum br_action action; /* when it takes no argument */
	const char *meaning;
};

static const struct flag flags[] = {
	{BR_FLAG_CONFIG, "FILE", NULL, BR_ACTION_RUN, "read this configuration first"},
	{"--interface", "IF", "media.interfaces", BR_ACTION_RUN, "media interface; repeatable"},
	{"--port", "PORT", "media.port", BR_ACTION_RUN, "UDP port for media"},
	{"--xdp-mode", "MODE", "media.xdp_mode", BR_ACTION_RUN, "auto, native, generic or none"},
	{"--listen", "ADDR:PORT", "control.listen", BR_ACTION_RUN, "HTTP API, or none"},
	{"--socket", "PATH", "control.socket", BR_ACTION_RUN, "Unix socket of the API, or none"},
	{"--static-allow", "CIDR", "rooms.static_allow", BR_ACTION_RUN,
	 "network that static legs may be in; repeatable"},
	{"--state", "PATH", "state.path", BR_ACTION_RUN, "directory that outlives us, or none"},
	{"--keep", NULL, "state.keep", BR_ACTION_RUN, "go on forwarding after a clean stop"},
	{BR_FLAG_RESET, NULL, NULL, BR_ACTION_RUN, "throw away what an earlier daemon left"},
	{"--log-level", "LEVEL", "log.level", BR_ACTION_RUN, "error, warn, info or debug"},
	{"--check-config", NULL, NULL, BR_ACTION_CHECK_CONFIG,
	 "print the effective configuration and exit"},
	{"--help-config", NULL, NULL, BR_ACTION_HELP_CONFIG, "list the keys of the configuration"},
	{"--version", NULL, NULL, BR_ACTION_VERSION, "print the version"},
	{"--help", NULL, NULL, BR_ACTION_HELP, "print this"},
	{"-h", NULL, NULL, BR_ACTION_HELP, NULL},
};

#define BR_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* Calls @visit for every flag, in order; stops at the first error. */
typedef int (*visit_flag)(const struct flag *flag, const char *value, void *context,
			  struct br_error *error);

static const struct flag *find_flag(const char *word, size_t length)
{
	for (size_t i = 0; i < BR_FLAGS; i++) {
		if (strlen(flags[i].name) == length && strncmp(flags[i].name, word, length) == 0)
			return &flags[i];
	}
	return NULL;
}

static int refuse_word(const char *word, struct br_error *error)
{
	const char *names[BR_FLAGS], *nearest;
	char text[BR_QUOTE_TEXT];

	if (*word != '-')
		return br_error_set(error, -EINVAL, br_text_name(word, text),
				    "expected a flag; --help lists them");
	for (size_t i = 0; i < BR_FLAGS; i++)
		names[i] = flags[i].name;
	nearest = br_text_nearest(word, names, BR_FLAGS);
	return br_error_set(error, -EINVAL, br_text_name(word, text),
			    nearest ? "unknown flag; did you mean %s?"
				    : "unknown flag; --help lists them",
			    nearest);
}

static int walk(int argc, char *const argv[], visit_flag visit, void *context,
		struct br_error *error)
{
	for (int i = 1; i < argc; i++) {
		size_t length = strcspn(argv[i], "=");
		const struct flag *flag = find_flag(argv[i], length);
		const char *value = argv[i][length] ? argv[i] + length + 1 : NULL;
		int err;

		if (!flag) {
			char name[64];

			snprintf(name, sizeof(name), "%.*s", (int)length, argv[i]);
			return refuse_word(name, error);
		}
		if (!flag->argument && value)
			return br_error_set(error, -EINVAL, flag->name, "expected no value");
		if (flag->argument && !value && i + 1 < argc)
			value = argv[++i];
		if (flag->argument && !value)
			return br_error_set(error, -EINVAL, flag->name, "expected a value: %s %s",
					    flag->name, flag->argument);
		err = visit(flag, value, context, error);
		if (err)
			return err;
	}
	return 0;
}

/* First walk: what to do, and which file to read. */
static int note_action(const struct flag *flag, const char *value, void *context,
		       struct br_error *error)
{
	struct br_options *options = context;

	if (strcmp(flag->name, BR_FLAG_CONFIG) == 0) {
		if (options->file)
			return br_error_set(error, -EINVAL, flag->name, "expected it once");
		options->file = value;
	}
	if (strcmp(flag->name, BR_FLAG_RESET) == 0)
		options->reset = true;
	if (flag->action > options->action)
		options->action = flag->action;
	return 0;
}

struct override {
	struct br_config *config;
	bool seen[BR_FLAGS];
};

/* Second walk: flags over the file. */
static int apply(const struct flag *flag, const char *value, void *context, struct br_error *error)
{
	struct override *override = context;
	size_t index = (size_t)(flag - flags);

	if (!flag->key)
		return 0;
	if (!override->seen[index])
		br_config_clear(override->config, flag->key);
	override->seen[index] = true;
	return br_config_set(override->config, flag->key, flag->name, value ? value : "true",
			     error);
}

static bool wants_help(int argc, char *const argv[])
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

int br_options_parse(int argc, char *const argv[], struct br_options *options,
		     struct br_error *error)
{
	struct override override = {.config = &options->config};
	int err;

	memset(options, 0, sizeof(*options));
	if (wants_help(argc, argv)) {
		options->action = BR_ACTION_HELP;
		return 0;
	}
	err = walk(argc, argv, note_action, options, error);
	if (err || options->action > BR_ACTION_CHECK_CONFIG)
		return err;
	br_config_defaults(&options->config);
	if (options->file)
		err = br_config_load(options->file, &options->config, error);
	if (!err)
		err = walk(argc, argv, apply, &override, error);
	return err ? err : br_config_check(&options->config, error);
}

void br_options_help(FILE *out)
{
	fprintf(out,
		"usage: blindrelayd [--config FILE] [FLAG]...\n\n"
		"Relay sealed media between the participants of rooms, copied in the kernel.\n\n");
	for (size_t i = 0; i < BR_FLAGS; i++) {
		char left[40];

		if (!flags[i].meaning)
			continue;
		snprintf(left, sizeof(left), "%s %s", flags[i].name,
			 flags[i].argument ? flags[i].argument : "");
		fprintf(out, "  %-25s %s\n", left, flags[i].meaning);
	}
	fprintf(out,
		"\nFlags override the file. Exit status: 0 after SIGINT or SIGTERM, 1 when the "
		"relay\n"
		"cannot run, 2 for wrong flags or a wrong configuration.\n"
		"\nexamples:\n"
		"  relay on eth0, legs only in one network:\n"
		"    blindrelayd --interface eth0 --static-allow 192.0.2.0/24\n"
		"  what would this configuration do?\n"
		"    blindrelayd --config /etc/blindrelay/blindrelayd.json --check-config\n"
		"  the same file, another port, more to read:\n"
		"    blindrelayd --config relay.json --port 50000 --log-level debug\n"
		"  a new version in place of the one that runs, without losing a packet:\n"
		"    kill -9 PID_OF_THE_OLD_ONE; blindrelayd --config relay.json\n"
		"  try it without a network, API on a Unix socket only:\n"
		"    blindrelayd --interface lo --xdp-mode generic --static-allow 127.0.0.0/8 \\\n"
		"                --listen none --socket /run/blindrelay/control.sock\n");
}
