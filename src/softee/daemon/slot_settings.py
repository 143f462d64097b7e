# SPDX-License-Identifier: Apache-2.0
"""What settings say of a slot: its profile, and what is to be otherwise. ``policies.py`` makes a policy of it."""

from typing import Annotated, Literal

import msgspec

ProfileName = Literal["portable", "optee", "strict"]
"""The names of softee.pkcs11_ta.token.profiles, which this module does not import: it takes the cryptography along."""

Names = tuple[str | int, ...]
"""Mechanisms, users or groups, by name or by number."""


Count = Annotated[int, msgspec.Meta(ge=1)]


class SlotSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a slot's token allows and assumes. None: as the slot's default, and in the end its profile, has it.

    A token has no more key sizes and curves than its profile; a switch goes either way.
    """

    profile: ProfileName | None = None
    """The profile: what programs count on, what a board with OP-TEE does, or portable less what is weak."""
    added_mechanisms: Names | None = None
    """Mechanisms besides the profile's."""
    allowed_mechanisms: Names | None = None
    """The only mechanisms, of the profile's and those added."""
    refused_mechanisms: Names | None = None
    """Mechanisms that there are not, added and allowed or not."""
    key_sizes: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)
    """The smallest and the largest key by type: bits of RSA and EC, bytes of AES and generic secrets."""
    curves: tuple[str, ...] | None = None
    """The only curves."""
    users: Names | None = None
    """Those who see and use the slot, besides the members of ``groups``; neither: everybody."""
    groups: Names | None = None
    """Groups whose members see and use the slot, besides ``users``."""
    wrap_and_decrypt_apart: bool | None = None
    """Whether a key that wraps others may not decrypt, nor one that unwraps encrypt."""
    check_values: bool | None = None
    """Whether keys have a CKA_CHECK_VALUE."""
    ec_point: Literal["der", "raw"] | None = None
    """How CKA_EC_POINT of Edwards and Montgomery keys is shown: in a DER OCTET STRING, or with nothing around it."""
    digest_keys: bool | None = None
    """Whether C_DigestKey digests keys."""
    wrap_with_ecb_and_cbc: bool | None = None
    """Whether keys are wrapped with AES-ECB and AES-CBC, which do not notice that a wrapped key was altered."""
    objects_per_token: Count | None = None
    """Objects on the token; 200,000 where nothing is said."""
    bytes_per_token: Count | None = None
    """Bytes that they take in the store; 256 MiB."""
    objects_without_login: Count | None = None
    """Objects on the token up to which others add to them than those who are logged in; 10,000."""
    bytes_without_login: Count | None = None
    """Bytes likewise; 64 MiB."""
