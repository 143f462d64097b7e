# SPDX-License-Identifier: Apache-2.0
"""``softee web``: a page that shows a running secure world, and changes nothing."""
