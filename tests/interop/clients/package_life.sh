#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The life of softee's package in a Debian without anything else: softee.deb beside it is installed, used by another user
# through its socket, upgraded, removed, installed again, purged. What is wrong ends it.
set -euo pipefail
mount -t proc proc /proc
PIN=87654321 SO_PIN=12345678

# Play the part of systemd, which does not run here: root's socket, the service's user.
serve() {
    rm -rf /run/softee
    install --directory --mode=0755 /run/softee
    systemd-socket-activate --listen=/run/softee/tee.sock \
        setpriv --reuid=softee --regid=softee --clear-groups --no-new-privs --bounding-set=-all \
        softee serve --config /etc/softee/softee.toml >>/var/log/softee.log 2>&1 &
    daemon=$!
    until [ -S /run/softee/tee.sock ]; do sleep 0.1; done
    chgrp softee /run/softee/tee.sock
    chmod 0660 /run/softee/tee.sock
}
stop() { kill "$daemon" && wait "$daemon"; }

# As a web server is: another user, in the group softee, without a single variable.
client() {
    env -i /usr/bin/setpriv --reuid=www-data --regid=www-data --init-groups /usr/bin/pkcs11-tool \
        --module "$(echo /usr/lib/*/pkcs11/libckteec.so.0)" "$@"
}
sign() {
    echo hello >/tmp/data
    client --login --pin $PIN --sign --mechanism ECDSA-SHA256 --id 01 --input-file /tmp/data --output-file /dev/null
    echo "signed: $1"
}

dpkg --install "${0%/*}/softee.deb"
usermod --append --groups softee www-data
serve
client --slot 0 --init-token --label life --so-pin $SO_PIN
client --slot 0 --login --login-type so --so-pin $SO_PIN --init-pin --pin $PIN
client --login --pin $PIN --keypairgen --key-type EC:prime256v1 --id 01
sign "at first"
echo "served by: $(stat --format=%U /proc/$daemon)"
echo "known: $(softee --version)"
stop

dpkg --install "${0%/*}/softee.deb"
serve && sign "after an upgrade" && stop
dpkg --remove softee
[ ! -e /usr/lib/softee ] && [ ! -e /usr/bin/softee ]
dpkg --install "${0%/*}/softee.deb"
serve && sign "after a removal" && stop
dpkg --purge softee
echo "left: $(find /etc/softee /var/lib/softee -name root.key -o -name softee.db | sort | tr '\n' ' ')"
dpkg --install "${0%/*}/softee.deb"
gpasswd --delete www-data softee
SOFTEE_PURGE_KEYS=yes dpkg --purge softee
[ ! -e /etc/softee ] && [ ! -e /var/lib/softee ] && ! getent passwd softee
echo "gone"
cat /var/log/softee.log
