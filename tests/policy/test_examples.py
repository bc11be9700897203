"""A policy's examples are run as a tenant would be, and must notice every small way of breaking the policy."""

import re
from pathlib import Path

import pytest

from keyaudit.model.tables import TABLES
from keyaudit.policy import examples
from tests.policy.inventory import quoted, text

GIVEN = "{enabled: true, created_on: 730 days ago}"
AGE = {
    "violated_when": quoted("created_on is None or now - created_on > max_age"),
    "parameters": "{max_age: {default: P730D, strict: P365D}}",
    "given": GIVEN,
}
ENOUGH = """
  - {why: on the day, expect: pass}
  - {why: a day over, expect: fail, created_on: 731 days ago}
  - {why: no date, expect: fail, created_on: absent}
  - {why: hidden, expect: unknown, created_on: unknown}
  - {why: off, expect: not-applicable, enabled: false}"""


def failures(folder: Path, **fields: str | None) -> list[str]:
    """What testing a policy says, without the folder."""
    path = folder / "test.yaml"
    path.write_text(text(**fields), encoding="utf-8")
    return [line.removeprefix(f"{path}").removeprefix(": ") for line in examples.test_policies(path).failures]


def without(why: str) -> str:
    """The examples but for one."""
    return "\n".join(line for line in ENOUGH.split("\n") if f"why: {why}," not in line)


def test_a_policy_with_enough_examples_has_no_failures(tmp_path: Path) -> None:
    assert failures(tmp_path, **AGE, examples=ENOUGH) == []
    assert examples.test_policies(tmp_path / "test.yaml").summary.startswith("1 policy, ")


@pytest.mark.parametrize(
    ("missing", "noticed"),
    [
        ("on the day", ["no example of pass; add one"]),
        ("a day over", ["no example notices with max_age raised by one; add one that does"]),
        (
            "no date",
            ["no example notices violated_when without `created_on is None`; add one that does"],
        ),
        ("hidden", ["no example of unknown; add one"]),
        ("off", ["no example of not-applicable; add one"]),
    ],
)
def test_what_no_example_notices_is_said(tmp_path: Path, missing: str, noticed: list[str]) -> None:
    found = failures(tmp_path, **AGE, examples=without(missing))
    assert found[: len(noticed)] == noticed or set(noticed) <= set(found)


def test_an_example_that_comes_out_otherwise_is_said_with_its_place(tmp_path: Path) -> None:
    changed = ENOUGH.replace("expect: pass", "expect: fail").replace("a day over, expect: fail", "a day over, expect: pass")
    assert failures(tmp_path, **AGE, examples=changed) == [
        ":13:5: on the day: fail expected, but the result was pass",
        ":14:5: a day over: pass expected, but the result was fail (high)",
    ]


def test_a_boundary_that_no_example_stands_on_is_said(tmp_path: Path) -> None:
    loose = ENOUGH.replace("731 days ago", "900 days ago")
    found = failures(tmp_path, **{**AGE, "given": GIVEN.replace("730", "500")}, examples=loose)
    assert found == [
        "no example notices violated_when with `now - created_on > max_age` moved to >=; add one that does",
        "no example notices with max_age raised by one; add one that does",
        "no example notices with max_age lowered by one; add one that does",
    ]


