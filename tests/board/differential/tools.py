# SPDX-License-Identifier: Apache-2.0
"""pkcs11-tool's commands in a row, the same program on both sides: what they print, and how they end."""

import re

from board.machine import Said

P11 = 'p11() { pkcs11-tool --module "$MODULE" "$@"; }'
USER = "p11 --login --pin 12345"
FILES = "printf data > data; printf '%016d' 7 > block; printf '%032d' 7 > digest"

COMMANDS = (
    "p11 --show-info",
    "p11 --list-slots",
    "p11 --list-token-slots",
    "p11 --list-objects",
    "p11 --init-token --label mytoken --so-pin 1234567890",
    "p11 --init-token --label mytoken --so-pin 9999999999",
    "p11 --login --so-pin 1234567890 --init-pin --pin 123",
    "p11 --login --so-pin 1234567890 --init-pin --pin 12345",
    "p11 --list-slots",
    "p11 --list-mechanisms",
    "p11 --login --pin 99999 --list-objects",
    "p11 --list-slots",
    f"{USER} --list-objects",
    *(
        f"{USER} --keypairgen --key-type {kind} --label {number} --id {number}"
        for number, kind in (
            ("01", "EC:prime256v1"),
            ("02", "EC:secp384r1"),
            ("03", "EC:secp521r1"),
            ("04", "EC:secp256k1"),
            ("05", "rsa:1024 --usage-sign --usage-decrypt"),
        )
    ),
    *(
        f"{USER} --keygen --key-type {kind} --label {number} --id {number} --extractable"
        for number, kind in (
            ("11", "AES:16"),
            ("12", "AES:24"),
            ("13", "AES:32"),
            ("14", "AES:17"),
            ("15", "GENERIC:32"),
        )
    ),
    f"{USER} --list-objects",
    "p11 --list-objects",
    f"{USER} --list-objects --type privkey",
    f"{USER} --list-objects --type secrkey",
    f"{USER} --write-object data --type data --label note",
    f"{USER} --read-object --type data --label note",
    f"{USER} --write-object digest --type secrkey --key-type AES:32 --id 16 --label given --usage-decrypt",
    f"{USER} --list-objects --type secrkey",
    f"{USER} --read-object --type pubkey --id 05 | wc -c",
    f"{USER} --read-object --type pubkey --id 01 | wc -c",
    *(
        f"{USER} --sign --mechanism {mechanism} --id {key} --input-file {data} --output-file signature && "
        f"{USER} --verify --mechanism {mechanism} --id {key} --input-file {data} --signature-file signature"
        for mechanism, key, data in (
            ("ECDSA", "01", "digest"),
            ("ECDSA-SHA256", "01", "data"),
            ("ECDSA-SHA384", "02", "data"),
            ("RSA-PKCS", "05", "data"),
            ("SHA256-RSA-PKCS", "05", "data"),
            ("SHA256-RSA-PKCS-PSS", "05", "data"),
        )
    ),
    f"{USER} --verify --mechanism SHA256-RSA-PKCS --id 05 --input-file digest --signature-file signature",
    *(
        f"{USER} --encrypt --mechanism {mechanism} --id 16 --input-file block --output-file sealed && "
        f"{USER} --decrypt --mechanism {mechanism} --id 16 --input-file sealed | wc -c"
        for mechanism in ("AES-ECB", "AES-CBC --iv 00000000000000000000000000000000")
    ),
    "p11 --hash --mechanism SHA256 --input-file data --output-file hashed && wc -c < hashed",
    "p11 --hash --mechanism MD5 --input-file data --output-file hashed && wc -c < hashed",
    "p11 --generate-random 33 | wc -c",
    f"{USER} --set-id 07 --type privkey --id 02",
    f"{USER} --list-objects --type privkey",
    f"{USER} --delete-object --type privkey --id 07",
    f"{USER} --delete-object --type privkey --id 07",
    "p11 --login --pin 12345 --change-pin --new-pin 54321",
    "p11 --login --pin 54321 --list-objects --type data",
    "p11 --login --login-type so --so-pin 1234567890 --list-objects",
    "p11 --init-token --label again --so-pin 1234567890",
    "p11 --list-token-slots",
)
"""Lines for a shell."""

_OWN = (
    (r"TEE UUID [0-9a-f-]{36}", "TEE UUID ..."),
    (r"serial num +: \S+", "serial num : ..."),
    (r"serial=[^;]*", "serial=..."),
    (r"EC_POINT: +[0-9a-f]+", "EC_POINT: ..."),
    (r"VALUE: +[0-9a-f]+", "VALUE: ..."),
    (r"Data object \d+", "Data object ..."),
    (r"/\S+/", "/"),
)
"""What every installation, and every key, has of its own."""


def in_words(said: Said) -> str:
    """What a command said, without what is each side's own. Its two outputs may come in another order."""
    text = said.output
    for own, instead in _OWN:
        text = re.sub(own, instead, text)
    lines = sorted(line.rstrip() for line in text.splitlines() if line.strip())
    return "\n".join([*lines, f"exit {said.status}"])
