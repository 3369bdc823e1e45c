"""Tests of the network's side."""
