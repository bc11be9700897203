"""A tenant whose every name, tag and subject attacks its auditor, read over the wire and shown in every format."""

import csv
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from keyaudit.policy.load import load
from keyaudit.report.formats import FILES
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit
from tests.cli.tenants import running
from tests.report.sinks import CORPUS, agent_commands, is_formula, restored, terminal_codes

FORMATS = ("text", "table", "json", "csv")
LISTINGS: dict[str, tuple[str, ...]] = {
    "keys": ("inventory", "key"),
    "credentials": ("inventory", "credential", "-o", "table"),
    "applications": ("inventory", "application", "-o", "json"),
    "expiring": ("expiring", "99w", "--all"),
    "doctor": ("doctor",),
    "access": ("access", "kv-orders-prod/order-event-signing"),
}
LISTINGS |= {name: ("export", name) for name in FILES if name != "xlsx"}
COMMANDS = {name: ("report", "--all", "-o", name) for name in FORMATS} | {"gate": ("gate",)} | LISTINGS

# What each kind of object in the tenant lets its owner write.
FREE = {
    "KeyVersion": ("tags",),
    "Vault": ("tags",),
    "KeyCredential": ("display_name",),
    "PasswordCredential": ("display_name",),
    "FederatedCredential": ("name", "subject", "issuer", "claims_expression", "audiences"),
    "Application": ("name", "identifier_uris", "scopes", "roles"),
    "ServicePrincipal": ("name",),
    "Subscription": ("name",),
    "User": ("name",),
    "Group": ("name",),
    "Role": ("name",),
    "RoleAssignment": ("condition",),
    "Estate": ("tenant_name",),
}


def _payloads() -> Iterator[str]:
    # Not what no service could send: half a character, or a name longer than any answer's limit.
    return cycle(text for text in CORPUS.values() if text and len(text) < 10_000 and "\ud800" not in text)


