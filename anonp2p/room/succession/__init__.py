"""Who hosts a room when its host is gone: pure rules, from values to decisions (PROTOCOL.md, 8)."""
