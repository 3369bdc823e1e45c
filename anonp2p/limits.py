"""Every number that bounds something or says how often it happens, with its unit and its reason."""

from typing import Final

# What people may write.
TEXT: Final = 4_000  # bytes of UTF-8 in a message: a screenful; seven of them fit into a batch
NICK: Final = 20  # characters: fits into a column of a narrow terminal
ROOM_NAME: Final = 40  # characters: fits into a tab
FILE: Final = 2**31  # bytes of a file that is offered to others: hours of Tor, with a list of hashes of 1 MiB
FILE_NAME: Final = 100  # characters of its name: a line
OFFERS: Final = 16  # files that one member offers at once: each is an onion service of its author's
INPUT_LINE: Final = 65_536  # bytes of a typed or piped line: a JSON object with the longest text, fully escaped, fits

# The wire.
PORT: Final = 1984  # virtual port of every room's onion service, fixed by the interface
UNIT: Final = 480  # bytes: the content of a Tor cell
# A payload has one of these numbers of units, whatever it contains. Each is twice the one before, but for 7: so many
# cells Tor hands to the system at once (its buffers come in pieces of 4,096 bytes), and a smaller rest only once what
# went before is acknowledged. The eighth cell came 44 ms after the seventh, without distances, and so did each answer.
PAYLOAD_UNITS: Final = (1, 2, 4, 7, 16, 32, 64, 128)
BATCH_BYTES: Final = 64 * UNIT  # bytes of a payload with entries: half of the largest payload, so that padding is short
FRAMES: Final = 16  # frames in a record: a host needs 4 ms for as many entries before other links have their turn
READ: Final = 16_384  # bytes read from the kernel at once: the smallest frames in them take a few milliseconds

# Keys.
HANDSHAKE_KEY: Final = 60.0  # seconds for which a host uses a handshake key for new links: it opens no older recordings
SKIPPED: Final = 128  # generations of an author that may be skipped in a row: those of entries that the host denied
PAGE: Final = 28_000  # bytes of a welcome in one frame: a record of 64 units with it has little padding
PAGES: Final = 40  # pages of a welcome: 1,000 members, now and at the beginning of the history, fill 16
COMMIT_PAUSE: Final = 5.0  # seconds between commits that remove those who left or were lost
COMMIT_BUCKET: Final = 12  # of such commits at once; each costs the host 2 kB and 0.1 ms a member, and each member 1 ms
COMMIT_RATE: Final = 1 / 30  # of them a second: who joins and leaves all the time causes no more
EPOCH: Final = 1_800.0  # seconds without a commit, after which all members get fresh secrets
COMMIT_SHARES: Final = 60.0  # seconds for which a commit secret is kept for links that have not reached the commit
RENEWING: Final = 64  # members of the largest room in which all renew their encryption keys, once in `EPOCH`
EVIDENCE: Final = 16  # pieces of evidence against a host that are kept and told: one is enough
KICK_REASON: Final = 200  # characters of the reason for throwing somebody out

