"""What is built of the sources: the wheel, the sdist, and what is in them."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from anonp2p import __version__, options
from tests.packaging import hook, manual, page, sbom

ROOT = Path(__file__).parents[2]
WHEEL = f"anonp2p-{__version__}-py3-none-any.whl"
SDIST = f"anonp2p-{__version__}.tar.gz"
INFO = f"anonp2p-{__version__}.dist-info"
SHARED = f"anonp2p-{__version__}.data/data/share"


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout


def copied_sources(place: Path) -> Path:
    """A repository with our tracked files, as they are now."""
    for name in hook.list_sources(ROOT):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    git("init", "-q", cwd=place)
    git("add", "--force", ".", cwd=place)
    return place


def build(sources: Path, *options: str, umask: int = 0o022, **environment: str) -> Path:
    """Builds both kinds, or those that are wanted, of these sources alone. Returns where they are."""
    command = [sys.executable, "-m", "hatchling", "build", *options]
    known = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    subprocess.run(command, cwd=sources, check=True, capture_output=True, env=known | environment, umask=umask)
    return sources / "dist"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sdist and the wheel of the sources are, in which there is something that git does not know."""
    sources = copied_sources(tmp_path_factory.mktemp("sources"))
    (sources / "docs/private-notes.md").write_text("mine")
    (sources / "core").write_text("mine")
    return build(sources)


@pytest.fixture
def wheel(dist: Path) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(dist / WHEEL) as opened:
        yield opened


