# SPDX-License-Identifier: Apache-2.0
"""How fast PKCS#11 modules are, side by side: ``softee bench``.

``rows`` is the table of what is timed. ``caller`` drives the C program that calls (native/bench), ``modules`` finds the
modules and gives each a throw-away token, ``floor`` is what no token can be faster than. ``rounds`` has them called in
turn, ``figures`` makes medians of what came, and ``table``, ``document`` and ``plot`` show them.
"""