# The room.
ROOMS: Final = 20  # rooms of one process at once: more than anybody reads
MEMBERS: Final = 1_000  # target of the design; a host refuses more: the room is full
LOG_BYTES: Final = 16 * 1024 * 1024  # bytes of ordered entries that a host keeps: 4,000 of the longest messages
PROOF_ENTRIES: Final = 65_536  # entries whose hashes a host keeps, to prove what was missed: 9 MB, 9 minutes of a flood
INVITATIONS: Final = 128  # from one pool of keys of a private room: what takes more than one pool is seldom
CLIENTS: Final = INVITATIONS + 1  # who may find one service: so many make its descriptor 28 kB long, and 50 is the most
INVITATION_NOTE: Final = 200  # characters of what one notes of an invitation for oneself
INVITATION_USES: Final = 1_000  # of one invitation: as many as a room has members
FORMER_MEMBERS: Final = 65_536  # whose keys a host refuses, by their ids: 8 MB; each has cost a join, and a removal
PROOF_EXCESS: Final = 1_024  # more of them, before the oldest are dropped: each time, all others move in memory
PROOF_STEPS: Final = 256  # of them in one frame: 17 to 25 kB
LOG_ENTRIES: Final = 10_000  # entries that a host keeps: a slow reader may lag so far behind a fast room
WAYMARK: Final = (
    1_000  # entries between those as of which a log keeps the room once it was read again: 6 ms, in place of 70
)
WRITE_BYTES: Final = 64 * 1024  # bytes of entries taken for a link at once, cut with it if one expires: a frame fits
UNREAD: Final = 1_000  # events of a room that the library keeps for a program which does not read: then it is told
PENDING: Final = 256  # inputs that wait for their order or for the room, before we stop reading further input
MAILBOX: Final = 48  # units of payloads, or other inputs, that a session holds or takes in at once
BATCH_UNITS: Final = 4 * MAILBOX  # of these, after which a batch ends though more wait: 96 entries of 300 characters
TURN_UNITS: Final = 12  # of these, after which keys and links have their turn: 6 entries, of which each takes 1 ms
LINKS_TURN: Final = 0.005  # seconds for which links are served before all else has its turn: 300, or 15 after a commit
WRITERS_TURN: Final = 32  # links that lag and have data made for them before that: 0.15 ms each after a commit
ACCEPTED_AT_ONCE: Final = 100  # connections that are accepted before that: a millisecond or two
KEY_WAIT: Final = 10.0  # seconds to wait for a recipient's key: a round trip takes one, a slow link more
UPLINK_QUEUE: Final = (
    2 * 1024 * 1024
)  # bytes that wait on a member's own link: the longest inputs, as many as may be pending
LINK_QUEUE: Final = (
    192 * 1024
)  # bytes that wait for one link of a host, besides a welcome: `ANSWER_BUCKET` and a reserve
FRAME_OVERHEAD: Final = 128  # bytes of memory that a waiting frame takes besides its content

# Retention.
SALT: Final = 16  # bytes of randomness in each content: nobody tries all of them to confirm a guess of an expired text
CONTENT_STEP: Final = (
    64  # bytes: contents of entries are padded to multiples of it, so that their lengths reveal little
)
RETENTION_MAX: Final = 365 * 86_400  # seconds: the longest retention of a message other than until the room ends
FLEETING: Final = 60.0  # seconds for which a message that is never kept waits for links that have not reached it
SENT_AGAIN: Final = 10.0  # seconds for which its author keeps one, to send it again should the host be lost at once
FLEETING_CHECK: Final = 1.0  # seconds between checks whether they have
FORMER_NICKS: Final = 4_000  # remembered looks of free nicks, whose next owner we warn of: of 1,000 nicks or more
FORMER_NICKS_OF_SPEAKERS: Final = 4_000  # the same for nicks that have spoken: each costs an attacker one more message
REFERABLE: Final = 10_000  # shown messages that one can refer to by their numbers: as many as a host keeps entries
EXPIRING: Final = 100_000  # shown messages whose end we remember: beyond it, those that are due first end early
SLEEP_NOTICE: Final = 5.0  # seconds until we notice that the machine has slept, if a message is to expire
MARK_INTERVAL: Final = 600_000  # milliseconds of a room's time between the marks of its safety words
COVER_INTERVAL: Final = 2.0  # mean seconds between slots of cover: as often as one writes in a lively talk
COVER_ANSWER: Final = 0.5  # seconds within which a slot is answered: far longer than it takes to order an entry
COVER_BACKLOG: Final = 4  # entries, or batches, that wait for slots; of more, all go at once: the wait stays below 10 s

# Handshake: what a stranger with the code can make a host hold.
# A half-open link costs 9 KiB and 0.3 ms, so all of them cost 2.4 MiB at most. A handshake takes a round trip over Tor,
# about a second. While all slots are taken and r newer links come each second, a handshake survives t seconds with
# probability (1 - 1/256)^(r t): two in three at 100 a second, one in five at 400. With 32 slots it would be one in 24,
# and none. An attacker needs 128 circuits at once to take all slots, and each pays Tor's proof of work when they queue.
HALF_OPEN: Final = 256  # links in their handshake at once; one more replaces a random one
STREAMS: Final = 2  # streams of one circuit to a room: each of our dials has its own circuit; a proxy may join two
BACKLOG: Final = 4_096  # connections not accepted yet, Linux's default maximum: room for Tor's in a local flood
ACCEPT_PAUSE: Final = 0.1  # seconds until we try to accept again after the system refused another connection
HANDSHAKE_SECONDS: Final = 30.0  # a slow circuit answers within; a slow-loris holds one slot for as long
ANSWER_SECONDS: Final = 10.0  # for a request of ours to have an answer at the first try, or its circuit may hang
HELLO: Final = 4 * UNIT  # bytes of a hello on the wire: its content has 1,256
CLIENT_HANDSHAKE: Final = 7 * UNIT  # bytes of one on the wire: all that a stranger may send before admission

