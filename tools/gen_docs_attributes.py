# SPDX-License-Identifier: Apache-2.0
"""Write docs/generated/attributes.md from the tables of object kinds; with --check, only say whether it is stale."""

import sys
from collections.abc import Iterable

from generation import main
from softee.names import UNAVAILABLE_INFORMATION
from softee.pkcs11_ta.attributes.codecs import CODECS
from softee.pkcs11_ta.attributes.uses import Rule, Unset, Use
from softee.pkcs11_ta.objects.kinds import KINDS, PROFILE, ObjectKind

NOTE = "<!-- Made by tools/gen_docs_attributes.py from src/softee/pkcs11_ta/objects/kinds.py. Do not edit. -->"

WORDS: dict[Rule, str] = {
    Rule.REQUIRED_ON_CREATE: "needed to create",
    Rule.FORBIDDEN_ON_CREATE: "not given to create",
    Rule.REQUIRED_ON_GENERATE: "needed to generate",
    Rule.FORBIDDEN_ON_GENERATE: "not given to generate",
    Rule.REQUIRED_ON_UNWRAP: "needed to unwrap",
    Rule.FORBIDDEN_ON_UNWRAP: "not given to unwrap",
    Rule.HIDDEN_WHEN_SENSITIVE: "hidden while sensitive or not extractable",
    Rule.MODIFIABLE: "may be changed",
    Rule.MODIFIABLE_BY_COPY: "may be changed by a copy",
    Rule.ONLY_SO_SETS: "the security officer's to set",
    Rule.STICKY_TRUE: "stays true",
    Rule.STICKY_FALSE: "stays false",
}


def page() -> str:
    """Return the page."""
    lines = ["# The objects and their attributes", NOTE, ""]
    lines += ["What the token keeps, with the rules of the standard's footnotes (PKCS#11 3.2, table 13) in words."]
    for kind in KINDS:
        lines += _kind(kind)
    lines += _kind(PROFILE)
    lines += ["", "The token presents it of itself: nobody makes, changes, copies or destroys one."]
    return "\n".join(lines) + "\n"


def _kind(kind: ObjectKind) -> Iterable[str]:
    yield ""
    yield f"## {kind.name[0].upper()}{kind.name[1:]}"
    yield ""
    yield f"CKA_CLASS is CKO_{kind.object_class.name}."
    if kind.frozen_when_trusted:
        yield "While CKA_TRUSTED is true, nothing may be changed."
    yield ""
    yield "| attribute | type | default | rules |"
    yield "|---|---|---|---|"
    yield from map(_row, kind.rows)


def _row(use: Use) -> str:
    words = "; ".join(text for rule, text in WORDS.items() if rule in use.rules)
    return f"| CKA_{use.type.name} | {CODECS[use.type].name} | {_default(use)} | {words} |"


def _default(use: Use) -> str:
    if isinstance(use.default, Unset):
        return ""
    if isinstance(use.default, bool):
        return str(use.default).lower()
    if isinstance(use.default, int):
        return "CK_UNAVAILABLE_INFORMATION" if use.default == UNAVAILABLE_INFORMATION else f"{use.default:#x}"
    return "empty"


if __name__ == "__main__":
    sys.exit(main(__doc__, {"docs/generated/attributes.md": page}))
