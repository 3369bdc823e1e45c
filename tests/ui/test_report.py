"""What `anonp2p doctor` prints of what it finds."""

import json
import re
from pathlib import Path

import pytest

from anonp2p.config import Endpoint
from anonp2p.errors import AnonError, CryptoMissing
from anonp2p.findings import CHECKS, CODES, CheckBegun, CheckMade, CheckWaits, Finding, find
from anonp2p.net.tor import commands
from anonp2p.net.tor.errors import ClientKeyRefused, ControlPortNeeded, NoTorDirectory, PasswordNeeded, TorNotInstalled
from anonp2p.reasons import Reason
from anonp2p.ui.diagnosis import HEADINGS, WORDS, advise, describe_finding
from anonp2p.ui.report import Diagnosis

HERE = Endpoint(host="127.0.0.1", port=9051)
DOC = (Path(__file__).parents[2] / "docs/JSON.md").read_text(encoding="utf-8")

# One of each, with values as the checks give them.
EVERY = [
    find("bridges", 2),
    find("booted", "own", "0.4.9.11", 2.5),
    find("command-spared", "GETINFO process/uid", "510"),
    find("commands-granted"),
    find("control-absent", HERE),
    find("control-usable", HERE, "root", "0.4.9.11"),
    find("control-usable-of-unknown", HERE, "0.4.9.11"),
    find("cores-off"),
    find("extended-errors", HERE),
    find("freed-wiped"),
    find("freed-wiped-in-c"),
    find("looked-up", 1.5),
    find("package-fits", "trio", "0.35", "0.27"),
    find("nothing-on-disk"),
    find("plugin", "obfs4", "/usr/bin/obfs4proxy"),
    find("post-quantum", "48.0.1"),
    find("private-reached", 0.4),
    find("proof-of-work"),
    find("python", "3.13.1"),
    find("room-published", 1.2),
    find("room-reached", 0.4),
    find("runtime-directory", Path("/run/user/1000"), "tmpfs", "memory"),
    find("state-directory", Path("/home/ada/.local/state/anonp2p"), "btrfs", "encrypted"),
    find("swap-encrypted", "/dev/dm-1"),
    find("swap-in-memory", "/dev/zram0"),
    find("swap-none"),
    find("system-has-tor"),
    find("tor-program", "/usr/bin/tor", "0.4.9.11"),
    find("undumpable"),
    find("command-refused", "ADD_ONION", "510"),
    find("control-refused", PasswordNeeded(HERE)),
    find("control-refused-by-name", "TOR_CONTROL_PORT", PasswordNeeded(HERE)),
    find("cores-on"),
    find("defence-missing", "proof-of-work"),
    find("directory-unfit", "TMPDIR", "/tmp/x y", "is not there"),
    find("dumpable"),
    find("freed-kept"),
    find("freed-kept-in-c"),
    find("join-only", ControlPortNeeded()),
    find("left-behind", 3),
    find("no-proof-of-work"),
    find("plain-errors", HERE),
    find("private-refused", ClientKeyRefused("510")),
    find("state-in-use"),
    find("state-unusable", NoTorDirectory("Permission denied")),
    find("swap-plain", "/dev/sda2"),
    find("swap-unclear", "/swap"),
    find("swap-unknown"),
    find("tor-unusable", TorNotInstalled()),
    find("check-too-long", 30),
    find("failed", TorNotInstalled()),
    find("lookup-failed", 120.0, Reason("tor-hung-up")),
    find("lookup-forged"),
    find("own-tor-useless"),
    find("package-missing", "trio", "0.27"),
    find("package-old", "trio", "0.26", "0.27"),
    find("private-unpublished", 60.0),
    find("private-unreached", 120.0, Reason("key-wrong")),
    find("room-unpublished", 60.0),
    find("room-unreached", 120.0, Reason("no-descriptor")),
    find("traced", 4711, "gdb"),
    find("needs-boot"),
    find("needs-packages"),
    find("no-bridges", "obfs4, snowflake"),
    find("no-bridges-no-plugins"),
    find("no-control-port"),
    find("own-tor-asked"),
]


