// SPDX-License-Identifier: BSD-2-Clause
/* The media port on real sockets over loopback: classes, both families, a port in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/addr.h"
#include "media/port.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A UDP socket bound to @text's address and @port (0: any); -1 without that family. */
static int bound_socket(const char *addr, uint16_t port, uint16_t *number)
{
	struct br_endpoint endpoint = {.port = htons(port)};
	struct sockaddr_storage name;
	socklen_t length;
	int fd;

	assert_true(br_addr_parse(addr, &endpoint.addr));
	length = br_endpoint_to_sockaddr(&endpoint, &name);
	fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, length)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	length = sizeof(name);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &length), 0);
	assert_true(br_endpoint_from_sockaddr(&name, &endpoint));
	*number = ntohs(endpoint.port);
	return fd;
}

static uint16_t free_port(void)
{
	uint16_t number;
	int fd = bound_socket("0.0.0.0", 0, &number);

	assert_true(fd >= 0);
	close(fd);
	return number;
}

static void send_to(int fd, const char *addr, uint16_t port, const void *bytes, size_t length)
{
	struct br_endpoint endpoint = {.port = htons(port)};
	struct sockaddr_storage name;
	socklen_t size;

	assert_true(br_addr_parse(addr, &endpoint.addr));
	size = br_endpoint_to_sockaddr(&endpoint, &name);
	assert_int_equal(sendto(fd, bytes, length, 0, (struct sockaddr *)&name, size), length);
}

static void close_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

static uint64_t packets_read(const struct br_port *port)
{
	uint64_t sum = 0;

	for (int i = 0; i < BR_CLASS_COUNT; i++)
		sum += br_port_counters(port)->read[i].packets;
	return sum;
}

static void counts_by_class(void **state)
{
	static const struct {
		unsigned char bytes[4];
		size_t length;
		enum br_class class;
	} rows[] = {
		{{0, 1}, 2, BR_CLASS_STUN},	   {{3, 1}, 4, BR_CLASS_STUN},
		{{4, 1}, 2, BR_CLASS_UNKNOWN},	   {{20, 254}, 4, BR_CLASS_DTLS},
		{{63}, 1, BR_CLASS_DTLS},	   {{64}, 1, BR_CLASS_UNKNOWN},
		{{128, 96}, 4, BR_CLASS_RTP},	   {{128, 200}, 4, BR_CLASS_RTCP},
		{{191, 191}, 2, BR_CLASS_RTP},	   {{128, 224}, 3, BR_CLASS_RTP},
		{{192, 200}, 4, BR_CLASS_UNKNOWN}, {{0}, 0, BR_CLASS_UNKNOWN},
	};
	static const char *const addrs[] = {"127.0.0.1", "::1"};
	struct br_port_counters want = {0};
	struct br_error error = {0};
	struct br_port *port;
	uv_loop_t loop;
	uint16_t number = free_port(), ignored;
	uint64_t sent = 0;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	if (br_port_open(&loop, number, &port, &error))
		fail_msg("%s", error.detail);
	for (size_t a = 0; a < COUNT(addrs); a++) {
		int fd = bound_socket(addrs[a], 0, &ignored);

		if (fd < 0 && a == 1) {
			print_message("no IPv6 here\n");
			continue;
		}
		for (size_t i = 0; i < COUNT(rows); i++) {
			send_to(fd, addrs[a], number, rows[i].bytes, rows[i].length);
			want.read[rows[i].class].packets++;
			want.read[rows[i].class].bytes += rows[i].length;
			sent++;
		}
		close(fd);
	}
	while (packets_read(port) < sent)
		assert_true(uv_run(&loop, UV_RUN_ONCE));
	assert_memory_equal(br_port_counters(port), &want, sizeof(want));
	br_port_close(port);
	close_loop(&loop);
}

/* Long datagrams count with their whole length, and more than one batch is read. */
static void counts_bytes(void **state)
{
	unsigned char bytes[1400] = {0x80, 96};
	struct br_error error = {0};
	struct br_port *port;
	uv_loop_t loop;
	uint16_t number = free_port(), ignored;
	int fd = bound_socket("127.0.0.1", 0, &ignored);

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	for (int i = 0; i < 70; i++)
		send_to(fd, "127.0.0.1", number, bytes, sizeof(bytes));
	while (packets_read(port) < 70)
		assert_true(uv_run(&loop, UV_RUN_ONCE));
	assert_int_equal(br_port_counters(port)->read[BR_CLASS_RTP].packets, 70);
	assert_int_equal(br_port_counters(port)->read[BR_CLASS_RTP].bytes, 70 * sizeof(bytes));
	close(fd);
	br_port_close(port);
	close_loop(&loop);
}

