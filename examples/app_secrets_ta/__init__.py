# SPDX-License-Identifier: Apache-2.0
"""A trusted application that seals small secrets for whoever is logged in. It stores nothing of them."""
