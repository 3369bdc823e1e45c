"""What can be wrong with what is typed, where only the program of who types it knows."""

from anonp2p.errors import BadInput, NotAllowed


class NothingToCopy(BadInput):
    sentence = "Nothing was copied: {detail}."


PRIVATE_CODE = "this room is private, and /invite makes the code that a guest joins with"


class CodeAsMessage(BadInput):
    sentence = "That is a room's code, and was not sent. /join CODE joins that room; the same line again says it here."


PATH_SAID = "That is a path, which may tell who you are"


class PathAsMessage(BadInput):
    sentence = f"{PATH_SAID}, and was not sent. /send PATH offers the file; the same line again says it here."


class NoBell(BadInput):
    sentence = "There is no terminal here whose bell could ring."


class ConversationOver(BadInput):
    sentence = "{detail} is not here any more, and nothing was sent. Esc, or /query alone, goes back to the room."


class NotInConversation(BadInput):
    sentence = "That would go to the whole room, and was not sent: Esc, or /query alone, goes back there first."


class NoConversation(BadInput):
    sentence = "There is no private conversation here: /query NICK begins one."


class IgnoresItself(BadInput):
    sentence = "You cannot ignore yourself."


class NobodyIgnored(BadInput):
    sentence = "You ignore nobody here who is called {detail}."


class RoomOver(NotAllowed):
    sentence = "This room is over: /leave puts it away."


class NotInRoom(NotAllowed):
    sentence = "You are not in this room, and nothing was sent. {detail}"


class TooMuchPending(NotAllowed):
    sentence = "Too much of yours is still on its way in this room: wait a little."


class OpenQuote(BadInput):
    sentence = "A quotation mark is not closed there; \\ goes before one that belongs to the name."


class PathInWords(BadInput):
    sentence = 'A path with spaces is put into quotes, as in {detail} "my report.pdf".'
