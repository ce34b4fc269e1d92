# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Real media for the demo: an ffmpeg publisher, and receivers that decode with ffmpeg or with
# GStreamer. Needs scripts/lib/netns.sh.
#
# SRTP keys: ffmpeg and gst-launch take a key only on their command lines (ffmpeg: also from
# an SDP file, which the receivers use). These keys are made for one run, live for a minute in
# namespaces of this script, and protect a test picture. Do not copy this for real media.

MEDIA_SUITE=AES_CM_128_HMAC_SHA1_80
MEDIA_SIZE=320x240
MEDIA_RATE=25
MEDIA_KEY_EVERY=12 # frames: who joins waits at most half a second for a key frame
MEDIA_VIDEO_PORT=5000
MEDIA_AUDIO_PORT=5002

# A fresh SRTP master key and salt (30 bytes, RFC 3711), in base64.
media_key() { head -c 30 /dev/urandom | base64 -w 0; }

# media_sdp FILE FAMILY ADDRESS KEY: what a receiver needs to know (RFC 4568).
media_sdp()
{
	(
		umask 077
		cat >"$1" <<-END
			v=0
			o=- 0 0 IN IP$2 $3
			s=blindrelay demo
			c=IN IP$2 $3
			t=0 0
			m=video $MEDIA_VIDEO_PORT RTP/SAVP 96
			a=rtpmap:96 VP8/90000
			a=crypto:1 $MEDIA_SUITE inline:$4
			a=recvonly
			m=audio $MEDIA_AUDIO_PORT RTP/SAVP 97
			a=rtpmap:97 opus/48000/2
			a=crypto:1 $MEDIA_SUITE inline:$4
			a=recvonly
		END
	)
}

# media_receive_ffmpeg HOST FAMILY ADDRESS KEY SSRC_VIDEO SSRC_AUDIO
# Writes one line per decoded picture to $BR_TMP/HOST.frames, per decoded piece of sound to
# HOST.sound, and HOST.png anew every second.
media_receive_ffmpeg()
{
	local base=$BR_TMP/$1
	media_sdp "$base.sdp" "$2" "$3" "$4"
	br_spawn "$1" "$base.log" ffmpeg -nostdin -hide_banner -loglevel warning \
		-protocol_whitelist file,udp,rtp,srtp -i "$base.sdp" \
		-map 0:v -fps_mode passthrough -f framemd5 -y "$base.frames" \
		-map 0:a -f framemd5 -y "$base.sound" \
		-map 0:v -vf fps=1 -update 1 -y "$base.png"
}

# media_receive_gstreamer HOST FAMILY ADDRESS KEY SSRC_VIDEO SSRC_AUDIO
# Every decoded picture adds $MEDIA_THUMB bytes to $BR_TMP/HOST.frames (it is shrunk to 16 x 16 grey
# pixels), every 20 ms of decoded sound $MEDIA_PIECE bytes to HOST.sound.
MEDIA_THUMB=256
MEDIA_PIECE=160
media_receive_gstreamer()
{
	local base=$BR_TMP/$1 key caps video audio
	key=$(printf %s "$4" | base64 -d | od -An -v -tx1 | tr -d ' \n')
	caps="srtp-key=(buffer)$key,srtp-cipher=(string)aes-128-icm,srtp-auth=(string)hmac-sha1-80"
	caps="$caps,srtcp-cipher=(string)aes-128-icm,srtcp-auth=(string)hmac-sha1-80"
	video="application/x-srtp,media=video,clock-rate=90000,encoding-name=VP8,payload=96"
	audio="application/x-srtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=97"
	# srtpdec tells RTCP from RTP on one port (RFC 5761); its RTCP is checked and dropped.
	br_spawn "$1" "$base.log" gst-launch-1.0 -q \
		udpsrc address="$3" port=$MEDIA_VIDEO_PORT caps="$video,ssrc=(uint)$5,$caps" ! \
		srtpdec name=v v.rtcp_src ! fakesink async=false v.rtp_src ! \
		rtpjitterbuffer latency=100 ! rtpvp8depay ! vp8dec ! \
		tee name=t ! queue ! videoscale ! videoconvert ! \
		video/x-raw,format=GRAY8,width=16,height=16 ! \
		filesink location="$base.frames" buffer-mode=unbuffered async=false \
		t. ! queue ! videoconvert ! videorate ! video/x-raw,framerate=1/1 ! pngenc ! \
		multifilesink location="$base.png" sync=false async=false \
		udpsrc address="$3" port=$MEDIA_AUDIO_PORT caps="$audio,ssrc=(uint)$6,$caps" ! \
		srtpdec name=a a.rtcp_src ! fakesink async=false a.rtp_src ! \
		rtpjitterbuffer latency=100 ! rtpopusdepay ! opusdec ! \
		audioconvert ! audioresample ! audio/x-raw,format=U8,rate=8000,channels=1 ! \
		filesink location="$base.sound" buffer-mode=unbuffered async=false
}