def test_a_severity_is_compared_where_an_example_names_one(tmp_path: Path) -> None:
    graded = {
        "severity": "medium",
        "severity_when": "[{critical: managed}, {low: \"kty == 'EC'\"}]",
        "given": "{enabled: true, exportable: false, managed: false, kty: RSA}",
    }
    basic = """
  - {why: good, expect: pass}
  - {why: bad, expect: fail, severity: medium, exportable: true}
  - {why: other, expect: not-applicable, enabled: false}
  - {why: hidden, expect: unknown, exportable: unknown}"""
    assert failures(tmp_path, **graded, examples=basic) == [
        "no example notices weakness_when without critical; add one that does",
        "no example notices weakness_when without low; add one that does",
    ]
    full = (
        basic
        + """
  - {why: worse, expect: fail, severity: critical, exportable: true, managed: true}
  - {why: less, expect: fail, severity: low, exportable: true, kty: EC}"""
    )
    assert failures(tmp_path, **graded, examples=full) == []
    [warning] = examples.test_policies(tmp_path / "test.yaml").warnings
    assert warning.endswith(": severity_when is deprecated; write weakness and weakness_when: keyaudit explain policy-author")
    wrong = full.replace("severity: low", "severity: high")
    assert failures(tmp_path, **graded, examples=wrong) == [":18:5: less: fail (high) expected, but the result was fail (low)"]


def test_a_condition_of_a_severity_that_no_example_notices_is_said(tmp_path: Path) -> None:
    graded = {
        "severity": "medium",
        "severity_when": "[{critical: \"managed and kty == 'EC'\"}]",
        "given": "{enabled: true, exportable: false, managed: false, kty: RSA}",
    }
    examples = """
  - {why: good, expect: pass}
  - {why: bad, expect: fail, severity: medium, exportable: true}
  - {why: worst, expect: fail, severity: critical, exportable: true, managed: true, kty: EC}
  - {why: managed, expect: fail, severity: medium, exportable: true, managed: true}
  - {why: other, expect: not-applicable, enabled: false}
  - {why: hidden, expect: unknown, exportable: unknown}"""
    assert failures(tmp_path, **graded, examples=examples) == [
        "no example notices critical in weakness_when without `managed`; add one that does",
    ]


def test_a_map_is_moved_entry_by_entry(tmp_path: Path) -> None:
    mapped = {
        "applies_to": quoted("created_on is not None"),
        "violated_when": quoted("now - created_on > max_age[purpose]"),
        "parameters": "{max_age: {sign: P365D, otherwise: P730D}}",
        "given": "{created_on: 365 days ago, purpose: sign}",
    }
    some = """
  - {why: on the day, expect: pass}
  - {why: over, expect: fail, created_on: 366 days ago}
  - {why: no date, expect: not-applicable, created_on: absent}
  - {why: hidden, expect: unknown, purpose: unknown}"""
    assert failures(tmp_path, **mapped, examples=some) == [
        "no example notices with the entry otherwise of max_age raised by one; add one that does",
        "no example notices with the entry otherwise of max_age lowered by one; add one that does",
    ]


def test_an_example_may_set_a_parameter(tmp_path: Path) -> None:
    listed = {
        "violated_when": quoted("kty not in allowed"),
        "parameters": "{allowed: {type: list, default: []}}",
        "given": "{enabled: true, kty: RSA}",
    }
    four = """
  - {why: allowed, expect: pass, parameters: {allowed: [RSA]}}
  - {why: nothing is, expect: fail}
  - {why: off, expect: not-applicable, enabled: false}
  - {why: hidden, expect: unknown, kty: unknown, parameters: {allowed: [RSA]}}"""
    assert failures(tmp_path, **listed, examples=four) == []
    wrong = four.replace("allowed: [RSA]}}\n  - {why: nothing", "allowed: [RAS]}}\n  - {why: nothing")
    assert failures(tmp_path, **listed, examples=wrong)[0] == ":13:5: allowed: kty is never 'RAS'; did you mean RSA?"


