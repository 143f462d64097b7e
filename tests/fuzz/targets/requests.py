# SPDX-License-Identifier: Apache-2.0
"""Any bytes are a command's request, or are refused with WireError; what decodes, encodes to the same bytes."""

from fuzz.targets.data import Data
from softee.pkcs11_ta.abi.commands import COMMANDS
from softee.wire.codec import WireError


def one_input(raw: bytes) -> None:
    """Decode bytes as the request of some command."""
    data = Data(raw)
    command = data.choose(COMMANDS)
    control = data.rest()
    try:
        request = command.decode(control)
    except WireError:
        return
    assert command.encode(request) == control
