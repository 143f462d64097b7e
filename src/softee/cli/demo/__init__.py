# SPDX-License-Identifier: Apache-2.0
"""The walkthrough of OP-TEE's documentation, "Linux userland integration: PKCS#11 driver", with real programs.

``walkthrough`` is the table of steps, ``checks`` says what their answers must hold, ``runner`` interprets the table,
``stage`` is the throw-away secure world and directory that it runs in.
"""
