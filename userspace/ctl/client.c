// SPDX-License-Identifier: BSD-2-Clause
/* Requests to the daemon with libcurl, and what is said when they fail. */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/version.h"

#define BR_CLIENT_SECONDS 30
#define BR_CLIENT_TURN_MS 250 /* between two looks at whether a stream is still wanted */

struct br_client_buffer {
	char *text;
	size_t length;
};

static size_t br_client_receive(char *bytes, size_t size, size_t count, void *context)
{
	struct br_client_buffer *buffer = context;
	char *text = realloc(buffer->text, buffer->length + size * count + 1);

	if (!text)
		return 0;
	memcpy(text + buffer->length, bytes, size * count);
	buffer->length += size * count;
	text[buffer->length] = '\0';
	buffer->text = text;
	return size * count;
}

static void br_client_url(const struct br_ctl_args *args, const char *path, char *out, size_t size)
{
	size_t length;

	if (!args->url) {
		snprintf(out, size, "http://localhost%s", path);
		return;
	}
	length = strlen(args->url);
	while (length && args->url[length - 1] == '/')
		length--;
	snprintf(out, size, "%.*s%s", (int)length, args->url, path);
}

/* What the socket call said, or what comes nearest to it. */
static int br_client_errno(CURL *curl, CURLcode code)
{
	long os = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os);
	if (os)
		return (int)-os;
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return -EHOSTUNREACH;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return -ECONNRESET;
	default:
		return -EPROTO;
	}
}

/* A handle that asks the daemon for @path; NULL without memory. */
static CURL *br_client_open(const struct br_ctl_args *args, const char *path)
{
	char url[2048];
	CURL *curl;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = curl_easy_init();
	if (!curl)
		return NULL;
	br_client_url(args, path, url, sizeof(url));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (!args->url)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, args->socket);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "blindrelay/" BR_VERSION);
	return curl;
}

static void br_client_close(CURL *curl)
{
	curl_easy_cleanup(curl);
	curl_global_cleanup();
}

int br_ctl_try(const struct br_ctl_args *args, const char *method, const char *path,
	       const char *body, struct br_reply *reply)
{
	struct br_client_buffer buffer = {0};
	struct curl_slist *headers = NULL;
	long status = 0;
	CURLcode code;
	CURL *curl = br_client_open(args, path);

	memset(reply, 0, sizeof(*reply));
	if (!curl)
		return -ENOMEM;
	curl_easy_setopt(curl, CURLOPT_TIMEOUT,
			 args->timeout ? (long)args->timeout : (long)BR_CLIENT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, br_client_receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &buffer);
	if (body) {
		headers = curl_slist_append(NULL, "Content-Type: application/json");
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	code = curl_easy_perform(curl);
	if (code == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		reply->text = buffer.text;
		reply->json = buffer.text ? cJSON_Parse(buffer.text) : NULL;
		reply->status = (int)status;
	} else {
		free(buffer.text);
		status = br_client_errno(curl, code);
	}
	curl_slist_free_all(headers);
	br_client_close(curl);
	return (int)status;
}

int br_ctl_unreachable(const struct br_ctl_args *args, int err)
{
	const char *where = args->url ? args->url : args->socket;

	fprintf(stderr, "blindrelay: no daemon answers on %s: %s\n", where, strerror(-err));
	if (err == -EACCES || err == -EPERM)
		fprintf(stderr, "run this as root, or as a member of the socket's group\n");
	else if (args->url)
		fprintf(stderr,
			"is blindrelayd running, and is its control.listen this address?\n");
	else
		fprintf(stderr, "is blindrelayd running? if its control.socket is another path, "
				"name it with --socket PATH\n");
	return BR_CTL_FAILED;
}

/* The daemon said no: its sentence, and the field it blames. */
static int br_client_refused(const struct br_reply *reply)
{
	const char *field = br_member_text(reply->json, "field");
	const char *detail = br_member_text(reply->json, "detail");

	if (!*detail) {
		fprintf(stderr, "blindrelay: the daemon answered with HTTP status %d\n",
			reply->status);
		return BR_CTL_FAILED;
	}
	fprintf(stderr, "blindrelay: %s%s%s\n", field, *field ? ": " : "", detail);
	if (reply->status == 404 && !strcmp(field, "room"))
		fprintf(stderr,
			"`blindrelay create ROOM` makes one, `blindrelay rooms` lists them\n");
	return BR_CTL_FAILED;
}

int br_ctl_request(const struct br_ctl_args *args, const char *method, const char *path,
		   const char *body, struct br_reply *reply)
{
	int status = br_ctl_try(args, method, path, body, reply), result;

	if (status < 0)
		return br_ctl_unreachable(args, status);
	if (status >= 200 && status < 300 && (reply->json || status == 204))
		return BR_CTL_OK;
	result = br_client_refused(reply);
	br_reply_free(reply);
	return result;
}

/* A body as it comes. What is refused comes as a problem, which is short. */
struct br_client_stream {
	CURL *curl;
	const struct br_ctl_sink *sink;
	struct br_client_buffer problem;
	bool unwanted;
};

static long br_client_status(CURL *curl)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t br_client_stream_receive(char *bytes, size_t size, size_t count, void *context)
{
	struct br_client_stream *stream = context;

	if (br_client_status(stream->curl) != 200)
		return br_client_receive(bytes, size, count, &stream->problem);
	if (stream->sink->take(stream->sink->context, bytes, size * count))
		return size * count;
	stream->unwanted = true;
	return 0;
}

static CURLcode br_client_stream_run(struct br_client_stream *stream, CURLM *multi)
{
	const CURLMsg *message;
	int running = 1, left;

	for (;;) {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return CURLE_FAILED_INIT;
		message = curl_multi_info_read(multi, &left);
		if (message)
			return message->data.result;
		if (!stream->sink->go_on(stream->sink->context)) {
			stream->unwanted = true;
			return CURLE_OK;
		}
		curl_multi_poll(multi, NULL, 0, BR_CLIENT_TURN_MS, NULL);
	}
}

static int br_client_stream_end(const struct br_ctl_args *args, struct br_client_stream *stream,
				CURLcode code)
{
	struct br_reply reply = {
		.status = (int)br_client_status(stream->curl),
		.text = stream->problem.text,
		.json = stream->problem.text ? cJSON_Parse(stream->problem.text) : NULL,
	};
	int result = BR_CTL_OK;

	if (stream->unwanted)
		result = BR_CTL_OK;
	else if (reply.status && reply.status != 200)
		result = br_client_refused(&reply);
	else if (code != CURLE_OK && !reply.status)
		result = br_ctl_unreachable(args, br_client_errno(stream->curl, code));
	else if (code != CURLE_OK) {
		fprintf(stderr, "blindrelay: the daemon broke off: %s\n", curl_easy_strerror(code));
		result = BR_CTL_FAILED;
	}
	br_reply_free(&reply);
	return result;
}

int br_ctl_stream(const struct br_ctl_args *args, const char *path, const struct br_ctl_sink *sink)
{
	struct br_client_stream stream = {.curl = br_client_open(args, path), .sink = sink};
	CURLM *multi = curl_multi_init();
	int result;

	if (!stream.curl || !multi) {
		fprintf(stderr, "blindrelay: out of memory\n");
		result = BR_CTL_FAILED;
	} else {
		curl_easy_setopt(stream.curl, CURLOPT_WRITEFUNCTION, br_client_stream_receive);
		curl_easy_setopt(stream.curl, CURLOPT_WRITEDATA, &stream);
		curl_multi_add_handle(multi, stream.curl);
		result = br_client_stream_end(args, &stream, br_client_stream_run(&stream, multi));
		curl_multi_remove_handle(multi, stream.curl);
	}
	curl_multi_cleanup(multi);
	br_client_close(stream.curl);
	return result;
}

/* Entries of the next page behind those there are; false without memory. */
static bool br_client_append(cJSON *all, const cJSON *page)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, page)
		if (!cJSON_AddItemToArray(all, cJSON_Duplicate(entry, true)))
			return false;
	return true;
}

