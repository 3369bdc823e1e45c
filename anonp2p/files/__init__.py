"""Files of the user's, on the disk: read to be offered, and written when one is fetched. All of it blocks."""
