"""Keys and signatures, and the secrets that members share, epoch by epoch (PROTOCOL.md, 6)."""
