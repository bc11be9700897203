"""No name from the tenant is active in a listing; absent and unknown are distinct; scripts grant only rights to read."""

import csv
import io
import json
import re
import subprocess
from functools import cache

import pytest
from msgspec import structs

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.operations import OPERATIONS, Rights
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Value
from keyaudit.model.results.run import Gap
from keyaudit.policy.load import load
from keyaudit.questions.doctor import FORMATS as DOCTOR
from keyaudit.questions.expiring import FORMATS as EXPIRING
from keyaudit.questions.inventory import FORMATS as INVENTORIES
from keyaudit.questions.permissions import FORMATS as PERMISSIONS
from keyaudit.questions.permissions.needs import Needed, needed
from keyaudit.questions.permissions.text import render_full
from keyaudit.report.missing import permissions
from keyaudit.report.options import Options
from keyaudit.report.tabular.grid import fitting, grid
from tests.report.example import BLIND, RUN, covered
from tests.report.listings import INVENTORY, KEY, OF_KEYS, READ, examination, expiring
from tests.report.sinks import agent_commands, columns, every_payload, is_formula, laid_out, restored, terminal_codes

csv.field_size_limit(10_000_000)

LISTINGS = [
    *(("inventory", name) for name in INVENTORIES),
    *(("key", name) for name in INVENTORIES),
    *(("expiring", name) for name in EXPIRING),
    *(("doctor", name) for name in DOCTOR),
]


def _poisoned(row: dict[str, Value], payload: str) -> dict[str, Value]:
    poison: dict[type, Value] = {str: payload, list: [payload, payload], dict: {payload: payload, "owner": payload}}
    return {name: value if name == "unknown" else poison.get(type(value), value) for name, value in row.items()}


@cache
def printed(what: str, name: str, payload: str) -> bytes:
    """A listing with `payload` in every text that a tenant, a proxy or a snapshot can bring in."""
    scope = Scope(payload, payload, ScopeKind.VAULT)
    gaps = (
        Gap(scope=scope, reason=Reason.PERMISSION, operations=("key.list",), detail=payload, blinds=BLIND),
        Gap(scope=scope, reason=Reason.TIMEOUT, operations=(payload,), detail=payload, required=False),
    )
    verdict = structs.replace(READ, gaps=gaps, coverage=(covered(scope, "key.list", Reason.PERMISSION, detail=payload),))
    run = structs.replace(
        RUN,
        run_id=payload,
        tenant_name=payload,
        tenant_id=payload,
        identity=payload,
        environment=payload,
        network={payload: payload},
    )
    out = io.StringIO(newline="")
    options = Options(passes=True)
    if what in {"inventory", "key"}:
        rows = [_poisoned(dict(row), payload) for row in KEY.rows()]
        poisoned = structs.replace(KEY, rows=lambda: iter(rows))
        listings = (poisoned,) if what == "key" else INVENTORY.listings
        INVENTORIES[name](structs.replace(OF_KEYS, run=run, verdict=verdict, listings=listings), out, options)
    elif what == "expiring":
        endings = tuple(
            structs.replace(
                ending, owner=Owner((payload, payload), "tag owner", None), row=_poisoned(dict(ending.row), payload)
            )
            for ending in expiring().endings()
        )
        EXPIRING[name](structs.replace(expiring(endings), run=run, verdict=verdict), out, options)
    else:
        DOCTOR[name](examination(run, verdict), out, options)
    return out.getvalue().encode("utf-8")


@every_payload
@pytest.mark.parametrize(("what", "name"), LISTINGS)
def test_nothing_acts_on_a_terminal_or_commands_a_build_agent(what: str, name: str, payload: str) -> None:
    output = printed(what, name, payload)
    assert terminal_codes(output, "\r\n" if name == "csv" else "\n") == []
    assert agent_commands(output) == []


@every_payload
@pytest.mark.parametrize("what", ["inventory", "key", "expiring", "doctor"])
def test_text_fits_80_columns(what: str, payload: str) -> None:
    assert [line for line in laid_out(printed(what, "text", payload).decode()) if columns(line) > 80] == []


@every_payload
@pytest.mark.parametrize("what", ["key", "expiring"])
def test_csv_computes_nothing_and_gives_names_back(what: str, payload: str) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(what, "csv", payload).decode(), newline="")))
    numbers = {"days", "key_size"}
    assert not [cell for row in rows for name, cell in row.items() if is_formula(cell) and name not in numbers]
    assert {restored(row["run_tenant_name"]) for row in rows} == {payload}
    if what == "key":
        assert {restored(row["location"]) for row in rows if row["record"] == "row"} == {payload}


@every_payload
@pytest.mark.parametrize("what", ["key", "expiring", "doctor"])
def test_json_keeps_the_original_in_ascii(what: str, payload: str) -> None:
    output = printed(what, "json", payload)
    assert output.isascii()
    assert json.loads(output)["run"]["tenant"]["name"] == payload


