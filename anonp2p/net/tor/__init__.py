"""Tor: found or started, its control port, its SOCKS port, who else on the machine may pass for it."""
