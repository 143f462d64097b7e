# SPDX-License-Identifier: Apache-2.0
"""``softee import p12``, ``pkcs8`` and ``pem``: ``softee key import``, of files in one format alone."""

from softee.cli.key.importing import import_command
from softee.cli.key.reading import Format

p12 = import_command(
    "p12", "Put the private key and the certificates in FILE, which is PKCS#12, on a token.", [Format.PKCS12]
)
pkcs8 = import_command(
    "pkcs8", "Put the private key in FILE, which is PKCS#8 in PEM or DER, on a token.", [Format.PEM, Format.DER]
)
pem = import_command("pem", "Put the private key in FILE, which is PEM, on a token.", [Format.PEM, Format.SSH])
