#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a container image of the Debian package over Debian's smallest system, by packaging/container/Containerfile, with
# podman, buildah or docker. As root: nobody else can make a root file system.
set -euo pipefail
builder=
# Health checks are docker's: the OCI's own format has none.
for known in "podman build --format docker" "buildah bud --format docker" "docker build"; do
    command -v "${known%% *}" >/dev/null && { builder=$known; break; }
done
if [ -z "$builder" ]; then
    echo "softee: there is no podman, buildah or docker here; install one of them." >&2
    exit 1
elif [ "$(id -u)" -ne 0 ]; then
    echo "softee: only root can make the image's file system; run: sudo make image" >&2
    exit 1
fi
package=$(ls -t build/deb/softee_*~deb12_*.deb | head -n 1)
context=build/image root=build/image-root
rm -rf "$context" "$root"
mkdir -p "$context"
tools/make_root.sh "$package" "$root"
tar --create --numeric-owner --file "$context/root.tar" --directory "$root" .
rm -rf "$root"
exec $builder --tag softee --file packaging/container/Containerfile "$context"
