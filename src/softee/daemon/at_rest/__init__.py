# SPDX-License-Identifier: Apache-2.0
"""What an operator does to a state that no secure world uses, and files in which it leaves its machine."""
