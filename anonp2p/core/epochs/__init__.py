"""The secrets that the members of a room share, epoch by epoch: flat group key agreement (PROTOCOL.md, 6)."""
