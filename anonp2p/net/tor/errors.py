"""What can go wrong with a Tor: kinds of the errors in `anonp2p.errors`, with their words."""

from enum import Enum

from anonp2p.errors import Failed, TorLost, TorMissing, TorRefused, TorUntrusted


class TorNotInstalled(TorMissing):
    about = "install it (Debian, Ubuntu: apt install tor) or point --control at a running one"


class PluginMissing(TorMissing):
    sentence = "Tor lacks a plugin for its bridges: {detail}."
    about = "those of {} need {}, on your PATH (Debian: apt install {})"


class NoControlPort(TorMissing):
    about = "there is no control port to use at {} ({})"


class NoControlPortFound(TorMissing):
    about = "no running Tor has a control port where we looked; name it with --control"


class SocksPortMissing(TorMissing):
    about = "nothing answers at the SOCKS port {}"


class ControlPortForbidden(TorRefused):
    about = (
        "we may not open its control port {}, as its group may; to join that: sudo adduser $USER {}, then log in again"
    )


class NotControlPort(TorRefused):
    about = "what listens at {} is no control port of Tor"


class ControlPortHungUp(TorRefused):
    about = "what listens at {} is no control port of Tor, or it hung up"


class ControlPortSilent(TorRefused):
    about = "what listens at {} does not answer as a control port of Tor does"


class CommandRefused(TorRefused):
    about = "what it answers to {} cannot be understood"


class NotLetIn(TorRefused):
    about = "its control port {} does not let us in"


class CookieForbidden(TorRefused):
    about = (
        "its control port {} has a cookie that we may not read, as its group may; to join that: sudo adduser $USER {}, "
        "then log in again"
    )


class CookieElsewhere(TorRefused):
    about = (
        "its control port {} names a cookie file that is not to be found here, as where a Tor runs in a container, or "
        "Tor Browser in flatpak: its SOCKS port (--socks) is enough to join rooms, --tor own creates them"
    )


class HiddenByFlatpak(TorMissing):
    about = (
        "flatpak, in which this program runs, hides the control port of a Tor outside: flatpak override --user "
        "--filesystem=/run/tor, and this program's name, lets it be seen"
    )


class CookieMissing(TorRefused):
    about = "its control port {} names a cookie file that holds no cookie, or that belongs to another user"


class CookieUnknown(TorRefused):
    about = "what listens at {} does not know the cookie that it names, so it is not a Tor of yours"


class PasswordNeeded(TorRefused):
    about = (
        "its control port {} wants a password: name it with --control on a terminal to be asked for it, or a file that "
        "has it in ANONP2P_CONTROL_PASSWORD_FILE (- for standard input), or allow cookies in its torrc "
        "(CookieAuthentication 1)"
    )


class OpenToAll(TorRefused):
    about = (
        "its control port {} asks for no authentication, which is trusted only if you or root listens there; name it "
        "with --control"
    )


class NoAuthentication(TorRefused):
    about = "its control port {} offers no authentication method that we use (SAFECOOKIE, a password, or none)"


class TorOffline(TorRefused):
    about = "the Tor at {} has not reached its network yet"


class BootStalled(TorRefused):
    about = "it does not reach its network and is stuck at {} % ({})"


class BootComplained(TorRefused):
    about = "it does not reach its network, is stuck at {} % ({}), and says: {}"


class BridgesFailed(TorRefused):
    about = "it is stuck at {} % ({}) and says: {} (if that lasts, its bridges are of no use: get others)"


class BridgesSilent(TorRefused):
    about = "it does not reach its network and is stuck at {} % ({}): none of its bridges answers; get others"


class NoSocksPort(TorRefused):
    about = "it has no SOCKS port; name one with --socks"


class NoLocalSocksPort(TorRefused):
    about = "it names no SOCKS port on this machine; name one with --socks"


class SocksPortUntold(TorRefused):
    about = "it does not say where its SOCKS port is, and none is where they usually are; name one with --socks"


class NotSocksPort(TorRefused):
    about = "what listens at {} is no SOCKS port of Tor"


class ControlPortNeeded(TorRefused):
    about = "--socks alone is enough to join a room, but creating one needs a control port (--control)"