# Who knocks waits on a link that costs 13 KiB. Where as many wait as may, one more takes the place of who has waited
# for `KNOCK_TURN`: so a flood of knocks takes no more than `KNOCKERS` / `KNOCK_TURN` places a second, which are 2.
KNOCKERS: Final = 64  # who wait to be let in, at once: more than a moderator looks through
KNOCK_TURN: Final = 30.0  # seconds for which one who waits gives way to nobody: time to see it, and to type its nick
KNOCK_SILENT: Final = 10.0  # seconds without a heartbeat after which it gives way all the same: two are missing
KNOCK_PAUSE: Final = 1.0  # seconds between payloads that are read of it: a heartbeat comes every 4 to 5
CROWDED_PATIENCE: Final = 600.0  # seconds of asking again where too many wait: twenty turns of all who do
KNOCKERS_TOLD: Final = 2.0  # seconds between times at which moderators are told who waits, at least

# Token buckets of one member, for all its links: so many at once, then so many a second. A faster member is read more
# slowly, or is denied; nobody else notices.
MESSAGE_BUCKET: Final = 4_096  # units of one member at once: 4,000 messages of 300 characters
MESSAGE_RATE: Final = 256.0  # units of one member a second: a third of what Tor carries to 30 members
ENTRY_BUCKET: Final = 4_000  # entries of one member at once, of any size: two fifths of the log; a large pasted file
ENTRY_RATE: Final = 128.0  # of them a second: at this rate one member fills the log in 47 s; nobody writes as fast
SKIPPED_PER_ENTRY: Final = 64  # skipped generations that cost each reader as long, 130 us, as an entry to open
ANSWER_BUCKET: Final = 160 * 1024  # bytes of keys that one member requests at once: twice those of a room of `RENEWING`
ANSWER_RATE: Final = 16_384.0  # of them a second: those of such a room once in every `COMMIT_PAUSE`
READ_PAUSE: Final = (
    10.0  # seconds for which a link is not read at most: the refill of `ANSWER_BUCKET`; then a dead link is noticed
)
JOIN_BUCKET: Final = 200  # tokens for answers to strangers at once: 100 newcomers, as many as a talk begins with
JOIN_RATE: Final = 50.0  # of them a second: 5 % of a processor, and 6.4 MB of welcomes
RETURN_BUCKET: Final = 1_000  # the same for members that show a ticket: a full room that comes back after an outage
RETURN_RATE: Final = 50.0
REFUSAL_COST: Final = 0.25  # tokens for a request that is refused, or none: 0.3 ms, where one to be let in takes 1 ms
JOIN_COST: Final = 1.0  # tokens for a member more: it costs all others two entries, as it goes again
WELCOME_PER_TOKEN: Final = 128 * 1024  # bytes of a welcome that cost a token: 256 strangers wait for 30 s at most
MEMBER_RETURN_BUCKET: Final = 5  # tickets of one member that are good at once: a link that breaks again and again
MEMBER_RETURN_RATE: Final = 0.1  # of them a second
NICK_BUCKET: Final = 5  # changes of nick of one member at once: somebody who cannot decide
NICK_RATE: Final = 0.1  # of them a second
OTHER_NICKS: Final = 8  # alternative nicks, asked for in turn, a dial each: Ann-2 to Ann-9; few crash more often
PRIVATE_BUCKET: Final = 30  # private messages of one member at once: every member needs 80 us to try one
PRIVATE_RATE: Final = 1.0  # of them a second

# Liveness (seconds).
HEARTBEAT: Final = 5.0  # seconds without traffic after which a link carries a heartbeat
HEARTBEAT_JITTER: Final = 0.2  # relative: heartbeats of many links are not sent at the same time
AWAY_SECONDS: Final = 20.0  # of silence: the member is away
PLACE_SECONDS: Final = 600.0  # of silence: the member loses its place
MODERATOR_LOST: Final = (
    300.0  # by the times of heads, for which a moderator is away at least before it is removed as lost
)
MODERATOR_LOST_HELD: Final = (
    60.0  # of them, by which our own clock may differ: what it knows of the room's has come by links
)
AWAY_AT_LEAST: Final = MODERATOR_LOST + MODERATOR_LOST_HELD  # for which a host has anybody be away before it is out
READER_SECONDS: Final = (
    60.0  # of membership, without a word, for which a member keeps its place without a link for as long
)
LINK_LOST: Final = 15.0  # three heartbeats are missing: the link is dead, whatever Tor believes

