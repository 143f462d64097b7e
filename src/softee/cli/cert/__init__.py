# SPDX-License-Identifier: Apache-2.0
"""``softee cert``: X.509 certificates on a token."""

from softee.cli.lazy import LazyGroup, Row

cert = LazyGroup(
    "cert",
    "Put certificates on a token, or make them.",
    {
        "import": Row("softee.cli.cert.storing", "Put a certificate from a file on a token."),
        "list": Row("softee.cli.cert.storing", "List the certificates on a token."),
        "self-signed": Row("softee.cli.cert.self_signed", "Make a certificate that a token's key signs itself."),
    },
)
