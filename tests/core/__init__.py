"""Tests of the rules and the bytes: no I/O, no clock."""