# Dialling (seconds).
DIAL_TRIES: Final = (15.0, 25.0, 40.0)  # for each try in turn, the last one repeated: a usual dial takes 0.3 to 20
DIAL_BESIDE: Final = 8.0  # without an answer, after which a last try looks anew where the room is: many have one
DIAL_SILENT: Final = 8.0  # once Tor has connected, for the room's hello: it comes at once, unless a circuit hangs
DIAL_PEEK: Final = 0.02  # until we look again whether the rest of it is there: four cells, one after the other
HEDGE_SHARE: Final = 0.8  # of the tries of late that had an answer are most of them
HEDGE_MARGIN: Final = 1.25  # times as long as most have taken: then there is another one beside a try without an answer
HEDGE_FIRST: Final = 3.5  # seconds until then for the first dial: with 40 ms a hop it takes 2.2 to 3.2
HEDGE_LOOKUP: Final = 1.0  # more where Tor has to find the room first: a circuit and a request
HEDGE_LEAST: Final = 1.0  # seconds until then at least: what is sooner nobody waits for
HEDGE_DIALS: Final = 50  # whose seconds are remembered: an hour's of a room in which links break
HEDGE_TRIES: Final = 2  # beside the first one: if one dial in five hangs, so do all three of one in 125
HEDGE_RATE: Final = 0.3  # of such a try, that each dial is good for: they add so much to the load at most
HEDGE_BUCKET: Final = 3.0  # of them at once: those of a join that goes wrong from the start
DIAL_PATIENCE: Final = 120.0  # in all, for circuits that are slow or break
ABSENT_PATIENCE: Final = 45.0  # in all, while Tor finds no trace of the room: a new descriptor appears within 30
DIAL_PAUSE: Final = 1.0  # before the next try; grows by half each time
DIAL_PAUSE_MAX: Final = 8.0
RETURN_SPREAD: Final = 8.0  # once there is a network again, within which each room of ours comes back, at its own time
LINK_FAULTS: Final = 6  # links in a row that end because something is wrong with what comes on them: then no more
FETCH_PATIENCE: Final = 5.0  # for Tor to fetch a room's descriptor: a circuit and a request, each usually a second

