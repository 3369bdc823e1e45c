"""Text in, text out: what is typed becomes actions, what happens becomes lines."""
