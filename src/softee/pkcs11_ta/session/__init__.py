# SPDX-License-Identifier: Apache-2.0
"""Who talks to a token: clients, sessions, logins, active operations."""
