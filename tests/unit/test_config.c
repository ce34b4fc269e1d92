// SPDX-License-Identifier: BSD-2-Clause
/* Configuration and flags of the daemon: defaults, every kind of wrong input, round trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "lib/log.h"
#include "options.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define IF	     "{\"media\":{\"interfaces\":[\"eth0\"]}}"

/* A configuration file of its own that lives as long as one test. */
static char file[] = "/tmp/br-test-config-XXXXXX";

static void write_file(const char *text, size_t length)
{
	FILE *out = fopen(file, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, length, out), length);
	assert_int_equal(fclose(out), 0);
}

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(file + strlen(file) - 6, "XXXXXX");
	fd = mkstemp(file);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file);
}

/* As a user would: words after the name of the program; FILE stands for the file above. */
static int options_of(struct br_options *options, struct br_error *error, const char *words)
{
	static char copy[1024];
	char *argv[32] = {"blindrelayd"};
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "FILE") == 0 ? file : word;
	memset(error, 0, sizeof(*error));
	return br_options_parse(argc, argv, options, error);
}

static int parse(const char *text, size_t length, struct br_config *config, struct br_error *error)
{
	char *copy = malloc(length ? length : 1); /* no NUL: the sanitizers see an overrun */
	int err;

	memcpy(copy, text, length);
	memset(error, 0, sizeof(*error));
	br_config_defaults(config);
	err = br_config_parse(copy, length, config, error);
	if (!err)
		err = br_config_check(config, error);
	free(copy);
	return err;
}

static void defaults(void **state)
{
	struct br_config config;
	struct br_error error;
	char text[BR_ENDPOINT_TEXT];

	(void)state;
	assert_int_equal(parse(IF, strlen(IF), &config, &error), 0);
	assert_int_equal(config.interface_count, 1);
	assert_string_equal(config.interfaces[0], "eth0");
	assert_int_equal(config.media_port, 40000);
	assert_int_equal(config.xdp_mode, BR_XDP_AUTO);
	assert_string_equal(br_endpoint_format(&config.listen, text), "127.0.0.1:8080");
	assert_false(config.allow_remote);
	assert_string_equal(config.socket, "/run/blindrelay/control.sock");
	assert_int_equal(config.max_rooms, 16384);
	assert_int_equal(config.max_legs_per_room, 4096);
	assert_int_equal(config.ssrc_limit, 8);
	assert_int_equal(config.burst_ms, 200);
	assert_int_equal(config.strangers_per_source, 200);
	assert_int_equal(config.strangers_per_cpu, 5000);
	assert_int_equal(config.max_packets_per_s, 0);
	assert_int_equal(config.max_bits_per_s, 0);
	assert_int_equal(config.expired_grace_s, 30);
	assert_int_equal(config.static_allow_count, 0);
	assert_int_equal(config.max_legs, 65536);
	assert_int_equal(config.max_streams, 65536);
	assert_int_equal(config.max_edges, 1048576);
	assert_int_equal(config.chunk, 64);
	assert_int_equal(config.log_level, BR_LOG_INFO);
}

