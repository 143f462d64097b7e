# SPDX-License-Identifier: Apache-2.0
"""A throw-away PKCS#11 token for each test; ``plugin`` has the fixtures, and the README says how to use them."""

from pytest_softee.tokens import SofteeToken

__all__ = ["SofteeToken"]
