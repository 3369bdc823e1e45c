"""Another program with the key of a room's code answers there: over Tor, the host finds that, and changes the code."""

from types import SimpleNamespace

import pytest
import trio

from anonp2p import limits
from anonp2p.names import codes
from anonp2p.protocol.handshake import HandshakeKey
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.hosting_events import CodeEvent, HeirEvent
from tests.room.peers import randomness
from tests.support.own_tors import own_tor
from tests.support.people import always, gathering

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

REFUSED = 5.0  # seconds for which Tor fetches no descriptor again, in a network for tests; 15 minutes in the real one


async def test_a_host_finds_another_program_at_its_code_and_newcomers_get_in_by_the_next_one(
    torrc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODE_CHECK", (REFUSED + 1, REFUSED + 2))
    monkeypatch.setattr(limits, "CODE_CHECK_AGAIN", (REFUSED + 1, REFUSED + 2))
    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as members,
        own_tor(torrc) as thiefs,
        gathering(SimpleNamespace(patience=120.0)) as gathered,  # all bring their own network
    ):
        host = await gathered.host(always(hosts))
        heir = await gathered.join("ann", always(members), may_host=True)
        await heir.hears(HeirEvent, holds_key=True)
        await trio.sleep(2 * REFUSED)
        assert not host.heard(events.AlarmEvent), "it finds itself"

        async with thiefs.listen(gathered.key) as place, trio.open_nursery() as nursery:

            async def greet(stream: trio.abc.Stream) -> None:
                async with stream:
                    await stream.send_all(
                        HandshakeKey(randomness(b"thief")).begin_handshake(gathered.key.public, 0).wire
                    )
                    await trio.sleep_forever()

            nursery.start_soon(trio.serve_listeners, greet, [place.listener])
            alarm = await host.hears(events.AlarmEvent)
            assert alarm.reason == Reason("other-at-code")
            assert alarm.member == (await heir.hears(events.EnteredEvent)).member
            code = (await heir.hears(CodeEvent)).code
            assert code != gathered.key.code
            gathered.code = codes.parse_code(code).address
            newcomer = await gathered.join("bob", always(thiefs))
            await newcomer.say("in")
            await host.hears(events.MessageEvent, text="in")
            nursery.cancel_scope.cancel()