/* Nothing is read while the loop does not run: a socket that is full says so afterwards. */
static void counts_overflows(void **state)
{
	unsigned char bytes[1400] = {0x80, 96};
	const struct br_port_counters *counters;
	struct br_error error = {0};
	struct br_port *port;
	uv_loop_t loop;
	uint16_t number = free_port(), ignored;
	int fd = bound_socket("127.0.0.1", 0, &ignored);
	const uint64_t sent = 5000; /* 7 MB, more than the largest default of rmem_max */

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	counters = br_port_counters(port);
	for (uint64_t i = 0; i < sent; i++)
		send_to(fd, "127.0.0.1", number, bytes, sizeof(bytes));
	/* the last one that finds room tells how many did not */
	while (uv_run(&loop, UV_RUN_NOWAIT) && packets_read(port) + counters->overflows < sent) {
		struct pollfd wait = {.fd = uv_backend_fd(&loop), .events = POLLIN};

		if (poll(&wait, 1, 0) == 0)
			send_to(fd, "127.0.0.1", number, bytes, 1);
	}
	assert_true(counters->overflows > 0);
	assert_true(packets_read(port) + counters->overflows >= sent);
	close(fd);
	br_port_close(port);
	close_loop(&loop);
}

static void port_in_use(void **state)
{
	static const char *const holders[] = {"0.0.0.0", "127.0.0.1", "::1"};
	struct br_error error = {0};
	struct br_port *port = NULL, *second;
	uv_loop_t loop;
	uint16_t number;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (size_t i = 0; i < COUNT(holders); i++) {
		int fd = bound_socket(holders[i], 0, &number);

		if (fd < 0)
			continue;
		assert_int_equal(br_port_open(&loop, number, &port, &error), -EADDRINUSE);
		assert_string_equal(error.field, "media.port");
		assert_non_null(strstr(error.detail, "is in use, perhaps by another blindrelayd"));
		close(fd);
	}
	/* a second instance, and the port is free again after the first has closed */
	number = free_port();
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	assert_int_equal(br_port_open(&loop, number, &second, &error), -EADDRINUSE);
	br_port_close(port);
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	br_port_close(port);
	br_port_close(NULL);
	close_loop(&loop);
}

/* What a reader was told last. */
struct seen {
	struct br_datagram datagram;
	uint8_t payload[8];
	uint32_t count;
};

static uint32_t on_datagram(void *context, const struct br_datagram *datagram)
{
	struct seen *seen = context;

	seen->datagram = *datagram;
	memcpy(seen->payload, datagram->payload,
	       datagram->length < sizeof(seen->payload) ? datagram->length : sizeof(seen->payload));
	return seen->count++, 1;
}

/* A reader gets addresses, TTL and DSCP of what was sent to it, of both families. */
static void tells_the_reader(void **state)
{
	static const char *const addrs[] = {"127.0.0.1", "::1"};
	const uint8_t bytes[6] = {0x80, 96, 1, 2, 3, 4};
	const int ttl = 37, tos = 0xb8;
	struct br_error error = {0};
	struct seen seen = {0};
	struct br_port *port;
	uv_loop_t loop;
	uint16_t number = free_port(), from;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	br_port_set_reader(port, on_datagram, &seen);
	for (size_t a = 0; a < COUNT(addrs); a++) {
		struct br_addr want;
		uint32_t before = seen.count;
		int fd = bound_socket(addrs[a], 0, &from);

		if (fd < 0)
			continue;
		assert_true(br_addr_parse(addrs[a], &want));
		if (a == 0) {
			setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
			setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
		} else {
			setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
			setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
		}
		send_to(fd, addrs[a], number, bytes, sizeof(bytes));
		while (seen.count == before)
			assert_true(uv_run(&loop, UV_RUN_ONCE));
		assert_true(br_addr_equal(&seen.datagram.remote.addr, &want));
		assert_true(br_addr_equal(&seen.datagram.local.addr, &want));
		assert_int_equal(ntohs(seen.datagram.remote.port), from);
		assert_int_equal(ntohs(seen.datagram.local.port), number);
		assert_int_equal(seen.datagram.ttl, ttl);
		assert_int_equal(seen.datagram.tos, tos);
		assert_int_equal(seen.datagram.length, sizeof(bytes));
		assert_memory_equal(seen.payload, bytes, sizeof(bytes));
		close(fd);
	}
	br_port_close(port);
	close_loop(&loop);
}

/* A socket to send to, which tells TTL and DSCP as well. */
static int listening_socket(const char *addr, uint16_t *number)
{
	const int on = 1;
	int fd = bound_socket(addr, 0, number);

	if (fd < 0)
		return fd;
	setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
	return fd;
}