@pytest.mark.parametrize(
    ("example", "what"),
    [
        (
            "{created_on: yesterday}",
            "created_on cannot be 'yesterday'; as in `730 days ago`, `in 30 days`, `2026-01-01`, `now`",
        ),
        ("{created_on: in 3 days ago}", "created_on cannot be 'in 3 days ago'"),
        ("{created_on: 3 days}", "created_on cannot be '3 days'"),
        ("{created_on: 2026-02-30}", "created_on cannot be '2026-02-30'"),
        ("{created_on: [a]}", "created_on is time; as in"),
        ("{enabled: yes}", "enabled cannot be 'yes'; true, false or `unknown`"),
        ("{enabled: absent}", "enabled is never absent"),
        ("{id: unknown}", "id is never unknown: without it, the row would not exist"),
        ("{key_size: 2.5}", "key_size cannot be '2.5'; a whole number"),
        ("{superseded_enabled: 3..2}", "superseded_enabled cannot be '3..2'; as in 3, 2..5, or 2.. for at least 2"),
        ("{superseded_enabled: -1}", "superseded_enabled cannot be '-1'"),
        ("{key_ops: sign}", "key_ops is texts; a list, as in [sign, verify]"),
        ("{key_ops: [[sign]]}", "key_ops holds a list or mapping"),
        ("{tags: [a]}", "tags is map; a mapping, as in {env: prod}"),
        ("{rotates_after: soon}", "rotates_after cannot be 'soon'; as in `90 days` or P90D"),
    ],
)
def test_a_value_that_its_column_cannot_have_is_refused(tmp_path: Path, example: str, what: str) -> None:
    odd = ENOUGH + f"\n  - {{why: odd, expect: pass, {example[1:]}"
    assert failures(tmp_path, **AGE, examples=odd)[0].startswith(f":18:5: odd: {what}")


@pytest.mark.parametrize(
    ("condition", "value", "expect"),
    [
        ("created_on is not None and created_on <= now", "now", "fail"),
        ("created_on is not None and created_on > now", "in 1 second", "fail"),
        ("created_on is not None and created_on < now", "2026-01-01", "fail"),
        ("created_on is not None and created_on < now", "2026-07-01T12:00:01Z", "pass"),
        ("rotates_after is not None and rotates_after >= days(90)", "90 days", "fail"),
        ("rotates_after is not None and rotates_after >= days(90)", "P90D", "fail"),
        ("rotates_after is not None and rotates_after >= days(90)", "89 days", "pass"),
        ("superseded_enabled > 2", "3..", "fail"),
        ("superseded_enabled > 2", "2..5", "unknown"),
        ("superseded_enabled > 2", "1..2", "pass"),
        ("'sign' in key_ops", "[verify, sign]", "fail"),
        ("tags['env'] is not None and tags['env'] == 'prod'", "{ENV: prod}", "fail"),
        ("tags['env'] is not None and tags['env'] == 'unknown'", "{env: unknown}", "fail"),
        ("curve is not None and curve == 'P-256'", "P-256", "fail"),
        ("managed", "true", "fail"),
        ("contains(vault_name, 'unknown')", "'unknown'", "fail"),
    ],
)
def test_an_example_can_write_any_value(tmp_path: Path, condition: str, value: str, expect: str) -> None:
    (column,) = {name for name in re.findall(r"\w+", condition) if name in TABLES["key"].by_name}
    lines = failures(
        tmp_path,
        applies_to=None,
        violated_when=quoted(condition),
        given="{}",
        examples=f"[{{why: it, expect: {expect}, {column}: {value}}}]",
    )
    assert not [line for line in lines if line.startswith(":")]


def test_a_column_that_is_read_and_not_given_is_an_error(tmp_path: Path) -> None:
    found = failures(tmp_path, **{**AGE, "given": "{enabled: true}"}, examples=ENOUGH)
    assert found == [":13:5: on the day: no value for created_on; add it to given, or to the example",
                     ":17:5: off: no value for created_on; add it to given, or to the example"]  # fmt: skip


def test_no_unknown_is_asked_for_where_nothing_read_can_be(tmp_path: Path) -> None:
    bare = "[{why: a, expect: pass}, {why: b, expect: fail, vault_name: x}]"
    named = {"applies_to": None, "violated_when": quoted("vault_name == 'x'"), "given": "{vault_name: y}"}
    assert failures(tmp_path, **named, examples=bare) == []
