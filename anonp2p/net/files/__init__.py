"""Carries files between members, each over onion services and circuits of its own; decides nothing."""