static void check_copy(int fd, const struct br_datagram *sent, const struct br_port_copy *copy,
		       uint16_t number)
{
	char control[128], bytes[64];
	struct sockaddr_storage name;
	struct iovec piece = {bytes, sizeof(bytes)};
	struct msghdr message = {
		.msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct br_endpoint from;
	int ttl = 0, tos = 0;

	assert_int_equal(recvmsg(fd, &message, MSG_DONTWAIT), sent->length);
	assert_memory_equal(bytes, sent->payload, sent->length);
	assert_true(br_endpoint_from_sockaddr(&name, &from));
	assert_true(br_addr_equal(&from.addr, &copy->local));
	assert_int_equal(ntohs(from.port), number);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_type == IP_TOS && c->cmsg_level == IPPROTO_IP)
			tos = *CMSG_DATA(c);
		else if (c->cmsg_type == IPV6_TCLASS && c->cmsg_level == IPPROTO_IPV6)
			memcpy(&tos, CMSG_DATA(c), sizeof(tos));
		else
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	}
	assert_int_equal(ttl, sent->ttl - 1);
	assert_int_equal(tos, sent->tos);
}

/* Copies of one payload to both families, from the addresses asked for; a bad one between. */
static void sends_to_many(void **state)
{
	static const char *const addrs[] = {"127.0.0.3", "127.0.0.4", "::1"};
	const uint8_t bytes[] = {0x80, 96, 7, 8, 9};
	struct br_datagram datagram = {
		.payload = bytes, .length = sizeof(bytes), .ttl = 33, .tos = 0x2e};
	struct br_port_copy copies[COUNT(addrs) + 1] = {0};
	struct br_error error = {0};
	struct br_port *port;
	int fds[COUNT(addrs)];
	uv_loop_t loop;
	uint16_t number = free_port(), to;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	for (size_t i = 0; i < COUNT(addrs); i++) {
		fds[i] = listening_socket(addrs[i], &to);
		if (fds[i] < 0)
			skip(); /* no IPv6 here */
		assert_true(br_addr_parse(addrs[i], &copies[i].remote.addr));
		copies[i].remote.port = htons(to);
		assert_true(br_addr_parse(i == 2 ? "::1" : "127.0.0.9", &copies[i].local));
		copies[i].error = 1;
	}
	/* a source address that is not ours */
	copies[3] = copies[1];
	copies[1] = copies[0];
	assert_true(br_addr_parse("192.0.2.1", &copies[1].local));
	br_port_send(port, &datagram, copies, COUNT(copies));
	assert_int_equal(copies[0].error, 0);
	assert_true(copies[1].error < 0); /* which one depends on the routes here */
	assert_int_equal(copies[2].error, 0);
	assert_int_equal(copies[3].error, 0);
	check_copy(fds[0], &datagram, &copies[0], number);
	check_copy(fds[1], &datagram, &copies[3], number);
	check_copy(fds[2], &datagram, &copies[2], number);
	for (size_t i = 0; i < COUNT(addrs); i++)
		close(fds[i]);
	br_port_close(port);
	close_loop(&loop);
}

/* A payload that no UDP packet can hold is refused, whether it may be cut or not. */
static void refuses_what_is_too_long(void **state)
{
	static const uint8_t bytes[65536];
	struct br_datagram datagram = {.payload = bytes, .ttl = 64};
	struct br_port_copy copy = {0};
	struct br_error error = {0};
	struct br_port *port;
	uv_loop_t loop;
	uint16_t number = free_port(), to;
	int fd = bound_socket("::1", 0, &to);

	(void)state;
	if (fd < 0)
		skip(); /* no IPv6 here */
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(br_port_open(&loop, number, &port, &error), 0);
	assert_true(br_addr_parse("::1", &copy.remote.addr));
	assert_true(br_addr_parse("::1", &copy.local));
	copy.remote.port = htons(to);
	for (int dont = 0; dont <= 1; dont++) {
		datagram.dont_fragment = dont;
		datagram.length = 65400;
		br_port_send(port, &datagram, &copy, 1);
		assert_int_equal(copy.error, 0);
		datagram.length = 65530;
		br_port_send(port, &datagram, &copy, 1);
		assert_int_equal(copy.error, -EMSGSIZE);
	}
	close(fd);
	br_port_close(port);
	close_loop(&loop);
}

static void class_names(void **state)
{
	(void)state;
	assert_string_equal(br_class_name(BR_CLASS_UNKNOWN), "unknown");
	assert_string_equal(br_class_name(BR_CLASS_RTCP), "rtcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_by_class),	    cmocka_unit_test(counts_bytes),
		cmocka_unit_test(counts_overflows),	    cmocka_unit_test(port_in_use),
		cmocka_unit_test(tells_the_reader),	    cmocka_unit_test(sends_to_many),
		cmocka_unit_test(refuses_what_is_too_long), cmocka_unit_test(class_names),
	};

	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
