"""The tests: properties are checked on the same examples in every run, however slow the machine."""

from hypothesis import settings

settings.register_profile("anonp2p", deadline=None, derandomize=True, database=None, max_examples=100)
settings.load_profile("anonp2p")