/* The caller frees what is printed. */
static char *print(const struct br_config *config)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_int_equal(br_config_print(config, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void every_key(void **state)
{
	static const char text[] =
		"{\"media\":{\"interfaces\":[\"eth0\",\"vlan.12\"],\"port\":65535,"
		"\"xdp_mode\":\"generic\",\"burst_ms\":20,\"strangers_per_source\":0,"
		"\"strangers_per_cpu\":1000000},"
		"\"control\":{\"listen\":\"[2001:db8::1]:443\",\"allow_remote\":true,"
		"\"socket\":\"none\"},"
		"\"rooms\":{\"max_rooms\":1,\"max_legs_per_room\":4097,\"ssrc_limit\":1024,"
		"\"max_packets_per_s\":10000000,\"max_bits_per_s\":4000000000,"
		"\"expired_grace_s\":86400,"
		"\"static_allow\":[\"192.0.2.0/24\",\"2001:db8::/32\"]},"
		"\"tables\":{\"legs\":16777216,\"streams\":1,\"edges\":2,\"chunk\":1},"
		"\"log\":{\"level\":\"debug\"}}";
	struct br_config config, again;
	struct br_error error;
	char endpoint[BR_ENDPOINT_TEXT], network[BR_NETWORK_TEXT];
	char *printed, *reprinted;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &config, &error), 0);
	assert_string_equal(config.interfaces[1], "vlan.12");
	assert_int_equal(config.media_port, 65535);
	assert_int_equal(config.xdp_mode, BR_XDP_GENERIC);
	assert_string_equal(br_endpoint_format(&config.listen, endpoint), "[2001:db8::1]:443");
	assert_true(config.allow_remote);
	assert_string_equal(config.socket, "");
	assert_int_equal(config.max_rooms, 1);
	assert_int_equal(config.max_legs_per_room, 4097);
	assert_int_equal(config.ssrc_limit, 1024);
	assert_int_equal(config.burst_ms, 20);
	assert_int_equal(config.strangers_per_source, 0);
	assert_int_equal(config.strangers_per_cpu, 1000000);
	assert_int_equal(config.max_packets_per_s, 10000000);
	assert_int_equal(config.max_bits_per_s, 4000000000u);
	assert_int_equal(config.expired_grace_s, 86400);
	assert_int_equal(config.static_allow_count, 2);
	assert_string_equal(br_network_format(&config.static_allow[1], network), "2001:db8::/32");
	assert_int_equal(config.max_legs, 16777216);
	assert_int_equal(config.max_streams, 1);
	assert_int_equal(config.max_edges, 2);
	assert_int_equal(config.chunk, 1);
	assert_int_equal(config.log_level, BR_LOG_DEBUG);

	/* what is printed reads back, and is then printed as the same text */
	printed = print(&config);
	assert_int_equal(parse(printed, strlen(printed), &again, &error), 0);
	reprinted = print(&again);
	assert_string_equal(printed, reprinted);
	assert_non_null(strstr(printed, "\"max_legs_per_room\":\t4097"));
	free(printed);
	free(reprinted);
}