# Succession: who carries a room on.
HEIRS: Final = 3  # who can take over: each exposes itself by a service; three in a row are gone only with everything
PREPARE: Final = 60.0  # for a member to publish a service and reach it: a descriptor and a dial, each slow
HEIR_PATIENCE: Final = 5.0  # for the heirs of a term that is over to come to its next host: those who live wait there
ECHO: Final = 3.0  # seconds in which a host gives a sign of life: two ways through Tor take 0.6, at worst 2
ECHO_LEAST: Final = 1.0  # of them at least, however fast it was: a program, or a Tor, that has much to do
ECHO_MOST: Final = 8.0  # of them at most, however slow it was: half of what a link may be silent for
ECHO_TIMES: Final = 3.0  # as long as its slowest answer of late, it is given: that of a network that has much to do
ECHO_ANSWERS: Final = 16  # of its answers, of late: a minute of a lively talk
ASK_PAUSE: Final = 30.0  # seconds between times at which one lost link makes all members ask the host: 2 frames each
STRAYS: Final = 30.0  # seconds without a host after which an heir counts a member as lost to its own host
ENTRUST_CHECK: Final = 0.5  # seconds between checks whether an heir has been sent the entry that makes it one
CODE_CHECK: Final = (930.0, 990.0)  # seconds until a host dials its code again: Tor looks anew once in 15 minutes
CODE_CHECK_AGAIN: Final = (60.0, 90.0)  # the same when nobody answered, or one who may be right to
REACH_PAUSE_MAX: Final = 30.0  # seconds between dials of a host to itself at most, until one succeeds
UNREACHED: Final = 60.0  # seconds after publication without one until its user is told: a descriptor and three dials
OPENINGS: Final = 8  # of terms, the latest, by which two members find where their logs part: as many splits at once
PROOF_BODY: Final = 1_280  # bytes of the body of an entry that proves something: to throw out, for a long reason, 1,152
PROOF_OF_HEIR: Final = 3  # entries in it: by which its author joined, was named an heir, and began a term
TERM_JUMP: Final = 256  # by which one term's number may be above the one before: 60 terms of others in between
CLOCK_TOLERANCE: Final = 15.0  # seconds by which a host of another term and we may disagree on when something expires
CARRIERS: Final = 16  # members that are or were heirs or hosts, whose addresses all know: where to look for the rest
HOLDERS: Final = 64  # members that have had the key of one code: beyond it, only another code makes new ones
MODERATORS: Final = 64  # of a room: each entry is looked up among them; nobody can know more by their nicks
BANS: Final = 1_000  # the latest, which newcomers are shown: as many as a raid can bring in at once, in 45 kB
ADMITTED: Final = 64  # keys that may come in and have not yet, the latest: as many as may wait to be let in
ORDERS: Final = 16  # of moderators that wait to be carried out, which an honest host does one by one
SLOW: Final = 3_600  # seconds between messages of one member, at most: beyond that, muting is what is meant
RAID_SLOW: Final = 10  # seconds between them while the room is closed against a raid: 300 members say 30 lines a second
ORDER_PATIENCE: Final = 5.0  # seconds after which members are told of a host that does not carry out an order
ORDER_PATIENCE_COVER: Final = 15.0  # the same for an answer to us where what we ask for, and its place, wait for slots
KICKED: Final = 1_000  # members thrown out whom the log's state names, so that no later host lets them in again
TERMS: Final = 2**21  # numbers of terms: with an index below 2^32, a place is below 2^53
STANDBY_MEMBERS: Final = 64  # present in the largest room in which each keeps a standby link: any heir can serve them
STANDBY_RETRY: Final = 5.0  # seconds between dials of the first heir by a member that has its host
STANDBY_MISSING: Final = 60.0  # seconds without one of who is here until the first heir publishes its service anew
STANDBY_RENEWED: Final = 600.0  # seconds between times that it does so: who does not want to wait keeps it not busy
PLEDGE: Final = (
    3.0  # seconds for which who has told an heir of its loss does not go back to the host: the heir counts it
)
CODE_WAIT: Final = (
    10.0  # seconds without host and standby link until the room's code is dialled: all heirs were by then
)
LOST_DIALS: Final = 2  # dials of a member without a host at a time, once a second: the host and the first heir
LOST_DIALS_MAX: Final = 6  # of them at once: each is a circuit and a handshake for our Tor
LOST_PAUSE: Final = 20.0  # seconds without a host for which each second between such dials is one more: they get rarer
LOST_PAUSE_MAX: Final = 8.0  # seconds between such dials at most: a split that ends is noticed within
HINT_PAUSE: Final = 1.0  # seconds between hints that are followed: a false one costs a dial
GATHER: Final = 1.0  # seconds for which an heir gathers who has lost the host too: a broken link is noticed within
CATCH_UP: Final = 3.0  # seconds for which an heir waits for what another has of the log and it lacks
LOST_BY_SOME: Final = 20.0  # seconds until an heir goes on with less than half: links that fell silent are noticed
LOST_BY_ONE: Final = 60.0  # seconds until it goes on with nobody, and until an heir that does nothing is passed over
REOPEN: Final = 30.0  # seconds without a host until who gave way goes on as host: who asked it to cannot be reached
MEET: Final = 30.0  # seconds between dials of all who may host too: without them a fifth of the splits never end
MEET_SOON: Final = 10.0  # the same of a host that has lost half of its members, and its first heir
CODE_FRESH: Final = 240.0  # seconds between such dials of a code for which Tor looks anew: it can 6 times in 15 minutes
FORMER_WAYS: Final = 4  # addresses of before that a host serves for members who are away: each is dialled every `MEET`
FORMER_WAY: Final = 30.0  # seconds of that at least in a private room: by then, links that are dead have ended
FORMER_KEYS: Final = 4  # of members of a private room, of before, by which another side of a split is looked for
FAILED_DIALS: Final = 64  # dials of which it is known where they lead, as they may fail for a key: the latest
CODE_UNANSWERED: Final = 2  # dials of its code in a row that fail till a host publishes it anew: one may by chance
LOOK_PAUSE: Final = 1.0  # seconds between looks of a host at who of its members is there: 0.3 ms in the largest room
MEETINGS: Final = 64  # links at once on which another side of a split may answer: of more, the oldest end
MEETING_COST: Final = 8.0  # tokens for an answer to another side of a split: `WAYMARK` entries are read again
STAND_PAUSE: Final = 30.0  # seconds between terms that one challenger makes a host begin: each is a commit
RENUMBER_BUCKET: Final = 4  # terms that members from other sides make a host begin at once: as many sides may meet
STAND_PAUSE_REMOVED: Final = 600.0  # the same where one who was thrown out hosts those who are more, for ever perhaps
STAND_BUCKET_REMOVED: Final = 2  # such terms at once: an heir of that one may go on above the first
STAND_NUMBERS: Final = (
    8  # numbers that such a term may be above the last for that: one uses up all in no less than 90 d
)
STRAYS_FRESH: Final = 10.0  # seconds for which the number of those who lost us counts: two heartbeats
HAND_BACK: Final = 60.0  # seconds for which who hosted before must have had a link until the room goes back to it
HAND_BACK_READY: Final = 20.0  # for which it is the first heir then: all dial it, and it gets the key of the code
HAND_BACK_PAUSE: Final = 600.0  # seconds between such hand-overs: a host whose network comes and goes hosts no more

