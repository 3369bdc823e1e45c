"""A connection to Tor and the rooms over it: what bots and the program both stand on, by way of the library."""
