"""`anonp2p doctor`: checks of this machine and its Tor, by the same ways as the program itself goes."""
