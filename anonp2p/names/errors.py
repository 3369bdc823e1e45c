"""What can be wrong with a room code: kinds of `anonp2p.errors.BadCode`, with their words."""

from anonp2p.errors import BadCode


class CodeWithPath(BadCode):
    about = "it goes on after the address, as a link to a web page does"


class CodeWithOtherPort(BadCode):
    about = "the port of rooms is always {}"


class CodeWithEnding(BadCode):
    about = "what follows its colon is neither the port {} nor a key of {} characters"


class KeyMistyped(BadCode):
    about = "the key after its colon does not check, so at least one character is mistyped"


class OldAddress(BadCode):
    about = "it is an onion address of version 2, which Tor no longer supports"


class KeyWithoutAddress(BadCode):
    about = "it is a private room's key without its address, or a code whose end is missing"


class CodeLength(BadCode):
    about = "a code has {} characters before .onion, and this has {}"


class CodeLetters(BadCode):
    about = "a code has only the letters a-z and the digits 2-7"


class CodeMistyped(BadCode):
    about = "its checksum is wrong, so at least one character is mistyped"
