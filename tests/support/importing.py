# SPDX-License-Identifier: Apache-2.0
"""Imports as C_CreateObject makes them, without a token: rules, checks, and what follows from the parts."""

from collections.abc import Mapping

import pytest

from softee.names import CKR
from softee.pkcs11_ta.abi.errors import Pkcs11Error
from softee.pkcs11_ta.attributes.values import AttributeValue, Given
from softee.pkcs11_ta.objects import rules
from softee.pkcs11_ta.objects.content import complete
from support.samples import as_template


def imported(attributes: Mapping[int, AttributeValue]) -> Given:
    """Return the attributes of the object that a template makes."""
    made = rules.make(rules.parse(as_template(attributes)), rules.CREATE, is_so=False)
    complete(made)
    return made


def refusal(attributes: Mapping[int, AttributeValue]) -> CKR:
    """Return why a template makes no object."""
    with pytest.raises(Pkcs11Error) as refused:
        imported(attributes)
    return refused.value.rv
