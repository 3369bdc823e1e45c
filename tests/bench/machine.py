"""What scripts/bench runs on."""

import os
import platform
import subprocess
from pathlib import Path


def describe_machine() -> dict[str, str]:
    """What figures depend on. load: how much else the machine had to do in the minute before."""
    processors = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "processor": processors[0] if processors else platform.machine(),
        "cores": f"{len(os.sched_getaffinity(0))}",
        "memory": f"{memory / 2**20:.0f} GiB",
        "system": f"{platform.freedesktop_os_release().get('PRETTY_NAME', '')}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "tor": _say("tor", "--version").partition("version ")[2].split()[0].rstrip("."),
        "commit": _say("git", "rev-parse", "--short=12", "HEAD"),
        "date": _say("date", "--utc", "+%Y-%m-%d %H:%M UTC"),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _say(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
