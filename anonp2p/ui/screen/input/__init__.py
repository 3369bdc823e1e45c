"""What the user types: keys, the input line, drafts."""