def test_every_finding_has_words_and_an_example_here() -> None:
    assert set(WORDS) == CODES
    assert {finding.code for finding in EVERY} == CODES
    assert set(HEADINGS) == set(CHECKS)


@pytest.mark.parametrize("finding", EVERY, ids=lambda finding: finding.code)
def test_a_finding_is_one_sentence_that_names_its_values(finding: Finding) -> None:
    words = describe_finding(finding)
    assert words[:1] == words[:1].upper()
    assert words.endswith(".")
    assert not re.search(r"[{}]|\.\.$|Reason", words)
    places = WORDS[finding.code][0].count("{}") - finding.code.startswith("command-")  # which have one for what follows
    assert places == len(finding.values), "it has a place for each value"
    assert advise(finding) == "" or advise(finding).endswith(".")


@pytest.mark.parametrize("finding", EVERY, ids=lambda finding: finding.code)
def test_what_is_wrong_comes_with_what_to_do(finding: Finding) -> None:
    if finding.state == "wrong":
        assert advise(finding) or finding.error, "the sentence of an error says it"


@pytest.mark.parametrize("columns", [10, 40, 80, 200])
def test_rows_are_aligned_and_no_wider_than_the_terminal_or_80_columns(columns: int) -> None:
    report = Diagnosis(json=False, columns=columns)
    rows = (report.write(CheckMade("memory", EVERY)) + report.conclude()).splitlines()
    assert rows[0] == "Memory of this program"
    body = [row for row in rows[1:] if row and row != "All checks"]
    assert {row[:8] for row in body} == {f"  {word}".ljust(8) for word in ("ok", "note", "wrong", "skip", "")}
    assert all(row[8] != " " for row in body)
    assert max(map(len, body)) <= max(28, min(columns, 80))


def test_nothing_that_is_named_can_steer_the_terminal_or_begin_a_row() -> None:
    path = Path("/tmp/\x1b[2J\n  ok    a\u202eb")
    made = CheckMade("directories", [find("runtime-directory", path, "tmpfs", "memory")])
    shown = Diagnosis(json=False).write(made)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len([row for row in shown.splitlines() if row.startswith("  ok")]) == 1
    line = Diagnosis(json=True).write(made)
    assert line.count("\n") == 1
    assert line[:-1].isprintable()
    assert str(path) in json.loads(line)["findings"][0]["text"]


def test_a_check_is_named_before_what_it_finds_and_once() -> None:
    report = Diagnosis(json=False)
    shown = [report.write(CheckBegun("boot")), report.write(CheckMade("boot", [find("booted", "own", "1", 2)]))]
    shown += [report.write(CheckMade("room", [find("needs-boot")]))]
    assert shown == [
        "Tor, as this program gets it\n",
        "  ok    A Tor of our own, version 1, is ready after 2 s.\n",
        "\nA room on trial\n  skip  Not looked at: there is no Tor to ask.\n",
    ]


def test_what_is_to_be_done_about_several_in_a_row_is_said_once_below_the_last() -> None:
    findings = [find("swap-plain", "/one"), find("swap-plain", "/two"), find("swap-none"), find("swap-plain", "/three")]
    made = CheckMade("memory", findings)
    shown = Diagnosis(json=False).write(made)
    assert [line[8:] for line in re.findall(r"^ +Try: .*|^ .*Swap to \S+", shown, re.MULTILINE)] == [
        "Swap to /one",
        "Swap to /two",
        "Try: sudo swapoff -a turns it off until the next start; man crypttab",
        "Swap to /three",
        "Try: sudo swapoff -a turns it off until the next start; man crypttab",
    ]
    said = [one["advice"] for one in json.loads(Diagnosis(json=True).write(made))["findings"]]
    assert [bool(advice) for advice in said] == [True, True, False, True]


