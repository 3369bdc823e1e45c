"""Carries out what the room decides, with trio."""
