# SPDX-License-Identifier: Apache-2.0
"""``softee audit``: the log of security events."""

from softee.cli.lazy import LazyGroup, Row

audit = LazyGroup(
    "audit",
    "Show the log of security events, and verify it.",
    {
        "show": Row("softee.cli.audit.show", "Show events, as they come with --follow."),
        "verify": Row("softee.cli.audit.verify", "Say whether the log is as it was written."),
        "key": Row("softee.cli.audit.key", "Print the public key by which the log is signed."),
    },
)
