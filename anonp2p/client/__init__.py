"""Several rooms over one Tor: what bots and the program both stand on, by way of the library."""
