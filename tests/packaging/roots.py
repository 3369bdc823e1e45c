"""Fresh roots of Debian: made by debootstrap, entered in namespaces of their own, and gone whatever happens."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "anonp2p-fresh-"
_TRIES = 10  # to remove a root in which something was just killed
# All that is mounted and all that runs in it ends with what is started in these namespaces, and that ends with us.
_ALONE = (
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
)
# What a program in a root may know of this machine's environment.
_KNOWN = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_DEFAULT_TIMEOUT")
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_BUNDLE = "/etc/ssl/fresh.pem"  # the same in a root, where Debian's own package would write over it
_ENTER = """
root=$1 writable=$2; shift 2
[ "$writable" = yes ] || { mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"; }
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/dev/shm" || exit 1
[ "$writable" = yes ] || mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" || exit 1
exec chroot "$root" "$@"
"""


@contextmanager
def workplace() -> Iterator[Path]:
    """A directory that is removed at the end; if we are killed, by whoever comes next."""
    _remove_abandoned()
    place = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with _held(place):
        try:
            yield place
        finally:
            _remove(place)


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """While it is, others see that somebody uses it."""
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned() -> None:
    """Removes what was left by those that were killed. Nothing is mounted there: that ended with them."""
    for place in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), _held(place):
            _remove(place)


def _remove(place: Path) -> None:
    """Removes it, though what was just killed may write there for a moment."""
    for _ in range(_TRIES):
        shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            return
    shutil.rmtree(place)


def find_mirror() -> str:
    """Where this machine gets Debian's packages from."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    if not found:
        raise SystemExit("fresh: this machine has no Debian in its lists of packages; try apt-get update")
    return found[0]


class Root:
    """The root of a fresh Debian. environment: for what runs in it."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path = path
        self.environment = dict(environment)

    @staticmethod
    def make(path: Path, release: str, packages: Sequence[str]) -> "Root":
        """A new one with these packages. Raises CalledProcessError."""
        extra = [f"--include={','.join(packages)}"] if packages else []
        command = [*_ALONE, "debootstrap", "--variant=minbase", *extra, release, str(path), find_mirror()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", path / "etc" / name)
        (path / "etc/apt/apt.conf.d/99fresh").write_text('Acquire::Check-Valid-Until "false";\n')
        bundle = path / _BUNDLE.lstrip("/")
        bundle.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_CERTIFICATES, bundle)
        known = {name: os.environ[name] for name in _KNOWN if name in os.environ}
        certificates = dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), _BUNDLE)
        where = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        return Root(path, known | certificates | where | {"DEBIAN_FRONTEND": "noninteractive"})

    def enter(self, *command: str, user: str = "", writable: bool = True, **environment: str) -> list[str]:
        """What runs this command in the root. user: UID:GID of whom it runs as, without any privilege; else root."""
        who: tuple[str, ...] = ()
        if user:
            uid, _, gid = user.partition(":")
            who = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--bounding-set=-all")
            who = (*who, "--inh-caps=-all", "--no-new-privs")
        given = [f"{name}={value}" for name, value in (self.environment | environment).items()]
        inside = [*who, "env", "-i", *given, *command]
        return [*_ALONE, "sh", "-c", _ENTER, "sh", str(self.path), "yes" if writable else "no", *inside]
