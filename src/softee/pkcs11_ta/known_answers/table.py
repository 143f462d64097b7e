# SPDX-License-Identifier: Apache-2.0
"""All known answers."""

from typing import Final

from softee.pkcs11_ta.known_answers.answers import KnownAnswer
from softee.pkcs11_ta.known_answers.at_start import AT_START
from softee.pkcs11_ta.known_answers.ciphers import CIPHERS
from softee.pkcs11_ta.known_answers.derivations import DERIVATIONS
from softee.pkcs11_ta.known_answers.hashes import HASHES
from softee.pkcs11_ta.known_answers.public_keys import PUBLIC_KEYS

KNOWN_ANSWERS: Final[tuple[KnownAnswer, ...]] = (*AT_START, *HASHES, *CIPHERS, *PUBLIC_KEYS, *DERIVATIONS)
"""To add one, write a row into the module of its family."""