# Files between members.
CHUNK: Final = 65_536  # bytes of a file that are verified, and asked for, as one: a tenth of a second over Tor
SEGMENT: Final = 64  # chunks that are asked for at once: 4 MiB, so that a fast circuit never waits for what it asks
SEGMENT_LEAST: Final = 8  # of them, near the end: what a fast circuit carries in a round trip
WANTS: Final = 2  # requests under way on one link: the next segment is asked for while one comes
FILE_CIRCUITS: Final = 2  # links on which one member fetches one file
FETCHERS: Final = 4  # members that one serves at once in a room: each gets a fair part of what Tor carries
FILE_WAITERS: Final = 64  # who wait to be served, at once: each link costs 20 KiB
FILE_HALF_OPEN: Final = 16  # links to one offer in their handshake at once; one more replaces a random one
FILE_TURN: Final = 60.0  # seconds for which one is served while others wait: then it is their turn
FILE_WAITING: Final = 10.0  # seconds between signs of life to one who waits
FILE_SILENT: Final = 30.0  # seconds without a byte after which a link of a transfer is dead: three signs of life
FILE_RECORD: Final = 60.0  # seconds for a chunk to be taken, or the next one to be asked for: 1 kB/s, or it is no use
FILE_PATIENCE: Final = 120.0  # seconds without a chunk until a fetch fails: as long as rooms are dialled in vain
FILE_TOLD: Final = 0.5  # seconds between reports of one transfer: what a person sees move
FILE_RATE: Final = 3.0  # seconds over which the rate of a transfer is measured: longer than a pause of Tor's
FILE_THREADS: Final = 8  # threads for the disk, of one process: as many links as can be served at once
FILE_NUMBERS: Final = 999  # names that are tried where files have them: NAME-2 to NAME-999
FILE_MODE: Final = 0o600  # of what is written: ours alone
CLEAN_PATIENCE: Final = 600.0  # seconds for mat2 to clean a file: a long film takes minutes

# Tor (seconds).
CONTROL_PATIENCE: Final = 5.0  # for an answer on a control port; a healthy Tor answers within milliseconds
PASSWORD_PATIENCE: Final = 1.0  # to find whether a control port wants a password: nothing is on the screen before
LAUNCH_PATIENCE: Final = 20.0  # from the start of our own Tor until it has a control socket
TOR_SPACE: Final = 8 * 1024 * 1024  # bytes that our own Tor has to be able to store: the consensus of the real network
BRIDGES: Final = 100  # that one may give: Tor tries all at once
BRIDGE_BYTES: Final = 64 * 1024  # of a file of bridges
PLUGIN_ENDS: Final = 5  # of a plugin of Tor's, until it is given up: Tor starts it anew each second
LEFT_BEHIND: Final = 20  # directories of killed programs that are removed at one start: each takes milliseconds
NAMES_EXAMINED: Final = 10_000  # names examined in each directory where those may be: 10 ms, whatever others put there
BOOT_STALL: Final = 180.0  # without progress of Tor's bootstrap: give up
BOOT_SLOW: Final = 30.0  # without progress: tell the user
PUBLISH_PATIENCE: Final = 60.0  # for the descriptor of a room that is made on trial: usual ones are up within 5
CHECK_PATIENCE: Final = 30.0  # for a check of this machine or of Tor's ports, of which each has `CONTROL_PATIENCE`
BOOT_LOOK: Final = 5.0  # without progress: tell the user, if Tor says what is wrong
BOOT_ASK: Final = 1.0  # between questions about it, where a filter withholds its events
TOR_PATIENCE: Final = 60.0  # until a lost Tor has to be back
TOR_RETRY: Final = 1.0  # between attempts to reach it
TOR_STOP: Final = 0.7  # for our own Tor to end when asked, before it is killed