@pytest.fixture
def metadata(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(wheel.read(f"{INFO}/METADATA").decode())


def test_wheel_and_sdist_are_the_same_bytes_wherever_and_whenever_they_are_built(dist: Path, tmp_path: Path) -> None:
    sources = copied_sources(tmp_path / "another place")
    for path in (path for path in sources.rglob("*") if ".git" not in path.parts):
        os.utime(path, (1e9, 1e9))
        path.chmod(path.stat().st_mode & ~(stat.S_IRWXG | stat.S_IRWXO))
    again = build(sources, umask=0o077, LANG="C", TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    for name in (WHEEL, SDIST):
        assert (again / name).read_bytes() == (dist / name).read_bytes(), name


def test_the_wheel_of_an_sdist_is_the_one_of_the_sources(dist: Path, tmp_path: Path) -> None:
    with tarfile.open(dist / SDIST) as archive:
        archive.extractall(tmp_path, filter="data")
    rebuilt = build(tmp_path / SDIST.removesuffix(".tar.gz"))
    assert (rebuilt / WHEEL).read_bytes() == (dist / WHEEL).read_bytes()
    assert (rebuilt / SDIST).read_bytes() == (dist / SDIST).read_bytes()


def test_the_date_of_all_that_is_built_can_be_chosen(tmp_path: Path) -> None:
    built = build(copied_sources(tmp_path), "-t", "wheel", SOURCE_DATE_EPOCH="1700000000")
    with zipfile.ZipFile(built / WHEEL) as opened:
        assert {entry.date_time[:3] for entry in opened.infolist()} == {(2023, 11, 14)}


def test_an_sdist_holds_the_tracked_files_and_nothing_else(dist: Path) -> None:
    with tarfile.open(dist / SDIST) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert held == set(git("ls-files", cwd=dist.parent).splitlines()) | {"PKG-INFO"}


def test_the_wheel_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert {"anonp2p/py.typed", "anonp2p/library.py"} <= set(wheel.namelist())


def test_man_page_completions_desktop_file_and_unit_are_where_systems_look(wheel: zipfile.ZipFile) -> None:
    shipped = {name.removeprefix(f"{SHARED}/") for name in wheel.namelist() if name.startswith(SHARED)}
    assert shipped == {
        "man/man1/anonp2p.1",
        "bash-completion/completions/anonp2p",
        "zsh/site-functions/_anonp2p",
        "fish/vendor_completions.d/anonp2p.fish",
        "applications/anonp2p.desktop",
        "systemd/user/anonp2p@.service",
    }


def test_the_licence_names_that_of_unicodes_data_and_both_are_shipped(
    wheel: zipfile.ZipFile, metadata: Message
) -> None:
    assert metadata["License-Expression"] == "MIT AND Unicode-3.0"
    assert metadata.get_all("License-File") == ["LICENSE", "docs/licenses/Unicode-3.0.txt"]
    ours, unicodes = (wheel.read(f"{INFO}/licenses/{name}").decode() for name in metadata.get_all("License-File", []))
    assert ours == (ROOT / "LICENSE").read_text()
    assert " ".join(unicodes.split()) in " ".join((ROOT / "anonp2p/names/confusables.py").read_text("utf-8").split())


def test_the_page_has_no_pictures_and_no_links_that_lead_nowhere(metadata: Message) -> None:
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert "# anonp2p" in text
    assert "![" not in text
    assert re.findall(r"\]\(([^)]*)\)", text) == []
    assert "docs/PROTOCOL.md what is on the" in text, "a file of the sources is named"
    assert metadata.get_all("Project-URL") is None, "there is none that leads anywhere"


def test_a_page_keeps_links_that_lead_elsewhere() -> None:
    assert page.write_page("![a](b.png)\n\n[c](d.md) [e](https://f.example/) [g](#h)") == (
        "c [e](https://f.example/) [g](#h)"
    )


def test_the_man_page_says_all_of_the_table_and_has_no_faults(tmp_path: Path) -> None:
    (tmp_path / "anonp2p.1").write_text(manual.write_page(__version__))
    subprocess.run(["mandoc", "-T", "lint", "-W", "error", tmp_path / "anonp2p.1"], check=True)
    command = ["mandoc", "-T", "utf8", "-O", "width=300", str(tmp_path / "anonp2p.1")]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = " ".join(re.sub(r".\x08", "", shown).split())
    for option in options.OPTIONS:
        assert f"{option.usage} {option.meaning}{f' [{option.twin}]' if option.twin else ''}" in words
    for term in (*options.VARIABLES, *options.EXIT_CODES, *options.EXAMPLES):
        assert f"{term.term} {term.meaning}" in words
    for action in options.ACTIONS:
        assert f"{action.usage} {action.meaning}" in words


def test_the_man_page_shows_signs_that_mean_something_to_its_reader_as_they_are() -> None:
    assert r"\fB\&128+N\fR" in manual.write_page("1.0")
    assert r"\&Join \- and \e and" in manual.write_page(r"Join - and \ and")


def test_the_bill_of_materials_has_what_is_locked_and_unicodes_data(wheel: zipfile.ZipFile) -> None:
    bill = json.loads(wheel.read(f"{INFO}/sboms/anonp2p.cdx.json"))
    locked = re.findall(r"^([\w.-]+==[^\s;]+)", (ROOT / "scripts/requirements/run.lock").read_text(), re.MULTILINE)
    packages = [one for one in bill["components"] if one["type"] == "library"]
    assert [f"{one['name']}=={one['version']}" for one in packages] == locked
    assert all(one["externalReferences"][0]["hashes"] for one in packages)
    assert [one["licenses"] for one in bill["components"] if one["type"] == "data"] == [
        [{"license": {"id": "Unicode-3.0"}}]
    ]
    [direct] = bill["dependencies"]
    named = [re.sub(r"pkg:pypi/(.*)@.*", r"\1", purl) for purl in direct["dependsOn"]]
    assert named == ["cryptography", "msgspec", "segno", "stem", "trio", "urwid", "wcwidth"]
    assert bill["metadata"]["component"]["licenses"] == [{"expression": "MIT AND Unicode-3.0"}]


def test_another_lock_makes_another_bill(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "scripts/requirements/run.lock", "anonp2p/names/confusables.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    before = json.loads(sbom.write_sbom(tmp_path, __version__))
    lock = tmp_path / "scripts/requirements/run.lock"
    lock.write_text(lock.read_text().replace("trio==", "trio==9"))
    assert before["serialNumber"] == json.loads(sbom.write_sbom(ROOT, __version__))["serialNumber"]
    assert before["serialNumber"] != json.loads(sbom.write_sbom(tmp_path, __version__))["serialNumber"]