# media_frames HOST DECODER, media_sound HOST DECODER: decoded so far.
media_frames() { media_decoded "$1" "$2" frames; }
media_sound() { media_decoded "$1" "$2" sound; }
media_decoded()
{
	local file=$BR_TMP/$1.$3 size=$MEDIA_THUMB
	[ -f "$file" ] || {
		echo 0
		return
	}
	[ "$3" = frames ] || size=$MEDIA_PIECE
	case $2 in
	ffmpeg) grep -cv '^#' "$file" ;;
	gstreamer) echo $(($(stat -c %s "$file") / size)) ;;
	esac
}

# media_stop PID: tell a receiver to finish its files. ffmpeg looks at the signal when the next
# packet arrives, and throws its files away at a second one: stop it while packets still come.
media_stop()
{
	kill -INT "$1" 2>/dev/null
	br_wait_gone "$1" 5 || kill -KILL "$1" 2>/dev/null
}

# media_output STREAM TYPE SSRC KEY HOST PORT LOCAL: one output of ffmpeg's tee: RTP from port LOCAL
# and RTCP from LOCAL + 1, both to PORT.
media_output()
{
	printf '[select=%s:f=rtp:ssrc=%s:payload_type=%s:rtpflags=send_bye' "$1" "$3" "$2"
	printf ':srtp_out_suite=%s:srtp_out_params=%s]' "$MEDIA_SUITE" "$4"
	printf 'srtp://%s:%s?rtcpport=%s&localrtpport=%s&localrtcpport=%s&pkt_size=1200' \
		"$5" "$6" "$6" "$7" $(($7 + 1))
}

# media_mux_rtcp HOST FIRST...: ffmpeg can send RTCP to the port of RTP (RFC 5761) but not from
# it. The host's firewall corrects that for the two pairs of ports from FIRST.
media_mux_rtcp()
{
	local host=$1 first port rules=
	shift
	for first in "$@"; do
		for port in "$first" $((first + 2)); do
			rules+="udp sport $((port + 1)) udp sport set $port"$'\n'
		done
	done
	br_in "$host" nft -f - <<-END
		table inet mux {
			chain out {
				type filter hook output priority mangle
				$rules
			}
		}
	END
}

# media_publish HOST SECONDS OUTPUTS: encode a moving test picture and a tone once and send to
# the outputs (of media_output, joined by `|`). Progress comes on descriptor 3, the pid is left
# in BR_PID.
media_publish()
{
	exec 3< <(exec ip netns exec "$(br_ns "$1")" ffmpeg -nostdin -hide_banner -loglevel warning \
		-stats_period 1 -progress pipe:1 -nostats \
		-re -f lavfi -i "testsrc2=size=$MEDIA_SIZE:rate=$MEDIA_RATE" \
		-re -f lavfi -i sine=frequency=440:sample_rate=48000 -t "$2" \
		-map 0:v -map 1:a -c:v libvpx -deadline realtime -cpu-used 8 -b:v 400k \
		-g $MEDIA_KEY_EVERY -auto-alt-ref 0 -c:a libopus -b:a 48k -ac 2 \
		-f tee "$3" 2>"$BR_TMP/$1.log")
	BR_PID=$!
	BR_PIDS+=("$BR_PID")
}
