"""Carries out what the core decides, with trio; decides nothing itself."""
