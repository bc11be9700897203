"""A tenant whose every name, tag and subject attacks its auditor, read over the wire and shown in every format."""

import csv
import io
import json
import os
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Any

import html5lib
import pytest
from msgspec import Struct, structs

from keyaudit.cli.clock import SystemClock
from keyaudit.model.errors import Exit
from keyaudit.policy.load import load
from keyaudit.report.formats import BUNDLE, FILES
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit
from tests.cli.redirected import redirected
from tests.cli.tenants import running
from tests.report.sinks import CORPUS, agent_commands, is_formula, restored, terminal_codes

FORMATS = ("text", "table")
LISTINGS: dict[str, tuple[str, ...]] = {
    "keys": ("inventory", "key"),
    "applications": ("inventory", "application", "-o", "json"),
    "access": ("access", "kv-orders-prod/order-event-signing"),
    "credentials": ("inventory", "credential", "-o", "table"),
    "expiring": ("expiring", "99w", "--all"),
    "doctor": ("doctor",),
}
EXPORTS = ("json", "csv", "html", "junit")
"""Those that are read again here."""
CSV = ("csv", "controls", "control-findings", "matrix")
OTHER_EXPORTS = tuple(name for name in FILES if name not in ("xlsx", *EXPORTS))
COMMANDS = {name: ("report", "--all", "-o", name) for name in FORMATS} | {"gate": ("gate",)}

# What each kind of object in the tenant lets its owner write.
FREE = {
    "KeyVersion": ("tags",),
    "CertificateVersion": ("tags",),
    "SecretVersion": ("tags", "content_type"),
    "Vault": ("tags",),
    "DeletedVault": ("tags",),
    "ManagedHsm": ("tags",),
    "HsmRole": ("name",),
    "Resource": ("tags",),
    "KeyCredential": ("display_name",),
    "PasswordCredential": ("display_name",),
    "FederatedCredential": ("name", "subject", "issuer", "claims_expression", "audiences"),
    "Application": ("name", "identifier_uris", "scopes", "roles", "reply_urls"),
    "ServicePrincipal": ("name", "tags", "verified_publisher"),
    "Federation": ("name",),
    "ExternalProvider": ("name",),
    "TokenPolicy": ("name",),
    "AppManagementPolicy": ("name",),
    "AuthorityStore": ("name",),
    "Authority": ("name",),
    "Subscription": ("name",),
    "User": ("name", "upn"),
    "Group": ("name",),
    "Role": ("name",),
    "RoleAssignment": ("condition",),
    "DenyAssignment": ("name",),
    "AlertRule": ("query",),
    "Estate": ("tenant_name",),
}


def _payloads() -> Iterator[str]:
    # Not what no service could send: half a character, or a name longer than any answer's limit.
    return cycle(text for text in CORPUS.values() if text and len(text) < 10_000 and "\ud800" not in text)


def _poisoned(value: Any, payloads: Iterator[str], used: set[str]) -> Any:
    """A copy of `value` with the next payload in every text that the tenant controls, at any depth."""
    if isinstance(value, tuple):
        return tuple(_poisoned(each, payloads, used) for each in value)
    if not isinstance(value, Struct):
        return value
    changed = {}
    for field in structs.fields(value):
        old = getattr(value, field.name)
        if old is None or field.name not in FREE.get(type(value).__name__, ()):
            changed[field.name] = _poisoned(old, payloads, used)
            continue
        text = next(payloads)
        used.add(text)
        shaped: dict[str, Any] = {"dict": {f"{text[:200]}-key": text, "owner": text}, "tuple": (text,)}
        changed[field.name] = shaped.get(type(old).__name__, text)
    return structs.replace(value, **changed)


class Shown(Struct, frozen=True):
    """What the hostile tenant looks like, by command: exit code and raw bytes; by file what exports hold; and its texts."""

    code: dict[str, int]
    out: dict[str, bytes]
    err: dict[str, bytes]
    used: set[str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, blind_spots: Path) -> Shown:
    used: set[str] = set()
    exports = EXPORTS + OTHER_EXPORTS
    now = SystemClock().now()
    tenant = _poisoned(estate("blind-spots", now - now % 86_400), _payloads(), used)
    here = tmp_path_factory.mktemp("hostile")
    folder = str(here / "s")
    with running(tenant) as simulator:
        environ = {**os.environ, **simulator.environ}
        done = {"collect": redirected(["collect", "--auth", "env", "--out", folder], env=environ)}
    written = [f"{name}={here / name}" for name in (*exports, BUNDLE)]
    commands = {
        **COMMANDS,
        **LISTINGS,
        "export": ("export", *written),
        "notify": ("notify", "--since", str(blind_spots), "--dry-run"),
    }
    for name, command in commands.items():
        done[name] = redirected([*command, "--from", folder])
    done["diff"] = redirected(["diff", blind_spots, folder])
    files = [here / name for name in exports] + [path for path in sorted((here / BUNDLE).rglob("*")) if path.is_file()]
    return Shown(
        {name: each.returncode for name, each in done.items()},
        {name: each.stdout for name, each in done.items()} | {str(path.relative_to(here)): path.read_bytes() for path in files},
        {name: each.stderr for name, each in done.items()},
        used,
    )


