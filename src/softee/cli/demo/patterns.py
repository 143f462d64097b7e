# SPDX-License-Identifier: Apache-2.0
"""What of other programs' texts the walkthrough relies on: this table, and nothing else.

Most answers are judged by what does not change with a program's version: its exit status, the files that it made, the
token's own state. A row stands here where only the text tells. It looks for the token's words and the standards', not
for the program's sentences, and takes any blanks between them. ``tests/unit/test_cli_demo_texts.py`` holds each row
against what Debian 12's and 13's programs print (OpenSC 0.23 and 0.26, OpenSSL 3.0 and 3.5), and against a refusal.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """``what`` is to be found in a program's answer, in words; ``expression`` finds it, at a line's ends too."""

    what: str
    expression: str

    def findall(self, text: str) -> list[str]:
        """Return what is found, from each place: the expression's group, where it has one."""
        return re.findall(self.expression, text, re.MULTILINE)


LIBRARY = Pattern(
    "C_GetInfo's answer: Cryptoki 2.40, Linaro, OP-TEE's library",
    r"\b2\.40\b(?s:.*)\bLinaro\b(?s:.*)\bOP-TEE PKCS11 Cryptoki library\b",
)
SLOT = Pattern(
    "a slot, described with the installation's UUID",
    r"\bOP-TEE PKCS11 TA - TEE UUID [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
)
TOKEN = Pattern(
    "C_GetTokenInfo's answer: mytoken of Linaro, OP-TEE TA, PINs of 4 to 128 bytes",
    r"\bmytoken\b(?s:.*)\bLinaro\b(?s:.*)\bOP-TEE TA\b(?s:.*)\b4\b\W+128\b",
)
MECHANISM = Pattern("a mechanism by its name or number, with what it can do", r"^[ \t]+([\w-]+)(?:,.*)?,[ \t]*[a-z_]+")
SIGNATURE_RIGHT = Pattern("that the request's signature is right", r"(?i:\bverify OK\b)")  # 3.0 exits 0 in any case
LISTENING = Pattern("the port that the server listens at", r"^ACCEPT\s\S*:(\d+)$")
CERTIFICATE_WANTED = Pattern("TLS' alert 116, certificate_required", r"(?i:\bcertificate[ _]required\b)")
TLS_1_3 = Pattern("a new session of TLS 1.3", r"^New,\s*TLSv1\.3\b")
SERVED = Pattern("HTTP's status 200", r"HTTP/1\.\d 200\b")  # s_client may print it at the end of a line
