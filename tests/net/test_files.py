"""Files in whole rooms: from /send to where they are, and what ends them."""

import secrets
from pathlib import Path

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.files.errors import FileUnreadable
from anonp2p.room import events, inputs, moderation_inputs
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.file_inputs import AcceptInput, DeclineInput, SendFileInput
from tests.net.files.party import holds, names
from tests.support.people import Person, gathering
from tests.support.transports import Network

DATA = secrets.token_bytes(20 * limits.CHUNK + 1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of some chunks."""
    path = tmp_path / "Report of May.pdf"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def threads(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps does not wait for threads."""
    if not hasattr(network, "ports"):

        async def at_once(work: object, *arguments: object, **_: object) -> object:
            await trio.lowlevel.checkpoint()
            assert callable(work)
            return work(*arguments)

        monkeypatch.setattr(trio.to_thread, "run_sync", at_once)


def ended(person: Person) -> list[TransferEvent]:
    return person.heard(TransferEvent, state="ended")


async def test_a_file_goes_from_one_member_to_all_who_want_it_whoever_hosts(
    network: Network, clock: trio.testing.MockClock | None, threads: None, source: Path, tmp_path: Path
) -> None:
    async with gathering(network) as gathered:
        await gathered.host()
        ann, bob, cat = [await gathered.join(nick) for nick in ("ann", "bob", "cat")]
        await ann.session.post_input(SendFileInput(str(source)))
        for nick, person in (("bob", bob), ("cat", cat)):
            offer = await person.hears(OfferEvent)
            assert (offer.name, offer.size) == ("Report of May.pdf", len(DATA))
            (folder := tmp_path / nick).mkdir()
            await person.session.post_input(AcceptInput(offer.offer, str(folder)))
            done = await person.hears(TransferEvent, state="done")
            assert Path(done.path or "") == folder / "Report of May.pdf"
            assert holds(folder / "Report of May.pdf", DATA)
        for nick in ("bob", "cat"):
            told = await ann.hears(TransferEvent, state="done", nick=nick)
            assert told.bytes == told.size


async def test_an_offer_ends_with_its_author_or_when_it_is_withdrawn(
    network: Network, clock: trio.testing.MockClock | None, threads: None, source: Path
) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        for person in (ann, host):
            await person.session.post_input(SendFileInput(str(source)))
        await bob.until(lambda: len(bob.heard(OfferEvent)) == 2)
        await ann.session.post_input(DeclineInput(1))
        await bob.until(lambda: len(ended(bob)) == 1)
        assert ended(bob)[0].detail.code == "offer-withdrawn"


async def test_who_is_thrown_out_while_it_fetches_has_the_whole_file_or_a_part(
    network: Network, clock: trio.testing.MockClock | None, threads: None, source: Path, tmp_path: Path
) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        eve = await gathered.join("eve")
        await host.session.post_input(SendFileInput(str(source)))
        offer = await eve.hears(OfferEvent)
        await eve.session.post_input(AcceptInput(offer.offer, f"{tmp_path}/x"))
        await host.session.post_input(moderation_inputs.KickInput("eve"))
        await eve.gone()
        left = [name for name in names(tmp_path) if name in ("x", "x.part")]
        assert len(left) <= 1
        assert ("x" in left) == bool(eve.heard(TransferEvent, state="done"))


async def test_a_file_that_is_not_there_is_told_and_nothing_is_offered(
    network: Network, clock: trio.testing.MockClock | None, threads: None, tmp_path: Path
) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        await host.session.post_input(SendFileInput(str(tmp_path / "missing"), re="q"))
        error = await host.hears(events.ErrorEvent, re="q")
        assert isinstance(error.text, FileUnreadable)
        await host.session.post_input(inputs.SayInput("later"))
        await host.hears(events.MessageEvent, text="later")
        assert host.heard(OfferEvent) == []
