#!/bin/sh
# Run a program in a mount namespace that has a copy of a Debian root in WORK/root. All that is changed
# there is in memory, and gone when the namespace is.
# Usage: unshare -m private_root.sh BASE WORK PROGRAM [ARGUMENT...]
set -eu
base=$1 work=$2
shift 2

mount --make-rprivate /
mount -t tmpfs -o mode=755 packages "$work"
mkdir "$work/upper" "$work/workdir" "$work/root"
mount -t overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/workdir" packages \
    "$work/root" 2>/dev/null || cp -a "$base/." "$work/root"
mount -t proc proc "$work/root/proc"
mount -t tmpfs -o mode=755 packages "$work/root/run"
mkdir -p "$work/root/run/lock"
for device in full null random tty urandom zero; do
    [ -e "$work/root/dev/$device" ] || : >"$work/root/dev/$device"
    mount --bind "/dev/$device" "$work/root/dev/$device"
done
exec "$@"
