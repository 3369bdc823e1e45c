"""Profiles of our program for onion-grater, the filter before Tor's control port on Whonix and Tails.

They are made from the table of commands: `scripts/profiles` writes them to scripts/packaging, and a test compares.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anonp2p import limits
from anonp2p.net.tor import commands
from anonp2p.net.tor.commands import Profile, Rule

PLACE = Path(__file__).parents[2] / "scripts" / "packaging"

APPARMOR_NAME = "anonp2p"
PROGRAMS = "/{usr/bin,usr/local/bin,opt/anonp2p/bin}/anonp2p"  # where root alone may write

_WHONIX = f"""\
# What anonp2p needs of Tor's control port on a Whonix-Gateway. Made by scripts/profiles.
#
# On the gateway: copy this to /usr/local/etc/onion-grater-merger.d/40_anonp2p.yml and restart onion-grater.
# On the workstation: copy 50_anonp2p.conf to /usr/local/etc/whonix_firewall.d/ and reload the firewall.
#
# It lets every workstation of this gateway create onion services that lead to ports {limits.WHONIX_PORTS[0]} to \
{limits.WHONIX_PORTS[1]} of that
# workstation, and see which onion services all others use: enable it where one workstation is all there is.
"""

_FIREWALL = f"""\
## The ports at which the gateway's Tor reaches rooms of anonp2p on this Whonix-Workstation. Made by scripts/profiles.
EXTERNAL_OPEN_PORTS+=" $(seq {limits.WHONIX_PORTS[0]} {limits.WHONIX_PORTS[1]}) "
"""

_TAILS = """\
# What anonp2p needs of Tor's control port on Tails. Made by scripts/profiles.
#
# As root: copy this to /etc/onion-grater.d/anonp2p.yml, and apparmor to /etc/apparmor.d/anonp2p, by which onion-grater
# knows the program; then `apparmor_parser --replace /etc/apparmor.d/anonp2p`.
"""

_APPARMOR = """\
# By this profile onion-grater knows anonp2p on Tails: a script is known by its profile alone. Made by scripts/profiles.
#
# It is for copies that only root can change. One in a home directory could be changed by any program of yours, which
# would then have what anonp2p has.

abi <abi/3.0>,

include <tunables/global>

profile {name} {programs} {{
  include <abstractions/base>
  include <abstractions/nameservice>

  network unix stream,
  network inet stream,
  network inet6 stream,
  network netlink raw,

  # Python and its packages, and what is shown of other processes and of the kernel.
  /usr/** rm,
  /usr/bin/python3* ix,
  /opt/anonp2p/** rm,
  /opt/anonp2p/bin/python3* ix,
  /etc/** r,
  @{{PROC}}/** r,
  /sys/** r,

  # Tor's control port and cookie; our sockets; files that one sends and takes.
  /run/tor/** rw,
  owner /tmp/** rwk,
  owner /dev/shm/** rwk,
  owner /run/user/*/** rwk,
  owner @{{HOME}}/** rwk,
  owner /dev/pts/* rw,
  /dev/tty rw,
}}
"""


def describe(profile: Profile, **qualifiers: list[str]) -> dict[str, Any]:
    """A filter as onion-grater reads it. qualifiers: to whom it applies."""
    return {
        **{name.replace("_", "-"): whom for name, whom in qualifiers.items()},
        "commands": {word: [_describe_rule(rule) for rule in rules] for word, rules in profile.commands.items()},
        "events": {kind: {"response": list(map(_describe_rule, rules))} for kind, rules in profile.events.items()},
    }


def _describe_rule(rule: Rule) -> Any:
    if rule.replacement is None:
        return rule.pattern
    return {"pattern": rule.pattern, "replacement": rule.replacement}


WHONIX = describe(commands.WHONIX, exe_paths=["*"], users=["*"], hosts=["*"])
TAILS = describe(commands.TAILS, apparmor_profiles=[APPARMOR_NAME], users=["amnesia"])


def _write(value: Any, indent: str) -> Iterator[str]:
    """A value as YAML."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield f"{indent}{key}: {_quote(inner)}"
            else:
                yield f"{indent}{key}:"
                yield from _write(inner, indent + "  ")
    else:
        for inner in value:
            if isinstance(inner, str):
                yield f"{indent}- {_quote(inner)}"
            else:
                first, *rest = _write(inner, indent + "  ")
                yield f"{indent}- {first.strip()}"
                yield from rest


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _yaml(comment: str, filter_: dict[str, Any]) -> str:
    return "\n".join([comment, "---", *_write([filter_], ""), ""])


def files() -> dict[str, str]:
    """What `scripts/packaging` has of this, by path."""
    return {
        "whonix/40_anonp2p.yml": _yaml(_WHONIX, WHONIX),
        "whonix/50_anonp2p.conf": _FIREWALL,
        "tails/anonp2p.yml": _yaml(_TAILS, TAILS),
        "tails/apparmor": _APPARMOR.format(name=APPARMOR_NAME, programs=PROGRAMS),
    }


def main() -> None:
    for name, text in files().items():
        path = PLACE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
