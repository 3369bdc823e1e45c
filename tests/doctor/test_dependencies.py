"""What is said of packages."""

import pytest

from anonp2p import limits, packages
from anonp2p.doctor import dependencies
from anonp2p.doctor.dependencies import judge_package
from anonp2p.errors import CryptoMissing
from anonp2p.findings import find


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("", "package-missing"),
        ("0.9", "package-old"),
        ("1.7.9", "package-old"),
        ("1.8", "package-fits"),
        ("1.8.2", "package-fits"),
        ("1.10", "package-fits"),
        ("2.0.dev1", "package-fits"),
    ],
)
def test_a_package_has_to_be_there_and_new_enough(version: str, code: str) -> None:
    finding = judge_package("pack", version, (1, 8))
    assert finding.code == code
    assert finding.values == (("pack", version, "1.8") if version else ("pack", "1.8"))
    assert finding.status == (0 if code == "package-fits" else 1)


def test_all_packages_are_looked_at_and_sealing_is_tried() -> None:
    findings = dependencies.check_packages()
    named = [finding.values[0] for finding in findings if finding.code == "package-fits"]
    assert named == list(limits.VERSIONS)
    assert [findings[0].code, findings[-1].code] == ["python", "post-quantum"]


def test_a_cryptography_that_cannot_seal_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise CryptoMissing("1.0")

    monkeypatch.setattr(packages, "require_crypto", refuse)
    assert dependencies.check_packages()[-1] == find("failed", CryptoMissing("1.0"))
