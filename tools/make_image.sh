#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a container image of the Debian package, by packaging/container/Containerfile, with podman or buildah.
set -euo pipefail
package=$(ls -t build/deb/softee_*~deb12_*.deb | head -n 1)
cp "$package" build/deb/softee.deb
for builder in "podman build" "buildah bud" "docker build"; do
    if command -v "${builder%% *}" >/dev/null; then
        exec $builder --tag softee --file packaging/container/Containerfile build/deb
    fi
done
echo "softee: there is no podman, buildah or docker here; install one of them, or build packaging/container/Containerfile elsewhere." >&2
exit 1
