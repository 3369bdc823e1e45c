"""Nicks, room names, room codes and safety words: what they may be, and which look alike."""
