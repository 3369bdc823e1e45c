"""Fuzzers of what strangers, peers and users may send; see scripts/fuzz."""
