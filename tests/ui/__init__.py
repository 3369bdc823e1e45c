"""Tests of what is typed and what is shown."""
