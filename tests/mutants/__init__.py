"""Small changes to the program that the tests must notice: how strong the suite is, and stays when it is rewritten.

Each file of this folder lists mutants of one part of the program. A mutant is one edit of one file, with the reason why
it would matter and the tests that must fail when it is made:

    [[mutant]]
    file = "anonp2p/room/ledger.py"
    old = "expect(header.counter > author.counter,"    # stands exactly once in the file
    new = "expect(header.counter >= author.counter,"
    why = "a recorded entry could be ordered a second time"
    tests = ["tests/room/test_ledger.py"]              # arguments of pytest
"""
