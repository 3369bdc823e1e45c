"""What stands behind the library."""