UPLOAD_BLIND: Final = 5.0  # until a room counts as published where Tor does not say so: a descriptor takes 1 to 4
FETCH_BLIND: Final = 2.0  # for Tor to fetch one, where it does not say so: most are there by then

# The control port of a Tor, and who may listen there.
WHONIX_PORTS: Final = (19_840, 19_855)  # at which a Whonix workstation is reached: a room and a service for each two
PASSWORD: Final = 1_024  # bytes of the password of a control port, at most: nobody types as many
CONTROL_LINE: Final = 8 * 1024  # bytes of a line of a reply: the longest that we ask for names a few listeners
CONTROL_REPLY: Final = 64 * 1024  # bytes of a reply or an event: the longest that we ask for have a few lines
EVENT_COST: Final = 256  # bytes that each event counts besides its own: the cost of reading it
EVENT_BUCKET: Final = 512 * 1024  # bytes of events at once: 1,000 rooms of other users that are published together
EVENT_RATE: Final = 128 * 1024.0  # bytes of events a second: 300 events; faster ones are read more slowly
COOKIE_BYTES: Final = 32  # bytes of Tor's authentication cookie (control-spec, 3.24)
SYSTEM_UIDS: Final = 1_000  # uids below it do not belong to persons, by the custom of distributions (SYS_UID_MAX)
OVERFLOW_UID: Final = 65_534  # stands for users of other namespaces, unless the kernel names another

# Leaving (seconds). Together under the 3 that quitting may take.
JOINING_LONG: Final = 20  # seconds after which one may want to give a join up: most are through sooner
LEAVE_CONFIRM: Final = 60.0  # within which a person has to say again what ends the room for all: time to read why
LEAVE_SPREAD: Final = 0.8  # within which each of several rooms is left, at its own time, when the program ends
LEAVE_PATIENCE: Final = 1.5  # for our last entries and the leave to be ordered
FLUSH_PATIENCE: Final = 1.0  # for the host's last entries to be sent
TAKEN_PATIENCE: Final = 5.0  # for Tor, or another program on it, to withdraw a service that we are to publish
TAKEN_PAUSE: Final = 0.2  # between tries to publish it till then
WITHDRAW_PATIENCE: Final = 0.4  # for Tor to withdraw a service, and for us to close its control port
LINGER_PATIENCE: Final = 5.0  # for a peer to read the last bytes on its link and close it
EOF_PATIENCE: Final = 60.0  # for what was typed before the end of input

PRINT_PATIENCE: Final = 0.3  # for the last events to be printed

