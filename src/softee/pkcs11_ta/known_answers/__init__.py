# SPDX-License-Identifier: Apache-2.0
"""Known answers: what mechanisms, and what seals the store, have to give for published inputs.

A library that was built, patched or loaded wrong is noticed before it is trusted with a key.
"""
