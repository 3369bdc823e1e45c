"""How a room is, in words: whether others can get in, and whether what one says arrives."""

from anonp2p.room.health import HealthData
from anonp2p.ui.reasons import describe_reason
from anonp2p.ui.sizes import describe_span


def describe_health(data: HealthData) -> list[str]:
    """In sentences, what matters most first."""
    return [*_describe_alarms(data["alarms"]), _describe_way(data), _describe_people(data), _describe_own(data)]


def _describe_alarms(count: int) -> list[str]:
    return [f"There {'was an alarm' if count == 1 else f'were {count} alarms'} in this room"] if count else []


def _describe_way(data: HealthData) -> str:
    """Whether newcomers find us, or we our host."""
    why = "" if data["trouble"] is None else f" ({describe_reason(data['trouble'])})"
    if not data["tor"]:
        return "There is no Tor now: nothing is sent and nobody new comes until there is one"
    if data["link"] == "up":
        return "The link to the host is up"
    if data["link"]:
        return f"There is no link to the host now{why}: what you say waits for it"
    if not data["reachable"]:
        return f"Nobody can join now: the room is published, but leads nowhere{why}" if why else _PUBLISHING
    age = describe_span(data["reached"] or 0)
    last = f"the program last reached itself by the room's code {age} ago"
    if data["locked"]:
        return f"The room can be found, but it is locked; {last}"
    return f"Others can {'knock' if data['knock'] else 'join'}; {last}"


_PUBLISHING = "Nobody can join yet: the room is being published"


def _describe_people(data: HealthData) -> str:
    if data["since"] is None:
        return "You are not in the room yet"
    role = "its host" if data["role"] == "host" else "a member"
    away = f", {data['away']} away" if data["away"] else ""
    here = f"In the room for {describe_span(data['since'])}, as {role}; {data['members']} here, you among them{away}"
    if not data["heirs"]:
        return f"{here}; nobody could take it over"
    which = "" if data["heirs"] == 1 else "one " if data["key_held"] else "none "
    key = "without" if data["heirs"] == 1 and not data["key_held"] else "with"
    return f"{here}; {data['heirs']} could take it over, {which}{key} the key of its code"


def _describe_own(data: HealthData) -> str:
    count = data["outstanding"]
    if not count:
        return "Nothing of yours waits for its place"
    return f"{count} {'line' if count == 1 else 'lines'} of yours {'waits' if count == 1 else 'wait'} for a place"
