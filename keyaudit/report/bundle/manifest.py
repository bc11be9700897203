"""The manifest of a bundle: the run, its verdict, and every file with its digest.

It has a canonical form, so that repeated members, other number formats and trailing bytes are detected.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.results.bundle import MANIFEST, SCHEMA
from keyaudit.model.results.run import Report
from keyaudit.report.members import begun, document, exits
from keyaudit.report.tabular.records import pack

MOST = 16 * 1024 * 1024
"""The maximum size of a manifest in bytes."""

FINDINGS, COVERAGE, WAIVERS = "findings.csv", "coverage.csv", "waivers.csv"
CONTROLS, CONTROL_FINDINGS = "controls.csv", "control-findings.csv"
SUMMARY, REPORT = "summary.md", "report.json"
INVENTORY, POLICIES = "inventory", "policies"
ALWAYS = frozenset({FINDINGS, COVERAGE, WAIVERS, SUMMARY, REPORT, f"{POLICIES}/policies.json"})
"""The files of every bundle, also of earlier versions."""

_PATH = re.compile(rf"(?:(?:{INVENTORY}|{POLICIES})/)?[a-z0-9][a-z0-9_.-]*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_REMEDY = "copy the bundle from its origin, or export it again"


class File(Struct, frozen=True):
    """A file of a bundle. For a CSV file also its rows, and the number of altered cells by column."""

    path: str
    size: int
    sha256: str
    rows: int | None = None
    escaped: Mapping[str, int] = field(default_factory=dict)


def written(report: Report, files: Sequence[File]) -> bytes:
    """The manifest over these files."""
    run, verdict = begun(report.run), report.verdict
    members: dict[str, object] = {
        **run,
        "schema": SCHEMA,
        "policy_pack": pack(report.tallies),
        "verdict": {**exits(verdict), "gate": verdict.gate},
        "files": [_member(each) for each in files],
    }
    return _sealed(members)


def read(data: bytes, place: str) -> dict[str, File]:
    """The files that a manifest names, by path.

    Raises UsageError if it is not a manifest of a bundle, UnsafeError if it is not in canonical form. No path in it is opened,
    and none leads out of the bundle.
    """
    try:
        members = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnsafeError(place, "damaged, or not part of a bundle: it is not JSON", _REMEDY) from error
    if not isinstance(members, dict) or members.get("schema") != SCHEMA:
        raise UsageError(place, f"not the manifest of a bundle that this keyaudit reads ({SCHEMA})", "name the bundle's folder")
    try:
        same = _sealed({name: value for name, value in members.items() if name != _DIGEST}) == data
    except (ValueError, RecursionError, TypeError):
        same = False
    if not same:
        raise UnsafeError(place, "damaged or edited: it does not match its own digest", _REMEDY)
    files = [_file(each, place) for each in members["files"]] if isinstance(members.get("files"), list) else []
    found = {each.path: each for each in files}
    lacking = sorted(ALWAYS - found.keys())
    if lacking or len(found) != len(files):
        what = f"names no {lacking[0]}" if lacking else "names a file twice"
        raise UnsafeError(place, f"damaged or edited: it {what}", _REMEDY)
    return found


_DIGEST = "sha256"


def _sealed(members: Mapping[str, Any]) -> bytes:
    """The manifest with its own digest as the last member, computed with an empty digest."""
    return _rendered(members, hashlib.sha256(_rendered(members, "")).hexdigest())


def _rendered(members: Mapping[str, Any], digest: str) -> bytes:
    out = io.StringIO()
    rest = {name: value for name, value in members.items() if name != "files"}
    document(out, rest, {"files": members.get("files", [])}, {_DIGEST: digest})
    return out.getvalue().encode("ascii")


def _member(file: File) -> dict[str, object]:
    found: dict[str, object] = {"path": file.path, "size": file.size, "sha256": file.sha256}
    if file.rows is None:
        return found
    return {**found, "rows": file.rows, "escaped_cells": dict(sorted(file.escaped.items()))}


def _file(member: object, place: str) -> File:
    if isinstance(member, dict):
        path, size, digest = (member.get(name) for name in ("path", "size", "sha256"))
        if (
            isinstance(path, str)
            and _PATH.fullmatch(path)
            and path != MANIFEST
            and isinstance(size, int)
            and isinstance(digest, str)
            and _SHA256.fullmatch(digest)
        ):
            return File(path, size, digest)
    raise UnsafeError(place, "names a file that is not part of a bundle", _REMEDY)
