"""By which tickets members that come back are told from strangers, before any work on what they ask."""


class Tickets:
    """The ticket of each member's latest link. Each is good once."""

    def __init__(self) -> None:
        self._members: dict[bytes, bytes] = {}  # by ticket
        self._tickets: dict[bytes, bytes] = {}  # by member

    def note_ticket(self, member: bytes, ticket: bytes) -> None:
        """The member was let in on a link with this ticket; any former one is worth nothing any more.

        Nor is the same one of another member: both chose the secrets of their links, and may have tried 2^64 of them.
        """
        self.take_ticket(ticket)
        self.forget_member(member)
        self._members[ticket] = member
        self._tickets[member] = ticket

    def take_ticket(self, ticket: bytes) -> bytes | None:
        """Whose ticket this is, which it is no longer; None if it is nobody's."""
        member = self._members.get(ticket)
        if member is not None:
            self.forget_member(member)
        return member

    def forget_member(self, member: bytes) -> None:
        """The member is out, or has shown its ticket."""
        if ticket := self._tickets.pop(member, None):
            del self._members[ticket]
