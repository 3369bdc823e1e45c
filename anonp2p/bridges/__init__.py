"""Bridges: relays that are listed nowhere, by which a Tor enters its network where that is forbidden."""
