"""How a room begins."""

from typing import NamedTuple

from anonp2p.crypto import suite
from anonp2p.crypto.epoch import Epoch
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import room_state
from anonp2p.protocol.rights import Restrictions, Rights
from anonp2p.room.context import Context
from anonp2p.room.invitations import found_private
from anonp2p.room.log.history import History
from anonp2p.room.retention import NO_HISTORY


class Founding(NamedTuple):
    """What a room begins with. room_key: of the onion service by which its founder is reached.

    nick: ours, empty for one made from our key. name, retention, history: of the room. knock: whether newcomers wait
    for a moderator.
    """

    room_key: RoomKey
    nick: str
    name: str
    retention: room_state.RetentionPolicy
    history: room_state.HistoryPolicy
    knock: bool = False

    def __repr__(self) -> str:
        return "<Founding>"


def found_room(context: Context, founding: Founding) -> History | None:
    """Founds the room with us as its only member; returns the history for newcomers, if the rules allow one."""
    replica, history = context.replica, founding.history
    own_nick = founding.nick or replica.ledger.roster.choose_nick(replica.me.key)
    assert own_nick is not None, "no nick is taken in an empty room"
    key = replica.own_keys[0].public
    ledger = replica.ledger
    ledger.name = founding.name
    ledger.retention, ledger.history = founding.retention, history
    ledger.host = ledger.add_member(replica.me.key, own_nick, suite.hash_data(key)).id
    ledger.rights = Rights(Restrictions(knock=founding.knock), moderators=(ledger.host,))
    if (members_key := context.pool.members_key) is not None:
        ledger.rights = found_private(ledger.rights, replica.me, members_key)
    ledger.begin_log()
    replica.begin_log(ledger.copy())
    replica.epoch = Epoch.begin(context.random(suite.SECRET), replica.ledger.digest, replica.me.id)
    replica.add_key(suite.hash_data(key), key)
    return None if history == NO_HISTORY else History(ledger.copy(), history)
