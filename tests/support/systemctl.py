"""`systemctl --user`, as far as the documents use it, where there is no systemd."""

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tests.support.services import Service

# Hands on what it was asked, and says nothing if it was done, as the real one.
_SCRIPT = """#!/bin/sh
[ "$1" = --user ] || exit 1
echo "$2 $3" >{home}/asked
read -r said <{home}/answered
[ "$said" = done ] || {{ echo "$said" >&2; exit 1; }}
"""


class UserServices:
    """The services of a user. A context: they end with it. program: the path of a systemctl, made for this user.

    services: those that were started, by their names.
    """

    def __init__(self, program: Path, home: Path, runtime: Path, environment: Mapping[str, str]) -> None:
        self._home = home
        self._runtime = runtime
        self._environment = environment
        self._units: dict[str, str] = {}  # those that were linked, by their names
        self.services: dict[str, Service] = {}
        self._stack = ExitStack()
        for name in ("asked", "answered"):
            os.mkfifo(home / name)
        program.write_text(_SCRIPT.format(home=home), encoding="utf-8")
        program.chmod(0o700)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while (asked := (self._home / "asked").read_text(encoding="utf-8").split()) != ["end"]:
            try:
                said = self._obey(*asked)
            except (AssertionError, LookupError, OSError, TypeError, ValueError) as error:
                said = repr(error)
            (self._home / "answered").write_text(f"{said}\n", encoding="utf-8")

    def _obey(self, verb: str, name: str) -> str:
        if verb == "link":
            path = Path(name)
            self._units[path.name] = path.read_text(encoding="utf-8")
        elif verb == "start":
            template, _, instance = name.partition("@")
            unit = self._units[f"{template}@.service"]
            service = Service(unit, self._home, self._runtime, instance=instance, environment=self._environment)
            self.services[name] = self._stack.enter_context(service)
        else:
            return f"nobody here can {verb}"
        return "done"

    def __enter__(self) -> "UserServices":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        (self._home / "asked").write_text("end", encoding="utf-8")
        self._thread.join()
        self._stack.close()
