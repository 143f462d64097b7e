#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that softee's demo and tests need and that are not there yet.
# Without root or sudo that asks for no password it says which ones are missing, and fails.
# Arguments: further packages to look for (those of the case below).
set -euo pipefail

has_program() { command -v "$1" >/dev/null; }
has_engine() { openssl engine pkcs11 >/dev/null 2>&1; }
has_venv() { "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null; }
has_python_headers() {
    "${PYTHON:-python3}" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}
has_softhsm() { [ -e /usr/lib/softhsm/libsofthsm2.so ]; }
has_libp11() { /sbin/ldconfig -p | grep "libp11\.so\.3 " >/dev/null; }
# Where services run, the package would open port 22 to everybody: there it is for people to install.
has_sshd() { [ -x /usr/sbin/sshd ] || [ -d /run/systemd/system ]; }
has_nginx() { [ -x /usr/sbin/nginx ] || [ -d /run/systemd/system ]; } # likewise
has_p11_kit_client() { compgen -G '/usr/lib/*/pkcs11/p11-kit-client.so' >/dev/null; }
has_libfuzzer() { clang -fsanitize=fuzzer -x c /dev/null -shared -o /dev/null 2>/dev/null; }
has_tss() { pkg-config --exists tss2-esys tss2-fapi; }
has_arm64_libc() { [ -e /usr/aarch64-linux-gnu/include/stdio.h ]; }

missing=()
need() { # PACKAGE CHECK...
    local package=$1
    shift
    "$@" || missing+=("$package")
}

need build-essential has_program gcc
need python3-venv has_venv
need patchelf has_program patchelf
need opensc has_program pkcs11-tool
need openssl has_program openssl
need libengine-pkcs11-openssl has_engine
need curl has_program curl
need p11-kit has_program p11-kit
need gnutls-bin has_program p11tool
need openssh-client has_program ssh-keygen
need pkg-config has_program pkg-config # tpm2-pytss, which talks to TPMs, is built with these
need libtss2-dev has_tss
need python3-dev has_python_headers
need swtpm has_program swtpm
for package in "$@"; do
    case $package in
        softhsm2) need softhsm2 has_softhsm ;;
        default-jdk-headless) need default-jdk-headless has_program jarsigner ;;
        libp11-dev) need libp11-dev has_libp11 ;; # which brings the library, whatever its package is called
        openssh-client) need openssh-client has_program ssh-keygen ;;
        openssh-server) need openssh-server has_sshd ;;
        p11-kit-modules) need p11-kit-modules has_p11_kit_client ;;
        libnss3-tools) need libnss3-tools has_program certutil ;;
        nginx) need nginx has_nginx ;;
        nodejs) need nodejs has_program node ;;
        npm) need npm has_program npm ;; # Debian's brings the headers that modules in C++ are built with
        clang) need clang has_program clang ;;
        libclang-rt-dev) need libclang-rt-dev has_libfuzzer ;; # which has libFuzzer
        valgrind) need valgrind has_program valgrind ;;
        musl-tools) need musl-tools has_program musl-gcc ;;
        podman) need podman has_program podman ;;
        debootstrap) need debootstrap has_program debootstrap ;;
        gcc-aarch64-linux-gnu) need gcc-aarch64-linux-gnu has_program aarch64-linux-gnu-gcc ;;
        libc6-dev-arm64-cross) need libc6-dev-arm64-cross has_arm64_libc ;;
        qemu-user) need qemu-user has_program qemu-aarch64 ;;
        *) echo "softee: no check is known for the package $package." >&2; exit 2 ;;
    esac
done

[ ${#missing[@]} -eq 0 ] && exit 0

install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}")
if ! has_program apt-get; then
    echo "softee: this is no Debian system; install what Debian calls: ${missing[*]}" >&2
    exit 1
elif [ "$(id -u)" -eq 0 ]; then
    apt-get update && "${install[@]}"
elif has_program sudo && sudo -n true 2>/dev/null; then
    sudo -n apt-get update && sudo -n "${install[@]}"
else
    echo "softee: these Debian packages are missing: ${missing[*]}" >&2
    echo "softee: install them with: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
