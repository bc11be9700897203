"""Who can use a key, in each format: names are inert, none is lost, and uncertainty is shown."""

import csv
import io
import json
from functools import cache

import pytest
from msgspec import structs

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.questions.access import FORMATS
from keyaudit.questions.access.answer import Access, Open, Reach, Way, Who
from keyaudit.report.options import Options
from tests.report.example import AS_OF, DAY, RUN, covered
from tests.report.listings import READ
from tests.report.sinks import agent_commands, columns, every_payload, is_formula, laid_out, restored, terminal_codes

csv.field_size_limit(10_000_000)


def access(name: str = "N", **changes: object) -> Access:
    """An answer with `name` in every text that the tenant or a snapshot brings in."""
    who = Who(name, name, name, name, "foreign", enabled=False)
    way = Way(
        id=name,
        kind=name,
        role=name,
        custom=True,
        scope=f"/{name}/{name}",
        scope_kind=name,
        scope_name=name,
        allows=("sign", "grant", name),
        doubt=Reason.PERMISSION,
        through=(who, who),
        unplaced=Reason.THROTTLED,
        application_id=name,
        condition=name,
        standing=False,
        expires_on=AS_OF + DAY,
    )
    plain = structs.replace(way, kind="access-policy", standing=True, doubt=None, through=(), unplaced=None, expires_on=None)
    limited = structs.replace(way, scope_kind="object", scope=f"/v/keys/{name}")
    scope = Scope(name, name, ScopeKind.SUBSCRIPTION)
    return Access(
        run=structs.replace(RUN, tenant_name=name, identity=name),
        verdict=READ,
        noun=str(changes.get("noun", "key")),
        id=name,
        name=name,
        note=name,
        reaches=[Reach(who=who, vault_id=name, vault_name=name, thing=name, way=each) for each in (plain, way, limited)],
        open=[Open(who, Reason.PERMISSION)],
        others=[structs.replace(way, api=name)],
        inert=2,
        unlisted=[covered(scope, "role_eligibility.list", Reason.NOT_LICENSED)],
    )


@cache
def printed(name: str, payload: str, noun: str = "key") -> bytes:
    out = io.StringIO(newline="")
    FORMATS[name](access(payload, noun=noun), out, Options())
    return out.getvalue().encode("utf-8")


@every_payload
@pytest.mark.parametrize("noun", ["key", "principal"])
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_acts_on_a_terminal_or_commands_a_build_agent(name: str, noun: str, payload: str) -> None:
    output = printed(name, payload, noun)
    assert terminal_codes(output, "\r\n" if name == "csv" else "\n") == []
    assert agent_commands(output) == []


@every_payload
def test_text_fits_80_columns(payload: str) -> None:
    for noun in ("key", "vault", "principal"):
        assert [line for line in laid_out(printed("text", payload, noun).decode()) if columns(line) > 80] == []


@every_payload
def test_csv_computes_nothing_and_gives_names_back(payload: str) -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv", payload).decode(), newline="")))
    assert not [cell for row in rows for cell in row.values() if is_formula(cell)]
    assert {restored(row["principal"]) for row in rows if row["record"] == "way"} == {payload}
    assert [(restored(row["principal"]), restored(row["api"])) for row in rows if row["record"] == "beside-vaults"] == [
        (payload, payload)
    ]


@every_payload
def test_json_keeps_the_original_in_ascii(payload: str) -> None:
    output = printed("json", payload)
    assert output.isascii()
    assert {way["principal"]["name"] for way in json.loads(output)["ways"]} == {payload}


def test_text_says_what_limits_a_way_and_what_may_be_missing() -> None:
    text = " ".join(printed("text", "N").decode().split())
    for said in (
        "N (N N, from another tenant, disabled)",
        "sign, grant itself access and N: access policy of the vault",
        "custom role N on key N, through group N > N and perhaps groups in it;",
        "only through application N; under a condition: N; only once activated; until",
        "not sure: the identity may not read it (permission)",
        "There may be more: N (N N, from another tenant, disabled) includes unknown principals",
        "Not read from N: eligible roles (not_licensed).",
        "At least 1 principal can use it now",
        "2 other grants open nothing there.",
    ):
        assert said in text, said


def test_csv_and_json_say_of_each_way_what_of_it_is_not_known() -> None:
    rows = list(csv.DictReader(io.StringIO(printed("csv", "N").decode(), newline="")))
    assert [(row["record"], row["coverage_note"]) for row in rows][:6] == [
        ("way", ""),
        *[("way", "allows:permission|through:throttled")] * 2,
        ("beside-vaults", "allows:permission|through:throttled"),
        ("not-all-known", "*:permission"),
        ("not-read", "role_eligibility.list:not_licensed"),
    ]
    ways = json.loads(printed("json", "N"))["ways"]
    assert [(way["unknown"], way["through_unknown"]) for way in ways] == [(None, None), *[("permission", "throttled")] * 2]


@pytest.mark.parametrize(
    ("noun", "note", "said"),
    [
        ("principal", "user", "It is a user."),
        ("principal", "managed-identity", "It is a managed identity."),
        ("principal", "", "It is of unknown kind."),
        ("key", "rbac", "Its vault uses Azure RBAC (role assignments)."),
        ("certificate", "", "Its vault is of unknown kind."),
        ("vault", "rbac", "It uses Azure RBAC (role assignments)."),
        ("Managed HSM", "hsm-local", "It uses local role assignments of the Managed HSM."),
    ],
)
def test_text_says_what_was_asked_about(noun: str, note: str, said: str) -> None:
    out = io.StringIO(newline="")
    FORMATS["text"](structs.replace(access(noun=noun), note=note), out, Options())
    assert said in out.getvalue().splitlines()


def test_text_counts_vaults_and_ways_and_has_a_sentence_for_none() -> None:
    found = structs.replace(access(noun="principal"), open=(), inert=0)
    standing = [each for each in found.reaches if each.way.standing]
    activated = structs.replace(standing[0], way=structs.replace(standing[0].way, standing=False))
    for reaches, code, part, said in (
        (standing[:1], Exit.CLEAN, False, "1 vault can be used, in 1 way."),
        ([], Exit.CLEAN, False, "No vault can be used."),
        ([activated], Exit.CLEAN, False, "No vault can be used now."),
        ([], Exit.INCOMPLETE, False, "No vault can be used, in the data that was read."),
        # What was left out may hold more of them.
        ([], Exit.CLEAN, True, "No vault can be used, in the data that was read."),
        (standing[:1], Exit.CLEAN, True, "At least 1 vault can be used, in 1 way."),
    ):
        verdict = structs.replace(found.verdict, exit=code, conditions=(code,), part=part, gaps=(), allowed_unknown=0)
        out = io.StringIO(newline="")
        FORMATS["text"](structs.replace(found, reaches=reaches, verdict=verdict), out, Options())
        assert said in out.getvalue().splitlines()


def test_a_role_of_which_nothing_is_known_allows_unknown_things() -> None:
    found = access()
    way = structs.replace(found.reaches[1].way, allows=(), role=None)
    out = io.StringIO(newline="")
    FORMATS["table"](structs.replace(found, reaches=[structs.replace(found.reaches[1], way=way)]), out, Options())
    assert "unknown" in out.getvalue()
    assert "role of unknown name" in out.getvalue()