SCROLLBACK: Final = 5_000  # entries of a room that the full screen keeps: a long day's talk
SCROLLBACK_BYTES: Final = 4 * 1024 * 1024  # bytes of them, about: 1,000 of the longest messages
BANNERS: Final = 20  # alarms of one room that wait to be put away
CUT_QUIETLY: Final = 64  # entries of ours that lose their places without a banner: a short break of a talk
LOOKALIKES: Final = 1_000  # nicks that others had, of one room, that wait to be told of: as many as are in a room
NAMED_AT_ONCE: Final = 4  # of them named at once: with the longest nicks they fit a third of a screen of 50 by 24
LOOKS: Final = 2_000  # members of a room, and long nicks, whose looks the full screen knows: all there can be, twice
MERGED_MOVES: Final = 200  # comings and goings told as one
NEWCOMER: Final = 10  # minutes for which a member is new to those who were there, and no link of theirs is shown as one
QUIET: Final = 1_440  # minutes for which messages of newcomers can be put aside: a day
ASIDE: Final = 200  # messages of newcomers that are put aside, and kept to be read: 800 KiB at most
TOLD_SELDOM: Final = 10.0  # seconds between lines of line mode on what a flood would repeat: one reads two meanwhile
OFFERS_TOLD: Final = 8  # files offered within these that are told one by one: as many as fit on a screen
MOVES_TOLD: Final = 20  # comings and goings within these that line mode tells one by one: as a talk begins
RAID_JOINS: Final = 30  # people who come within `RAID_SECONDS`, of which the user is told what helps against a raid
RAID_SECONDS: Final = 10.0  # seconds for that: to a talk as many come within minutes
RAID_WARNED: Final = 600.0  # seconds after which that is told again
WAITING_SHOWN: Final = 5  # people who knock, named above the members
PASSING_LINE: Final = 60.0  # seconds for which an error or notice of the program can be read: then it is noise
SOUGHT: Final = 100  # characters of what one looks for in a room: more are none that one remembers
SENT_TEXTS: Final = 200  # texts of a room's input line to go back to: more than anybody does
SENT_BYTES: Final = 256 * 1024  # of them together: 64 of the longest messages
UNDOS: Final = 100  # states of a text to go back to
KILLS: Final = 10  # texts that were cut, to be yanked
ESCAPE: Final = 0.125  # seconds: what follows an ESC sooner belongs to it; what is typed after the key Esc comes later
SEQUENCE: Final = 1.0  # seconds: a terminal's answer in pieces goes on within, over slow links too
PASTE_PAUSE: Final = 1.0  # seconds without a byte after which a paste ends that has no end: as for answers
PASTE_REST: Final = 10.0  # seconds for the rest of such a paste to come, whose line breaks must not send it
FOREGROUND: Final = 0.3  # seconds between checks whether the shell has given the terminal back: a wait after fg
HANG_UP: Final = 0.2  # seconds in which the signal that says so comes, when a terminal has hung up
PEOPLE_INTERVAL: Final = 0.001  # seconds a member between looks at who is there: each costs 25 us a member
FRAME_INTERVAL: Final = 1 / 30  # seconds between pictures, unless a key is pressed: as often as one sees
ROWS_OF_INPUT: Final = 8  # of what is typed in sight at once
LINES_SHOWN: Final = 40  # of a message in line mode: a screenful; 4,000 bytes can be 4,001 lines, which hide all else
IDLE: Final = 60.0  # seconds without a key after which the user is taken to look elsewhere, whatever the terminal says
BELL_PAUSE: Final = 3.0  # seconds between two bells: more of them tell nothing new
CLIPBOARD: Final = 60.0  # seconds until what was copied is taken off the clipboard: time to paste it
LONG_MESSAGE: Final = 8  # lines of a message beyond which the full screen asks before it is sent
ERRORS_TOLD: Final = 10  # of errors of ours that are told after a full screen: the first ones tell the most

EXCERPT: Final = 40  # columns of a message that a reply to it quotes: half a line
PATHS_OFFERED: Final = 200  # names of files that Tab goes through: nobody presses it more often
NUMBERED: Final = 20  # messages that are listed with their numbers: as many as fit on a screen
EXCERPTS: Final = 1_000  # messages that line mode can quote: 100 KiB; 4 MiB at most where it can copy them
PIPED_LINE: Final = 80  # columns at which what others say is folded on a pipe: common terminals have no fewer
OUTPUT_QUEUE: Final = 64 * 1024 * 1024  # bytes of printed events nobody has read yet: beyond it nobody ever will

# This machine.
OPEN_FILES: Final = (
    32_768  # open files: as many full rooms as one process can be in, half-open links, and our own files
)
FREE_MEMORY: Final = 96 * 1024 * 1024  # bytes that have to be free at the start: a host takes 72 MiB, mostly for stacks

# Packages: the oldest versions that the tests pass with, as in pyproject.toml. Distributions have older ones. Those
# that are not here are checked otherwise (cryptography, for what it can do), or loaded only when asked for (segno).
VERSIONS: Final = {
    "msgspec": (0, 22),  # older ones know no Literal[True]
    "stem": (1, 8, 2),  # the first for Python 3.11, which has no inspect.getargspec
    "trio": (0, 27),  # the first whose move_on_after takes `shield`
    "urwid": (5, 1),  # older ones read the end of input otherwise, and have no InputClosedError
    "wcwidth": (0, 6),  # older ones fail tests of widths, of flags among others
}
