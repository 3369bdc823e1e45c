"""What a room does while we follow its host."""
