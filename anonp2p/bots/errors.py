"""What a program asks of a room here, and does otherwise, or not at all."""

from anonp2p.errors import BadInput, UnknownCommand


class NoSuchCommand(UnknownCommand):
    """Does not hold what was typed, as a person is shown it: it may be a code, or what somebody said."""

    sentence = "There is no such command; /help lists them all."


class CreateElsewhere(BadInput):
    sentence = "A program creates a room with the method create of its Tor."


class JoinElsewhere(BadInput):
    sentence = "A program joins a room with the method join of its Tor."


class NothingToSwitch(BadInput):
    sentence = "A program has each room apart: none of them is the active one."


class NobodyToQuery(BadInput):
    sentence = (
        "A program says of each text for whom it is: /msg NICK TEXT is for one member, all others are for everybody."
    )


class QuitElsewhere(BadInput):
    sentence = "A program leaves a room with /leave, or with the block in which it has the room."


class NothingToClear(BadInput):
    sentence = "There is no screen here to clear."


class NoClipboard(BadInput):
    sentence = "There is no clipboard here: the room has its code as an attribute, and events have what was said."


class NobodyToNotify(BadInput):
    sentence = "There is no terminal here that could call anybody: events say what happens."


class NoText(BadInput):
    sentence = "There is no text there to send."


class NothingTyped(BadInput):
    sentence = "There is nothing on that line."
