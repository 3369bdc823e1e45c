"""A bot as the interface shows one: mypy checks it as it would be by its author."""

import anonp2p


async def run(tor: anonp2p.Tor, code: str) -> anonp2p.Receipt | None:
    """Answers one ping; returns the receipt."""
    async with tor.join(code, nick="bot") as room:
        async for event in room:
            if event.type == "message" and event.text == "!ping" and not event.mine:
                return await room.send("pong")
    return None


async def watch(room: anonp2p.Room) -> list[str]:
    """What each kind of event holds is known by its type."""
    lines = []
    async for event in room:
        if event.type == "link":
            lines.append(event.detail)
        elif event.type == "joined" or event.type == "left":
            lines.append(event.nick)
        elif event.type == "error":
            lines.append(event.text + event.code)
    gone = await room.wait_for("gone")
    return [*lines, gone.reason, *(person.nick for person in room.members)]


async def public(room: anonp2p.Room) -> anonp2p.Message:
    """A kind of event that is waited for has its own type; so has a reply."""
    asked = await room.command("/health")
    await room.send(f"{asked.command} {asked.data['role']}")
    expired = await room.wait_for("expired", within=5)
    await room.send(str(expired.retracted))
    return await room.wait_for("message")


async def say(event: anonp2p.Event, room: anonp2p.Room) -> float:
    """Receipts and errors have types too."""
    try:
        receipt = await room.send(event.type)
    except anonp2p.errors.Unsent as error:
        return float(len(error.code))
    return receipt.seq + receipt.at
