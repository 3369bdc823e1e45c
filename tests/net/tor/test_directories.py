"""Directories on a machine with other users, who plant what they can; and what killed programs left behind."""

import fcntl
import grp
import os
import pwd
import tempfile
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.net.tor import directories, runtime
from anonp2p.net.tor.directories import UnsafeError, open_own_file, remove_left_behind, require_own_directory, trusted
from anonp2p.net.tor.errors import Unfit

OTHER = 65_534  # nobody
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root makes what is another user's")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory of ours, by its real path."""
    return tmp_path.resolve()


def give(path: Path) -> Path:
    """Makes it another user's."""
    os.chown(path, OTHER, OTHER, follow_symlinks=False)
    return path


def make(path: Path, mode: int = 0o700) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path


# --- paths that nobody else can change


def test_what_is_missing_is_made_for_us_alone(place: Path) -> None:
    assert trusted(place / "a" / "b", make=True) == place / "a" / "b"
    assert {(place / name).stat().st_mode & 0o777 for name in ("a", "a/b")} == {0o700}


def test_links_of_ours_are_followed_on_the_way(place: Path) -> None:
    make(place / "real")
    (place / "relative").symlink_to("real")
    (place / "absolute").symlink_to(place / "relative")
    (place / "real" / "up").symlink_to("../real")
    assert trusted(place / "absolute" / "up" / "x", make=True) == place / "real" / "x"


def test_links_in_a_circle_are_refused(place: Path) -> None:
    (place / "one").symlink_to("two")
    (place / "two").symlink_to("one")
    with pytest.raises(UnsafeError, match="circle"):
        trusted(place / "one")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_can_write_to_is_refused(place: Path, mode: int) -> None:
    make(place / "open", mode)
    if mode == 0o770:
        if os.getuid():
            pytest.skip("our group may be ours alone, and only root gives it another")
        os.chown(place / "open", -1, OTHER)
    with pytest.raises(UnsafeError, match="written to by other users"):
        trusted(place / "open" / "ours", make=True)
    assert not (place / "open" / "ours").exists()


@pytest.mark.parametrize(
    ("group", "members", "is_safe"),
    [
        pytest.param("ann", [], True, id="ours"),
        pytest.param("ann", ["ann"], True, id="ours, with us named"),
        pytest.param("ann", ["ann", "bob"], False, id="another member"),
        pytest.param("users", [], False, id="another name"),
    ],
)
def test_a_directory_that_a_group_can_write_to_is_safe_if_we_are_all_of_it(
    place: Path, monkeypatch: pytest.MonkeyPatch, group: str, members: list[str], *, is_safe: bool
) -> None:
    gid = make(place / "open", 0o770).stat().st_gid
    us = pwd.struct_passwd(("ann", "x", os.getuid(), gid, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: us)
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group((group, "x", gid, members)))
    if is_safe:
        assert trusted(place / "open") == place / "open"
    else:
        with pytest.raises(UnsafeError, match="written to by other users"):
            trusted(place / "open")


def test_a_directory_like_tmp_is_as_good_as_what_we_have_in_it(place: Path) -> None:
    make(place / "tmp", 0o1777)
    assert trusted(place / "tmp" / "ours", make=True) == place / "tmp" / "ours"


@as_root
@pytest.mark.parametrize("kind", ["directory", "link", "file"])
def test_what_another_user_planted_on_the_way_is_refused(place: Path, kind: str) -> None:
    make(place / "tmp", 0o1777)
    make(place / "ours")
    planted = place / "tmp" / "planted"
    match kind:
        case "directory":
            make(planted, 0o755)
        case "link":
            planted.symlink_to(place / "ours")
        case "file":
            planted.touch()
    give(planted)
    with pytest.raises(UnsafeError, match="planted belongs to another user"):
        trusted(planted / "state", make=True)
    assert list((place / "ours").iterdir()) == []


