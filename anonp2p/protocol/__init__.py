"""Bytes to typed values and back, bounded and strict."""
