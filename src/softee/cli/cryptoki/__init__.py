# SPDX-License-Identifier: Apache-2.0
"""Any PKCS#11 module, called as an application calls it: softee's, a board's, SoftHSM's (decision 0015).

``module`` loads one, ``session`` does what the commands need on one of its tokens, ``choice`` says which token
and which objects a command line means, ``uri`` reads and writes their names (RFC 7512), ``described`` tells what an
object is. ``kinds`` is the table of keys that can be made; ``native`` and ``signing`` lead to `cryptography` and back.
"""
