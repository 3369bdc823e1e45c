"""What is said of files that are offered and taken. Not sanitized, but for the names of files."""

from typing import Any

from anonp2p.files.downloads import show_path
from anonp2p.names.file_names import clean_name
from anonp2p.reasons import NO_REASON
from anonp2p.room.file_events import AnyFileEvent, OfferEvent, TransferEvent
from anonp2p.ui.attention import Said
from anonp2p.ui.paths import shorten_home
from anonp2p.ui.reasons import describe_reason
from anonp2p.ui.sanitize import sanitize_line, sanitize_text
from anonp2p.ui.sizes import describe_left, describe_rate, describe_size, percent

NO_FILES = "No file is on offer here; /send offers one"


def describe_file(name: str, size: int) -> str:
    """A file by its name, as it would be written, and its size."""
    return f"{clean_name(name)} ({describe_size(size)})"


def describe_file_event(event: AnyFileEvent) -> str:
    """What is on offer now, and where it would be saved; or what has become of it."""
    if isinstance(event, OfferEvent):
        return describe_offer(event, foresee_place(event.name))
    return describe_transfer(event)


def foresee_place(name: str) -> str:
    """Where a file of this name would be saved now, if no path is given."""
    return shorten_home(show_path(name, ""))


def describe_offer(offer: OfferEvent, place: str) -> str:
    """What is on offer, and how to take it. place: where it would be saved."""
    file, number = describe_file(offer.name, offer.size), offer.offer
    if offer.mine:
        to = f" to {offer.to} alone" if offer.private else ""
        return f"You offer {file}{to}: /decline {number} ends it"
    alone = "you alone " if offer.private else ""
    return f"{offer.nick} offers {alone}{file}. /accept {number} saves it as {place}"


def describe_transfer(event: TransferEvent) -> str:
    """How far a file has come; or that it is on offer no more."""
    name = clean_name(event.name)
    if event.state == "ended":
        return f"{'Your offer of' if event.mine else 'The offer of'} {name} {describe_outcome(event)}"
    if event.mine:
        who = event.nick or "one who has left"
        return {
            "connecting": f"{who} has lost its link, and may go on with {name}",
            "running": f"{who} takes {describe_file(event.name, event.size)}",
            "done": f"{who} has {name}",
            "failed": f"{who} did not take all of {name}",
        }[event.state]
    return f"{name}: {describe_outcome(event)}"


def describe_outcome(event: TransferEvent) -> str:
    """The same of a file that comes to us, or of its offer, without its name."""
    why = f" ({describe_reason(event.detail)})" if event.detail != NO_REASON else ""
    again = f"/accept {event.offer} goes on"
    match event.state:
        case "connecting":
            return f"connecting to its sender{why}"
        case "running":
            return describe_progress(event.bytes, event.size, event.rate)
        case "done":
            return f"saved as {shorten_home(event.path or '')}"
        case "failed" if event.detail.code == "file-failed":
            return f"not taken. {describe_reason(event.detail)}"
        case "failed":
            return f"stopped; {again}" if event.detail.code == "fetch-stopped" else f"not taken{why}; {again}"
    return f"has ended{why}"


def describe_progress(done: int, size: int, rate: int) -> str:
    """How much is there, how fast it comes, and for how long it will."""
    left = describe_left(size - done, rate)
    parts = [f"{percent(done, size)} % of {describe_size(size)}", *([describe_rate(rate), left] if left else [])]
    return ", ".join(parts)


def warn_of_traces(*, can_clean: bool) -> str:
    """What files say besides what they are for. can_clean: whether there is a program that removes some of it."""
    how = "/send --clean removes" if can_clean else "with mat2, which is not installed here, /send --clean would remove"
    return f"Files tell of who made them: author, place, device. They are offered as they are; {how} some of it."


def many_offers(count: int, authors: int) -> str:
    """That so many files are offered by so many members, at once."""
    files = "1 more file" if count == 1 else f"{count:,} more files"
    by = "a member" if authors == 1 else f"{authors:,} members"
    return f"{files} offered by {by}: /files"


def said_words(said: Said) -> str:
    """What somebody has said or offered, on one line and sanitized."""
    if isinstance(said, OfferEvent):
        return sanitize_line(f"offers {describe_file(said.name, said.size)}: /accept {said.offer} takes it")
    return " ".join(sanitize_text(said.text).split())


def list_file(row: dict[str, Any]) -> tuple[str, str]:
    """The number of an offer, and what there is to know of it. row: of the reply to /files."""
    whose = "you" if row["mine"] else row["nick"]
    alone = ", for one alone" if row["private"] else ""
    size, done = row["size"], row["bytes"]
    state = {
        "connecting": "  connecting",
        "running": f"  {describe_progress(done, size, row['rate'])}",
        "done": f"  saved as {shorten_home(row['path'])}" if row.get("path") else "  done",
        "failed": f"  {percent(done, size)} % is there, /accept {row['offer']} goes on" if done else "  not taken",
    }.get(row["state"], "")
    return str(row["offer"]), f"{whose}: {describe_file(row['name'], size)}{alone}{state}"
