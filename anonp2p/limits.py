"""Every number that bounds or paces something, with its unit and its reason."""

from typing import Final

# What people may write.
TEXT: Final = 4_000  # bytes of UTF-8 in a message: a screenful; seven of them fit a burst
NICK: Final = 20  # characters: fits a column of a narrow terminal
ROOM_NAME: Final = 40  # characters: fits a tab
INPUT_LINE: Final = 65_536  # bytes of one typed or piped line: a JSON object with a full text, all of it escaped, fits

# The wire.
PORT: Final = 1984  # virtual port of every room's onion service, fixed by the interface
UNIT: Final = 480  # bytes: what a cell of Tor carries; a payload is 1, 2, 4, ... or 128 of them, whatever it says
BURST: Final = 64 * UNIT  # bytes of a payload with entries: half of what the largest could be, so that little is filler
FRAMES: Final = 16  # frames in one record: a host needs 4 ms for as many entries, before others have their turn
READ: Final = 16_384  # bytes asked of the kernel at once: the smallest frames in them take a few milliseconds

# Keys.
DOOR: Final = 60.0  # seconds for which a host's handshake key greets newcomers: recordings of older ones stay closed
SKIPPED: Final = 128  # generations of an author that may be left out in a row: what a host denied
PAGE: Final = 28_000  # bytes of a Welcome in one frame: in a record of 64 units it leaves little filler
PAGES: Final = 40  # of a Welcome: 1,000 members, now and as of the history, fill 16
COMMIT_PAUSE: Final = 5.0  # seconds between commits that take out those who left or were lost
EPOCH: Final = 1_800.0  # seconds without a commit: fresh secrets for all
SLICES: Final = 60.0  # seconds for which a commit's secret is kept for links that have not come to it
RENEWING: Final = 64  # members up to which all renew their leaves after a commit without cause
EVIDENCE: Final = 16  # proofs against a host that are kept, and told: one is enough
WHY: Final = 200  # characters of the reason for throwing somebody out

# The room.
ROOMS: Final = 20  # rooms of one process at once: more than anybody reads
MEMBERS: Final = 1_000  # the design's target; a host beyond it is told that the room is full
LOG_BYTES: Final = 16 * 1024 * 1024  # bytes of ordered entries a host keeps: 4,000 of the longest messages
LOG_ENTRIES: Final = 10_000  # entries a host keeps: how far a slow reader may lag behind a fast room
BATCH: Final = 256 * 1024  # bytes of entries written to a link at once: a full frame fits; what a stuck reader pins
PENDING: Final = 256  # inputs awaiting their place or the room itself, before reading further input waits too
MAILBOX: Final = 48  # units of payloads, or other events, that a session holds, or takes in at once
TURN: Final = 100  # links given what is there before anything else has its turn: a millisecond or two
KEY_WAIT: Final = 10.0  # seconds for a recipient's key to come: a round trip of one, and what a slow link has to carry
OWN: Final = 2 * 1024 * 1024  # bytes waiting on a member's own link: the longest inputs, as many as are let wait
DIRECT: Final = 192 * 1024  # bytes waiting on one link of a host's alone, beside a welcome: ANSWER_BURST, and some more
FRAME_OVERHEAD: Final = 128  # bytes that a frame which waits takes in memory beside what it says

# What a message is worth.
STEP: Final = 64  # bytes by which the contents of entries grow, so that lengths say little
RETAIN: Final = 365 * 86_400  # seconds for which a message may be kept at most, unless it is as long as the room lasts
FLEETING: Final = 60.0  # seconds for which a message that is never kept waits for links that have not come to it
FLEETING_LOOK: Final = 1.0  # seconds between looks whether they have
FORMER: Final = 4_000  # looks of nicks that are free again, of whose next owner we warn: of 1,000 nicks or more
FORMER_SPEAKERS: Final = 4_000  # the same of nicks that were seen to speak: each costs an attacker a message more
EXPIRING: Final = 100_000  # shown messages whose end we remember: beyond it, those due first end early
NAP: Final = 5.0  # seconds after which we notice at last that the machine has slept, if anything is to expire
MARK: Final = 600_000  # milliseconds of a room between the places of its log that its safety words are made of
COVER: Final = 2.0  # seconds, on average, between records of cover: a message in a lively talk

