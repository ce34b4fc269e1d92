# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# shellcheck disable=SC2034 # used by the scripts that source this
#
# The real daemon on a host in a namespace, requests with curl, checks with jq. Source it and
# call api_begin "$@"; api_end prints the sum. One line `ok NAME` or `not ok NAME` per check.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=scripts/lib/netns.sh
. scripts/lib/netns.sh

API_PORT=8080
PASSED=0
FAILED=0

# api_begin [FOLDER]: FOLDER holds the programs; else $BR_BUILD, else build.
api_begin()
{
	local folder=${1:-${BR_BUILD:-build}} tool
	for tool in curl jq; do
		command -v $tool >/dev/null || br_die "$tool is missing: run scripts/install-deps.sh"
	done
	for tool in blindrelayd blindrelay blindrelay-lab; do
		[ -x "$folder/$tool" ] || br_die "$folder/$tool is missing: run make first"
	done
	DAEMON=$(realpath "$folder/blindrelayd")
	CTL=$(realpath "$folder/blindrelay")
	LAB=$(realpath "$folder/blindrelay-lab")
	br_net_begin
	SOCKET=$BR_TMP/run/control.sock
	# no configuration file, no proxy
	CURL=(curl -q -sS --noproxy '*' --max-time 20)
	br_net_switch
	br_net_host relay 1
	br_net_host peer 2
}

# daemon_start [FLAG]...: returns when it is ready, fails when it is not within 20 seconds.
daemon_start()
{
	br_spawn relay "$BR_TMP/daemon.log" "$DAEMON" --interface media --socket "$SOCKET" \
		--listen "127.0.0.1:$API_PORT" --static-allow "$BR_NET4.0/24" \
		--static-allow "$BR_NET6/64" "$@"
	DAEMON_PID=$BR_PID
	"$CTL" --socket "$SOCKET" health --wait 20 >"$BR_TMP/health" 2>&1 && return
	cat "$BR_TMP/health" "$BR_TMP/daemon.log"
	return 1
}

# daemon_stop: its exit status in DAEMON_STATUS
daemon_stop()
{
	br_stop "$DAEMON_PID"
	DAEMON_STATUS=$?
}

# report NAME COMMAND...: a check is what a command says.
report()
{
	local name=$1
	shift
	if "$@" >"$BR_TMP/report" 2>&1; then
		echo "ok $name"
		PASSED=$((PASSED + 1))
		return 0
	fi
	echo "not ok $name"
	FAILED=$((FAILED + 1))
	echo "    failed: $*"
	sed 's/^/    /' "$BR_TMP/report"
	[ -z "${STATUS:-}" ] || echo "    last answer: $STATUS $(head -c 400 "$BR_TMP/body")"
	return 1
}

# request METHOD PATH [CURL OPTION]...: STATUS, $BR_TMP/body, $BR_TMP/head
request()
{
	local method=$1 path=$2
	shift 2
	: >"$BR_TMP/body"
	[ "$method" != HEAD ] || set -- --head "$@"
	STATUS=$("${CURL[@]}" --unix-socket "$SOCKET" --path-as-is -X "$method" \
		-o "$BR_TMP/body" -D "$BR_TMP/head" -w '%{http_code}' "$@" "http://localhost$path" \
		2>"$BR_TMP/curl")
}

# post PATH JSON, patch PATH JSON, put PATH JSON: as request, with the right type
post() { request POST "$1" -H 'Content-Type: application/json' --data-binary "$2"; }
patch() { request PATCH "$1" -H 'Content-Type: application/json' --data-binary "$2"; }
put() { request PUT "$1" -H 'Content-Type: application/json' --data-binary "$2"; }

header() { sed -n "s/\r\$//; s/^$1: //Ip" "$BR_TMP/head"; }
body_is() { jq -e "$@" "$BR_TMP/body" >/dev/null; }
is() { [ "$1" = "$2" ] || { echo "expected \"$2\", got \"$1\""; false; }; }

# answers NAME STATUS [JQ CONDITION]...: about the last request
answers()
{
	local name=$1 status=$2 condition
	shift 2
	for condition in "$@"; do
		body_is "$condition" || {
			report "$name" sh -c "echo 'body fails: $(printf %s "$condition" | tr -d "'")'; false"
			return
		}
	done
	report "$name" is "$STATUS" "$status"
}

# problem NAME STATUS FIELD: the last answer is problem+json that blames FIELD ("": none)
problem()
{
	report "$1" problem_is "$2" "$3"
}

problem_is()
{
	is "$STATUS" "$1" && is "$(header Content-Type)" application/problem+json &&
		body_is --argjson status "$1" --arg field "$2" '
			.status == $status and (.field // "") == $field and .type == "about:blank"
			and (.title | length) > 0 and (.detail | length) > 10
			and (keys - ["type", "title", "status", "detail", "field"]) == []'
}

# raw TEXT: send these bytes over TCP and print what comes back until the daemon closes.
# \r\n and other escapes of printf are understood.
raw()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	br_in relay timeout 10 bash -c '
		exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
		printf "$2" >&3
		cat <&3' raw "$API_PORT" "$1" 2>/dev/null | tr -d '\r\0'
}

api_end()
{
	echo "$PASSED passed, $FAILED failed"
	[ "$FAILED" = 0 ]
	exit
}
