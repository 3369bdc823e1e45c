"""What a second implementation of docs/PROTOCOL.md is held against, and the program that makes it."""