# Handshake: what a stranger with the code can make a host hold.
# At 9 KiB and 0.3 ms a link, what follows is 2.4 MiB at most. A handshake takes a round trip over Tor, about a second.
# While all places are taken, with r newer links a second it survives t seconds with probability (1 - 1/256)^(r t): of
# 100 a second two in three, of 400 one in five; with 32 places it would be one in 24, and none. To take all places
# needs 128 circuits at once, each of which pays Tor's proof of work as soon as they queue.
HALF_OPEN: Final = 256  # links in handshake at once; with one more, a random one gives way
STREAMS: Final = 2  # streams of one circuit to a room: each dial of ours has its own; a proxy may let two share one
BACKLOG: Final = 4_096  # connections not accepted yet, the most that Linux has by itself: Tor's, behind a local flood
ACCEPT_PAUSE: Final = 0.1  # seconds until we look whether the system has room for another connection again
HANDSHAKE_SECONDS: Final = 30.0  # a slow circuit answers within; a slow-loris holds one slot that long
HELLO: Final = 4 * UNIT  # bytes of a hello on the wire: it has 1,256 of its own
KNOCK: Final = 8 * UNIT  # bytes of a knock on the wire, all that a stranger may send before being admitted

# Pace of one member, on all its links: so many at once, then so many a second. Who is faster is read more slowly, or
# told so; nobody else notices.
MESSAGE_BURST: Final = 4_096  # units of one member at once: 4,000 messages of 300 characters
MESSAGE_RATE: Final = 256.0  # units of one member a second: a third of what Tor carries to 30 members
ENTRY_BURST: Final = 4_000  # entries of one member at once, however small: two fifths of the log; a large file pasted
ENTRY_RATE: Final = 128.0  # of them a second: who never stops needs 47 s for the whole log; nobody writes as fast
ANSWER_BURST: Final = 160 * 1024  # bytes of leaves that one member asks for at once: all of a room of RENEWING, twice
ANSWER_RATE: Final = 16_384.0  # of them a second: all of such a room again each COMMIT_PAUSE
PAUSE: Final = (
    10.0  # seconds for which a link is not read at once: ANSWER_BURST takes as long; a dead one is noticed then
)
JOIN_BURST: Final = 200  # joins and resumptions at once: a large room that comes back after an outage
JOIN_RATE: Final = 50.0  # of them a second: each costs the host a signature, and a joiner each member an entry
NICK_BURST: Final = 5  # changes of nick of one member at once: somebody who cannot decide
NICK_RATE: Final = 0.1  # of them a second
OTHER_NICKS: Final = 8  # asked for in turn where one is held: Ann-2 to Ann-9, a dial each; few are killed more often
PRIVATE_BURST: Final = 30  # private messages of one member at once: each costs each other member 80 us of trying
PRIVATE_RATE: Final = 1.0  # of them a second

# Liveness (seconds).
BEAT: Final = 5.0  # a link that carried nothing for this long carries a beat
BEAT_JITTER: Final = 0.2  # relative: beats of many links do not fall together
AWAY: Final = 20.0  # without a word: the member is away
PLACE: Final = 600.0  # without a word: its place is given up
READER: Final = 60.0  # who was in for so long, without a word, keeps its place as long without a link: it may come back
LINK_LOST: Final = 15.0  # three beats missed: the link is dead, whatever Tor believes

# Dialling (seconds).
DIAL_TRIES: Final = (15.0, 25.0, 40.0)  # for each try in turn, the last repeats: usual dials take 0.3-20
DIAL_PATIENCE: Final = 120.0  # in all, for circuits that are slow or break
GONE_PATIENCE: Final = 45.0  # in all, while Tor finds no trace of the room: a new descriptor appears within 30
DIAL_PAUSE: Final = 1.0  # before the next try; grows by half each time
DIAL_PAUSE_MAX: Final = 8.0
FETCH: Final = 5.0  # for Tor to fetch a room's descriptor: a circuit and a request, both usually of a second

# Tor (seconds).
CONTROL: Final = 5.0  # an answer on a control port; a healthy Tor answers within milliseconds
LAUNCH: Final = 20.0  # from starting our own Tor to its control socket
TOR_SPACE: Final = 8 * 1024 * 1024  # bytes our own Tor's directory has to hold at least: the real network's consensus
LEFT_BEHIND: Final = 20  # directories of programs that were killed, removed at one start: each takes milliseconds
LOOKED_AT: Final = 10_000  # names in each directory where those may be: 10 ms, whatever others put there
BOOT_STALL: Final = 180.0  # without any progress of Tor's boot: give up
BOOT_SLOW: Final = 30.0  # without any progress: say so
TOR_PATIENCE: Final = 60.0  # for a Tor that was lost to be had again
TOR_RETRY: Final = 1.0  # between tries to have it
TOR_STOP: Final = 0.7  # for our own Tor to end when asked, before it is killed

