# SPDX-License-Identifier: Apache-2.0
"""``softee object``: whatever is on a token."""

from softee.cli.lazy import LazyGroup, Row

object_ = LazyGroup(
    "object",
    "List, show and delete whatever is on a token.",
    {
        "list": Row("softee.cli.object.commands", "List the objects on a token."),
        "show": Row("softee.cli.object.commands", "Show what an object is."),
        "delete": Row("softee.cli.object.commands", "Destroy objects."),
    },
)
