"""What a room does while we are its host."""