def _poisoned(value: Any, payloads: Iterator[str], used: set[str]) -> Any:
    """A copy of `value` with the next payload in every text that the tenant controls, at any depth."""
    if isinstance(value, tuple):
        return tuple(_poisoned(each, payloads, used) for each in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    changed = {}
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        if old is None or field.name not in FREE.get(type(value).__name__, ()):
            changed[field.name] = _poisoned(old, payloads, used)
            continue
        text = next(payloads)
        used.add(text)
        shaped: dict[str, Any] = {"dict": {f"{text[:200]}-key": text, "owner": text}, "tuple": (text,)}
        changed[field.name] = shaped.get(type(old).__name__, text)
    return dataclasses.replace(value, **changed)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the hostile tenant looks like, by command: exit code and raw bytes; and the texts that it was made of."""

    code: dict[str, int]
    out: dict[str, bytes]
    err: dict[str, bytes]
    used: set[str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    used: set[str] = set()
    now = int(time.time())  # noqa: TID251 - the simulated tenant lives now
    tenant = _poisoned(estate("blind-spots", now - now % 86_400), _payloads(), used)
    folder = str(tmp_path_factory.mktemp("hostile") / "s")
    with running(tenant) as simulator:
        done = {"collect": _run(["collect", "--auth", "env", "--out", folder], simulator.environ)}
    done |= {name: _run([*command, "--from", folder], {}) for name, command in COMMANDS.items()}
    return Shown(
        {name: each.returncode for name, each in done.items()},
        {name: each.stdout for name, each in done.items()},
        {name: each.stderr for name, each in done.items()},
        used,
    )


def _run(arguments: Sequence[str], environ: Mapping[str, str]) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "keyaudit", *arguments]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environ})


def _rows(shown: Shown) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shown.out["csv"].decode(), newline="")))


def test_the_names_change_no_exit_code(shown: Shown) -> None:
    codes = {name: code for name, code in shown.code.items() if name not in LISTINGS}
    assert codes == {**dict.fromkeys(("collect", *FORMATS), Exit.INCOMPLETE), "gate": Exit.FINDINGS}
    assert {shown.code[name] for name in LISTINGS} <= {Exit.CLEAN, Exit.INCOMPLETE}
    assert len(shown.used) > 50


def test_nothing_that_is_printed_acts_on_a_terminal_or_commands_a_build_agent(shown: Shown) -> None:
    for name in shown.out:
        for output in (shown.out[name], shown.err[name]):
            assert terminal_codes(output, "\r\n" if name == "csv" else "\n") == [], name
            # Markdown's own headings: no agent takes "## " for a command.
            assert agent_commands(re.sub(rb"(?m)^## (?=[A-Z][a-z ]+$)", b"", output)) == [], name
            assert b"Traceback" not in output


def test_json_has_the_originals(shown: Shown) -> None:
    assert shown.out["json"].isascii()
    there = set(_texts(json.loads(shown.out["json"])))
    # Scopes and roles are counted, not shown; a text may be in one of them alone.
    assert len(shown.used - there) <= 3, shown.used - there


def test_csv_computes_nothing_and_gives_names_back(shown: Shown) -> None:
    rows = _rows(shown)
    numbers = {"age_days", "days_to_expiry"}
    assert not [cell for row in rows for name, cell in row.items() if is_formula(cell) and name not in numbers]
    tenant = json.loads(shown.out["json"])["run"]["tenant"]["name"]
    assert tenant.removesuffix(" (simulated tenant)") in shown.used
    assert {restored(row["tenant_name"]) for row in rows} == {tenant}
    # Whose tags were made hostile.
    of_keys = [row for row in rows if row["resource_type"] == "key"]
    owners = {restored(row["owner"]) for row in of_keys if row["owner_source"] == "tag owner"}
    assert owners
    assert owners <= shown.used


def test_all_formats_count_the_same(shown: Shown) -> None:
    report = json.loads(shown.out["json"])
    as_json = Counter(each["outcome"] for each in report["findings"])
    not_judged = Counter({"not-judged": len(report["not_judged"])})
    assert Counter(row["status"] for row in _rows(shown)) == as_json + not_judged
    verdict = report["verdict"]
    counts = f"{as_json['unknown']:,} unknown, {as_json['pass']:,} passed, {verdict['not_applicable']:,} not applicable"
    for name in ("text", "table", "gate"):
        assert counts in " ".join(shown.out[name].decode().split())
    severe = sum(each["outcome"] == "fail" and each["severity"] in {"high", "critical"} for each in report["findings"])
    assert shown.out["gate"].count(b"\n  BLOCK  ") == severe == verdict["failed"]["high"] + verdict["failed"]["critical"]


def test_a_hostile_name_hides_no_failure(shown: Shown, keyaudit: Keyaudit, blind_spots: Path) -> None:
    """But for what a policy judges by name: a federated subject, and the environment that a tag says."""
    said = {
        "tags",
        "name",
        "subject",
        "issuer",
        "issuer_host",
        "environment",
        "apps_in_it",
        "environments_in_it",
        "blast_radius",
    }
    said |= {"environments_opened", "environment_crossings", "signer_environments", "user_environments", "content_type"}
    by_name = {policy.text.id for policy in load() if not said.isdisjoint(policy.columns_read)} | {"kv-key-rotation-overdue"}

    def failures(report: dict[str, list[dict[str, str]]]) -> set[tuple[str, str]]:
        found = ((each["policy"], each["subject"]) for each in report["findings"] if each["outcome"] == "fail")
        return {(policy, subject) for policy, subject in found if policy not in by_name}

    plain = failures(keyaudit("report", "--from", blind_spots, "-o", "json").json)
    assert plain
    assert plain <= failures(json.loads(shown.out["json"]))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, each in value.items():
                yield from (name, *_texts(each))
        case list():
            for each in value:
                yield from _texts(each)
