"""tests/vectors/negative.json: what the library refuses, and how, and the second implementation as well."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag

from anonp2p import limits
from anonp2p.crypto import commit, identity, padding, private, suite
from anonp2p.crypto.epoch import Epoch, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import appointment, bodies, credentials, frames, handshake, meeting, room_state, welcome, wire
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.packing import unpack
from anonp2p.protocol.requests import AnyRequest, JoinRequest
from anonp2p.room.contents import unpack_content
from anonp2p.room.ledger import Ledger
from tests.crypto.test_vectors import held
from tests.support import second

CASES = held("negative")
REFUSED = (second.Malformed, InvalidTag, InvalidSignature, AssertionError, ValueError)
KINDS: dict[str, tuple[Any, str]] = {  # the library's class and the form of the second, by what it is in
    "2.4": (AnyRequest, "request"),
    "2.7": (frames.HostRecord, "record down"),
    "4.4": (bodies.Content, "content"),
    "4.5": (Batch, "batch"),
    "5.15": (bodies.PrivateText, "private text"),
    "7.1": (room_state.RoomState, "welcome"),
}


def kind_of(name: str) -> tuple[Any, str]:
    if name.endswith("in a record up"):
        return frames.MemberRecord, "record up"
    return KINDS[name.partition(" ")[0]]


def check(cases: list[Any], ours: Callable[[Any], object], theirs: Callable[[Any], object] | None = None) -> None:
    """Both refuse each of these; how the library says it, the case tells."""
    assert cases
    for case in cases:
        with pytest.raises(PeerFault) as caught:
            ours(case)
        assert caught.value.fault == case["fault"], case["what"]
        if theirs is not None:
            with pytest.raises(REFUSED):
                theirs(case)


@pytest.mark.parametrize("name", CASES["0.2 packed"])
def test_what_is_packed_otherwise_0_2(name: str) -> None:
    kind, form = kind_of(name)
    check(
        CASES["0.2 packed"][name],
        lambda case: unpack(kind, case["bytes"]),
        lambda case: second.read(form, case["bytes"]),
    )


def test_the_second_implementation_takes_what_is_well_formed() -> None:
    for it in held("handshake")["2.2 hello, 2.4 client handshake"]:
        second.read_hello(it["2.2 hello"]["content"])
        [asked] = [it[name] for name in ("2.4 Join", "2.4 Resume", "2.4 Meet") if name in it]
        second.read("request", second.unpad(asked["text"]))
    for direction in ("up", "down"):
        said = held("handshake")["2.6 records"][direction]
        for number, record in enumerate(said["records"]):
            value = second.off_record(said["first chain key"], number, record["content"])
            assert second.FORMS[f"record {direction}"](value)
    for batch in held("log")["4.5 in the order of the wire"]:
        if "4.5 packed" in batch:  # but for a commit's, which goes as a backfill alone
            second.read("batch", batch["4.5 packed"])
        for entry in batch["entries"]:
            second.read_header(entry["4.1 header"])
            second.unstepped(entry["4.4 padded"])
    for it in held("log")["5.13 backfills"]:
        assert second.FORMS["record down"]([[second.unpack(it["5.13 frame"])]])
    second.read("private text", held("log")["5.15 boxes"][0]["text"])
    second.read("welcome", held("welcome")["7.1 array"])


def test_every_frame_body_and_request_has_cases() -> None:
    names = {name.split(" ")[1] for name in CASES["0.2 packed"]}
    every = [*frames.FromMember.__args__, *frames.FromHost.__args__, *bodies.Body.__args__, *AnyRequest.__args__]
    said = {kind.__name__.removesuffix("Body").removesuffix("Request").removesuffix("Frame") for kind in every}
    assert said <= names


def test_keys_0_6_0_7() -> None:
    check(CASES["0.6 encryption keys"], lambda case: suite.seal_to_key(case["bytes"], b"", b""))
    ledger = Ledger(bytes(32))
    for case in CASES["0.7 keys"]:
        with pytest.raises(PeerFault) as caught:
            ledger.add_member(case["bytes"], "ann", bytes(32))
        assert caught.value.fault == case["fault"]


def test_padding_0_8() -> None:
    check(
        CASES["0.8 padded"],
        lambda case: padding.unpad_text(case["bytes"]),
        lambda case: second.unpad(case["bytes"]),
    )


def test_streams_2_1() -> None:
    for case in CASES["2.1 streams"]:
        splitter = wire.Splitter(limits.CLIENT_HANDSHAKE if case["fault"] == "payload-too-long" else padding.SIZES[-1])
        with pytest.raises(PeerFault, match=case["fault"]):
            list(splitter.feed_data(case["bytes"]))


def test_hellos_2_2() -> None:
    check(
        CASES["2.2 hellos"],
        lambda case: handshake.read_hello(case["bytes"]),
        lambda case: second.read_hello(case["bytes"]),
    )


def test_client_handshakes_2_4_2_5() -> None:
    it = CASES["2.4 client handshakes"]
    greeted, room = it["2.2 hello"], it["room"]
    key = suite.EncryptionKeyPair(greeted["handshake key seed"])
    ours = handshake.HostHandshake(greeted["nonce"], room, key)
    theirs, info = (
        second.KeyPair(greeted["handshake key seed"]),
        second.bound("client handshake", room, greeted["hello"]),
    )
    check(
        it["boxes"],
        lambda case: ours.open_request(case["bytes"]),
        lambda case: theirs.open_sealed(case["bytes"], info),
    )
    for case in it["2.5 requests"]:
        join: JoinRequest = unpack(AnyRequest, case["bytes"])
        content = handshake.join_content(greeted["hello"], join)
        assert not identity.is_signed(identity.JOIN, room, content, join.signature, join.key)
        _, link, signer, encryption_key, nick, signature, index, digest, invited = second.read("request", case["bytes"])
        signed = second.join_content(greeted["hello"], link, signer, encryption_key, index, digest, nick, invited)
        with pytest.raises(InvalidSignature):
            second.verify(signer, "join", room, signed, signature)


def test_records_2_6() -> None:
    valid = held("handshake")["2.6 records"]

    def ours(case: Any) -> None:
        channel = handshake.Channel(valid["link"], valid["hello"], up=False)
        for content in case["contents"]:
            channel.open_record(content)

    def theirs(case: Any) -> None:
        for number, content in enumerate(case["contents"]):
            second.off_record(case["first chain key"], number, content)

    check(CASES["2.6 records"], ours, theirs)


def test_answers_2_12_2_13() -> None:
    it = CASES["2.12, 2.13 answers"]
    room = it["room"]

    def read(case: Any) -> Any:
        """The frame, as it comes in a record."""
        return unpack(frames.HostRecord, second.pack([[case["frame"]]])).frames[0]

    def theirs(case: Any) -> None:
        match case["frame"]:
            case [4, reason, vouched, signature]:
                second.check_credentials(vouched, room)
                second.verify(vouched[1], "refused", room, case["hello"] + reason.encode(), signature)
            case [27, vouched, signature]:
                second.check_credentials(vouched, room)
                second.verify(vouched[1], "held", room, case["hello"], signature)
            case [7, now, signature]:
                second.verify(it["host"], "resumed", room, case["hello"] + now, signature)

    check(it["Refused"], lambda case: credentials.check_refusal(read(case), case["hello"], room), theirs)
    check(it["Held"], lambda case: credentials.check_hold(read(case), case["hello"], room), theirs)
    check(it["Resumed"], lambda case: credentials.check_resumption(read(case), case["hello"], room, it["host"]), theirs)


def test_headers_4_1() -> None:
    check(
        CASES["4.1 headers"],
        lambda case: Header.unpack(case["bytes"]),
        lambda case: second.read_header(case["bytes"]),
    )


def test_bodies_4_4() -> None:
    def ours(case: Any) -> None:
        ledger = Ledger(case["room"])
        ledger.epoch = case["epoch"]
        ledger.add_member(case["key"], "ann", bytes(32))
        ledger.open_entry(Header.unpack(case["header"]), case["bytes"])

    def theirs(case: Any) -> None:
        signature, padded = case["bytes"][:64], case["bytes"][64:]
        signed = second.signed_entry(case["epoch"], case["header"], padded)
        second.verify(case["key"], "entry", case["room"], signed, signature)
        second.unstepped(padded)

    check([case for case in CASES["4.4 bodies"] if case["fault"] == "forged-entry"], ours, theirs)
    for case in CASES["4.4 bodies"]:
        if case["fault"] != "forged-entry":
            with pytest.raises(PeerFault, match=case["fault"]):
                unpack_content(case["bytes"])
            with pytest.raises(REFUSED):
                second.unstepped(case["bytes"][64:])


def test_batches_4_5() -> None:
    for case in CASES["4.5 batches"]:
        epoch = Epoch(0, bytes(32), case["4.5 log key"], bytes(32), {})
        if case["fault"] == "none":
            assert epoch.open_batch(case["bytes"]) is None, "it may be a record"
        else:
            with pytest.raises(PeerFault, match=case["fault"]):
                epoch.open_batch(case["bytes"])
        with pytest.raises(REFUSED):
            second.off_batch(case["4.5 log key"], case["bytes"])


def test_private_boxes_5_15() -> None:
    assert CASES["5.15 boxes"]
    for case in CASES["5.15 boxes"]:
        place = [case[name] for name in ("room", "epoch", "author", "counter", "recipient")]
        key, info = suite.EncryptionKeyPair(case["encryption key seed"]), private.bind_message(*place)
        assert private.open_message(case["bytes"], [key], info) is None
        with pytest.raises(InvalidTag):
            second.KeyPair(case["encryption key seed"]).open_sealed(case["bytes"], second.private_info(*place))


def test_commit_shares_6_9() -> None:
    def place(case: Any) -> list[Any]:
        return [case[name] for name in ("room", "member", "epoch", "digest")]

    def ours(case: Any) -> None:
        commit.open_share(case["bytes"], suite.EncryptionKeyPair(case["encryption key seed"]), *place(case))

    def theirs(case: Any) -> None:
        second.KeyPair(case["encryption key seed"]).open_sealed(case["bytes"], second.share_info(*place(case)))

    check(CASES["6.9 commit shares"], ours, theirs)


def test_welcomes_7_1() -> None:
    it = CASES["7.1 welcomes"]
    key_pair, key = suite.EncryptionKeyPair(bytes(32)), bytes(32)

    def ours(case: Any) -> None:
        info = second.bound("welcome", it["room"], case["hello"])
        shown = frames.WelcomeFrame(suite.seal_to_key(key_pair.public, key, info), 1)
        reader = welcome.WelcomeReader(shown, key_pair, it["room"], case["hello"])
        reader.take_page(frames.PageFrame(suite.Key(key).seal_text(0, case["bytes"])))

    def theirs(case: Any) -> None:
        signature, array = case["bytes"][:64], case["bytes"][64:]
        second.read("welcome", array)
        second.verify(it["7.1 signing key"], "welcome", it["room"], case["hello"] + second.h(array), signature)

    check(it["texts"], ours, theirs)


def test_addresses_of_heirs_8_6() -> None:
    def ours(case: Any) -> None:
        appointment.check_address(frames.AddressFrame(case["address"], case["signature"]), case["room"], case["member"])

    def theirs(case: Any) -> None:
        second.verify(case["address"], "address", case["room"], case["member"], case["signature"])

    check(CASES["8.6 addresses"], ours, theirs)


def test_room_keys_for_heirs_8_7() -> None:
    def place(case: Any) -> list[Any]:
        return [case[name] for name in ("room", "member", "code")]

    def ours(case: Any) -> None:
        keys = [suite.EncryptionKeyPair(case["encryption key seed"])]
        appointment.open_room_key(case["bytes"], keys, *place(case))

    def theirs(case: Any) -> None:
        info = second.room_key_info(*place(case))
        opened = second.KeyPair(case["encryption key seed"]).open_sealed(case["bytes"], info)
        assert second.public(opened) == case["code"]

    check(CASES["8.7 room keys"], ours, theirs)


def test_answers_of_heirs_8_9() -> None:
    assert CASES["8.9 answers of heirs"]
    for case in CASES["8.9 answers of heirs"]:
        place = case["hello"], case["service"]
        assert not credentials.is_waiting_signed(frames.WaitingFrame(case["signature"]), *place, case["key"])
        with pytest.raises(REFUSED):
            second.verify(case["key"], "waiting", case["service"], case["hello"], case["signature"])


def test_redirects_8_15() -> None:
    def ours(case: Any) -> None:
        where: frames.Where = unpack(frames.Where, case["where"])
        redirect = frames.RedirectFrame(where, case["signature"])
        meeting.check_redirect(redirect, case["service"], case["hello"], case["key"])

    def theirs(case: Any) -> None:
        second.verify(case["key"], "redirect", case["service"], case["hello"] + case["where"], case["signature"])

    check(CASES["8.15 redirects"], ours, theirs)