def test_waiting_for_tor_is_told_to_people_only_if_it_is_slow() -> None:
    words = Reason("tor-words", "Connecting to a relay")
    soon, slow = CheckWaits(5, words), CheckWaits(5, words, 30)
    report = Diagnosis(json=False)
    assert report.write(soon) == ""
    assert report.write(slow) == "  wait  Tor has been at 5 % for 30 s: Connecting to a relay.\n"
    assert [json.loads(Diagnosis(json=True).write(wait)) for wait in (soon, slow)] == [
        {"type": "tor", "progress": 5, "summary": "Connecting to a relay"},
        {"type": "tor-slow", "progress": 5, "summary": "Connecting to a relay", "seconds": 30},
    ]
    wrong = CheckWaits(5, words, 30, Reason("tor-complains", "No route to host"))
    assert report.write(wrong).endswith("Connecting to a relay. Tor says: No route\n        to host.\n")
    assert json.loads(Diagnosis(json=True).write(wrong))["warning"] == "Tor says: No route to host"


@pytest.mark.parametrize(
    ("findings", "state", "status"),
    [
        ([find("swap-none")], "ok", 0),
        ([find("swap-none"), find("swap-plain", "/x")], "note", 0),
        ([find("needs-boot")], "skip", 0),
        ([find("swap-plain", "/x"), find("package-missing", "trio", "1"), find("swap-none")], "wrong", 1),
        ([find("failed", TorNotInstalled()), find("package-missing", "trio", "1")], "wrong", 3),
        ([find("failed", CryptoMissing("1")), find("failed", TorNotInstalled())], "wrong", 1),
        ([find("room-unreached", 1, Reason("no-descriptor"))], "wrong", 3),
        ([find("control-refused", PasswordNeeded(HERE))], "note", 0),
    ],
)
def test_the_worst_finding_is_the_state_of_a_check_and_the_first_wrong_one_the_exit_code(
    findings: list[Finding], state: str, status: int
) -> None:
    report = Diagnosis(json=True)
    made = json.loads(report.write(CheckMade("memory", findings)))
    assert (made["type"], made["check"], made["state"]) == ("check", "memory", state)
    assert [one["finding"] for one in made["findings"]] == [finding.code for finding in findings]
    counted = json.loads(report.conclude())
    assert (counted["type"], counted["status"]) == ("checked", status)
    assert sum(counted[word] for word in ("ok", "note", "wrong", "skip")) == len(findings)
    assert report.status == status
    assert report.failure == next((finding for finding in findings if finding.state == "wrong"), None)


def test_what_follows_from_each_refused_command_is_told() -> None:
    names = [*map(commands.get_info, commands.ASKED), "ADD_ONION", "DEL_ONION", "HSFETCH"]
    said = [describe_finding(find("command-refused", name, "510")) for name in (*names, "SETEVENTS HS_DESC")]
    assert all(f"{name} is refused (510): " in words for name, words in zip(names, said, strict=False))
    assert len({words.partition(": ")[2] for words in said}) == len(names) + 1


def test_an_error_is_told_as_it_is_where_the_program_ends_with_it() -> None:
    error: AnonError = TorNotInstalled()
    assert describe_finding(find("failed", error)) == str(error)


def test_the_page_about_json_has_all_checks_codes_and_keys() -> None:
    section = DOC[DOC.index("## What the doctor finds") : DOC.index("## Exit codes")]
    table = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    checks = {name.strip(" `"): re.findall("`([a-z-]+)`", codes) for name, codes, *_ in table}
    assert set(CHECKS) <= set(checks)
    assert {code for check in (*CHECKS, "any", "those not made") for code in checks[check]} == CODES
    made, counted = re.findall(r"^```json\n(.*)\n(.*)\n```$", section, re.MULTILINE)[0]
    report = Diagnosis(json=True)
    assert json.loads(report.write(CheckMade("memory", [find("swap-plain", "/dev/sda2")]))) == json.loads(made)
    assert json.loads(report.conclude()).keys() == json.loads(counted).keys()
