"""Files between members over Tor: whole although circuits break, and for members alone."""

import secrets
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio

from anonp2p import limits
from anonp2p.names import codes
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault
from anonp2p.protocol import transfer
from anonp2p.protocol.bodies import FileOffer
from anonp2p.protocol.transfer import FetchingEnd, NotServed
from anonp2p.room import events, moderation_inputs
from anonp2p.room.effects import FetchFileEffect
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.file_inputs import AcceptInput, SendFileInput
from tests.support.own_tors import own_tor
from tests.support.people import Person, always, gathering, watch_inputs

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

SIZE = 5_000_000  # bytes: two links share it
PATIENCE = 150.0  # seconds


async def close_circuits(tor: Tor, purpose: str) -> int:
    """Closes all circuits of a Tor that are for this; how many there were."""
    assert tor.control is not None
    listed = [text for _, _, text in await tor.control.send("GETINFO circuit-status")]
    circuits = [line.split()[0] for text in listed for line in text.splitlines() if f"PURPOSE={purpose}" in line]
    for circuit in circuits:
        await tor.control.send(f"CLOSECIRCUIT {circuit}")
    return len(circuits)


async def lent_keys(tor: Tor) -> list[str]:
    """The keys by which a Tor finds services."""
    assert tor.control is not None
    return [text for _, _, text in await tor.control.send("ONION_CLIENT_AUTH_VIEW") if text.startswith("CLIENT ")]


class Latecomer:
    """One who has dialled the sender of a file as a member, and says only later who it is."""

    def __init__(self, person: Person, offer: FileOffer) -> None:
        self._person = person
        self._offer = offer
        self._end = FetchingEnd(offer.secret, secrets.token_bytes(32), offer.size)

    async def dial(self, tor: Tor) -> None:
        key = transfer.derive_client_key(self._offer.secret)
        code = codes.encode_key(self._offer.address)
        with trio.fail_after(PATIENCE):
            while True:
                with suppress(DialFault):  # Tor finds it all the same, if it is asked again
                    self._stream = await tor.dial(code, "eve:1", client_key=key)
                    break
                await trio.sleep(1)
            while not self._end.is_greeted:
                self._end.receive_data(await self._read())
        (known,) = self._person.heard(OfferEvent)
        self._claim = self._person.session.room.files.make_claim(known.offer, self._end.challenge)
        assert self._claim

    async def say_who(self) -> object:
        """What the answer is."""
        await self._stream.send_all(self._end.nonce + self._end.seal_claim(self._claim))
        answer = None
        with trio.fail_after(PATIENCE):
            while answer is None:
                answer = self._end.receive_data(await self._read())
        await trio.aclose_forcefully(self._stream)
        return answer

    async def _read(self) -> bytes:
        data = bytes(await self._stream.receive_some(self._end.missing))
        assert data, "the sender has hung up"
        return data


async def test_a_file_comes_whole_though_its_circuits_break_and_only_to_members(
    torrc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = secrets.token_bytes(SIZE)
    (source := tmp_path / "report.bin").write_bytes(data)
    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as others,
        gathering(SimpleNamespace(patience=PATIENCE)) as gathered,  # all bring their own network
    ):
        host = await gathered.host(always(hosts))
        ben, eve = [await gathered.join(nick, always(others)) for nick in ("ben", "eve")]
        done = watch_inputs(ben, monkeypatch)
        await host.session.post_input(SendFileInput(str(source)))
        offered = await ben.hears(OfferEvent)
        await eve.hears(OfferEvent)
        assert (offered.name, offered.size) == ("report.bin", SIZE)

        await ben.session.post_input(AcceptInput(offered.offer, str(tmp_path / "ben.bin")))
        await ben.hears(TransferEvent, state="running")
        assert await close_circuits(others, "HS_CLIENT_REND") >= 1 + limits.FILE_CIRCUITS
        whole = await ben.hears(TransferEvent, state="done")
        assert whole.path == str(tmp_path / "ben.bin")
        assert (tmp_path / "ben.bin").read_bytes() == data
        told = await host.hears(TransferEvent, state="done")
        assert (told.nick, told.bytes) == ("ben", SIZE)

        await host.say("is eve back?")  # her link broke too; who waits to say who it is has `limits.HANDSHAKE_SECONDS`
        await eve.hears(events.MessageEvent, text="is eve back?")
        [fetch] = [it for _, effects in done for it in effects if isinstance(it, FetchFileEffect)]
        latecomer = Latecomer(eve, fetch.offer)
        await latecomer.dial(others)
        await host.session.post_input(moderation_inputs.KickInput("eve"))
        await eve.gone()
        assert await latecomer.say_who() == NotServed("not-yours")
        await others.forget_keys("eve")
        assert await lent_keys(others) == []
