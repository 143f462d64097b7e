# SPDX-License-Identifier: Apache-2.0
"""The walkthrough of OP-TEE's documentation, "Linux userland integration: PKCS#11 driver", with real programs.

``walkthrough`` is the table of steps, ``runner`` interprets it, ``stage`` is the throw-away secure world and directory
that it runs in. Every answer is checked, by what does not change with a program's version where there is such a thing:
its exit status (``checks``), the files that it made (``files``), the token's own state (``token``, ``mechanisms``).
What is left, a program's text, is looked for with the few expressions of ``patterns``.
"""
