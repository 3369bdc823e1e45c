"""The tests, and programs that measure, attack and show the program: each runs by its entry point in scripts."""
