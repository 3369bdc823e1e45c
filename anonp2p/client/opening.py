"""Opens a client: the nursery of its Tor and its rooms, how they are left, and what comes out of it all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from anonp2p.client.client import Client, Connect
from anonp2p.client.open_room import LEAVE_PATIENCE
from anonp2p.config import Config


@asynccontextmanager
async def open_client(config: Config, connect: Connect) -> AsyncIterator[Client]:
    """A client that is yet to be started; all its rooms are left with the context. connect: finds or starts a Tor.

    It does not wait for a Tor. What is raised within the context comes out as it is, and not in a group.
    """
    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            shield, rooms = trio.CancelScope(shield=True), _Nursery()
            try:
                nursery.start_soon(_run_nursery, shield, rooms)
                await rooms.is_there.wait()
                client = Client(config, connect, rooms.nursery, shield)
                try:
                    yield client
                finally:
                    if not client.is_left:
                        with trio.move_on_after(LEAVE_PATIENCE, shield=True):
                            await client.leave_all()
            except BaseException as error:
                raised = error
                raise
            finally:
                shield.cancel()
    except BaseExceptionGroup as group:
        single = raised if group is raised else _find_single(group, raised)
        if single is None:
            raise
    else:
        return
    try:
        raise single
    finally:
        del single, raised


class _Nursery:
    """For rooms, once it is there: they go on until they are left, though whoever has them is cancelled."""

    nursery: trio.Nursery

    def __init__(self) -> None:
        self.is_there = trio.Event()


@trio.lowlevel.enable_ki_protection
async def _run_nursery(shield: trio.CancelScope, rooms: _Nursery) -> None:
    with shield:
        async with trio.open_nursery() as rooms.nursery:
            rooms.is_there.set()
            await trio.sleep_forever()


def _find_single(group: BaseExceptionGroup[BaseException], raised: BaseException | None) -> BaseException | None:
    """The one error in what came out of our nursery, beside cancellations; None if there are several.

    raised: by whoever is in the context. It may be a group of its own, which stays the object that it is: trio's is
    made of copies.
    """
    if group.split(KeyboardInterrupt)[1] is None:
        return KeyboardInterrupt()  # of an impatient user there are several
    errors = [it for it in group.exceptions if _without_cancelled(it)]
    if len(errors) > 1:
        return None
    if raised is not None and (_without_cancelled(raised) or not errors):
        return raised
    found = errors[0] if errors else group.exceptions[0]
    while isinstance(found, BaseExceptionGroup):
        inner = [it for it in found.exceptions if _without_cancelled(it)] or found.exceptions[:1]
        if len(inner) > 1:
            break
        trace = inner[0].__traceback__ or found.__traceback__  # of one that was raised only as part of the group
        found = inner[0].with_traceback(trace)
    return found


def _without_cancelled(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)[1]
    return None if isinstance(error, trio.Cancelled) else error