# The control port of a Tor, and who may listen there.
CONTROL_LINE: Final = 8 * 1024  # bytes of a line of a reply: the longest that we ask for names a few listeners
CONTROL_REPLY: Final = 64 * 1024  # bytes of a reply or an event: the longest that we ask for have a few lines
EVENT_COST: Final = 256  # bytes that an event counts for besides its own: what it costs to be read
EVENT_BURST: Final = 512 * 1024  # bytes of events at once: 1,000 rooms of other users that are published together
EVENT_RATE: Final = 128 * 1024.0  # bytes of events a second: 300 of them; who is faster is read more slowly
COOKIE: Final = 32  # bytes of a Tor's authentication cookie, by control-spec 3.24
SYSTEM_UIDS: Final = 1_000  # uids below it are no persons', by the custom of distributions (SYS_UID_MAX)
OVERFLOW_UID: Final = 65_534  # who stands for users of other namespaces, unless the kernel says another

# Leaving (seconds). Together under the 3 that quitting may take.
LEAVE: Final = 1.5  # for one's own last lines and the leave to be ordered
FLUSH: Final = 1.0  # for the host's last entries to go out
WITHDRAW: Final = 0.4  # for Tor to take a service down, and for its control port to be hung up on
LINGER: Final = 5.0  # for a peer to read the last words on its link and close it
EOF_PATIENCE: Final = 60.0  # for what was typed before the end of input

PRINT: Final = 0.3  # for the last events to be printed

SCROLLBACK: Final = 5_000  # entries of a room that the full screen keeps: a long day's talk
SCROLLBACK_BYTES: Final = 4 * 1024 * 1024  # bytes of them, about: 1,000 of the longest messages
BANNERS: Final = 20  # alarms of one room that wait to be put away
LOOKALIKES: Final = 1_000  # nicks that others had, of one room, that wait to be told of: as many as are in a room
NAMED: Final = 4  # of them named at once: with the longest nicks they fit a third of a screen of 50 by 24
MERGED: Final = 200  # comings and goings told as one
SENT: Final = 200  # texts of a room's input line to go back to: more than anybody does
SENT_BYTES: Final = 256 * 1024  # of them together: 64 of the longest messages
UNDOS: Final = 100  # states of a text to go back to
KILLS: Final = 10  # texts that were cut, to be yanked
ESCAPE: Final = 0.125  # seconds: what follows an ESC sooner belongs to it; what is typed after the key Esc comes later
SEQUENCE: Final = 1.0  # seconds: a terminal's answer in pieces goes on within, over slow links too
PASTE_PAUSE: Final = 1.0  # seconds without a byte after which a paste ends that has no end: as for answers
PASTE_REST: Final = 10.0  # seconds for the rest of such a paste to come, whose line breaks must not send it
FOREGROUND: Final = (
    0.3  # seconds between looks whether the shell has given the terminal back: who types fg waits so long
)
HANG_UP: Final = 0.2  # seconds in which the signal that says so comes, when a terminal has hung up
LOOK: Final = 0.001  # seconds a member between looks at who is there: each costs 25 us a member
FRAME: Final = 1 / 30  # seconds between pictures, unless a key is pressed: as often as one sees
ROWS_OF_INPUT: Final = 8  # of what is typed in sight at once
LINES_SHOWN: Final = 40  # of a message on terminals: a screenful; 4,000 bytes can be 4,001 lines, which hide all else
LONG: Final = 8  # lines of a message beyond which the full screen asks before it is sent
COMPLAINTS: Final = 10  # of errors of ours that are told after a full screen: the first ones tell the most

PIPED_LINE: Final = 80  # columns at which what others say is folded on a pipe: common terminals have no fewer
OUTPUT: Final = 64 * 1024 * 1024  # bytes of printed events nobody has read yet: beyond it nobody ever will

# This machine.
FILES: Final = 32_768  # open files: as many full rooms as one process can be in, their strangers, and ourselves
MEMORY: Final = 96 * 1024 * 1024  # bytes left at the start at least: a host takes 72 MiB, mostly stacks of threads

# Packages: the oldest versions that the tests pass with, as in pyproject.toml. Distributions have older ones. Those
# that are not here are checked otherwise (cryptography, for what it can do), or loaded only when asked for (segno).
VERSIONS: Final = {
    "msgspec": (0, 18, 6),
    "stem": (1, 8, 2),  # the first for Python 3.11, which has no inspect.getargspec
    "trio": (0, 27),  # the first whose move_on_after takes `shield`
    "urwid": (5, 1),  # older ones read the end of input otherwise, and have no InputClosedError
    "wcwidth": (0, 6),  # older ones fail tests of widths, of flags among others
}
