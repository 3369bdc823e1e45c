"""Benches: what a host does under load; see scripts/bench."""
