"""Services as a user's systemd runs them, where there is none: systemd.service(5), systemd.exec(5), systemd.unit(5)."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

_PATIENCE = 60.0  # seconds
# A word of a command line, its parts in quotes: between them a backslash makes of the next character itself.
_WORD = re.compile(r"""(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\s'"])+""")
_QUOTED = re.compile(r"""(['"])((?:\\.|(?!\1).)*)\1""")


def read_settings(text: str) -> dict[str, str]:
    """What a unit says, of all its sections together; nothing of ours is said twice."""
    settings: dict[str, str] = {}
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        key, sets, value = line.partition("=")
        if sets and line[0] not in "#;":
            assert key not in settings, key
            settings[key] = value
    return settings


def split_words(value: str, specifiers: Mapping[str, str]) -> list[str]:
    """The words of a command line or an assignment, with what % stands for before one of these letters."""
    words = [_QUOTED.sub(lambda part: re.sub(r"\\(.)", r"\1", part[2]), word) for word in _WORD.findall(value)]
    return [re.sub("%(.)", lambda found: specifiers[found[1]], word) for word in words]


class Service:
    """One that runs. A context: all of it ends with it.

    unit: its text. home, runtime: directories of the user. instance: what stands behind the @ in its name. environment:
    that of systemd. directory: the one that the unit wants, made for it.
    """

    def __init__(
        self, unit: str, home: Path, runtime: Path, *, instance: str = "", environment: Mapping[str, str]
    ) -> None:
        settings = read_settings(unit)
        specifiers = {"%": "%", "h": str(home), "t": str(runtime), "i": instance, "I": instance}

        def words(key: str, default: str = "") -> list[str]:
            return split_words(settings.get(key, default), specifiers)

        command = words("ExecStart")
        assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", " ".join(command)), "no variable is put in by systemd"
        self._kill_signal = signal.Signals[words("KillSignal", "SIGTERM")[0]]
        self._successes = {0, *(int(word) for word in words("SuccessExitStatus"))}
        given = {**environment, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
        given |= dict(word.split("=", 1) for word in words("Environment"))
        for name in words("RuntimeDirectory"):
            self.directory = runtime / name
            self.directory.mkdir(int(words("RuntimeDirectoryMode", "0755")[0], 8))
            given["RUNTIME_DIRECTORY"] = str(self.directory)
        [source] = words("StandardInput", "null")
        with Path(source.removeprefix("file:") if source != "null" else os.devnull).open("rb") as stdin:
            self.process = subprocess.Popen(
                [word.replace("$$", "$") for word in command],
                env=given,
                cwd=home,
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                umask=int(words("UMask", "0022")[0], 8),
                start_new_session=True,
            )

    def stop(self, seconds: float = _PATIENCE) -> tuple[int, str]:
        """Its exit code and what it wrote on stderr, once it has been told to end."""
        self.process.send_signal(self._kill_signal)
        return self.result(seconds)

    def result(self, seconds: float = _PATIENCE) -> tuple[int, str]:
        """The same, where it ends by itself. What reads from it ends as well: stderr is closed then."""
        _, said = self.process.communicate(timeout=seconds)
        return self.process.returncode, said

    @property
    def has_failed(self) -> bool:
        """Whether systemd takes the way in which it has ended for a failure."""
        return self.process.returncode not in self._successes

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=_PATIENCE)
