"""Commits over networks: who is thrown out, who lacks a link meanwhile or does not read; and what a wire shows."""

import os
import secrets

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.protocol import frames, handshake
from anonp2p.room import events, inputs
from tests.room.peers import Placed, said
from tests.support.people import Gathering, Person, Stranger, gathering
from tests.support.transports import MemoryNetwork, Network, Tor, Wire
from tests.support.world import payloads

NICKS = ("ann", "bob", "cho", "dan", "eve")


async def met(gathered: Gathering, *nicks: str) -> tuple[Person, list[Person]]:
    """A host and members, all of whom know of all."""
    host = await gathered.host()
    members = [await gathered.join(nick) for nick in nicks]
    for person in (host, *members):
        await person.until(lambda person=person: len(person.nicks) == 1 + len(nicks))  # type: ignore[misc]
    return host, members


async def all_hear(text: str, *people: Person) -> None:
    """The first of them says this, and all hear it once."""
    await people[0].say(text)
    for person in people:
        await person.hears(events.MessageEvent, text=text)
        assert person.texts.count(text) == 1


def epoch(person: Person) -> int:
    """In which it is."""
    return person.session.room.replica.current_epoch.number


async def keep_beating(member: Stranger) -> None:
    while True:
        await member.heartbeat()
        await trio.sleep(limits.HEARTBEAT)


# --- thrown out


async def test_one_who_is_thrown_out_hears_why_and_the_others_go_on(network: Network, clock: object) -> None:
    """5.10, 6.8"""
    async with gathering(network) as gathered:
        host, (ann, bob, cho) = await met(gathered, "ann", "bob", "cho")
        await all_hear("before", ann, host, bob, cho)
        await host.session.post_input(inputs.KickInput("bob", "no spam here", re=5))
        assert (await bob.gone()).reason == "kicked"
        assert [kicked.why for kicked in bob.heard(events.SelfKickedEvent)] == ["no spam here"]
        for person in (host, ann, cho):
            left = await person.hears(events.LeftEvent)
            assert (left.nick, left.reason) == ("bob", "kicked")
            assert person.nicks == ["host", "ann", "cho"]
        await all_hear("after", cho, host, ann)
        await all_hear("from the host", host, ann, cho)
        assert bob.texts == ["before"]
        assert not bob.heard(events.AlarmEvent)
        assert not bob.heard(events.ErrorEvent)
        assert [person.heard(events.LinkEvent, state="lost") for person in (ann, bob, cho)] == [[], [], []]


