#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs softee for the whole machine: the C part, units, headers and documents by meson; Python's part in a virtual
# environment of its own, PREFIX/lib/softee, which the softee command leads to.
# Arguments: PREFIX, and DESTDIR, which is put before every path (a packager's; empty otherwise).
set -euo pipefail
prefix=$1 destdir=${2:-}
home=$prefix/lib/softee

rm -rf build/install
meson setup -Dpython=false --prefix="$prefix" build/install >/dev/null
meson compile -C build/install >/dev/null
DESTDIR=$destdir meson install -C build/install --no-rebuild >/dev/null

rm -rf "$destdir$home"
/usr/bin/env -u PYTHONDONTWRITEBYTECODE "${PYTHON:-python3}" -m venv "$destdir$home"
"$destdir$home/bin/python" -m pip install --quiet --disable-pip-version-check .
# Its programs name the Python of the place where they are installed now.
[ -z "$destdir" ] || grep -rIl --null "^#!$destdir$home" "$destdir$home/bin" | xargs -0 --no-run-if-empty sed -i "1s,#!$destdir,#!,"
mkdir -p "$destdir$prefix/bin"
ln -sfn ../lib/softee/bin/softee "$destdir$prefix/bin/softee"

echo "softee is in $destdir$prefix. As a service:"
echo "  systemd-sysusers && systemd-tmpfiles --create && ldconfig"
echo "  cp $prefix/share/doc/softee/examples/softee.toml /etc/softee/"
echo "  systemctl daemon-reload && systemctl enable --now softee.socket"