/* One document each: everything but the mistake is right. */
static const struct {
	const char *text, *field, *detail;
} wrong[] = {
	{"", "", "line 1 column 1"},
	{"media", "", "line 1 column 1: expected a JSON value, got \"m\""},
	{"{\"media\":{\"interfaces\":[\"eth0\"]}", "", "got the end of the text"},
	{IF "x", "", "expected nothing after the JSON value"},
	{"{\n \"media\": {\n  \"port\": 1,\n }\n}", "", "line 4 column 2"},
	{"[]", "", "expected an object, got an array"},
	{"null", "", "expected an object, got null"},
	{"{}", "media.interfaces", "required"},
	{"{\"media\":{}}", "media.interfaces", "required"},
	{"{\"media\":[]}", "media", "expected an object, got an array"},
	{"{\"media\":null}", "media", "expected an object, got null"},
	{"{\"medai\":{}}", "medai", "did you mean \"media\"?"},
	{"{\"media\":{},\"media\":{}}", "media", "got \"media\" twice"},
	{"{\"media\":{\"interfaces\":\"eth0\"}}", "media.interfaces", "expected an array"},
	{"{\"media\":{\"interfaces\":[]}}", "media.interfaces", "1 to 8 elements, got 0"},
	{"{\"media\":{\"interfaces\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]}}",
	 "media.interfaces", "1 to 8 elements, got 9"},
	{"{\"media\":{\"interfaces\":[\"eth0\",1]}}", "media.interfaces[1]", "expected a string"},
	{"{\"media\":{\"interfaces\":[\"\"]}}", "media.interfaces[0]", "1 to"},
	{"{\"media\":{\"interfaces\":[\"a b\"]}}", "media.interfaces[0]", "name of a network"},
	{"{\"media\":{\"interfaces\":[\"..\"]}}", "media.interfaces[0]", "name of a network"},
	{"{\"media\":{\"interfaces\":[\"../x\"]}}", "media.interfaces[0]", "got \"../x\""},
	{"{\"media\":{\"interfaces\":[\"abcdefghijklmnop\"]}}", "media.interfaces[0]", "1 to 15"},
	{"{\"media\":{\"interfaces\":[\"eth0\",\"eth0\"]}}", "media.interfaces[1]",
	 "each interface once"},
	{"{\"media\":{\"port\":\"x\"}}", "media.port",
	 "expected an integer from 1 to 65535, got \"x\""},
	{"{\"media\":{\"port\":0}}", "media.port", "from 1 to 65535, got 0"},
	{"{\"media\":{\"port\":65536}}", "media.port", "from 1 to 65535, got 65536"},
	{"{\"media\":{\"port\":-1}}", "media.port", "from 1 to 65535, got -1"},
	{"{\"media\":{\"port\":4e4.5}}", "", "expected ',' or '}'"},
	{"{\"media\":{\"port\":40000.5}}", "media.port", "got 40000.5"},
	{"{\"media\":{\"prot\":40000}}", "media.prot", "did you mean \"port\"?"},
	{"{\"media\":{\"Port\":40000}}", "media.Port", "did you mean \"port\"?"},
	{"{\"media\":{\"xdp_mode\":\"skb\"}}", "media.xdp_mode",
	 "expected one of \"auto\", \"native\", \"generic\", \"none\", got \"skb\""},
	{"{\"media\":{\"xdp_mode\":1}}", "media.xdp_mode", "got 1"},
	{"{\"control\":{\"listen\":8080}}", "control.listen", "expected a string, got 8080"},
	{"{\"control\":{\"listen\":\"8080\"}}", "control.listen", "expected address:port"},
	{"{\"control\":{\"listen\":\"localhost:8080\"}}", "control.listen", "literal address"},
	{"{\"control\":{\"listen\":\"::1:8080\"}}", "control.listen", "[::1]:8080"},
	{"{\"control\":{\"listen\":\"127.0.0.1:0\"}}", "control.listen", "port 1 to 65535"},
	{"{\"control\":{\"allow_remote\":\"yes\"}}", "control.allow_remote",
	 "expected true or false"},
	{"{\"control\":{\"socket\":\"run/x.sock\"}}", "control.socket", "absolute path"},
	{"{\"control\":{\"socket\":\"/run/\"}}", "control.socket", "absolute path"},
	{"{\"control\":{\"socket\":\"/run/\\u0000x\"}}", "", "no NUL"},
	{"{\"control\":{\"socket\":\"/run/\\nx\"}}", "control.socket", "control characters"},
	{"{\"control\":{\"socket\":\"/"
	 "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
	 "123456789012345678901234567\"}}",
	 "control.socket", "at most 107 bytes"},
	{"{\"rooms\":{\"max_rooms\":0}}", "rooms.max_rooms", "from 1 to 1048576, got 0"},
	{"{\"rooms\":{\"max_legs_per_room\":4098}}", "rooms.max_legs_per_room", "from 2 to 4097"},
	{"{\"rooms\":{\"ssrc_limit\":1025}}", "rooms.ssrc_limit", "from 1 to 1024"},
	{"{\"media\":{\"burst_ms\":19}}", "media.burst_ms", "from 20 to 10000, got 19"},
	{"{\"media\":{\"strangers_per_source\":1000001}}", "media.strangers_per_source",
	 "from 0 to 1000000"},
	{"{\"rooms\":{\"max_packets_per_s\":10000001}}", "rooms.max_packets_per_s",
	 "from 0 to 10000000"},
	{"{\"rooms\":{\"expired_grace_s\":86401}}", "rooms.expired_grace_s", "from 0 to 86400"},
	{"{\"rooms\":{\"static_allow\":\"0.0.0.0/0\"}}", "rooms.static_allow", "expected an array"},
	{"{\"rooms\":{\"static_allow\":[\"192.0.2.1\"]}}", "rooms.static_allow[0]",
	 "got \"192.0.2.1\""},
	{"{\"rooms\":{\"static_allow\":[\"192.0.2.1/24\"]}}", "rooms.static_allow[0]",
	 "host bits zero"},
	{"{\"rooms\":{\"static_allow\":[\"10.0.0.0/8\",\"10.0.0.0/33\"]}}", "rooms.static_allow[1]",
	 "expected a network"},
	{"{\"tables\":{\"legs\":1}}", "tables.legs", "from 2 to 16777216"},
	{"{\"tables\":{\"legs\":16777217}}", "tables.legs", "got 16777217"},
	{"{\"tables\":{\"streams\":0}}", "tables.streams", "from 1 to 16777216"},
	{"{\"tables\":{\"edges\":1e99}}", "tables.edges", "got 1e+99"},
	{"{\"tables\":{\"chunk\":65}}", "tables.chunk", "from 1 to 64, got 65"},
	{"{\"tables\":{\"chunks\":64}}", "tables.chunks", "did you mean \"chunk\"?"},
	{"{\"log\":{\"level\":\"verbose\"}}", "log.level",
	 "expected one of \"error\", \"warn\", \"info\", \"debug\""},
	{"{\"log\":\"info\"}", "log", "expected an object, got \"info\""},
	/* rules over several keys */
	{"{\"media\":{\"interfaces\":[\"eth0\"]},\"control\":{\"listen\":\"0.0.0.0:8080\"}}",
	 "control.listen", "no authentication yet"},
	{"{\"media\":{\"interfaces\":[\"eth0\"]},\"control\":{\"listen\":\"[2001:db8::1]:80\"}}",
	 "control.listen", "control.allow_remote"},
	{"{\"media\":{\"interfaces\":[\"eth0\"]},\"rooms\":{\"max_bits_per_s\":9999}}",
	 "rooms.max_bits_per_s", "0 (no limit) or an integer from 10000 to 4000000000, got 9999"},
	{"{\"media\":{\"interfaces\":[\"eth0\"]},"
	 "\"control\":{\"listen\":\"none\",\"socket\":\"none\"}}",
	 "control.socket", "nobody could control"},
};

