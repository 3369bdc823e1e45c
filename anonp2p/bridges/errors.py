"""What can be wrong with bridges as they are given. A bridge's line is a secret: none of it is in an error."""

from anonp2p.errors import Usage


class BadBridge(Usage):
    sentence = "A bridge cannot be used: {detail}. --bridge takes its line as you got it, or a file of such lines."


class NoBridges(BadBridge):
    about = "what was given has none"


class BridgesUnreadable(BadBridge):
    about = "what was given is no line, and cannot be read as a file ({})"


class TooManyBridges(BadBridge):
    about = "there are more than {}, or their lines are too long"


class BridgeUnprintable(BadBridge):
    about = "number {} has characters that no bridge line has"


class BridgeAddressMissing(BadBridge):
    about = "number {} has no IP address with a port where one has to be"


class TransportUnknown(BadBridge):
    about = "number {} is of a kind that is not supported (those are {})"


class BadFingerprint(BadBridge):
    about = "number {} has a fingerprint that is not 40 hexadecimal digits"


class BadBridgeArgument(BadBridge):
    about = "number {} has something after its fingerprint that is not NAME=VALUE"


class BridgeArgumentMissing(BadBridge):
    about = "number {} lacks {}=, without which its kind does not work"


class BridgeTransportMissing(BadBridge):
    about = "number {} does not say of which kind it is before its address"
