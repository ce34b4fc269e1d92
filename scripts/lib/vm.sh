# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# shellcheck disable=SC2034 # used by the scripts that source this
#
# A second kernel: one of Debian's, unpacked and never installed, booted by qemu into an initramfs
# that holds the programs under test with their libraries. No disk, no network: what the guest
# prints on its serial line is all that comes out. Source scripts/lib/netns.sh first.

VM_CACHE=${VM_CACHE:-build/vm}
VM_MEMORY=1024 # MiB

# vm_package VERSION: newest cloud kernel of that version, e.g. 6.1, that apt knows of.
vm_package()
{
	apt-cache pkgnames "linux-image-$1." 2>/dev/null | grep -E '^[a-z.0-9-]*-cloud-[a-z0-9]*$' |
		sort -V | tail -n 1
}

vm_download()
{
	(cd "$VM_CACHE" && apt-get -q download "$1") >"$VM_CACHE/apt.log" 2>&1
}

# vm_kernel VERSION: fetch and unpack it, once; sets VM_IMAGE and VM_MODULES. Without a mirror and
# without a copy it fails.
vm_kernel()
{
	local package tree
	mkdir -p "$VM_CACHE" || return 1
	VM_IMAGE=$(find "$VM_CACHE" -path "*/boot/vmlinuz-$1.*" | head -n 1)
	if [ -z "$VM_IMAGE" ]; then
		package=$(vm_package "$1")
		# Package lists that are missing or name what the mirror has no longer
		if [ -z "$package" ] || ! vm_download "$package"; then
			apt-get -q update >"$VM_CACHE/apt.log" 2>&1
			package=$(vm_package "$1")
			[ -n "$package" ] && vm_download "$package" || return 1
		fi
		tree=$VM_CACHE/$package
		rm -rf "$tree.new" "$tree"
		dpkg-deb -x "$VM_CACHE/$package"_*.deb "$tree.new" && mv "$tree.new" "$tree" &&
			rm -f "$VM_CACHE/$package"_*.deb || return 1
		VM_IMAGE=$(find "$tree/boot" -name 'vmlinuz-*')
	fi
	VM_MODULES=$(find "${VM_IMAGE%/boot/*}/lib/modules" "${VM_IMAGE%/boot/*}/usr/lib/modules" \
		-maxdepth 1 -name '[0-9]*' 2>/dev/null | head -n 1)
	[ -n "$VM_MODULES" ]
}

# vm_root: an empty root with busybox; sets VM_ROOT, inside $BR_TMP.
vm_root()
{
	VM_ROOT=$BR_TMP/root
	mkdir -p "$VM_ROOT"/{bin,sbin,lib,dev,proc,sys,run,tmp,var,etc,lib64,usr/bin} &&
		ln -s /run "$VM_ROOT/var/run" && cp /bin/busybox "$VM_ROOT/bin/busybox" &&
		ln -s busybox "$VM_ROOT/bin/sh"
}

# vm_add FILE [PATH IN THE GUEST]: a program or a file, with the libraries it needs.
vm_add()
{
	local file=$1 to=$VM_ROOT${2:-$1} library
	mkdir -p "${to%/*}" && cp -L "$file" "$to" || return 1
	for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
		[ -e "$VM_ROOT$library" ] || {
			mkdir -p "$VM_ROOT${library%/*}" && cp -L "$library" "$VM_ROOT$library"
		} || return 1
	done
}

# vm_add_tool NAME...: programs of this machine
vm_add_tool()
{
	local name
	for name; do
		vm_add "$(realpath "$(command -v "$name")")" "/usr/bin/$name" || return 1
	done
}

# vm_add_module NAME...: modules in the order in which the guest loads them
vm_add_module()
{
	local name file
	for name; do
		file=$(find "$VM_MODULES" -name "$name.ko*" | head -n 1)
		[ -n "$file" ] || continue # built in
		cp "$file" "$VM_ROOT/lib/$name.ko" && echo "$name" >>"$VM_ROOT/lib/modules" || return 1
	done
}

# vm_run LOG SECONDS: boot and wait for the end. Names of our own for the process and its files, so
# that several may run at once.
vm_run()
{
	(cd "$VM_ROOT" && find . | cpio --quiet -o -H newc) >"$BR_TMP/root.cpio" || return 1
	timeout -k 5 "$2" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m "$VM_MEMORY" \
		-nodefaults -no-reboot -display none -serial stdio -kernel "$VM_IMAGE" \
		-initrd "$BR_TMP/root.cpio" \
		-append "console=ttyS0 loglevel=3 panic=-1 random.trust_cpu=on" \
		>"$1" 2>&1 </dev/null &
	VM_PID=$!
	BR_PIDS+=("$VM_PID")
	wait "$VM_PID"
}