# --- what is ours by its name


def test_a_link_in_place_of_a_directory_of_ours_is_not_followed(place: Path) -> None:
    make(place / "elsewhere")
    (place / "anonp2p").symlink_to("elsewhere")
    with pytest.raises(UnsafeError, match="is a symbolic link"):
        require_own_directory(place / "anonp2p")


@as_root
def test_a_directory_of_another_user_is_not_ours(place: Path) -> None:
    give(make(place / "anonp2p"))
    with pytest.raises(UnsafeError, match="belongs to another user"):
        require_own_directory(place / "anonp2p")


def test_a_directory_of_roots_is_not_ours(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(place / "anonp2p")
    monkeypatch.setattr(os, "getuid", lambda: OTHER)
    with pytest.raises(UnsafeError, match="belongs to another user"):
        require_own_directory(place / "anonp2p")


def test_a_directory_of_ours_that_all_can_write_to_is_refused(place: Path) -> None:
    make(place / "anonp2p", 0o777)
    with pytest.raises(UnsafeError, match="written to"):
        require_own_directory(place / "anonp2p")


@pytest.mark.parametrize("kind", ["link", "dangling", "second name", "fifo"])
def test_a_lock_that_is_not_ours_alone_is_not_opened(place: Path, kind: str) -> None:
    victim, lock = place / "victim", place / "lock"
    victim.write_text("kept")
    match kind:
        case "link":
            lock.symlink_to(victim)
        case "dangling":
            lock.symlink_to(place / "new")
        case "second name":
            lock.hardlink_to(victim)
        case "fifo":
            os.mkfifo(lock)
    with pytest.raises(UnsafeError, match="lock is "):
        open_own_file(lock)
    assert victim.read_text() == "kept"
    assert not (place / "new").exists()


@as_root
def test_a_lock_of_another_user_is_not_ours(place: Path) -> None:
    (place / "lock").touch()
    give(place / "lock")
    with pytest.raises(UnsafeError, match="ours alone"):
        open_own_file(place / "lock")


# --- where temporary directories go


def test_a_runtime_directory_that_others_can_write_to_is_passed_over(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(make(short_path / "run", 0o1777)))
    assert runtime.find_base(os.environ, memory=False) != short_path / "run"


@as_root
@pytest.mark.parametrize("name", ["XDG_RUNTIME_DIR", "TMPDIR"])
def test_a_directory_of_another_user_is_passed_over(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    monkeypatch.setenv(name, str(give(make(short_path / "run"))))
    assert runtime.find_base(os.environ, memory=False) != short_path / "run"


@pytest.mark.parametrize("name", ["a#b", 'a"b', "a\\b", "a'b", "a b", "a\nb", "é", "a,b", "l" * 90])
def test_names_that_tor_takes_for_no_socket_are_passed_over(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(make(short_path / name)))
    assert runtime.find_base(os.environ, memory=False) != short_path / name
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(make(short_path / "plain")))
    assert runtime.find_base(os.environ, memory=False) == short_path / "plain"


@as_root
def test_each_place_is_told_with_why_it_is_not_used(place: Path, short_path: Path) -> None:
    file, others = short_path / "file", make(short_path / "others", 0o1777)
    file.touch()
    for name, private, temporary in (
        ("run", Unfit.RELATIVE, Unfit.RELATIVE),
        (short_path / "none", Unfit.MISSING, Unfit.MISSING),
        (file, Unfit.CLOSED, Unfit.CLOSED),
        (make(place / ("l" * 90)), Unfit.NAME, Unfit.NAME),
        (others, Unfit.UNSAFE, None),
        (give(make(short_path / "theirs")), Unfit.UNSAFE, Unfit.UNSAFE),
        (make(short_path / "ours"), None, None),
    ):
        found = runtime.list_candidates({"XDG_RUNTIME_DIR": str(name), "TMPDIR": str(name)})
        assert [(one.variable, one.unfit) for one in found[:2]] == [("XDG_RUNTIME_DIR", private), ("TMPDIR", temporary)]
    assert [one.name for one in runtime.list_candidates({})] == ["/tmp", "/dev/shm"]
    assert list(others.iterdir()) == []


# --- what killed programs left behind


def left_behind(base: Path) -> Path:
    """A directory that nobody holds, as a killed program leaves it."""
    with directories.temporary(base) as (path, _):
        kept = path.with_name("kept")
        path.rename(kept)
    (kept / "data" / "deep").mkdir(parents=True)
    (kept / "data" / "file").write_text("x")
    return kept.rename(path)


def test_what_is_left_behind_is_removed_and_what_is_in_use_is_not(place: Path) -> None:
    with directories.temporary(place) as (used, _):
        stale = left_behind(place)
        (stale / "link").symlink_to(used)
        assert directories.find_left_behind([place, place / "missing"]) == [stale]
        assert (stale / "data/deep").exists()
        remove_left_behind([place, place / "missing"])
        assert list(place.iterdir()) == [used]
    assert list(place.iterdir()) == []


def test_it_is_in_use_as_long_as_anybody_has_its_descriptor(place: Path) -> None:
    """Tor has it as well, and may outlive us for a while."""
    path, held = directories.make_held(place)
    inherited = os.dup(held)
    os.close(held)
    remove_left_behind([place])
    assert path.exists()
    os.close(inherited)
    remove_left_behind([place])
    assert not path.exists()


@pytest.mark.parametrize("kind", ["link", "file", "open to others", "another name", "longer name"])
def test_what_is_not_ours_stays(place: Path, kind: str) -> None:
    base, victim = make(place / "base"), make(place / "victim")
    (victim / "file").touch()
    name = base / "anonp2p-run-abcd_123"
    match kind:
        case "link":
            name.symlink_to(victim)
        case "file":
            name.touch()
        case "open to others":
            make(name, 0o755)
        case "another name":
            make(base / "anonp2p-abcd_123")
        case "longer name":
            make(base / "anonp2p-run-abcd_1234")
    remove_left_behind([base])
    assert len(list(base.iterdir())) == 1
    assert (victim / "file").exists()


@as_root
def test_what_is_another_users_stays(place: Path) -> None:
    theirs = give(left_behind(place))
    remove_left_behind([place])
    assert (theirs / "data" / "file").exists()


def test_one_that_another_start_took_for_left_behind_is_made_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its being made and its being held it looks like one."""
    made: list[str] = []
    real = tempfile.mkdtemp

    def mkdtemp(prefix: str, dir: Path) -> str:  # noqa: A002
        made.append(real(prefix=prefix, dir=dir))
        if len(made) == 1:
            remove_left_behind([place])
        if len(made) == 2:
            holders.append(os.open(made[-1], os.O_RDONLY))
            fcntl.flock(holders[-1], fcntl.LOCK_EX)
        return made[-1]

    holders: list[int] = []
    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with directories.temporary(place) as (path, _):
        assert str(path) == made[2]
        assert path.is_dir()
        assert not Path(made[0]).exists()
    os.close(holders[0])


def test_one_that_went_just_before_it_was_held_is_made_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, went = fcntl.flock, list[Path]()

    def flock(descriptor: int, operation: int) -> None:
        if not went:
            went.extend(place.iterdir())
            went[0].rmdir()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with directories.temporary(place) as (path, _):
        assert path.is_dir()
        assert path not in went


def test_one_start_removes_some_and_looks_at_some(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LEFT_BEHIND", 2)
    for _ in range(3):
        left_behind(place)
    remove_left_behind([place])
    assert len(list(place.iterdir())) == 1
    monkeypatch.setattr(limits, "NAMES_EXAMINED", 0)
    remove_left_behind([place])
    assert len(list(place.iterdir())) == 1