async def test_what_one_had_typed_who_is_thrown_out_is_given_back(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob")
        memory.wires[1].host.pause()
        await bob.say("never heard")
        await host.session.post_input(inputs.KickInput("bob"))
        assert (await bob.gone()).reason == "kicked"
        assert [unsent.text for unsent in bob.heard(events.UnsentEvent)] == ["never heard"]
        await all_hear("after", ann, host)
        assert host.texts == ["after"]


async def test_only_the_host_throws_out(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob")
        await ann.session.post_input(inputs.KickInput("bob", re=1))
        assert (await ann.hears(events.ErrorEvent)).code == "not-allowed"
        await all_hear("still here", bob, ann, host)


async def test_one_who_is_thrown_out_and_keeps_its_link_reads_nothing_more_anywhere(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.10, 6.8: neither on its own link nor, with the keys that it had, on anybody else's."""
    async with gathering(memory) as gathered:
        host, (ann,) = await met(gathered, "ann")
        bad = await gathered.played("bad")
        await all_hear("before", ann, host)
        await bad.hears()
        await host.session.post_input(inputs.KickInput("bad", "spam"))
        await ann.hears(events.LeftEvent, nick="bad")
        down, up = memory.wires[0].host.sent, memory.wires[0].dialler.sent
        known = len(down), len(up)
        before = trio.current_time()
        await bad.heartbeat()
        await bad.says(frames.TextBody("still here", action=False))
        for number in range(20):
            await all_hear(f"after {number}", *((ann, host) if number % 2 else (host, ann)))
        [last] = await bad.ended()
        assert isinstance(last, Placed)
        assert said(last) == frames.CommitBody(1, [frames.Removal(bad.me.id, "kicked", "spam")])
        assert bad.heads[-1].place == bad.ledger.index
        assert trio.current_time() <= before + limits.LINGER_PATIENCE
        assert "still here" not in host.texts
        overheard = payloads(b"".join(down[known[0] :]))
        assert len(overheard) >= 20
        assert not any(bad.epoch.open_batch(payload) for payload in overheard)


async def test_one_who_was_thrown_out_may_not_resume_and_comes_in_as_somebody_new_unless_it_is_locked_out(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.1, 5.12"""
    async with gathering(memory) as gathered:
        host, (ann,) = await met(gathered, "ann")
        bad = await gathered.played("bad")
        await host.session.post_input(inputs.KickInput("bad"))
        await bad.ended()
        again = await gathered.stranger()
        await again.greeted()
        await again.send(again.client_handshake(bad.resume(hello=again.hello)))
        assert (await again.expect(frames.RefusedFrame)).reason == "kicked"
        other = await gathered.join("bad")
        await all_hear("somebody else", other, host, ann)
        await host.session.post_input(inputs.KickInput("bad"))
        await host.session.post_input(inputs.LockInput(locked=True))
        assert (await other.gone()).reason == "kicked"
        assert (await gathered.invite("bad").gone()).reason == "refused"


async def test_one_who_was_thrown_out_while_it_was_away_learns_so_and_stays_out(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.12"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        tor.vanish()
        await ann.hears(events.LinkEvent, state="lost")
        await host.session.post_input(inputs.KickInput("ann"))
        await host.hears(events.LeftEvent, nick="ann", reason="kicked")
        tor.regain()
        assert (await ann.gone()).reason == "kicked"
        assert len(ann.heard(events.EnteredEvent)) == 1


async def test_a_locked_room_keeps_newcomers_out_and_nobody_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.1"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann, bob = await gathered.join("ann", network=tor.usable), await gathered.join("bob")
        await host.session.post_input(inputs.LockInput(locked=True))
        for person in (host, ann, bob):
            assert (await person.hears(events.LockChangedEvent)).locked
        newcomer = gathered.invite("new")
        assert (await newcomer.gone()).reason == "refused"
        assert [error.code for error in newcomer.heard(events.ErrorEvent)] == ["locked"]
        tor.vanish()
        await host.hears(events.LeftEvent, nick="ann")
        await host.say("while she was away")
        tor.regain()
        await ann.hears(events.MessageEvent, text="while she was away")
        await host.session.post_input(inputs.LockInput(locked=False))
        await all_hear("come in", await gathered.join("new"), host, ann, bob)
        assert len(ann.heard(events.EnteredEvent)) == 1


# --- across a commit


async def test_what_is_on_its_way_when_somebody_is_thrown_out_comes_once_and_in_its_order(
    network: Network, clock: object
) -> None:
    """5.13, 6.7"""
    await talk_while_two_are_thrown_out(network)


async def test_what_is_on_its_way_then_comes_once_over_links_that_push_back_too(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.lockstep = True
    await talk_while_two_are_thrown_out(memory)


async def talk_while_two_are_thrown_out(network: Network) -> None:
    async with gathering(network) as gathered:
        host, (*good, dan, eve) = await met(gathered, *NICKS)
        people = [host, *good]

        async def talk(person: Person, nick: str) -> None:
            for number in range(40):
                await person.say(f"{nick} {number}")
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for person, nick in zip(people, ("host", *NICKS), strict=False):
                nursery.start_soon(talk, person, nick)
            for bad in ("dan", "eve"):
                await host.until(lambda: len(host.texts) >= 10)
                await host.session.post_input(inputs.KickInput(bad))
        assert [(await bad.gone()).reason for bad in (dan, eve)] == ["kicked", "kicked"]
        for person in people:
            await person.until(lambda person=person: len(person.texts) >= 160)  # type: ignore[misc]
            assert not person.session.outstanding
            assert not person.heard(events.AlarmEvent)
            assert not person.heard(events.LinkEvent, state="lost")
        stories = [[part for part in person.story if part[0] == "message"] for person in people]
        assert all(story == stories[0] for story in stories)
        for nick in ("host", "ann", "bob", "cho"):
            own = [text for text in host.texts if text.startswith(nick)]
            assert own == [f"{nick} {number}" for number in range(40)]
        assert {epoch(person) for person in people} == {2}


async def test_what_a_link_brings_late_into_another_epoch_comes_once(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.8, 6.7: sealed in the epoch that is over, it is passed over; its author seals it anew."""
    async with gathering(memory) as gathered:
        host, (ann, bob, cho) = await met(gathered, "ann", "bob", "cho")
        memory.wires[0].host.pause()
        texts = [str(number) for number in range(20)]
        await ann.say(*texts)
        await ann.session.post_input(inputs.RenameInput("anna"))
        await ann.say("after the nick")
        await trio.testing.wait_all_tasks_blocked()
        for nick in ("bob", "cho"):
            await host.session.post_input(inputs.KickInput(nick))
            await ann.hears(events.LeftEvent, nick=nick)
        memory.wires[0].host.resume()
        for person in (host, ann):
            await person.hears(events.MessageEvent, text="after the nick", nick="anna")
            assert person.texts == [*texts, "after the nick"]
        assert (bob.texts, cho.texts) == ([], [])
        assert not ann.session.outstanding
        assert not ann.heard(events.ErrorEvent)


async def test_all_who_come_while_others_are_thrown_out_are_in_the_same_room(network: Network, clock: object) -> None:
    """6.5, 7.2"""
    async with gathering(network) as gathered:
        host, members = await met(gathered, *NICKS)
        newcomers = [gathered.invite(f"new{number}") for number in range(10)]
        for nick in NICKS:
            await host.session.post_input(inputs.KickInput(nick))
            await trio.lowlevel.checkpoint()
        for member in members:
            assert (await member.gone()).reason == "kicked"
        people = [host, *newcomers]
        expected = sorted(["host", *(f"new{number}" for number in range(10))])
        for person in people:
            await person.until(lambda person=person: sorted(person.nicks) == expected)  # type: ignore[misc]
        for number, person in enumerate(people):
            others = [other for other in people if other is not person]
            await all_hear(f"here {number}", person, *others)
        for person in people:
            assert not person.heard(events.AlarmEvent)
            assert not person.heard(events.LinkEvent, state="lost")


@pytest.mark.parametrize(
    "seconds", [1, limits.AWAY_SECONDS + limits.HEARTBEAT, 2 * limits.COMMIT_SHARES], ids=["short", "away", "long"]
)
async def test_one_without_a_link_when_somebody_is_thrown_out_comes_back_and_misses_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, seconds: float
) -> None:
    """5.12: what it has missed comes opened, for the epoch in which it was sealed is over."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann, bob, bad = await gathered.join("ann", tor.usable), await gathered.join("bob"), await gathered.join("bad")
        await trio.sleep(100)
        tor.vanish()
        texts = []
        for number, (person, nick) in enumerate(((host, "bad"), (bob, "bee"))):
            texts += [f"{number} before", f"{number} meanwhile", f"{number} after"]
            await person.say(texts[-3])
            await ann.say(texts[-2])
            if nick == "bad":
                await gathered.join("bee")
            await host.session.post_input(inputs.KickInput(nick))
            await bob.hears(events.LeftEvent, nick=nick)
            await person.say(texts[-1])
        await bob.until(lambda: len(bob.texts) == 4)
        assert epoch(host) == 2
        await trio.sleep(seconds)
        tor.regain()
        people = (host, ann, bob)
        for person in people:
            await person.until(lambda person=person: len(person.texts) == 6)  # type: ignore[misc]
        await all_hear("all here", *people)
        stories = [[part for part in person.story if part[0] == "message"] for person in people]
        assert stories[0] == stories[1] == stories[2]
        assert sorted(host.texts) == sorted([*texts, "all here"])
        assert [(left.nick, left.reason) for left in ann.heard(events.LeftEvent)] == [
            ("bad", "kicked"),
            ("bee", "kicked"),
        ]
        assert len(ann.heard(events.EnteredEvent)) == 1
        assert {epoch(person) for person in people} == {2}
        assert (await bad.gone()).reason == "kicked"


async def test_a_link_that_breaks_between_commit_and_commit_share_is_made_up_for(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.12, 6.9: wherever in the bytes of a commit it breaks."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann = await gathered.join("ann", tor.usable)
        for cut in range(0, 4_000, 200):
            bad = await gathered.join("bad")
            stop_after(tor.wires[-1], cut)
            await host.session.post_input(inputs.KickInput("bad"))
            await ann.say(f"ann {cut}")
            await host.say(f"host {cut}")
            for person in (host, ann):
                await person.hears(events.MessageEvent, text=f"ann {cut}")
                await person.hears(events.MessageEvent, text=f"host {cut}")
            assert (await bad.gone()).reason == "kicked"
        await trio.sleep(limits.HEARTBEAT)
        assert ann.texts == host.texts
        assert len(ann.texts) == len(set(ann.texts)) == 40
        assert len(ann.heard(events.LinkEvent, state="lost")) >= 5
        assert len(ann.heard(events.EnteredEvent)) == 1
        assert not ann.heard(events.AlarmEvent)


def stop_after(wire: Wire, count: int) -> None:
    """The host's end delivers so many bytes more, and then the wire breaks."""
    stream = wire.host.stream

    class Stopping:
        left = count

        async def send_all(self, data: bytes) -> None:
            await stream.send_all(bytes(data[: self.left]))
            self.left -= len(data)
            if self.left < 0:
                await trio.testing.wait_all_tasks_blocked()
                wire.cut()

        def __getattr__(self, name: str) -> object:
            return getattr(stream, name)

    wire.host.stream = Stopping()  # type: ignore[assignment]


# --- in its time


async def test_a_room_takes_fresh_secrets_in_its_time_and_all_take_fresh_keys(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """6.8"""
    monkeypatch.setattr(limits, "EPOCH", 60.0)
    async with gathering(memory) as gathered:
        host, members = await met(gathered, *NICKS)
        people = [host, *members]
        watcher = await gathered.played("watcher")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_beating, watcher)
            for person in people:
                await person.until(lambda person=person: "watcher" in person.nicks)  # type: ignore[misc]
            told = [list(person.told) for person in members]
            for number in (1, 2):
                before = {member.id: member.key_hash for member in watcher.ledger.roster}
                assert await watcher.hears() == frames.CommitBody(number, [])
                assert trio.current_time() == pytest.approx(number * limits.EPOCH)
                await watcher.expect(frames.CommitShareFrame)
                renewed = [await watcher.hears() for _ in people]
                assert {type(body) for body in renewed} == {frames.RenewBody}
                after = {member.id: member.key_hash for member in watcher.ledger.roster}
                assert [member for member in after if after[member] == before[member]] == [watcher.me.id]
                assert [list(person.told) for person in members] == told, "nobody is bothered with it"
            assert {epoch(person) for person in people} == {2}
            await all_hear("fresh", *people)
            assert await watcher.hears() == frames.TextBody("fresh", action=False)
            await host.session.post_input(inputs.KickInput("eve"))
            await all_hear("fresher", *people[:-1])
            nursery.cancel_scope.cancel()
        for person in people:
            assert not person.heard(events.LinkEvent, state="lost")
            assert not person.heard(events.AlarmEvent)


async def test_whoever_talks_when_the_time_for_fresh_secrets_comes_is_heard_once(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EPOCH", 0.1)
    async with gathering(memory) as gathered:
        host, members = await met(gathered, *NICKS)
        people = [host, *members]
        for number in range(30):
            for at, person in enumerate(people):
                await person.say(f"{at} {number}")
            await trio.sleep(0.03)
        for person in people:
            await person.until(lambda person=person: len(person.texts) == 180)  # type: ignore[misc]
            assert not person.heard(events.AlarmEvent)
        assert epoch(host) >= 5
        stories = [[part for part in person.story if part[0] == "message"] for person in people]
        assert all(story == stories[0] for story in stories)
        for at in range(len(people)):
            assert [text for text in host.texts if text.startswith(f"{at} ")] == [f"{at} {it}" for it in range(30)]


async def test_one_that_does_not_read_across_a_commit_is_cut_comes_back_and_has_everything(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.12, 6.9"""
    monkeypatch.setattr(limits, "LINK_LOST", 2 * limits.COMMIT_SHARES)  # so that it does not end for its silence
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host, (slow, quick, bad) = await met(gathered, "slow", "quick", "bad")
        await trio.sleep(100)
        memory.wires[0].dialler.pause()
        for text in ("not yet read", "stuck"):
            await host.say(text)
            await quick.hears(events.MessageEvent, text=text)
        await host.session.post_input(inputs.KickInput("bad"))
        before = trio.current_time()
        assert (await bad.gone()).reason == "kicked"
        await host.say("in another epoch")
        link = host.session.links.find_link(1)
        await trio.sleep(limits.COMMIT_SHARES - 1)
        assert link is not None
        assert host.session.links.find_link(1) is link
        await trio.sleep(1 + limits.HEARTBEAT)
        assert link.connection.reason == "lagged", "though there was nothing new but a head"
        memory.wires[0].dialler.resume()
        await slow.hears(events.MessageEvent, text="in another epoch")
        assert trio.current_time() <= before + limits.COMMIT_SHARES + limits.HEARTBEAT + limits.DIAL_PAUSE
        await all_hear("all here", host, slow, quick)
        assert host.texts == slow.texts == quick.texts
        assert len(slow.heard(events.EnteredEvent)) == 1
        for person in (host, quick):
            assert [left.nick for left in person.heard(events.LeftEvent)] == ["bad"]
            assert not person.heard(events.LinkEvent, state="lost")


async def test_a_commit_takes_out_all_who_left_or_were_lost_meanwhile_together(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """6.8"""
    async with gathering(memory) as gathered:
        host, (ann, bob, *_) = await met(gathered, *NICKS)
        await trio.sleep(100)
        watcher = await gathered.played("watcher")
        await ann.session.post_input(inputs.LeaveInput())
        assert await watcher.hears() == frames.LeaveBody()
        assert await watcher.hears() == frames.CommitBody(1, [])
        await watcher.expect(frames.CommitShareFrame)
        assert trio.current_time() == 100, "it has waited since long before"
        ends = [await watcher.hears() for _ in range(5)]
        assert {type(body) for body in ends} == {frames.RenewBody}
        await bob.session.post_input(inputs.LeaveInput())
        assert await watcher.hears() == frames.LeaveBody()
        await watcher.heartbeat()
        assert await watcher.hears() == frames.CommitBody(2, [])
        assert trio.current_time() == pytest.approx(100 + limits.COMMIT_PAUSE)
        assert host.nicks == ["host", "cho", "dan", "eve", "watcher"]


# --- what a wire shows


async def test_a_wire_shows_nothing_of_what_is_said_by_whom_and_where(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.4, 2.6, 4.5: no text, nick, name, id or key, nor anything drawn but the nonces of hellos and batches."""
    words = "the-name-of-the-room", "hostess-of-it", "alice-in-wonderland", "bertrand", "charlotte", "somebody-new"
    texts = "a text that nobody else may read", "another such text", "and a third one", "the reason for it"
    drawn = set()

    def draw(length: int | None = None) -> bytes:
        drawn.add(data := os.urandom(length or 32))
        return data

    monkeypatch.setattr(secrets, "token_bytes", draw)
    monkeypatch.setattr(limits, "EPOCH", 60.0)
    hidden = {text.encode() for text in words + texts}
    async with gathering(memory) as gathered:
        host = await gathered.host(words[1], words[0])
        tor = Tor(memory)
        ann, bob = await gathered.join(words[2], tor.usable), await gathered.join(words[3])
        cho = await gathered.join(words[4])

        def note() -> None:
            """What they know now."""
            for room in (person.session.room for person in (host, ann, bob, cho)):
                hidden.update(
                    (
                        room.replica.me.key,
                        room.replica.me.id,
                        identity.spell_member(room.replica.me.id).encode(),
                        room.replica.ledger.digest,
                    )
                )
                for key in room.replica.own_keys:
                    hidden.update((key.public[:1_184], key.public[1_184:]))
                if keys := room.replica.epoch:
                    hidden.update((keys.init_secret, keys.log_key, keys.newcomer_secret))
                    hidden.update(chain.chain_key for chain in keys.ratchets.values())

        hidden.update((gathered.key.public, gathered.key.code[:20].encode()))
        note()
        await ann.say(texts[0])
        await bob.hears(events.MessageEvent)
        await ann.session.post_input(inputs.RenameInput(words[5]))
        await bob.hears(events.RenamedEvent)
        note()
        tor.vanish()
        await host.say(texts[1])
        await host.session.post_input(inputs.KickInput(words[4], texts[3]))
        await cho.gone()
        await host.hears(events.LeftEvent, reason="lost")
        tor.regain()
        await ann.hears(events.MessageEvent, text=texts[1])
        note()
        await trio.sleep(limits.EPOCH)
        assert epoch(host) >= 2
        note()
        await bob.session.post_input(inputs.SayInput(texts[2], action=True))
        await ann.hears(events.MessageEvent, text=texts[2])
        await bob.session.post_input(inputs.LeaveInput())
        await bob.gone()
        await host.session.post_input(inputs.LeaveInput(close=True))
        await ann.gone()
    assert len(memory.wires) == 4
    nonces = set()
    shown: set[bytes] = set()
    for wire in memory.wires:
        down, up = b"".join(wire.host.sent), b"".join(wire.dialler.sent)
        assert min(len(down), len(up)) > 1_000
        hello, _ = handshake.read_hello(payloads(down)[0])
        nonces.add(hello.nonce)
        nonces.update(payload[: suite.NONCE] for payload in payloads(down))
        for data in (down, up):
            assert not [it for it in hidden if it in data]
            shown.update(it for it in drawn if len(it) > 1 and it in data)
    assert shown <= nonces
    assert {len(nonce) for nonce in shown} == {32, suite.NONCE}
    assert len(drawn) > 50
