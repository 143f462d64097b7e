# SPDX-License-Identifier: Apache-2.0
"""The values of attributes, decoded."""

from collections.abc import Mapping
from typing import Any

AttributeValue = bool | int | bytes | bytearray | tuple[Any, ...]
"""A decoded attribute: CK_BBOOL, CK_ULONG, bytes (big integers: big-endian), or a list (mechanisms, a template)."""

Attributes = Mapping[int, AttributeValue]
"""Attributes by type (CKA, or a plain int where the type has no name)."""

Parts = dict[int, AttributeValue]
"""Attributes that make a key, or belong to one: private ones are SecretBytes."""

Given = dict[int, AttributeValue]
"""Decoded attributes of a template, or of an object in the making."""
