"""What hatchling runs when it builds: it makes what is not in the sources, and picks what is in an sdist."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

# hatchling runs this file by its path
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.packaging import completions, manual, page, sbom

# Where things are found once installed, below the prefix; pipx puts man pages in place for the user.
_SHIPPED = {"anonp2p.desktop": "share/applications", "anonp2p@.service": "share/systemd/user"}
_MADE = {"dist", "PKG-INFO"}


def list_sources(root: Path) -> list[str]:
    """The files of an sdist: those that git knows or, where this is an unpacked sdist, all."""
    if (root / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached"]
        listed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout.decode().split("\0")
        return sorted(name for name in listed if name and (root / name).is_file())
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if "__pycache__" not in path.parts and path.parts[0] not in _MADE)


class PackagingBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Fills a wheel with what is made for it, and an sdist with what is tracked."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if self.target_name == "sdist":
            build_data["force_include"] |= {str(root / name): name for name in list_sources(root)}
            return
        self._made = tempfile.TemporaryDirectory(prefix="anonp2p-build-")
        release = self.metadata.version
        made = {
            "share/man/man1/anonp2p.1": manual.write_page(release),
            "share/bash-completion/completions/anonp2p": completions.write_bash(),
            "share/zsh/site-functions/_anonp2p": completions.write_zsh(),
            "share/fish/vendor_completions.d/anonp2p.fish": completions.write_fish(),
        }
        for name, place in _SHIPPED.items():
            made[f"{place}/{name}"] = (root / "scripts/packaging" / name).read_text("utf-8")
        for place, text in made.items():
            build_data["shared_data"][str(self._write(place, text))] = place
        build_data["sbom_files"].append(str(self._write("anonp2p.cdx.json", sbom.write_sbom(root, release))))

    def _write(self, place: str, text: str) -> Path:
        path = Path(self._made.name, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self.target_name != "sdist":
            self._made.cleanup()


class PackagingMetadataHook(MetadataHookInterface):
    """The text of the project's page."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = page.write_page(Path(self.root, "README.md").read_text("utf-8"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
