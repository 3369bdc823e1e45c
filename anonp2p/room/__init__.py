"""The room's state machine: no I/O, no clock, and no randomness that is not passed in."""