def _rows(shown: Shown) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shown.out["csv"].decode(), newline="")))


@pytest.mark.exhaustive
def test_the_names_change_no_exit_code(shown: Shown) -> None:
    listings = shown.code.keys() & LISTINGS.keys()
    codes = {name: code for name, code in shown.code.items() if name not in listings}
    incomplete = ("collect", "export", "notify", "diff", *FORMATS)
    assert codes == {**dict.fromkeys(incomplete, Exit.INCOMPLETE), "gate": Exit.FINDINGS}
    assert {shown.code[name] for name in listings} <= {Exit.CLEAN, Exit.INCOMPLETE}
    assert len(shown.used) > 50


@pytest.mark.exhaustive
def test_nothing_that_is_printed_acts_on_a_terminal_or_commands_a_build_agent(shown: Shown) -> None:
    for name in shown.out:
        for output in (shown.out[name], shown.err.get(name, b"")):
            assert terminal_codes(output, "\r\n" if name.endswith(CSV) else "\n") == [], name
            # Policies are our own text, and so are Markdown's headings: no agent takes "## " for a command.
            assert agent_commands(re.sub(rb"(?m)^## (?=[A-Z][a-z ]+$)", b"", output)) == [], name
            assert b"Traceback" not in output


@pytest.mark.exhaustive
def test_what_changed_is_told_of_hostile_names_too(shown: Shown) -> None:
    """But written so that they do nothing; here it is only that they are there at all."""
    # A message holds no more than the worst few.
    assert b"\\x1b" in shown.out["notify"]
    for name in ("diff", f"{BUNDLE}/findings.csv", f"{BUNDLE}/summary.md", f"{BUNDLE}/inventory/key.csv"):
        assert b"evil" in shown.out[name], name


@pytest.mark.exhaustive
def test_the_page_and_the_test_results_are_of_our_own_elements(shown: Shown) -> None:
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(shown.out["html"], transport_encoding="utf-8")
    names = {str(each.tag).rpartition("}")[2] for each in page.iter()}
    assert not names & {"img", "link", "iframe", "object", "embed", "form", "base", "foreignObject"}
    # The one script is ours, the same for every page.
    [script] = [each.text for each in page.iter() if str(each.tag).rpartition("}")[2] == "script"]
    assert script == files("keyaudit.report.html").joinpath("templates", "filters.js").read_text("utf-8")
    attributes = {name for each in page.iter() for name in each.attrib}
    assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    links = {each.attrib["href"] for each in page.iter() if "href" in each.attrib}
    assert {link for link in links if not link.startswith("#")} <= {
        each for policy in load() for each in policy.text.references
    }
    assert {each.tag for each in ET.fromstring(shown.out["junit"]).iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip


@pytest.mark.exhaustive
def test_json_has_the_originals(shown: Shown) -> None:
    assert shown.out["json"].isascii()
    there = set(_texts(json.loads(shown.out["json"])))
    # Scopes and roles are counted, not shown; a text may be in one of them alone.
    assert len(shown.used - there) <= 3, shown.used - there


@pytest.mark.exhaustive
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


@pytest.mark.exhaustive
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
    assert severe == verdict["failed"]["high"] + verdict["failed"]["critical"]
    # A range blocks by its lowest level.
    failed = [each for each in report["findings"] if each["outcome"] == "fail"]
    blocking = sum((each["severity_low"] or each["severity"]) in {"high", "critical"} for each in failed)
    assert 0 < blocking < severe
    assert f"  blocking   {blocking:,}\n".encode() in shown.out["gate"]


@pytest.mark.exhaustive
def test_a_hostile_name_hides_no_failure(shown: Shown, keyaudit: Keyaudit, blind_spots: Path) -> None:
    """But for what a policy judges by name: a federated subject, an address, and the environment that a tag says."""
    said = {
        "tags",
        "name",
        "subject",
        "issuer",
        "issuer_host",
        "issuer_retires_on",
        "subject_breadth",
        "subject_dangling",
        "subject_grade",
        "environment",
        "apps_in_it",
        "environments_in_it",
        "blast_radius",
    }
    said |= {"environments_opened", "environment_crossings", "signer_environments", "user_environments", "content_type"}
    said |= {"insecure_redirects", "wildcard_hosts", "unowned_hosts", "unverified_hosts", "local_redirects", "loose_uris"}
    said |= {"condition", "encrypts_disks"}
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
