"""The oldest libraries that pyproject.toml admits work, and the lock of the action and the container is within its bounds."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.needs import ROOT, tool

PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / ".ci" / "lock.txt").read_text(encoding="utf-8")
EXTRAS: dict[str, list[str]] = {
    name: needed for name, needed in PROJECT["project"]["optional-dependencies"].items() if name not in ("dev", "spark")
}
"""Spark is larger than all the rest, needs Java, and is of no use to a gate."""


def required(lines: Iterable[str]) -> dict[str, Requirement]:
    return {canonicalize_name(each.name): each for each in map(Requirement, lines)}


NEEDED = required([*PROJECT["project"]["dependencies"], *(line for lines in EXTRAS.values() for line in lines)])
FAULTS = {
    # https://osv.dev/vulnerability/PYSEC-2026-4370: a subdomain widens a cookie
    "aiohttp": ("3.14.3", "3.14.4"),
    # https://github.com/CVEProject/cvelistV5/blob/main/cves/2026/21xxx/CVE-2026-21226.json: code from a continuation token
    "azure-core": ("1.37.0", "1.38.0"),
    # https://github.com/pyca/cryptography/security/advisories/GHSA-g6cj-pr64-35w5: an oracle of PKCS#7 decryption
    "cryptography": ("49.0.0", "50.0.0"),
    # https://nvd.nist.gov/vuln/detail/CVE-2026-112909: a file renamed onto the lock's path is truncated
    "filelock": ("4.2.0", "4.2.1"),
    # https://github.com/pallets/jinja/security/advisories/GHSA-cpwx-vrp4-4pq7: a way out of the sandbox
    "jinja2": ("3.1.5", "3.1.6"),
}
"""By library: the last release with a published fault, and the first without."""


@pytest.mark.parametrize("name", FAULTS)
def test_no_release_with_a_published_fault_is_admitted(name: str) -> None:
    faulty, fixed = FAULTS[name]
    assert faulty not in NEEDED[name].specifier
    assert fixed in NEEDED[name].specifier


def test_the_lock_names_what_is_needed_within_its_bounds_and_each_file_by_its_hash() -> None:
    blocks = re.sub(r"^#.*\n", "", LOCK, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    split = [line.split(" --hash=sha256:") for line in blocks]
    assert all(re.fullmatch("[0-9a-f]{64}", hash_.strip()) for _, *hashes in split for hash_ in hashes)
    assert all(hashes for _, *hashes in split)
    locked = {}
    for name, each in required(requirement.strip() for requirement, *_ in split).items():
        [pin] = each.specifier
        assert pin.operator == "=="
        locked[name] = pin.version
    built_with = required(PROJECT["build-system"]["requires"])
    outside = {name for name, each in {**built_with, **NEEDED}.items() if locked.get(name, "0") not in each.specifier}
    assert outside == set(), "run .ci/lock"


@pytest.mark.exhaustive
def test_the_demo_runs_on_the_oldest_libraries_that_are_admitted(tmp_path: Path) -> None:
    uv, python = str(tool("bin/uv")), str(tmp_path / "venv" / "bin" / "python")
    subprocess.run([uv, "venv", "--quiet", tmp_path / "venv"], check=True)
    wanted = f"{ROOT}[{','.join(EXTRAS)}]"
    subprocess.run([uv, "pip", "install", "--quiet", "--resolution=lowest-direct", "--python", python, wanted], check=True)
    listed = subprocess.run([uv, "pip", "list", "--python", python, "--format=json"], check=True, capture_output=True).stdout
    versions = {each["name"]: each["version"] for each in json.loads(listed)}
    assert {name: versions[name] for name, each in NEEDED.items() if Version(versions[name]) != _bound(each)} == {}
    command = [python, "-P", "-m", "keyaudit", "report", "--demo", "--export", f"xlsx={tmp_path / 'report.xlsx'}"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "leaked" not in ran.stderr
    assert "open findings" in ran.stdout
    assert (tmp_path / "report.xlsx").stat().st_size


def _bound(needed: Requirement) -> Version:
    [bound] = needed.specifier
    assert bound.operator == ">="
    return Version(bound.version)