int br_ctl_list(const struct br_ctl_args *args, const char *path, const char *key,
		struct br_reply *reply)
{
	int err = br_ctl_request(args, "GET", path, NULL, reply);
	char next[64], query[1100];

	while (!err && *br_member_text(reply->json, "next")) {
		struct br_reply page;

		snprintf(next, sizeof(next), "%s", br_member_text(reply->json, "next"));
		snprintf(query, sizeof(query), "%s?cursor=%s", path, next);
		err = br_ctl_request(args, "GET", query, NULL, &page);
		if (err)
			break;
		if (!br_client_append(cJSON_GetObjectItem(reply->json, key),
				      cJSON_GetObjectItem(page.json, key)) ||
		    !cJSON_ReplaceItemInObject(reply->json, "next",
					       cJSON_DetachItemFromObject(page.json, "next"))) {
			fprintf(stderr, "blindrelay: out of memory\n");
			err = BR_CTL_FAILED;
		}
		br_reply_free(&page);
		free(reply->text);
		reply->text = NULL;
	}
	if (err)
		br_reply_free(reply);
	return err;
}

void br_reply_print(const struct br_reply *reply)
{
	char *text;

	if (reply->text) {
		puts(reply->text);
		return;
	}
	text = cJSON_PrintUnformatted(reply->json);
	puts(text ? text : "null");
	cJSON_free(text);
}

void br_reply_free(struct br_reply *reply)
{
	free(reply->text);
	cJSON_Delete(reply->json);
	memset(reply, 0, sizeof(*reply));
}

void br_ctl_path(char *out, size_t size, const char *room, const char *tail, const char *leg)
{
	char *room_text = curl_easy_escape(NULL, room, 0);
	char *leg_text = leg ? curl_easy_escape(NULL, leg, 0) : NULL;

	snprintf(out, size, "/v1/rooms/%s%s%s", room_text ? room_text : "", tail,
		 leg_text ? leg_text : "");
	curl_free(room_text);
	curl_free(leg_text);
}

const char *br_member_text(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

double br_member_number(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}
