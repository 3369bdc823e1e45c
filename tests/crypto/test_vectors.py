"""The vectors of tests/vectors, against the library and against the second implementation of the protocol."""

import ast
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anonp2p import limits
from anonp2p.crypto import commit, identity, invitations, padding, private, suite
from anonp2p.crypto.epoch import COMMIT, Epoch, Header
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault
from anonp2p.names import codes, nicks, safety_words, words
from anonp2p.names.safety_words import Mark, Marks
from anonp2p.protocol import appointment, bodies, credentials, field_types, frames, handshake, meeting, welcome, wire
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.packing import pack, unpack
from anonp2p.protocol.requests import Hello, JoinRequest, MeetRequest, ResumeRequest
from anonp2p.room import contents, events, inputs
from tests.room.member.false_host import FalseHost
from tests.room.peers import ANN, NOW
from tests.support import second, second_rights
from tests.vectors import make

LABELS = {"entry": identity.ENTRY}


def read(value: Any) -> Any:
    """A file's value, with hex as the bytes it stands for: all texts outside of packed arrays look otherwise."""
    if isinstance(value, dict):
        if value.keys() == {"text"} and isinstance(value["text"], str):
            return value["text"]
        return {name: read(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [read(inner) for inner in value]
    if isinstance(value, str) and len(value) % 2 == 0 and set(value) <= set("0123456789abcdef"):
        return bytes.fromhex(value)
    return value


def held(name: str) -> Any:
    return read(json.loads((make.TARGET / f"{name}.json").read_text()))


NOTATION, HANDSHAKE, RATCHETS, LOG, EPOCHS, WELCOME, RETENTION, WORDS, SUCCESSION, PRIVATE, TRANSFERS = map(
    held,
    (
        "notation",
        "handshake",
        "ratchets",
        "log",
        "epochs",
        "welcome",
        "retention",
        "words",
        "succession",
        "private_rooms",
        "transfers",
    ),
)
CLIENT_HANDSHAKES = HANDSHAKE["2.2 hello, 2.4 client handshake"]
BATCHES = LOG["4.5 in the order of the wire"]
ENTRIES = [it for batch in BATCHES for it in batch["entries"]]
BACKFILLS = LOG["5.13 backfills"]
ROOM = LOG["room"]
[COMMITTED] = [it["4.7 index"] for it in ENTRIES if it["kind"] == COMMIT]


def test_the_files_are_what_scripts_vectors_writes() -> None:
    assert make.differing(make.TARGET) == []


def test_a_file_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    assert len(make.differing(tmp_path)) == 14
    for path, text in make.files(make.TARGET).items():
        (tmp_path / path.name).write_text(text)
    assert make.differing(tmp_path) == []
    (tmp_path / "log.json").write_text(make.files(tmp_path)[tmp_path / "log.json"].replace("0", "1", 1))
    (tmp_path / "other.json").write_text("{}")
    assert make.differing(tmp_path) == [tmp_path / "log.json", tmp_path / "other.json"]


def test_the_script_writes_the_files_and_checks_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tests" / "vectors"
    folder.mkdir(parents=True)
    monkeypatch.setattr(make, "TARGET", folder)
    for arguments, status in ((["--check"], 1), ([], None), (["--check"], 0)):
        monkeypatch.setattr("sys.argv", ["vectors", *arguments])
        with nullcontext() if status is None else pytest.raises(SystemExit) as caught:
            make.main()
        assert caught is None or caught.value.code == status
    assert "tests/vectors/log.json differs" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["second.py", "second_member.py"])
def test_the_second_implementation_has_nothing_of_the_program(file: str) -> None:
    source = (Path(second.__file__).parent / file).read_text(encoding="utf-8")
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert "msgspec" in imported or "cryptography" in imported
    assert "anonp2p" not in imported


def test_boxes_that_do_not_open_are_made_anew() -> None:
    key = suite.EncryptionKeyPair(bytes(32))
    box = suite.seal_to_key(key.public, b"a text", b"this")
    boxes = make.Boxes([{"in": [{"info": b"this".hex(), "box": box.hex()}]}])
    assert boxes.sealed(key, b"a text", b"this")["box"] == box
    for text, info in ((b"a text", b"that"), (b"another", b"this")):
        other = boxes.sealed(key, text, info)["box"]
        assert other != box
        assert key.open_sealed(other, info) == text


# --- 0, 2.1, 3.1


@pytest.mark.parametrize("expand", [suite.expand, second.expand])
def test_expand_0_4(expand: Callable[[bytes, str, bytes], bytes]) -> None:
    for it in NOTATION["0.4 expand"]:
        assert expand(it["secret"], it["label"], it["context"]) == it["out"]


@pytest.mark.parametrize("extract", [suite.extract, second.extract])
def test_extract_0_4(extract: Callable[[bytes, bytes], bytes]) -> None:
    [it] = NOTATION["0.4 extract"]
    assert extract(it["salt"], it["secret"]) == it["out"]


def test_aead_0_5() -> None:
    for it in NOTATION["0.5 aead"]:
        assert suite.Key(it["key"]).open_sealed(it["nonce"], it["out"], it["data"]) == it["text"]
        assert second.aead(it["key"], it["nonce"], it["text"], it["data"]) == it["out"]


@pytest.mark.parametrize("kind", [suite.EncryptionKeyPair, second.KeyPair])
def test_encryption_keys_0_6(kind: type[suite.EncryptionKeyPair | second.KeyPair]) -> None:
    for it in NOTATION["0.6 encryption key"]:
        assert kind(it["seed"]).public == it["public"]


@pytest.mark.parametrize("kind", [suite.EncryptionKeyPair, second.KeyPair])
def test_a_box_0_6(kind: type[suite.EncryptionKeyPair | second.KeyPair]) -> None:
    it = NOTATION["0.6 box"]
    assert kind(it["encryption key seed"]).open_sealed(it["box"], it["info"]) == it["text"]


@pytest.mark.parametrize("seal", [suite.seal_to_key, second.box])
@pytest.mark.parametrize("kind", [suite.EncryptionKeyPair, second.KeyPair])
def test_what_one_implementation_seals_both_open(
    seal: Callable[[bytes, bytes, bytes], bytes], kind: type[suite.EncryptionKeyPair | second.KeyPair]
) -> None:
    key = kind(bytes(32))
    box = seal(key.public, b"a text", b"info")
    assert len(box) == 1_120 + len(b"a text") + suite.TAG
    assert key.open_sealed(box, b"info") == b"a text"


def test_a_signature_0_7() -> None:
    it = NOTATION["0.7 signature"]
    author = identity.Identity(it["key seed"], it["room"])
    assert author.sign(LABELS[it["label"]], it["content"]) == it["signature"]
    assert second.sign(it["key seed"], it["label"], it["room"], it["content"]) == it["signature"]


@pytest.mark.parametrize("pad", [padding.pad_text, second.pad])
@pytest.mark.parametrize("unpad", [padding.unpad_text, second.unpad])
def test_padding_0_8(pad: Callable[[bytes, int], bytes], unpad: Callable[[bytes], bytes]) -> None:
    for it in NOTATION["0.8 pad"]:
        assert pad(it["text"], it["n"]) == it["out"]
        assert unpad(it["out"]) == it["text"]
        for wrong in (it["out"] + b"\1", it["out"][: len(it["text"]) + 1], b"\xff" + it["out"]):
            with pytest.raises((PeerFault, AssertionError)):
                unpad(wrong)


def test_payloads_2_1() -> None:
    assert [it["length"] for it in NOTATION["2.1 payloads"]] == list(padding.SIZES) == list(second.SIZES)
    for it in NOTATION["2.1 payloads"]:
        content = b"x" * (it["length"] - 2)
        assert padding.frame_content(content) == second.wire(content) == it["before it"] + content
        assert list(wire.Splitter(len(content)).feed_data(it["before it"] + content)) == [content]


def test_what_is_filled_2_1() -> None:
    for it in NOTATION["2.1 filled"]:
        text = b"x" * it["length"]
        filled = padding.fill_payload(text, it["beside it"])
        assert filled == second.filled(text, it["beside it"])
        for unfill in (padding.unfill_payload, second.unfilled):
            assert unfill(filled, it["beside it"]) == text
            with pytest.raises((PeerFault, AssertionError)):
                unfill(padding.pad_text(text, len(filled) + 480), it["beside it"])
        assert len(filled) == it["filled"]
        assert it["filled"] + it["beside it"] + 2 in padding.SIZES


def test_members_3_1() -> None:
    for it in NOTATION["3.1 members"]:
        assert identity.Identity(it["key seed"], b"").key == second.public(it["key seed"]) == it["key"]
        assert identity.member_id(it["key"]) == second.member_id(it["key"]) == it["id"]
        assert identity.spell_member(it["id"]) == second.spell(it["id"]) == it["id as shown"]
        assert (
            suite.EncryptionKeyPair(it["encryption key seed"]).public
            == second.KeyPair(it["encryption key seed"]).public
            == it["encryption key"]
        )


def test_nicks_3_3() -> None:
    """What is a nick, and which are alike, is the same for a second implementation."""
    it = held("nicks")
    table = {each["of"]: each["to"] for each in it["3.3 confusables of what is in them"]}
    for case in it["3.3 nicks"]:
        nick = case["nick"]
        assert nicks.is_nick(nick) is second.is_nick(nick) is case["proper"], ascii(nick)
        if case["proper"]:
            assert second.nick_keys(nick, table) == nicks.narrow_looks(nick) == set(case["keys"]), ascii(nick)
    alike = {frozenset(case["keys"]) for case in it["3.3 nicks"] if case["proper"]}
    assert len(alike) < len([case for case in it["3.3 nicks"] if case["proper"]]), "some are alike"


# --- 2


@pytest.mark.parametrize("it", CLIENT_HANDSHAKES, ids=["join", "resume", "meet"])
def test_the_hello_2_2(it: Any) -> None:
    said, room = it["2.2 hello"], it["room"]
    greeting = handshake.HostHandshake(said["nonce"], room, suite.EncryptionKeyPair(said["handshake key seed"]))
    assert greeting.wire == second.wire(said["content"])
    content = second.hello(said["nonce"], second.KeyPair(said["handshake key seed"]).public)
    assert content == said["content"]
    assert greeting.hello == second.h(content) == said["hello"]
    assert handshake.read_hello(content) == (
        Hello(4, said["nonce"], second.KeyPair(said["handshake key seed"]).public),
        said["hello"],
    )


@pytest.mark.parametrize(("it", "kind"), list(zip(CLIENT_HANDSHAKES, ("Join", "Resume", "Meet"), strict=True)))
def test_a_client_handshake_2_4(it: Any, kind: str) -> None:
    said, room, client_handshake = it["2.2 hello"], it["room"], it[f"2.4 {kind}"]
    request = handshake.HostHandshake(
        said["nonce"], room, suite.EncryptionKeyPair(said["handshake key seed"])
    ).open_request(client_handshake["content"])
    assert client_handshake["content"] == client_handshake["ticket"] + client_handshake["box"]
    assert handshake.read_ticket(client_handshake["content"]) == client_handshake["ticket"]
    assert make.spec_name(request) == kind
    assert pack(request) == second.unpad(client_handshake["text"])
    assert len(second.wire(client_handshake["content"])) == limits.CLIENT_HANDSHAKE
    assert client_handshake["info"] == second.bound("client handshake", room, said["hello"])
    assert (
        second.KeyPair(said["handshake key seed"]).open_sealed(client_handshake["box"], client_handshake["info"])
        == client_handshake["text"]
    )
    assert second.client_handshake(client_handshake["request"]) == client_handshake["text"]


def test_a_ticket_2_5a() -> None:
    joined, resumed, _ = CLIENT_HANDSHAKES
    link = joined["2.4 Join"]["request"][1]
    assert resumed["2.4 Resume"]["ticket"] == second.ticket(link, joined["2.2 hello"]["hello"])


def test_a_join_2_5() -> None:
    said, client_handshake = CLIENT_HANDSHAKES[0]["2.2 hello"], CLIENT_HANDSHAKES[0]["2.4 Join"]
    request = second.unpack(second.unpad(client_handshake["text"]))
    _, link, key, encryption_key, nick, signature, index, digest, invited = request
    known = index, digest, field_types.Invited(*invited)
    join = JoinRequest(link, key, encryption_key, nick, signature, *known)
    assert handshake.join_content(said["hello"], join) == client_handshake["signed"]
    signed = second.join_content(said["hello"], link, key, encryption_key, index, digest, nick, invited)
    assert signed == client_handshake["signed"]
    assert identity.is_signed(identity.JOIN, ROOM, client_handshake["signed"], signature, key)
    second.verify(key, "join", ROOM, client_handshake["signed"], signature)
    second.verify(invited[0], "invited", b"", key + invited[1], invited[2])


def test_a_resume_2_5() -> None:
    said, client_handshake = CLIENT_HANDSHAKES[1]["2.2 hello"], CLIENT_HANDSHAKES[1]["2.4 Resume"]
    _, link, member, encryption_key, epoch, index, digest, openings, lost, signature = second.unpack(
        second.unpad(client_handshake["text"])
    )
    terms = [field_types.Opening(*it) for it in openings]
    resume = ResumeRequest(link, member, encryption_key, epoch, index, digest, terms, lost, signature)
    assert handshake.resume_content(said["hello"], resume) == client_handshake["signed"]
    signed = second.resume_content(said["hello"], link, encryption_key, epoch, index, digest, openings, lost)
    assert signed == client_handshake["signed"]
    [key] = [it["key"] for it in NOTATION["3.1 members"] if it["id"] == member]
    assert identity.is_signed(identity.RESUME, ROOM, client_handshake["signed"], signature, key)
    second.verify(key, "resume", ROOM, client_handshake["signed"], signature)


def test_a_meet_2_5() -> None:
    said, client_handshake = CLIENT_HANDSHAKES[2]["2.2 hello"], CLIENT_HANDSHAKES[2]["2.4 Meet"]
    _, link, member, address, index, digest, openings, signature = second.unpack(second.unpad(client_handshake["text"]))
    listed = [field_types.Opening(*opening) for opening in openings]
    meet = MeetRequest(link, member, address, index, digest, listed, signature)
    assert meeting.meet_content(meet, said["hello"]) == client_handshake["signed"]
    assert second.meet_content(said["hello"], link, address, index, digest, openings) == client_handshake["signed"]
    [key] = [it["key"] for it in NOTATION["3.1 members"] if it["id"] == member]
    assert meeting.is_meet_signed(meet, ROOM, said["hello"], key)
    second.verify(key, "meet", ROOM, client_handshake["signed"], signature)


def test_a_redirect_8_15() -> None:
    it = HANDSHAKE["2.6 records"]
    said = [frame for record in it["up"]["records"] for frame in record["2.7 frames"] if frame[0] == 23]
    [[_, where, signature]] = said
    [key] = [member["key"] for member in NOTATION["3.1 members"] if member["id"] == where[1]]
    second.verify(key, "redirect", ROOM, it["hello"] + second.pack(where), signature)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_records_2_6(direction: str) -> None:
    it = HANDSHAKE["2.6 records"]
    to_host = handshake.Channel(it["link"], it["hello"], up=direction == "down")
    sender = handshake.Channel(it["link"], it["hello"], up=direction == "up")
    first = it[direction]["first chain key"]
    assert second.expand(it["link"], direction, it["hello"]) == first
    for number, record in enumerate(it[direction]["records"]):
        opened = to_host.open_record(record["content"])
        assert [make.spec_name(frame) for frame in opened.frames] == record["frames"]
        echo = [record["echo"]] if direction == "up" else []
        said = [*echo, record["2.7 frames"]]
        assert isinstance(opened, frames.HostRecord) or [opened.echo] == echo
        assert sender.seal_frames(opened.frames, echo=any(echo)) == second.wire(record["content"])
        assert second.record(first, number, said) == record["content"]
        assert second.off_record(first, number, record["content"]) == second.unpack(pack(opened))


# --- 4


def test_the_digests_of_the_log_4_6() -> None:
    digest, context = LOG["4.6 digest without entries"], LOG["4.8 group context without entries"]["4.8 group context"]
    assert digest == identity.hash_empty_log(ROOM, context) == second.genesis(ROOM, context)
    for index, it in enumerate(ENTRIES, 1):
        context = context_of(it) or context
        parts = (digest, index, it["4.1 header"], second.h(it["4.4 body"]), context)
        digest = it["4.6 digest"]
        assert it["4.7 index"] == index
        assert identity.extend_log_hash(*parts) == second.longer(*parts) == digest


def context_of(it: Any) -> Any:
    """The group context to which an entry leads, None if it leaves that as it is."""
    changed = it["4.8 group context, if it is another"]
    return changed and changed["4.8 group context"]


def test_the_group_contexts_of_the_log_4_8() -> None:
    """Each from what its entry says, and the one before."""
    welcome = second.unpack(WELCOME["7.1 array"])
    name, _, term, retention, history, epoch = welcome[1:7]
    host = term[1]
    [founder] = [entry for entry in welcome[13] if second.member_id(entry[0]) == host]
    members = {host: [founder[0], founder[1], founder[3], founder[4]]}
    rights = second_rights.of_founder(host, PRIVATE["5d.2 members' key"], PRIVATE["5d.2 founder"]["client"])

    def context() -> bytes:
        return second.group_context(ROOM, name, epoch, term, [retention, history], rights, list(members.values()))

    assert context() == LOG["4.8 group context without entries"]["4.8 group context"]
    for it in ENTRIES:
        before, author, (_, *said) = context(), it["author"], it["4.4 content, unpacked"][3]
        match it["says"]:
            case "Nick":
                members[author][1] = said[0]
            case "Leave":
                del members[author]
                rights = second_rights.without(rights, author)
            case "Joined":
                rights = second_rights.with_newcomer(rights, said[0], second.member_id(said[0]), said[3])
                members[second.member_id(said[0])] = [said[0], said[1], False, said[2]]
            case "Away" | "Back":
                members[said[0]][2] = it["says"] == "Away"
            case "Renew":
                members[author][3] = said[0]
            case "Commit":
                epoch = said[0]
                for member, _ in said[1]:
                    del members[member]
                    rights = second_rights.without(rights, member)
            case "Code":
                rights = second_rights.with_code(rights, said[1])
                term = [term[0], host, said[0], said[0], [], [host], *term[6:]]
            case _:
                tag, nicks = it["4.4 content, unpacked"][3][0], {who: place[1] for who, place in members.items()}
                rights = second_rights.apply(rights, author, host, nicks, [tag, *said])
        assert (context_of(it) or before) == context()
        assert (context_of(it) is None) == (context() == before)


def test_the_library_opens_the_log_in_its_order() -> None:
    """6.9: a commit, which is in none of these batches, ends the epoch."""
    epoch = first_epoch()
    for batch in BATCHES:
        if batch["entries"] and batch["entries"][0]["says"] == "Commit":
            epoch = next_epoch(epoch)
            continue
        assert (epoch.open_batch(batch["content"]) is None) == (epoch.log_key != batch["4.5 log key"])
        packed = epoch.open_batch(batch["content"])
        assert packed is not None
        assert packed == batch["4.5 packed"]
        opened: Batch = unpack(Batch, packed)
        assert opened.head == batch["4.5 head"]
        for it, sealed in zip(batch["entries"], opened.entries, strict=True):
            assert sealed == it["4.1 entry"]
            header, body = epoch.open_entry(sealed)
            assert (header.pack(), body) == (it["4.1 header"], it["4.4 body"])
            content = contents.unpack_content(body)
            assert second.unpack(it["4.4 content"]) == second.unpack(pack(content))
            if isinstance(content.body, bodies.JoinedBody):
                epoch.admit_member(identity.member_id(content.body.key))
    assert epoch.number == 1


def first_epoch() -> Epoch:
    it = EPOCHS["6.2-6.5 epochs"][0]
    return Epoch.begin(it["6.2 fresh secret"], it["6.2 digest"], it["6.3 chain keys"][0]["id"])


def next_epoch(epoch: Epoch) -> Epoch:
    it = EPOCHS["6.2-6.5 epochs"][1]
    after, tag = epoch.follow(it["6.2 fresh secret"], it["6.2 digest"], [key["id"] for key in it["6.3 chain keys"]])
    assert tag == it["6.4 tag"]
    return after


@pytest.mark.parametrize("it", ENTRIES, ids=lambda it: it["says"])
def test_an_entry_of_the_second_implementation_4_1_to_4_4(it: Any) -> None:
    header = second.header(it["kind"], it["author"], it["counter"], it["generation"], it["ttl"])
    epoch = int(it["4.7 index"] > COMMITTED)
    assert header == it["4.1 header"] == Header.unpack(header).pack()
    assert second.pack(it["4.4 content, unpacked"]) == it["4.4 content"]
    assert second.stepped(it["4.4 content"]) == it["4.4 padded"]
    assert second.signed_entry(epoch, header, it["4.4 padded"]) == it["4.4 signed"]
    [seed] = [who["key seed"] for who in NOTATION["3.1 members"] if who["id"] == it["author"]]
    body = second.sign(seed, "entry", ROOM, it["4.4 signed"]) + it["4.4 padded"]
    assert body == it["4.4 body"]
    if it["kind"] == 1:
        assert (it["4.2 body key"], it["4.1 entry"]) == (None, None)
        return
    assert second.entry(it["4.2 body key"], header, body) == it["4.1 entry"]
    assert second.off_entry(it["4.2 body key"], it["4.1 entry"]) == (header, body)
    assert second.key_of(first_chain_key(epoch, it["author"]), it["generation"]) == it["4.2 body key"]


def test_a_content_is_padded_to_the_least_multiple_of_64_that_holds_it_4_4() -> None:
    beside = [len(it["4.4 padded"]) - len(it["4.4 content"]) for it in ENTRIES]
    assert all(len(it["4.4 padded"]) % 64 == 0 for it in ENTRIES)
    assert (min(beside), max(beside)) == (2, 65)


def first_chain_key(epoch: int, member: bytes) -> bytes:
    it = EPOCHS["6.2-6.5 epochs"][epoch]
    [first] = [key["chain key"] for key in it["6.3 chain keys"] + it["6.5 newcomers"] if key["id"] == member]
    assert isinstance(first, bytes)
    return first


@pytest.mark.parametrize("it", BATCHES, ids=lambda it: it["4.5 time"])
def test_a_batch_of_the_second_implementation_4_5(it: Any) -> None:
    told = [entry for batch in BATCHES[: BATCHES.index(it) + 1] for entry in batch["entries"]]
    content = second.head_content(told[-1]["4.7 index"], told[-1]["4.6 digest"], it["4.5 time"])
    assert content == it["4.5 signed"]
    host = NOTATION["3.1 members"][0]
    assert content + second.sign(host["key seed"], "head", ROOM, content) == it["4.5 head"]
    if any(entry["kind"] == 1 for entry in it["entries"]):
        return  # told as a backfill alone
    entries = [entry["4.1 entry"] for entry in it["entries"]]
    contexts = [context_of(entry) for entry in it["entries"]]
    assert second.pack([entries, contexts, it["4.5 head"]]) == it["4.5 packed"]
    assert second.batch(it["4.5 log key"], it["4.5 nonce"], entries, contexts, it["4.5 head"]) == it["content"]
    assert second.off_batch(it["4.5 log key"], it["content"]) == (entries, contexts, it["4.5 head"])
    assert len(second.wire(it["content"])) in second.SIZES


# --- 5


@pytest.mark.parametrize("it", BACKFILLS, ids=lambda it: it["time"])
def test_a_backfill_of_the_second_implementation_5_13(it: Any) -> None:
    [batch] = [batch for batch in BATCHES if any(entry["4.7 index"] == it["from index"] for entry in batch["entries"])]
    told = [entry for entry in batch["entries"] if entry["4.7 index"] >= it["from index"]]
    entries = []
    for entry, gone, by in zip(told, it["gone"], it["retracted by"], strict=True):
        assert not gone or second.may_be_gone(entry["ttl"], batch["4.5 time"], it["time"])
        retract = None
        if by is not None:
            [found] = [other for other in ENTRIES if other["4.7 index"] == by["index"]]
            retract = [by["epoch"], found["4.1 header"], found["4.4 body"]]
            signed = second.signed_entry(by["epoch"], found["4.1 header"], found["4.4 body"][64:])
            second.verify(entry["4.4 signing key"], "entry", ROOM, signed, found["4.4 body"][:64])
            assert found["4.4 content, unpacked"][-1] == [12, entry["counter"]]
        entries.append(second.told(entry["4.1 header"], entry["4.4 body"], gone=gone, retract=retract))
    contexts = [context_of(entry) for entry in told]
    backfill = second.backfill(entries, contexts, batch["4.5 head"], it["5.13 now"])
    assert second.pack(backfill) == it["5.13 frame"]
    record: frames.HostRecord = unpack(frames.HostRecord, second.pack([[backfill]]))
    assert pack(record.frames[0]) == it["5.13 frame"]
    assert any(it["gone"]) == (it["time"] > 100_000)


def test_what_may_be_gone_5_13() -> None:
    for it in RETENTION["5.13 gone"]:
        assert second.may_be_gone(it["ttl"], it["time of its head"], it["time"]) is it["may be gone"]


@pytest.mark.parametrize("it", RETENTION["5.16 in time and late"], ids=lambda it: it["newest time"])
def test_how_long_what_comes_late_lives_5_16(it: Any) -> None:
    left = second.lives_on(it["ttl"], it["time of its head"], it["newest time"])
    assert left * 1_000 == it["milliseconds left"]
    host = FalseHost()
    host.lets_in()
    host.time = it["time of its head"]
    late = host.past(
        host.entry(ANN, bodies.TextBody("late", action=False, reply=None), ttl=it["ttl"]), time=it["newest time"]
    )
    [said] = host.hears(late)
    assert isinstance(said, events.MessageEvent)
    end = NOW.age + left
    assert host.takes(inputs.TickInput(), NOW._replace(tick=end)) == [events.ExpiredEvent(room="r1", seq=said.seq)]


@pytest.mark.parametrize("it", RETENTION["5.13 gone"], ids=lambda it: f"{it['ttl']}-{it['time']}")
def test_a_member_takes_as_gone_what_may_be_5_13(it: Any) -> None:
    host = FalseHost()
    host.lets_in()
    host.time = it["time of its head"]
    entry = host.entry(ANN, bodies.TextBody("gone", action=False, reply=None), ttl=it["ttl"])
    told = host.hears(host.past(entry, gone=[entry], time=it["time"]))
    assert any(isinstance(event, events.ExpiredUnseenEvent) for event in told) is it["may be gone"]


@pytest.mark.parametrize("it", LOG["5.15 boxes"], ids=lambda it: it["counter"])
def test_a_private_message_5_15(it: Any) -> None:
    info = second.private_info(ROOM, it["epoch"], it["author"], it["counter"], it["recipient"])
    assert info == it["info"] == private.bind_message(ROOM, it["epoch"], it["author"], it["counter"], it["recipient"])
    assert second.KeyPair(it["encryption key seed"]).open_sealed(it["box"], info) == it["text"]
    keys = [suite.EncryptionKeyPair(bytes(32)), suite.EncryptionKeyPair(it["encryption key seed"])]
    assert private.open_message(it["box"], keys, info) == it["text"]
    assert private.open_message(it["box"], keys[:1], info) is None
    other = second.box(keys[1].public, it["text"], info)
    assert len(other) == len(it["box"]) == field_types.BOX + len(it["text"])
    assert private.open_message(other, keys, info) == it["text"]
    [entry] = [entry for entry in ENTRIES if entry["4.4 content, unpacked"][3] == [11, it["box"]]]
    assert (entry["author"], entry["counter"]) == (it["author"], it["counter"])
    assert second.unpack(it["text"]) == it["text, unpacked"]


def test_a_claim_5e_5() -> None:
    it = LOG["5e.5 claim"]
    second.verify(it["signing key"], "fetch", ROOM, it["address"] + it["challenge"], it["claim"][16:])
    assert it["claim"][:16] == it["member"]
    assert identity.is_signed(
        identity.FETCH, ROOM, it["address"] + it["challenge"], it["claim"][16:], it["signing key"]
    )


# --- 6


@pytest.mark.parametrize("number", [0, 1])
def test_the_key_schedule_6_2_to_6_5(number: int) -> None:
    it = EPOCHS["6.2-6.5 epochs"][number]
    assert it["epoch"] == number
    opened = second.epoch(it["6.2 init before"], it["6.2 fresh secret"], it["6.2 digest"])
    assert opened == second.Epoch(
        it["6.2 secret"],
        it["6.3 init"],
        it["6.3 log key"],
        it["6.3 newcomers"],
        it["6.3 confirmation key"],
        it["6.4 tag"],
    )
    for key in it["6.3 chain keys"]:
        assert second.first_chain_key(opened.secret, key["id"]) == key["chain key"]
    newcomers = opened.newcomers
    for admitted in it["6.5 newcomers"]:
        assert admitted["newcomers"] == newcomers
        assert second.first_chain_key(newcomers, admitted["id"]) == admitted["chain key"]
        newcomers = second.after(newcomers)
        assert admitted["after"] == newcomers


def test_the_library_has_the_same_key_schedule_6_2_to_6_5() -> None:
    it, then = EPOCHS["6.2-6.5 epochs"]
    epoch = first_epoch()
    expect_secrets(epoch, it)
    for admitted in it["6.5 newcomers"]:
        assert epoch.newcomer_secret == admitted["newcomers"]
        epoch.admit_member(admitted["id"])
        assert epoch.ratchets[admitted["id"]].chain_key == admitted["chain key"]
        assert epoch.newcomer_secret == admitted["after"]
    expect_secrets(next_epoch(epoch), then)


def expect_secrets(epoch: Epoch, it: Any) -> None:
    assert epoch.number == it["epoch"]
    assert epoch.init_secret == it["6.3 init"]
    assert epoch.log_key == it["6.3 log key"]
    assert epoch.newcomer_secret == it["6.3 newcomers"]
    assert {member: ratchet.chain_key for member, ratchet in epoch.ratchets.items()} == {
        key["id"]: key["chain key"] for key in it["6.3 chain keys"]
    }


@pytest.mark.parametrize("name", RATCHETS)
def test_ratchets_6_6(name: str) -> None:
    for it in RATCHETS[name]:
        left_out = it["generation"] if "left out" in name else 0
        ratchet = Ratchet(it["chain key before"], it["generation"] - left_out)
        key = ratchet.take_key(it["generation"])
        assert ratchet.chain_key == it["chain key after"]
        assert key.open_sealed(0, second.aead(it["key"], 0, b"a text")) == b"a text"
        assert second.key_of(it["chain key before"], left_out) == it["key"]
        chain_key = it["chain key before"]
        for _ in range(left_out + 1):
            chain_key = second.after(chain_key)
        assert chain_key == it["chain key after"]


def test_a_ratchet_goes_on_where_it_was_6_6() -> None:
    one_after_the_other = RATCHETS["6.6 a ratchet, one generation after the other"]
    assert [it["generation"] for it in one_after_the_other] == [0, 1, 2, 3]
    assert [it["chain key before"] for it in one_after_the_other[1:]] == [
        it["chain key after"] for it in one_after_the_other[:-1]
    ]


def test_a_commit_share_6_9() -> None:
    it = EPOCHS["6.2-6.5 epochs"][1]
    share = it["6.9 commit share"]
    assert share["text"] == it["6.2 fresh secret"] + it["6.4 tag"]
    assert share["info"] == second.share_info(ROOM, share["member"], 1, it["6.2 digest"])
    assert second.KeyPair(share["encryption key seed"]).open_sealed(share["box"], share["info"]) == share["text"]
    key = suite.EncryptionKeyPair(share["encryption key seed"])
    secret, tag = commit.open_share(share["box"], key, ROOM, share["member"], 1, it["6.2 digest"])
    assert (secret, tag) == (it["6.2 fresh secret"], it["6.4 tag"])


# --- 7


def test_a_welcome_of_the_second_implementation_7_1() -> None:
    hello, box = WELCOME["2.2 hello"]["hello"], WELCOME["7.1 box"]
    assert box["info"] == second.bound("welcome", ROOM, hello)
    assert second.KeyPair(WELCOME["encryption key seed"]).open_sealed(box["box"], box["info"]) == box["text"]
    assert second.unaead(box["text"], 0, b"".join(WELCOME["7.1 pages"])) == WELCOME["7.1 text"]
    signature, array = WELCOME["7.1 text"][:64], WELCOME["7.1 text"][64:]
    assert array == WELCOME["7.1 array"] == second.pack(WELCOME["7.1 array, unpacked"])
    assert hello + second.h(array) == WELCOME["7.1 signed"]
    second.verify(WELCOME["7.1 signing key"], "welcome", ROOM, WELCOME["7.1 signed"], signature)


def test_the_library_arrives_with_the_welcome_7_1() -> None:
    box, pages = WELCOME["7.1 box"], WELCOME["7.1 pages"]
    key = suite.EncryptionKeyPair(WELCOME["encryption key seed"])
    arrival = welcome.WelcomeReader(
        frames.WelcomeFrame(box["box"], len(pages)), key, ROOM, WELCOME["2.2 hello"]["hello"]
    )
    [state] = [arrival.take_page(frames.PageFrame(part)) for part in pages]
    assert state is not None
    assert pack(state) == WELCOME["7.1 array"]
    epoch = welcome.make_epoch(state)
    opened = []
    for batch in BATCHES[1:]:  # what comes after the head of the Welcome, until the commit
        if any(it["kind"] == COMMIT for it in batch["entries"]):
            break
        packed = epoch.open_batch(batch["content"])
        assert packed is not None
        for it, sealed in zip(batch["entries"], unpack(Batch, packed).entries, strict=True):
            assert epoch.open_entry(sealed)[1] == it["4.4 body"]
            opened.append(it["says"])
            content = contents.unpack_content(it["4.4 body"])
            if isinstance(content.body, bodies.JoinedBody):
                epoch.admit_member(identity.member_id(content.body.key))
    assert opened == ["Joined", "Text", "Nick", "Text", "Text", "Text", "Private", "Remove"]


def test_the_history_of_the_welcome_leads_to_its_head_5_18() -> None:
    head, latest, _, roster, since, base, has_proof, *_ = second.unpack(WELCOME["7.1 array"])[10:]
    assert not has_proof
    digest, epoch, rights, members, term = base
    assert term == [0, second.member_id(roster[0][0]), ROOM, ROOM, [], [term[1]], False, [[0, term[1], 0, digest, 0]]]
    context = LOG["4.8 group context without entries"]["4.8 group context"]
    assert (since, digest, epoch) == (0, second.genesis(ROOM, context), 0)
    founder = PRIVATE["5d.2 founder"]["client"]
    assert rights == second_rights.of_founder(term[1], PRIVATE["5d.2 members' key"], founder)
    assert [member[0] for member in members] == [roster[0][0]]
    _, entries, contexts, ends, *_ = second.unpack(BACKFILLS[0]["5.13 frame"])
    last: list[bytes] = []
    for index, ((tag, header, body), changed) in enumerate(zip(entries, contexts, strict=True), since + 1):
        assert tag == 1
        context = changed or context
        last = [digest, header, second.h(body)]
        digest = second.longer(digest, index, header, second.h(body), context)
    assert (ends, latest) == (head, last)
    assert head[:40] == second.u(64, since + len(entries)) + digest


def test_the_head_of_a_welcome_covers_its_roster_7_2() -> None:
    room, *state = second.unpack(WELCOME["7.1 array"])
    assert room == ROOM
    name, rights, term, retention, history, epoch, _, _, _, head, latest, _, roster, *_ = state
    members = [[key, nick, away, key_digest] for key, nick, _, away, key_digest, *_ in roster]
    context = second.group_context(ROOM, name, epoch, term, [retention, history], rights, members)
    before, header, body_digest = latest
    index = int.from_bytes(head[:8], "big")
    assert second.longer(before, index, header, body_digest, context) == head[8:40]


def test_the_credentials_of_a_host_2_12() -> None:
    """In a Welcome and in a refusal, and what a host signs for one link."""
    room, hello = WELCOME["room"], HANDSHAKE["2.6 records"]["hello"]
    frames_ = [frame for record in HANDSHAKE["2.6 records"]["down"]["records"] for frame in record["2.7 frames"]]
    [refused] = [frame for frame in frames_ if frame[0] == 4]
    [resumed] = [frame for frame in frames_ if frame[0] == 7]
    vouched = second.unpack(WELCOME["7.1 array"])[12]
    assert refused[2] == vouched
    address, key, term, signature = vouched
    assert (address, term, key) == (room, 0, WELCOME["7.1 signing key"])
    second.verify(address, "credentials", room, key + second.u(64, term), signature)
    second.verify(key, "refused", room, hello + refused[1].encode(), refused[3])
    second.verify(key, "resumed", room, hello + resumed[1], resumed[2])


# --- 7a


LISTS = WORDS["7.5 of two syllables"], WORDS["7.5 of three syllables"]


def test_the_words_of_a_room_7_5() -> None:
    heads = [(it["time"], it["digest"]) for it in WORDS["7.5 heads"]]
    assert WORDS["7.5 digest at mark 0"] == second.digest_at_zero(WORDS["room"])
    for it in WORDS["7.5 marks, the newest first"]:
        seen = heads[: it["after so many heads"]]
        assert [at["mark"] for at in it["marks"]] == second.marks(seen[-1][0])
        for at in it["marks"]:
            assert second.at_mark(at["mark"], WORDS["room"], seen) == at["digest"]
            assert second.words_of_room(WORDS["room"], at["digest"], at["mark"]) == at["bytes"]
            assert second.words(at["bytes"], *LISTS) == words.spell_data(at["bytes"]) == at["words"]
            assert safety_words.words_of_room(WORDS["room"], Mark(at["mark"], at["digest"])) == at["words"]


def test_the_library_sees_the_same_marks_7_5() -> None:
    seen = Marks(WORDS["7.5 digest at mark 0"])
    for head, it in zip(WORDS["7.5 heads"], WORDS["7.5 marks, the newest first"], strict=True):
        seen.note_head(head["time"], head["digest"])
        assert seen.latest_marks() == [Mark(at["mark"], at["digest"]) for at in it["marks"]]


def test_the_words_of_two_7_6() -> None:
    first, second_ = WORDS["7.6 two members"]
    assert first["words"] == second_["words"]
    for it in (first, second_):
        assert second.words_of_two(WORDS["room"], *it["keys"]) == it["bytes"]
        assert second.words(it["bytes"], *LISTS) == it["words"] == safety_words.words_of_two(WORDS["room"], *it["keys"])


# --- 8


def test_the_log_of_a_room_that_goes_on_with_another_host_8_1_to_8_5() -> None:
    """Each entry signed, and each digest from the one before, with the group context that comes of what is said."""
    founder = NOTATION["3.1 members"][0]
    host = founder["id"]
    members: list[list[Any]] = [[founder["key"], "host", False, second.h(founder["encryption key"])]]
    term: list[Any] = [0, host, ROOM, ROOM, [], [host], False]
    epoch = 0

    def context() -> bytes:
        rules, rights = SUCCESSION["4.8 rules"], second_rights.of_founder(host)
        return second.group_context(ROOM, "demo", epoch, term, rules, rights, members)

    digest = second.genesis(ROOM, context())
    openings = [[0, host, 0, digest, 0]]
    for index, it in enumerate(SUCCESSION["entries"], 1):
        padded = second.stepped(it["4.4 content"])
        _, reference, known, (_, *said) = second.read("content", it["4.4 content"])
        assert second.read_header(it["4.1 header"])[:3] == (it["kind"], it["author"], it["counter"])
        content = second.signed_entry(epoch, it["4.1 header"], padded)
        second.verify(it["4.4 signing key"], "entry", ROOM, content, it["4.4 body"][:64])
        assert (it["4.4 body"][64:], it["epoch"], reference, known) == (padded, epoch, index - 1, digest)
        match it["says"]:
            case "Joined":
                members.append([said[0], said[1], False, said[2]])
            case "Heirs":
                term[4], term[5] = said[0], [*term[5], said[0][0][0]]
            case "HandOver":
                term[6] = True
            case "Opening":
                assert (it["kind"], it["counter"]) == (2, 0)
                before, is_again = term[1], it["author"] == term[1]
                heirs = [heir for heir in term[4] if heir[0] != it["author"]]
                holders = term[5] if said[2] == term[3] else [it["author"]]
                term = [said[0], it["author"], said[1], said[2], heirs, holders, False]
                epoch = said[0] * 2**32
                if not is_again:
                    [gone] = [member for member in members if second.member_id(member[0]) == before]
                    gone[2] = True
            case "Code":
                term[3], term[5] = said[0], [term[1]]
        digest = second.longer(digest, index, it["4.1 header"], second.h(it["4.4 body"]), context())
        assert (it["4.7 index"], it["4.8 group context"], it["4.6 digest"]) == (index, context(), digest)
        if it["says"] == "Opening":
            openings.append([said[0], it["author"], index, digest, said[3]])
    assert openings == SUCCESSION["8.4 openings"]


def test_numbers_places_and_forks_of_terms_8_1_8_4() -> None:
    for it in SUCCESSION["8.1 numbers"]:
        assert it["heirs"] == [second.heir_number(it["term"], rank) for rank in range(3)]
        assert it["host"] == second.host_number(it["term"])
    places = [it["place"] for it in SUCCESSION["8.1 places"]]
    assert places == [second.place(SUCCESSION["8.4 openings"], it["index"]) for it in SUCCESSION["8.1 places"]]
    assert len({place >> 32 for place in places}) == len(SUCCESSION["8.4 openings"])
    forks = SUCCESSION["8.4 forks"]
    for it in forks:
        assert second.fork(it["mine"], it["my index"], it["theirs"], it["their index"]) == it["fork"]
        assert second.fork(it["theirs"], it["their index"], it["mine"], it["my index"]) == it["fork"]
    assert any(it["fork"] is None for it in forks)


def test_the_first_epoch_of_an_heirs_term_8_3() -> None:
    it = SUCCESSION["8.3 epoch of an heir"]
    opened = second.epoch(bytes(32), it["6.2 fresh secret"], it["6.2 digest"])
    assert (opened.init, opened.log_key) == (it["6.3 init"], it["6.3 log key"])
    assert it["epoch"] == second.heir_number(0, 0) * 2**32


def test_the_keys_of_a_private_room_5d_2_to_5d_4() -> None:
    pool = PRIVATE["pool"]
    assert {slot["slot"] for slot in PRIVATE["5d.2 slots"]} == {0, 1, limits.INVITATIONS - 1}
    for slot in PRIVATE["5d.2 slots"]:
        key = second.invitation_key(pool, slot["slot"])
        assert (key, second.client(key)) == (slot["key"], slot["client"])
        assert slot["invitation"] == second.public(second.invitation_seed(key))
        address, _, spelled = slot["code"].partition(":")
        assert spelled == second.spelled_key(key)
        assert codes.parse_code(slot["code"]) == codes.Code(PRIVATE["room"], key)
        assert address == codes.encode_key(PRIVATE["room"])
        assert invitations.list_clients(pool)[slot["slot"]] == slot["client"]
        assert invitations.find_invitation(invitations.derive_key(pool, slot["slot"])) == slot["invitation"]


def test_the_keys_by_which_members_find_a_private_room_5d_2() -> None:
    members_key, founder = PRIVATE["5d.2 members' key"], PRIVATE["5d.2 founder"]
    assert members_key == second.members_key(PRIVATE["pool"])
    assert invitations.list_clients(PRIVATE["pool"])[limits.INVITATIONS :] == (second.client(members_key),)
    assert founder["client"] == second.client(founder["return key"]) == invitations.find_client(founder["return key"])
    assert founder["return key"] == second.return_key(founder["seed"])
    assert identity.Identity(founder["seed"], PRIVATE["room"]).return_key == founder["return key"]


def test_a_point_of_small_order_is_no_client_5d_2() -> None:
    """For whom everybody could find the service."""
    assert not any(map(invitations.is_client, PRIVATE["5d.2 no clients"]))
    assert all(invitations.is_client(slot["client"]) for slot in PRIVATE["5d.2 slots"])


def test_who_is_invited_signs_that_5d_3() -> None:
    invited = PRIVATE["5d.3 invited"]
    [slot] = [it for it in PRIVATE["5d.2 slots"] if it["slot"] == invited["slot"]]
    said = invited["key"], invited["client"]
    assert invited["signed"] == second.label("invited") + b"".join(said)
    second.verify(slot["invitation"], "invited", b"", b"".join(said), invited["signature"])
    assert invitations.is_invited(slot["invitation"], invited["signature"], *said)
    assert invitations.sign_invited(slot["key"], *said) == invited["signature"]


def test_a_link_of_a_transfer_5e_6() -> None:
    secret, challenge = TRANSFERS["secret"], TRANSFERS["5e.6 challenge"]
    private = X25519PrivateKey.from_private_bytes(second.expand(secret, "file client"))
    assert TRANSFERS["5e.6 client"] == {
        "private": private.private_bytes_raw(),
        "public": private.public_key().public_bytes_raw(),
    }
    contents, size = make.CONTENTS, len(make.CONTENTS)
    chunks = contents[:65_536], contents[65_536:]
    assert TRANSFERS["5e.2 hash list"] == b"".join(map(second.h, chunks))
    assert TRANSFERS["5e.2 root"] == second.h(TRANSFERS["5e.2 hash list"])
    claim = LOG["5e.5 claim"]
    assert claim["challenge"] == challenge
    assert int(TRANSFERS["size"]) == size
    keys = [second.expand(secret, f"{way} keys", challenge) for way in ("fetch", "serve")]
    assert keys == [TRANSFERS["5e.6 fetch keys"], TRANSFERS["5e.6 serve keys"]]
    pair = [second.u(32, 0) + second.u(32, count) for count in (1, 2)]
    texts: tuple[bytes, ...] = b"\1" + claim["claim"], b"\2" + pair[0], b"\3" + pair[1], b"\4"
    up = TRANSFERS["5e.6 records of the fetcher: Claim, WantList 0 1, Want 0 2, Done"]
    assert [second.unaead(keys[0], at, record) for at, record in enumerate(up)] == [
        it.ljust(256, b"\0") for it in texts
    ]
    long = TRANSFERS["5e.6 records of the author: Piece, Chunk, Chunk, each as its first 100 bytes and its hash"]
    texts = b"\1" + TRANSFERS["5e.2 hash list"], b"\2" + chunks[0], b"\2" + chunks[1]
    for at, (record, text) in enumerate(zip(long, texts, strict=True)):
        sealed = b"\1" + second.aead(keys[1], at, text.ljust(65_537, b"\0"), b"\1")
        assert record == {"begins": sealed[:100], "hash": second.h(sealed)}
    short = TRANSFERS["5e.6 records of the author: Queued 3, NotServed 0, 1, 2"]
    texts = b"\1" + second.u(32, 3), b"\2\0", b"\2\1", b"\2\2"
    for at, (record, text) in enumerate(zip(short, texts, strict=True), len(long)):
        assert record == b"\0" + second.aead(keys[1], at, text.ljust(256, b"\0"), b"\0")


def test_the_pool_is_sealed_to_one_member_5d_6() -> None:
    given = PRIVATE["5d.6 Pool"]
    assert given["info"] == second.pool_info(PRIVATE["room"], given["member"])
    opened = second.KeyPair(given["encryption key seed"]).open_sealed(given["box"], given["info"])
    assert opened == given["text"] == PRIVATE["pool"]
    keys = [suite.EncryptionKeyPair(given["encryption key seed"])]
    assert appointment.open_pool(given["box"], keys, PRIVATE["room"], given["member"]) == PRIVATE["pool"]


def test_what_host_and_heir_sign_and_seal_8_6_8_7_8_9() -> None:
    address, entrust, waiting = SUCCESSION["8.6 Address"], SUCCESSION["8.7 Entrust"], SUCCESSION["8.9 Waiting"]
    _, service, signature = address["frame"]
    assert service == second.public(address["service key seed"])
    second.verify(service, "address", ROOM, address["member"], signature)
    appointment.check_address(frames.AddressFrame(service, signature), ROOM, address["member"])
    assert entrust["info"] == second.room_key_info(ROOM, entrust["member"], entrust["code"])
    key_seed = second.KeyPair(entrust["encryption key seed"]).open_sealed(entrust["box"], entrust["info"])
    assert (key_seed, second.public(key_seed)) == (entrust["text"], entrust["code"])
    keys = [suite.EncryptionKeyPair(entrust["encryption key seed"])]
    place = ROOM, entrust["member"], entrust["code"]
    assert appointment.open_room_key(entrust["box"], keys, *place).seed == key_seed
    second.verify(waiting["key"], "waiting", waiting["service"], waiting["hello"], waiting["frame"][1])
    answer = frames.WaitingFrame(waiting["frame"][1])
    assert credentials.is_waiting_signed(answer, waiting["hello"], waiting["service"], waiting["key"])