static void wrong_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct br_config config;
		struct br_error error;
		int err = parse(wrong[i].text, strlen(wrong[i].text), &config, &error);

		if (err != -EINVAL || error.code != err ||
		    strcmp(error.field, wrong[i].field) != 0 ||
		    !strstr(error.detail, wrong[i].detail))
			fail_msg("%s: %d %s: %s", wrong[i].text, err, error.field, error.detail);
	}
}

static void remote_allowed(void **state)
{
	static const char *const texts[] = {
		"{\"media\":{\"interfaces\":[\"eth0\"]},"
		"\"control\":{\"listen\":\"0.0.0.0:80\",\"allow_remote\":true}}",
		"{\"media\":{\"interfaces\":[\"eth0\"]},\"control\":{\"listen\":\"[::1]:80\"}}",
		"{\"media\":{\"interfaces\":[\"eth0\"]},\"control\":{\"listen\":\"127.9.9.9:80\"}}",
		"{\"media\":{\"interfaces\":[\"eth0\"]},\"control\":{\"listen\":\"none\"}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct br_config config;
		struct br_error error;

		if (parse(texts[i], strlen(texts[i]), &config, &error))
			fail_msg("%s: %s: %s", texts[i], error.field, error.detail);
	}
}

static void flags_override(void **state)
{
	static const char text[] = "{\"media\":{\"interfaces\":[\"eth0\",\"eth1\"],\"port\":1000},"
				   "\"rooms\":{\"static_allow\":[\"10.0.0.0/8\"]},"
				   "\"log\":{\"level\":\"warn\"}}";
	struct br_options options;
	struct br_error error;
	char endpoint[BR_ENDPOINT_TEXT], network[BR_NETWORK_TEXT];

	(void)state;
	write_file(text, strlen(text));
	assert_int_equal(options_of(&options, &error, "--config FILE"), 0);
	assert_int_equal(options.action, BR_ACTION_RUN);
	assert_int_equal(options.config.interface_count, 2);
	assert_int_equal(options.config.media_port, 1000);
	assert_int_equal(options.config.log_level, BR_LOG_WARN);

	/* wherever the file stands; lists are replaced, then grow */
	assert_int_equal(options_of(&options, &error,
				    "--port=2000 --interface a --xdp-mode native --listen [::1]:9 "
				    "--static-allow 192.0.2.0/24 --config=FILE --check-config"),
			 -ENOENT);
	assert_int_equal(options_of(&options, &error,
				    "--port=2000 --interface a --xdp-mode native --listen [::1]:9 "
				    "--static-allow 192.0.2.0/24 --config FILE --socket /x "
				    "--static-allow ::/0 --interface=b --check-config"),
			 0);
	assert_int_equal(options.action, BR_ACTION_CHECK_CONFIG);
	assert_int_equal(options.config.media_port, 2000);
	assert_int_equal(options.config.interface_count, 2);
	assert_string_equal(options.config.interfaces[0], "a");
	assert_string_equal(options.config.interfaces[1], "b");
	assert_int_equal(options.config.xdp_mode, BR_XDP_NATIVE);
	assert_string_equal(br_endpoint_format(&options.config.listen, endpoint), "[::1]:9");
	assert_string_equal(options.config.socket, "/x");
	assert_int_equal(options.config.static_allow_count, 2);
	assert_string_equal(br_network_format(&options.config.static_allow[0], network),
			    "192.0.2.0/24");
	assert_int_equal(options.config.log_level, BR_LOG_WARN);
}

