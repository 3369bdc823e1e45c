"""How a room begins."""

from anonp2p.crypto import suite
from anonp2p.crypto.epoch import Epoch
from anonp2p.protocol import frames
from anonp2p.room.context import Context
from anonp2p.room.log.history import History
from anonp2p.room.retention import NO_HISTORY


def found_room(
    context: Context, nick: str, name: str, retention: frames.RetentionPolicy, history: frames.HistoryPolicy
) -> History | None:
    """Founds the room with us as its only member; returns the history for newcomers, if the rules allow one.

    nick: ours, empty for one made from our key.
    """
    replica = context.replica
    own_nick = nick or replica.ledger.roster.choose_nick(replica.me.key)
    assert own_nick is not None, "no nick is taken in an empty room"
    key = replica.own_keys[0].public
    ledger = replica.ledger
    ledger.name = name
    ledger.retention, ledger.history = retention, history
    ledger.host = ledger.add_member(replica.me.key, own_nick, suite.hash_data(key)).id
    ledger.begin_log()
    replica.begin_log(ledger.copy())
    replica.epoch = Epoch.begin(context.random(suite.SECRET), replica.ledger.digest, replica.me.id)
    replica.add_key(suite.hash_data(key), key)
    return None if history == NO_HISTORY else History(ledger.copy(), history)
