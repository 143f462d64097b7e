#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the root file system of a container: Debian's smallest, with softee's package and its user, as root alone can.
# Arguments: the package, and where to; nothing may be there.
set -euo pipefail
package=$1 root=$2
release=bookworm
mirror=http://deb.debian.org/debian
# The user's number is the one that clients in other containers name.
id=10001

# What debootstrap and apt mount ends with them, whatever happens.
[ -n "${UNSHARED:-}" ] || UNSHARED=1 exec unshare --mount "$0" "$@"

debootstrap --variant=minbase "$release" "$root" "$mirror" >&2
cp "$package" "$root/tmp/softee.deb"
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -euc "
    groupadd --system --gid $id softee
    useradd --system --uid $id --gid softee --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin softee
    apt-get --quiet update
    apt-get --quiet install --yes --no-install-recommends /tmp/softee.deb
    apt-get clean
    install --directory --owner=softee --group=softee --mode=0755 /run/softee
    echo 'socket_mode = 0o660' >> /etc/softee/softee.toml
    rm -rf /tmp/softee.deb /var/lib/apt/lists/* /var/log/* /usr/sbin/policy-rc.d /etc/resolv.conf
" >&2