static void wrong_flags(void **state)
{
	static const struct {
		const char *words, *field, *detail;
	} rows[] = {
		{"", "media.interfaces", "--interface"},
		{"eth0", "eth0", "expected a flag"},
		{"--interfce eth0", "--interfce", "did you mean --interface?"},
		{"--zzz", "--zzz", "--help lists them"},
		{"-x", "-x", "unknown flag"},
		{"--interface", "--interface", "expected a value: --interface IF"},
		{"--interface a/b", "--interface", "expected the name of a network interface"},
		{"--interface=", "--interface", "got \"\""},
		{"--interface a --interface a", "--interface", "each interface once"},
		{"--interface a --port x", "--port",
		 "expected an integer from 1 to 65535, got \"x\""},
		{"--interface a --port 70000", "--port", "got \"70000\""},
		{"--interface a --port 1e3", "--port", "got \"1e3\""},
		{"--interface a --xdp-mode Native", "--xdp-mode", "expected one of \"auto\""},
		{"--interface a --listen localhost", "--listen", "expected address:port"},
		{"--interface a --listen 192.0.2.1:80", "control.listen", "no authentication yet"},
		{"--interface a --socket x", "--socket", "absolute path"},
		{"--interface a --static-allow 10.0.0.1/8", "--static-allow", "host bits zero"},
		{"--interface a --log-level 7", "--log-level", "expected one of \"error\""},
		{"--check-config=yes --interface a", "--check-config", "expected no value"},
		{"--config FILE --config FILE", "--config", "expected it once"},
		{"--config FILE", "media.porrt", "did you mean \"port\"?"},
		{"--config /nonexistent/x.json", "--config",
		 "cannot open /nonexistent/x.json: No such"},
		{"--config /", "--config", "cannot read /: Is a directory"},
		{"--config /dev/zero", "--config", "at most 1048576 bytes"},
	};
	static const char text[] = "{\"media\":{\"porrt\":1}}";

	(void)state;
	write_file(text, strlen(text));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_options options;
		struct br_error error;
		int err = options_of(&options, &error, rows[i].words);

		if (err >= 0 || error.code != err || strcmp(error.field, rows[i].field) != 0 ||
		    !strstr(error.detail, rows[i].detail))
			fail_msg("%s: %d %s: %s", rows[i].words, err, error.field, error.detail);
	}
}

