// SPDX-License-Identifier: BSD-2-Clause
/* Addresses, endpoints and networks: what is read, what is refused, what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Text in, canonical text out; NULL: refused. */
struct row {
	const char *text;
	const char *canonical;
};

static void addresses(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::", "::"},
		{"::1", "::1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952 section 4.2.2 */
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},	  /* section 4.2.3 */
		{"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
		{"", NULL},
		{"192.0.2", NULL},
		{"192.0.2.256", NULL},
		{"192.0.2.01", NULL},
		{"192.0.2.1 ", NULL},
		{" 192.0.2.1", NULL},
		{"192.0.2.1.5", NULL},
		{"0x7f.0.0.1", NULL},
		{"1::2::3", NULL},
		{"fe80::1%eth0", NULL},
		{"[::1]", NULL},
		{"::ffff:192.0.2.1", NULL}, /* would pass for IPv4 */
		{"::ffff:c000:201", NULL},
		{"localhost", NULL},
		{"12345::", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_addr addr, before;
		char text[BR_ADDR_TEXT];

		memset(&before, 0x5a, sizeof(before));
		addr = before;
		if (br_addr_parse(rows[i].text, &addr) != (rows[i].canonical != NULL))
			fail_msg("\"%s\"", rows[i].text);
		if (rows[i].canonical)
			assert_string_equal(br_addr_format(&addr, text), rows[i].canonical);
		else
			assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

static void words_of_an_address(void **state)
{
	static const uint8_t four[] = {192, 0, 2, 1};
	struct br_addr addr, same;
	char text[BR_ADDR_TEXT];

	(void)state;
	assert_true(br_addr_parse("192.0.2.1", &addr));
	assert_int_equal(addr.family, 4);
	assert_int_equal(addr.words[0], 0);
	assert_int_equal(addr.words[1], 0);
	assert_int_equal(addr.words[2], htonl(0xffff));
	assert_int_equal(addr.words[3], htonl(0xc0000201));
	same = br_addr_from_bytes(4, four);
	assert_true(br_addr_equal(&addr, &same));
	same.words[3] ^= htonl(1);
	assert_false(br_addr_equal(&addr, &same));
	same = addr;
	same.family = 6;
	assert_false(br_addr_equal(&addr, &same));
	same.family = 0;
	assert_string_equal(br_addr_format(&same, text), "none");
}

static void kinds(void **state)
{
	static const struct {
		const char *text;
		bool unicast, loopback;
	} rows[] = {
		{"192.0.2.1", true, false},
		{"0.0.0.0", false, false},
		{"255.255.255.255", false, false},
		{"224.0.0.1", false, false},
		{"239.255.255.255", false, false},
		{"223.255.255.255", true, false},
		{"127.0.0.1", true, true},
		{"127.255.255.254", true, true},
		{"128.0.0.1", true, false},
		{"126.255.255.255", true, false},
		{"::", false, false},
		{"::1", true, true},
		{"::2", true, false},
		{"ff02::1", false, false},
		{"fe80::1", true, false},
		{"2001:db8::1", true, false},
	};
	struct br_addr none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_addr addr;

		assert_true(br_addr_parse(rows[i].text, &addr));
		if (br_addr_is_unicast(&addr) != rows[i].unicast ||
		    br_addr_is_loopback(&addr) != rows[i].loopback)
			fail_msg("%s", rows[i].text);
	}
	assert_false(br_addr_is_unicast(&none));
	assert_false(br_addr_is_loopback(&none));
}

static void endpoints(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.1:5000", "192.0.2.1:5000"},
		{"192.0.2.1:1", "192.0.2.1:1"},
		{"192.0.2.1:65535", "192.0.2.1:65535"},
		{"[2001:db8::1]:5000", "[2001:db8::1]:5000"},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
		{"", NULL},
		{":", NULL},
		{"[]:1", NULL},
		{"[:1", NULL},
		{"]:1", NULL},
		{":5000", NULL},
		{"192.0.2.1", NULL},
		{"192.0.2.1:", NULL},
		{"192.0.2.1:0", NULL},
		{"192.0.2.1:080", NULL},
		{"192.0.2.1:65536", NULL},
		{"192.0.2.1:99999999999999999999", NULL},
		{"192.0.2.1:-1", NULL},
		{"192.0.2.1:+1", NULL},
		{"192.0.2.1: 1", NULL},
		{"192.0.2.1:5000x", NULL},
		{"[192.0.2.1]:5000", NULL},
		{"2001:db8::1:5000", NULL},
		{"[2001:db8::1]5000", NULL},
		{"[2001:db8::1", NULL},
		{"[2001:db8::1]", NULL},
		{"[[2001:db8::1]]:5000", NULL},
		{"[fe80::1%lo]:5000", NULL},
		{"localhost:5000", NULL},
		{"[2001:db8:0000:0000:0000:0000:0000:0000000000000000000000000001]:5", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_endpoint endpoint;
		char text[BR_ENDPOINT_TEXT];

		if (br_endpoint_parse(rows[i].text, &endpoint) != (rows[i].canonical != NULL))
			fail_msg("\"%s\"", rows[i].text);
		if (rows[i].canonical)
			assert_string_equal(br_endpoint_format(&endpoint, text), rows[i].canonical);
	}
}

static void socket_addresses(void **state)
{
	static const char *const texts[] = {"192.0.2.1:5000", "[2001:db8::1]:65535"};
	struct sockaddr_in6 *sin6;
	struct sockaddr_storage addr;
	struct br_endpoint endpoint, back;
	char text[BR_ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_true(br_endpoint_parse(texts[i], &endpoint));
		assert_int_equal(br_endpoint_to_sockaddr(&endpoint, &addr),
				 i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		assert_int_equal(addr.ss_family, i ? AF_INET6 : AF_INET);
		assert_true(br_endpoint_from_sockaddr(&addr, &back));
		assert_string_equal(br_endpoint_format(&back, text), texts[i]);
	}
	/* what a dual-stack socket reports for an IPv4 client */
	sin6 = (struct sockaddr_in6 *)&addr;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.9", &sin6->sin6_addr), 1);
	assert_true(br_endpoint_from_sockaddr(&addr, &back));
	assert_string_equal(br_endpoint_format(&back, text), "192.0.2.9:65535");
	addr.ss_family = AF_UNIX;
	assert_false(br_endpoint_from_sockaddr(&addr, &back));
	endpoint.addr.family = 0;
	assert_int_equal(br_endpoint_to_sockaddr(&endpoint, &addr), 0);
}

static void networks(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1/32", "192.0.2.1/32"},
		{"192.0.2.128/25", "192.0.2.128/25"},
		{"::/0", "::/0"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"2001:db8::1/128", "2001:db8::1/128"},
		{"2001:db8:8000::/33", "2001:db8:8000::/33"},
		{"", NULL},
		{"/", NULL},
		{"/24", NULL},
		{"192.0.2.0", NULL},
		{"192.0.2.0/", NULL},
		{"192.0.2.0/33", NULL},
		{"192.0.2.0/024", NULL},
		{"192.0.2.0/-1", NULL},
		{"192.0.2.0/24/24", NULL},
		{"192.0.2.0/255.255.255.0", NULL},
		{"192.0.2.1/24", NULL},
		{"192.0.2.128/24", NULL},
		{"1.0.0.0/0", NULL},
		{"2001:db8::/129", NULL},
		{"2001:db8::1/127", NULL},
		{"2001:db8:8000::/32", NULL},
		{"::ffff:0:0/96", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_network network;
		char text[BR_NETWORK_TEXT];

		if (br_network_parse(rows[i].text, &network) != (rows[i].canonical != NULL))
			fail_msg("\"%s\"", rows[i].text);
		if (rows[i].canonical)
			assert_string_equal(br_network_format(&network, text), rows[i].canonical);
	}
}

static void inside_networks(void **state)
{
	static const struct {
		const char *network, *addr;
		bool inside;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.0/24", "192.0.1.255", false},
		{"192.0.2.0/23", "192.0.3.255", true},
		{"192.0.2.0/23", "192.0.4.0", false},
		{"192.0.2.1/32", "192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.0", false},
		{"0.0.0.0/0", "255.1.2.3", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "192.0.2.1", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/33", "2001:db8:7fff::", true},
		{"2001:db8::/33", "2001:db8:8000::", false},
		{"2001:db8::1/128", "2001:db8::1", true},
		{"2001:db8::1/128", "2001:db8::2", false},
	};
	struct br_addr none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_network network;
		struct br_addr addr;

		assert_true(br_network_parse(rows[i].network, &network));
		assert_true(br_addr_parse(rows[i].addr, &addr));
		if (br_network_contains(&network, &addr) != rows[i].inside)
			fail_msg("%s in %s", rows[i].addr, rows[i].network);
		assert_false(br_network_contains(&network, &none));
	}
}

static void typed_words(void **state)
{
	static const char *const known[] = {"port", "interfaces", "xdp_mode"};
	char text[BR_QUOTE_TEXT];
	uint32_t value = 7;

	(void)state;
	assert_string_equal(br_text_nearest("prot", known, 3), "port");
	assert_string_equal(br_text_nearest("interface", known, 3), "interfaces");
	assert_string_equal(br_text_nearest("xdpmode", known, 3), "xdp_mode");
	assert_null(br_text_nearest("listen", known, 3));
	assert_null(br_text_nearest("", known, 3));
	assert_string_equal(br_text_quote("a\x1b[2J\xc3\xa9", 7, text), "\"a?[2J??\"");
	assert_string_equal(
		br_text_quote("0123456789012345678901234567890123456789012345678901", 52, text),
		"\"012345678901234567890123456789012345678901\"...");
	assert_true(br_text_to_u32("4294967295", 0, UINT32_MAX, &value));
	assert_int_equal(value, UINT32_MAX);
	assert_false(br_text_to_u32("4294967296", 0, UINT32_MAX, &value));
	assert_false(br_text_to_u32("18446744073709551617", 0, UINT32_MAX, &value));
	assert_false(br_text_to_u32("0x10", 0, 100, &value));
	assert_false(br_text_to_u32("", 0, 100, &value));
	assert_false(br_text_to_u32("4", 5, 6, &value));
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(br_log_level_parse("warn"), BR_LOG_WARN);
	assert_int_equal(br_log_level_parse("Warn"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(words_of_an_address),
		cmocka_unit_test(kinds),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(socket_addresses),
		cmocka_unit_test(networks),
		cmocka_unit_test(inside_networks),
		cmocka_unit_test(typed_words),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
