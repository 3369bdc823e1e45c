"""The log: entries kept until they expire, a reader for each link, and what newcomers are shown."""