static void help_needs_nothing(void **state)
{
	struct br_options options;
	struct br_error error;

	(void)state;
	assert_int_equal(options_of(&options, &error, "--nonsense --help"), 0);
	assert_int_equal(options.action, BR_ACTION_HELP);
	assert_int_equal(options_of(&options, &error, "-h"), 0);
	assert_int_equal(options.action, BR_ACTION_HELP);
	assert_int_equal(options_of(&options, &error, "--version"), 0);
	assert_int_equal(options.action, BR_ACTION_VERSION);
	assert_int_equal(options_of(&options, &error, "--help-config --config /nonexistent"), 0);
	assert_int_equal(options.action, BR_ACTION_HELP_CONFIG);
}

/* Every key and every flag is told about. */
static void help_is_complete(void **state)
{
	static const char *const keys[] = {
		"media.interfaces: array of 1 to 8 interface names; required",
		"media.port: integer, 1 to 65535; default 40000",
		"media.xdp_mode: \"auto\" | \"native\" | \"generic\" | \"none\"; default \"auto\"",
		"control.listen: string, address:port or \"none\"; default \"127.0.0.1:8080\"",
		"control.allow_remote: true or false; default false",
		"control.socket: string, absolute path or \"none\"; default "
		"\"/run/blindrelay/control.sock\"",
		"rooms.max_rooms: integer, 1 to 1048576; default 16384",
		"rooms.max_legs_per_room: integer, 2 to 4097; default 4096",
		"rooms.ssrc_limit: integer, 1 to 1024; default 8",
		"rooms.static_allow: array of 0 to 64 networks; default []",
		"tables.legs: integer, 2 to 16777216; default 65536",
		"tables.streams: integer, 1 to 16777216; default 65536",
		"tables.edges: integer, 2 to 16777216; default 1048576",
		"tables.chunk: integer, 1 to 64; default 64",
		"log.level: \"error\" | \"warn\" | \"info\" | \"debug\"; default \"info\"",
	};
	static const char *const flags[] = {
		"--config FILE",  "--interface IF", "--port PORT",	   "--xdp-mode MODE",
		"--listen",	  "--socket PATH",  "--static-allow CIDR", "--log-level LEVEL",
		"--check-config", "--help-config",  "--version",	   "examples:",
	};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	br_config_help(out);
	br_options_help(out);
	fclose(out);
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (!strstr(text, keys[i]))
			fail_msg("%s", keys[i]);
	}
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (!strstr(text, flags[i]))
			fail_msg("%s", flags[i]);
	}
	free(text);
}

/* A file may have up to 1 MiB. */
static void size_of_file(void **state)
{
	char *text = malloc(BR_CONFIG_FILE_MAX + 1);
	struct br_options options;
	struct br_error error;

	(void)state;
	memset(text, ' ', BR_CONFIG_FILE_MAX + 1);
	memcpy(text, IF, strlen(IF));
	write_file(text, BR_CONFIG_FILE_MAX);
	assert_int_equal(options_of(&options, &error, "--config FILE"), 0);
	write_file(text, BR_CONFIG_FILE_MAX + 1);
	assert_int_equal(options_of(&options, &error, "--config FILE"), -EINVAL);
	assert_string_equal(error.field, "--config");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(remote_allowed),
		cmocka_unit_test_setup_teardown(flags_override, make_file, remove_file),
		cmocka_unit_test_setup_teardown(wrong_flags, make_file, remove_file),
		cmocka_unit_test(help_needs_nothing),
		cmocka_unit_test(help_is_complete),
		cmocka_unit_test_setup_teardown(size_of_file, make_file, remove_file),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