@pytest.mark.parametrize("name", ["csv", "json"])
def test_a_name_adds_no_line(name: str) -> None:
    plain = printed("key", name, "N").splitlines()
    for payload in ("a\nkv-prod  PASS", "a\r\nb", "\u2028", "a\vb\fc\x85d"):
        assert len(printed("key", name, payload).splitlines()) == len(plain)


def test_a_name_that_reads_like_one_of_our_words_stands_in_quotes() -> None:
    for word in ("unknown", "-", "none", "", " unknown "):
        assert f'"{word}"' in printed("key", "table", word).decode()


def test_a_grid_streams_and_widens_for_nothing_that_comes_late() -> None:
    lines = list(grid(("a", "b"), ((str(number), "x" * (number // 1_000)) for number in range(3_000))))
    assert lines[:3] == ["a    b", "---  -", "0"]
    assert lines[-1] == "2999  xx"


def test_a_grid_in_a_width_wraps_and_cuts_nothing() -> None:
    lines = list(grid(("name", "what"), [("x" * 30, "some words that are many")], 30))
    assert max(map(len, lines)) <= 30
    assert "".join(lines).count("x") == 30
    assert fitting([10, 5, 40, 4], 30, 1) == [0, 1, 3]


FORBIDDEN = re.compile(
    r"ReadWrite|Contributor|Owner\b|Administrator|Officer|/write|/delete\b|secrets?(-permissions)?:? [a-z ,]*\bget\b"
    r"|listKeys|backup|restore|recover|purge|decrypt|unwrap|\bsign\b|Secrets User|Crypto User|AccessAsUser",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", PERMISSIONS)
def test_no_script_gives_a_right_to_change_anything_or_to_see_a_secret(name: str) -> None:
    policies = load()
    by = {operation: tuple(policy.text.id for policy in policies) for operation in OPERATIONS}
    for operations in (set(OPERATIONS), *({operation} for operation in OPERATIONS)):
        for needed_by in ({}, by) if len(operations) > 1 else ({},):
            output = PERMISSIONS[name](needed(operations, needed_by, version="1", policies=len(policies)))
            # The texts about needed rights are prose; policies and columns have their own names.
            given = [line for line in output.splitlines() if not line.lstrip().startswith(("#", "//"))]
            given = [line for line in given if name != "text" or not line.startswith("    ")]
            given = [re.sub(r'"(operations|policies|columns)": \[[^]]*\]', "", line) for line in given]
            assert not FORBIDDEN.search("\n".join(given)), (name, operations)


@cache
def everything() -> Needed:
    return needed(OPERATIONS, {}, version="1", policies=None)


def test_every_right_is_in_every_format() -> None:
    rights = {operation.right for operation in OPERATIONS.values() if operation.right.rights is not Rights.NONE}
    for name, render in PERMISSIONS.items():
        output = " ".join(render(everything()).split())
        for right in rights:
            assert (right.data_action or right.name) in output, (name, right)
        for kind, allowed in everything().access_policies().items():
            for word in allowed:
                assert word in output.lower(), (name, kind)


def test_access_policies_name_every_read_of_a_vault_and_never_the_value_of_a_secret() -> None:
    """https://learn.microsoft.com/azure/key-vault/general/assign-access-policy: `secrets get` returns a value."""
    assert everything().access_policies() == {
        "keys": ("list", "get", "getrotationpolicy"),
        "certificates": ("list", "get"),
        "secrets": ("list",),
    }


def test_a_role_is_named_once_with_all_its_equivalents() -> None:
    read = ["key.list", "key.get", "key.get_preview", "secret.list", "vault.list", "no.such"]
    assert permissions(read) == [
        "Key Vault Reader on the vault (or, under access policies, keys list, get; secrets list)",
        "Reader on the subscription",
    ]


def test_the_script_is_one_that_a_shell_reads() -> None:
    ran = subprocess.run(["sh", "-n"], input=PERMISSIONS["az"](everything()), text=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", ["bicep", "terraform"])
def test_brackets_and_quotes_are_balanced(name: str) -> None:
    code = [re.sub(r"'[^']*'|\"[^\"]*\"", "", line) for line in PERMISSIONS[name](everything()).splitlines()]
    code = [line for line in code if not line.lstrip().startswith(("#", "//"))]
    text = "\n".join(code)
    for opening, closing in ("()", "[]", "{}"):
        assert text.count(opening) == text.count(closing)
    assert not set(text) & {"'", '"'}


def test_a_right_says_which_policies_or_columns_rest_on_it() -> None:
    found = needed({"key.list", "domain.list"}, {"key.list": ("a", "b")}, version="1", policies=3)
    text = " ".join(render_full(found).split())
    assert "for: a and b" in text
    assert "for: a and b" not in PERMISSIONS["text"](found)
    rest = "7 columns of tenant, application.loose_uris and application.unverified_hosts"
    assert f"for: no policy, but signing_certificate, federated_domain, {rest}" in text
    rights = json.loads(PERMISSIONS["json"](found))["rights"]
    assert {right["name"]: right["policies"] for right in rights} == {"Key Vault Reader": ["a", "b"], "Domain.Read.All": []}
