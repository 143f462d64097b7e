# SPDX-License-Identifier: Apache-2.0
"""``softee key``: keys on a token, and statements of where they come from."""

from softee.cli.lazy import LazyGroup, Row

key = LazyGroup(
    "key",
    "Make, import, export, wrap and attest keys.",
    {
        "attest": Row("softee.cli.key.attest", "State, signed, where a private key comes from."),
        "verify-attestation": Row("softee.cli.key.verify", "Show what such a statement proves."),
    },
)