class ControlPortUnusable(TorRefused):
    about = "its SOCKS port alone is enough to join a room, but creating one needs a control port, and {}"


class NotPublished(TorRefused):
    about = "it does not publish the room (it answers {})"


class PublishingForbidden(TorRefused):
    about = (
        "a filter before it (such as onion-grater) forbids ADD_ONION, by which a room is created, and answers {}; "
        "joining rooms works. scripts/packaging has profiles for Whonix and Tails that allow it"
    )


class InvitationNeedsControl(TorRefused):
    about = (
        "a private room is found with the key of an invitation, which Tor takes at its control port alone: name it "
        "with --control, or leave --socks out"
    )


class ClientKeyRefused(TorRefused):
    about = (
        "it does not take the key of an invitation to a private room (it answers {}); where a filter stands before it, "
        "scripts/packaging has profiles for Whonix and Tails that allow it"
    )


class GatewayUnknown(TorRefused):
    about = "it runs on another machine, and nothing here says which one that is; name its address with --control"


class ListenNeeded(TorRefused):
    about = "it runs on another machine: say where it reaches us with --listen HOST:PORT"


class PeersUnknown(TorRefused):
    about = "this system does not tell which user connects to the room; try --tor own"


class NotStartable(TorRefused):
    about = "{} does not start: {}"


class OwnTorFailed(TorRefused):
    about = "our own Tor did not start: {}"  # and Tor's own words


class OwnTorSilent(TorRefused):
    about = "our own Tor did not start: it said nothing"


class NoMemoryDirectory(TorRefused):
    about = "this machine has no usable directory that lives in memory (tmpfs), as --amnesic and --bridge need"


class NoTemporaryDirectory(TorRefused):
    about = "this machine has no usable directory for temporary files"


class UnknownListener(TorUntrusted):
    about = "an unknown user listens at {}"


class ForeignListener(TorUntrusted):
    about = "uid {} listens at {}"


class ControlConnectionLost(TorLost):
    about = "its control port hung up"


class ControlConnectionSilent(TorLost):
    about = "its control port does not answer"


class TorEnded(TorLost):
    about = "it ended, or hung up on us"


class TorEndedStarting(TorLost):
    about = "it ended while starting"


class SocksPortLost(TorLost):
    about = "nothing answers at its SOCKS port {}"


class SocksPortUnknown(TorLost):
    """It does not name one that we can use any more."""


class SocksPortTaken(TorLost):
    about = "its SOCKS port belongs to another user now: {}"


class NoRoomSocket(Failed):
    sentence = "No socket could be opened for the room: {detail}."


class NoPortLeft(Failed):
    sentence = (
        "All ports at which this Tor reaches us are taken: /leave a room, or end an offer of a file by /decline, first."
    )


class NoTorDirectory(Failed):
    sentence = "There is no place for Tor's directory ({detail}). Free some, or let --amnesic keep it in memory."


class NoAmnesicDirectory(Failed):
    sentence = "There is no place for Tor's directory ({detail})."


class NoHome(Failed):
    sentence = (
        "There is no place for Tor's directory: this user has no home. Set XDG_STATE_HOME, or keep it in memory with "
        "--amnesic."
    )


class UnsafeTorDirectory(Failed):
    sentence = (
        "Tor's directory is not safe: {detail}. Remove that, set XDG_STATE_HOME to another place, or keep it in memory "
        "with --amnesic."
    )


class Unsafety(Enum):
    """Why another user of this machine could change a path."""

    LOOP = "leads in a circle"
    LINK = "is a symbolic link"
    NOT_A_DIRECTORY = "is no directory"
    NOT_OUR_FILE = "is not a file that is ours alone"
    OTHER_OWNER = "belongs to another user"
    WRITABLE = "can be written to by other users"


class Unfit(Enum):
    """Why a place is not used for what is temporary."""

    RELATIVE = "is no absolute path"
    MISSING = "is not there"
    UNSAFE = "could be changed by other users"
    NAME = "has a name too long for sockets, or with characters that Tor does not take there"
    CLOSED = "cannot be written to"
