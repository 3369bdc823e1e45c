"""What the kernel's tables say of where files and swap are kept."""

from pathlib import Path

import pytest

from anonp2p import disks
from anonp2p.disks import Keeping, Mount, keeping_of, keeping_of_block, parse_mounts, parse_swaps

TABLE = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
28 27 0:22 / /run rw - tmpfs tmpfs rw
29 28 254:1 / /run/disk rw - ext4 /dev/vdb rw
30 29 0:23 / /run/disk/tmp rw - ramfs none rw
31 27 0:24 / /run/with\040space rw master:1 shared:2 - btrfs /dev/mapper/a\040b rw
32 27 254:9 / /home rw - xfs /dev/old rw
33 27 254:8 / /home rw - xfs /dev/new rw
a line that says nothing
"""


@pytest.mark.parametrize(
    ("path", "point", "kind"),
    [
        ("/run/user/1", "/run", "tmpfs"),
        ("/run/disk/x", "/run/disk", "ext4"),
        ("/run/disk/tmp", "/run/disk/tmp", "ramfs"),
        ("/run/disks", "/run", "tmpfs"),
        ("/run/with space/x", "/run/with space", "btrfs"),
        ("/nonexistent", "/", "ext4"),
    ],
)
def test_the_nearest_mount_holds_a_path(monkeypatch: pytest.MonkeyPatch, path: str, point: str, kind: str) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _, errors: TABLE)
    mount = disks.mount_of(Path(path))
    assert mount is not None
    assert (mount.point, mount.kind) == (point, kind)


def test_of_two_file_systems_in_one_place_the_later_one_hides_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _, errors: TABLE)
    assert disks.mount_of(Path("/home/ada")) == Mount("/home", "xfs", "/dev/new", "254:8")


def test_names_with_spaces_are_read_as_they_are() -> None:
    assert Mount("/run/with space", "btrfs", "/dev/mapper/a b", "0:24") in parse_mounts(TABLE)
    table = ["Filename Type Size Used Priority", r"/swap\040file file 1024 0 -2", "/dev/zram0 partition 99 0 100", ""]
    assert parse_swaps(table) == [("/swap file", "file"), ("/dev/zram0", "partition")]


class Blocks:
    """What /sys tells of block devices."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def add(self, name: str, uuid: str = "", parts: tuple[Path, ...] = (), backing: str = "") -> Path:
        """A device: the uuid of its mapping, what it consists of, what a zram writes to."""
        device = self._place / name
        (device / "slaves").mkdir(parents=True)
        for part in parts:
            (device / "slaves" / part.name).symlink_to(part)
        if uuid:
            (device / "dm").mkdir()
            (device / "dm" / "uuid").write_text(uuid + "\n")
        if backing:
            (device / "backing_dev").write_text(backing + "\n")
        return device


@pytest.fixture
def blocks(tmp_path: Path) -> Blocks:
    return Blocks(tmp_path)


def test_a_device_is_encrypted_if_it_or_all_below_it_is(blocks: Blocks) -> None:
    disk, other = blocks.add("sda1"), blocks.add("sdb1")
    opened = blocks.add("dm-0", "CRYPT-LUKS2-0123-root", (disk,))
    volume = blocks.add("dm-1", "LVM-abc", (opened,))
    plain = blocks.add("dm-2", "LVM-def", (other,))
    both = blocks.add("dm-3", "LVM-ghi", (opened, other))
    kept = [keeping_of_block(device) for device in (disk, opened, volume, plain, both)]
    assert kept == ["plain", "encrypted", "encrypted", "plain", "plain"]


def test_compressed_memory_is_memory_unless_it_is_written_to_a_disk(blocks: Blocks) -> None:
    devices = blocks.add("zram0", backing="none"), blocks.add("zram1"), blocks.add("zram2", backing="/dev/sda3")
    assert [keeping_of_block(device) for device in devices] == ["memory", "memory", "plain"]


def test_nothing_is_claimed_of_files_as_devices_nor_of_what_is_not_there(blocks: Blocks, tmp_path: Path) -> None:
    assert keeping_of_block(blocks.add("loop0")) == "unknown"
    assert keeping_of_block(tmp_path / "none") == "unknown"


@pytest.mark.parametrize(
    ("kind", "number", "keeping"),
    [
        ("tmpfs", "0:9", "memory"),
        ("ramfs", "0:9", "memory"),
        ("fuse.gocryptfs", "0:9", "encrypted"),
        ("overlay", "0:9", "unknown"),
        ("nfs4", "0:9", "unknown"),
        ("ext4", "8:1", "plain"),
        ("ext4", "8:2", "unknown"),
    ],
)
def test_how_a_file_system_keeps(blocks: Blocks, tmp_path: Path, kind: str, number: str, keeping: Keeping) -> None:
    (tmp_path / "8:1").symlink_to(blocks.add("sda1"))
    assert keeping_of(Mount("/", kind, "none", number), tmp_path) == keeping


def test_a_file_system_without_a_device_of_its_own_is_kept_as_its_source_is() -> None:
    assert disks.number_of("/dev/null") == "1:3"
    assert [disks.number_of(source) for source in ("none", "/nonexistent", "server:/export", "/")] == [""] * 4


def test_where_nothing_is_told_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_: Path, **__: str) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", unreadable)
    assert disks.mount_of(Path("/")) is None
    assert keeping_of(None) == "unknown"
    assert disks.swaps() is None
