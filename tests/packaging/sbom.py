"""The bill of materials of a build, as CycloneDX 1.6: what is inside, and what the program was tested with.

Nothing in it depends on when or where it is made.
"""

import json
import re
import tomllib
import uuid
from pathlib import Path
from typing import Any

_LOCKED = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))?(?: \\)?\n(?P<hashes>(?:    --.*\n)*)"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_UNICODE = re.compile(r"Version (?P<version>[\d.]+), ")  # as anonp2p/names/confusables.py says it
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "pkg:pypi/anonp2p")


def write_sbom(root: Path, version: str) -> str:
    """Of the sources in this directory."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    locked = list(_LOCKED.finditer((root / "scripts/requirements/run.lock").read_text("utf-8")))
    direct = {re.match(r"[\w.-]+", wanted)[0].lower() for wanted in project["dependencies"]}  # type: ignore[index]
    program = {
        "type": "application",
        "bom-ref": _purl("anonp2p", version),
        "name": "anonp2p",
        "version": version,
        "description": project["description"],
        "licenses": [{"expression": project["license"]}],
        "purl": _purl("anonp2p", version),
    }
    sbom: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "build"}], "component": program},
        "components": [_unicode(root), *map(_component, locked)],
        "dependencies": [
            {
                "ref": program["bom-ref"],
                "dependsOn": sorted(_purl(one["name"], one["version"]) for one in locked if one["name"] in direct),
            }
        ],
    }
    serial = uuid.uuid5(_SPACE, json.dumps(sbom, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{serial}", **sbom}, indent=2) + "\n"


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _unicode(root: Path) -> dict[str, Any]:
    """The data that the table of look-alikes is made of, the only work of others that we ship."""
    stated = _UNICODE.search((root / "anonp2p/names/confusables.py").read_text("utf-8"))
    assert stated, "the table says of which version it is made"
    return {
        "type": "data",
        "bom-ref": "unicode-confusables",
        "name": "confusables.txt (Unicode UTS #39)",
        "version": stated["version"],
        "licenses": [{"license": {"id": "Unicode-3.0"}}],
        "scope": "required",
    }


def _component(locked: re.Match[str]) -> dict[str, Any]:
    """A package that the program needs; the hashes are those of all its published files."""
    purl = _purl(locked["name"], locked["version"])
    hashes = [{"alg": "SHA-256", "content": found} for found in sorted(_HASH.findall(locked["hashes"]))]
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": locked["name"],
        "version": locked["version"],
        "scope": "required",
        "purl": purl,
        "externalReferences": [{"type": "distribution", "url": purl, "hashes": hashes}],
    }
    if locked["marker"]:
        component["properties"] = [{"name": "anonp2p:marker", "value": locked["marker"]}]
    return component
