"""Classes of things with limits of their own: which a row belongs to, what then holds, and what is unknown when that is."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from keyaudit.model.documents import yaml
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.parameters import Value
from keyaudit.policy.definition import Policy
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.evaluation.judge import Judgement, judge
from keyaudit.policy.evaluation.queries import selection
from keyaudit.policy.evaluation.verdict import outcome_of
from keyaudit.policy.load import load
from keyaudit.policy.settings import Given, Judging, PolicyClass
from tests.policy.interpreter import Interpreter
from tests.policy.inventory import AGE, DAY, NOW, inventory, key, policy, quoted

OLD = NOW - 500 * DAY


def given(**values: str) -> Mapping[str, Given]:
    return {name: Given(yaml.read(text), f"k.toml:{number}") for number, (name, text) in enumerate(values.items(), 1)}


def a_class(name: str = "build", **fields: Any) -> PolicyClass:
    usual: dict[str, Any] = {"place": "k.toml:9", "table": "key"}
    return PolicyClass(name=name, **{**usual, **fields})


def found(judgement: Judgement) -> dict[str, Finding]:
    return {str(each.row["name"]): each for each in judgement.findings(passes=True)}


def judged(tmp_path: Path, rows: list[dict[str, Any]], *classes: PolicyClass, **fields: str) -> dict[str, Finding]:
    with inventory(key=rows) as connection:
        return found(judge(connection, [policy(tmp_path, **{**AGE, **fields})], (), Judging(as_of=NOW, classes=classes)))


def test_a_row_has_the_limit_of_its_class_and_says_so(tmp_path: Path) -> None:
    yearly = a_class(resource=Glob("code-*"), parameters={"age": given(max_age="P365D")})
    rows = judged(tmp_path, [key("code-1", created_on=OLD), key("other", created_on=OLD)], yearly)
    assert rows["code-1"].outcome is Outcome.FAIL
    assert rows["code-1"].expected == "max_age 365 days (class build)"
    assert rows["code-1"].message.endswith("the limit is 365 days")
    assert (rows["other"].outcome, rows["other"].expected) == (Outcome.PASS, "max_age 730 days")


def test_the_first_class_that_matches_wins_even_where_it_says_nothing_of_that_limit(tmp_path: Path) -> None:
    tagged = a_class("tagged", tags={"env": "test"})
    strict = a_class("strict", resource=Glob("code-*"), parameters={"age": given(max_age="P365D")})
    both = key("code-1", created_on=OLD, tags={"env": "test"})
    assert judged(tmp_path, [both], strict, tagged)["code-1"].outcome is Outcome.FAIL
    assert judged(tmp_path, [both], tagged, strict)["code-1"].outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("tags", "outcome"),
    [
        ({"env": "prod"}, Outcome.FAIL),
        ({"env": "Prod"}, Outcome.PASS),
        ({"team": "prod"}, Outcome.PASS),
        (None, Outcome.PASS),
    ],
)
def test_a_tag_is_its_exact_value_and_a_missing_one_is_another(
    tmp_path: Path, tags: dict[str, str] | None, outcome: Outcome
) -> None:
    prod = a_class(tags={"env": "prod"}, parameters={"age": given(max_age="P365D")})
    assert judged(tmp_path, [key("k", created_on=OLD, tags=tags)], prod)["k"].outcome is outcome


def test_where_tags_are_unknown_the_limit_is_and_never_the_default(tmp_path: Path) -> None:
    prod = a_class(tags={"env": "prod"}, parameters={"age": given(max_age="P365D")})
    hidden: dict[str, Any] = {"tags": None, "unknown": {"tags": "permission"}}
    rows = [key("k", created_on=OLD, **hidden), key("ancient", created_on=0, **hidden)]
    with inventory(key=rows) as connection:
        judgement = judge(connection, [policy(tmp_path, **AGE)], (), Judging(as_of=NOW, classes=(prod,)))
        (first, second) = judgement.findings(passes=True)
    assert {first.outcome, second.outcome} == {Outcome.UNKNOWN}
    assert first.message == "unknown: tags (the identity may not read it)"
    assert first.unknown == {"tags": Reason.PERMISSION}
    assert first.expected == "max_age 730 days or 365 days"
    assert judgement.groups[0].causes == {"tags": Reason.PERMISSION}
    # The columns of tags are now required, like those of other columns.
    assert "age" in judgement.needed_by["key.list"]


def test_an_unknown_tag_does_not_matter_where_the_name_decides_or_every_limit_is_the_same(tmp_path: Path) -> None:
    hidden = key("k", created_on=OLD, tags=None, unknown={"tags": "permission"})
    named = a_class("named", resource=Glob("k"), parameters={"age": given(max_age="P365D")})
    tagged = a_class("tagged", tags={"env": "prod"}, parameters={"age": given(max_age="P100D")})
    assert judged(tmp_path, [hidden], named, tagged)["k"].outcome is Outcome.FAIL
    assert judged(tmp_path, [hidden], tagged, named)["k"].outcome is Outcome.UNKNOWN
    same = a_class("same", tags={"env": "prod"}, parameters={"age": given(max_age="P730D")})
    assert judged(tmp_path, [hidden], same)["k"].outcome is Outcome.PASS


def test_what_has_no_name_is_in_no_class_by_name(tmp_path: Path) -> None:
    yearly = a_class(table="credential", resource=Glob("code-*"), parameters={"age": given(max_age="P365D")})
    fields = {
        **AGE,
        "table": "credential",
        "subject": None,
        "applies_to": None,
        "violated_when": "starts_on is None or now - starts_on > max_age",
        "message": "m",
        "given": None,
    }
    row = {"id": "/c", "kind": "password", "scope_id": "/tenants/1", "starts_on": OLD}
    with inventory(credential=[row]) as connection:
        one = policy(tmp_path, **{**fields, "examples": "[{why: w, expect: pass}]"})
        [each] = judge(connection, [one], (), Judging(as_of=NOW, classes=(yearly,))).findings(passes=True)
    assert (each.outcome, each.expected) == (Outcome.PASS, "max_age 730 days")


def test_both_a_name_and_a_tag_must_match(tmp_path: Path) -> None:
    both = a_class(resource=Glob("*/keys/code-*"), tags={"env": "prod"}, parameters={"age": given(max_age="P365D")})
    rows = [
        key("code-1", created_on=OLD, tags={"env": "prod"}),
        key("code-2", created_on=OLD),
        key("k", created_on=OLD, tags={"env": "prod"}),
        key("other", created_on=OLD, tags=None, unknown={"tags": "permission"}),
    ]
    outcomes = {name: each.outcome for name, each in judged(tmp_path, rows, both).items()}
    assert outcomes == {"code-1": "fail", "code-2": "pass", "k": "pass", "other": "pass"}


def test_a_policy_that_does_not_apply_to_a_class_is_not_applicable_there_and_that_is_counted(tmp_path: Path) -> None:
    out = a_class(tags={"env": "test"}, not_applicable=("age",))
    rows = [
        key("test", created_on=0, tags={"env": "test"}),
        key("off", enabled=False, tags={"env": "test"}),
        key("prod", created_on=0, tags={"env": "prod"}),
        key("hidden", created_on=0, tags=None, unknown={"tags": "permission"}),
        key("hidden-young", tags=None, unknown={"tags": "permission"}),
        key("hidden-off", enabled=False, tags=None, unknown={"tags": "permission"}),
        key("doubt", enabled=None, tags={"env": "test"}, unknown={"enabled": "permission"}),
    ]
    with inventory(key=rows) as connection:
        judgement = judge(connection, [policy(tmp_path, **AGE)], (), Judging(as_of=NOW, classes=(out,)))
        outcomes = {name: each.outcome for name, each in found(judgement).items()}
    assert outcomes == {"prod": "fail", "hidden": "unknown"}
    (tally,) = judgement.tallies
    assert (tally.failed, tally.unknown, tally.not_applicable) == ({Severity.HIGH: 1}, {Severity.HIGH: 1}, 5)
    (settled,) = judgement.settings.classes
    assert (settled.rows, settled.left_out, settled.not_applicable, settled.reason) == (3, 2, ("age",), "")


def test_what_is_in_force_is_told_and_what_concerns_other_policies_is_not(tmp_path: Path) -> None:
    mine = a_class("mine", resource=Glob("code-*"), parameters={"age": given(max_age="P365D")}, reason="Builds")
    other = a_class("other", tags={"env": "x"}, not_applicable=("elsewhere",))
    with inventory(key=[key("code-1"), key("b")]) as connection:
        overrides = {"age": given(max_age="P400D")}
        judging = Judging(as_of=NOW, profile="strict", classes=(mine, other), overrides=overrides)
        judgement = judge(connection, [policy(tmp_path, **AGE)], (), judging)
    settings = judgement.settings
    assert settings.profile == "strict"
    assert [(each.policy, each.parameter, each.value, each.place) for each in settings.limits] == [
        ("age", "max_age", "400 days", "k.toml:1")
    ]
    (told,) = settings.classes
    assert (told.name, told.match, told.reason, told.rows) == (
        "mine",
        "resource code-*, for every policy over key",
        "Builds",
        1,
    )
    assert [each.value for each in told.limits] == ["365 days"]


def test_lists_patterns_and_maps_vary_by_class_too(tmp_path: Path) -> None:
    prod: dict[str, Any] = {"tags": {"env": "prod"}}
    cases: list[tuple[str, str, str, str]] = [
        ("kty in allowed", "{allowed: [EC]}", "allowed", "[RSA]"),
        ("overlaps(key_ops, allowed)", "{allowed: [wrapKey]}", "allowed", "[sign]"),
        ("not covers(allowed, key_ops)", "{allowed: [sign, verify]}", "allowed", "[sign]"),
        ("matches(version, pattern)", "{pattern: x.*}", "pattern", "'[0-9]'"),
        ("startswith(version, start)", "{start: x}", "start", "'1'"),
        ("kty == wanted", "{wanted: EC}", "wanted", "RSA"),
        ("key_size is not None and key_size < least", "{least: 2048}", "least", "2049"),
        ("created_on is not None and now - created_on > by[purpose]", "{by: {otherwise: P730D}}", "by", "{otherwise: P9D}"),
    ]
    rows = [key("k1", **prod), key("k2"), key("k3", tags=None, unknown={"tags": "timeout"})]
    for violated, parameters, name, value in cases:
        one = policy(
            tmp_path, violated_when=quoted(violated), parameters=parameters, applies_to=None, message="x", examples="[]"
        )
        varied = a_class(tags={"env": "prod"}, parameters={"test": given(**{name: value})})
        with inventory(key=rows) as connection:
            judgement = judge(connection, [one], (), Judging(as_of=NOW, classes=(varied,)))
            outcomes = {name: finding.outcome for name, finding in found(judgement).items()}
        assert outcomes == {"k1": "fail", "k2": "pass", "k3": "unknown"}, violated


def test_a_map_of_a_class_without_the_rows_value_is_unrecognised_in_that_class_alone(tmp_path: Path) -> None:
    mapped = policy(
        tmp_path,
        applies_to=quoted("created_on is not None"),
        violated_when=quoted("now - created_on > by[purpose]"),
        parameters="{by: {otherwise: P730D}}",
    )
    own = a_class(resource=Glob("code-*"), parameters={"test": given(by="{sign: P1D, wrap: P1D, public: P1D}")})
    with inventory(key=[key("code-1", purpose="dance"), key("other", purpose="dance")]) as connection:
        rows = found(judge(connection, [mapped], (), Judging(as_of=NOW, classes=(own,))))
    assert (rows["code-1"].outcome, rows["code-1"].unknown) == (Outcome.UNKNOWN, {"purpose": Reason.UNRECOGNISED})
    assert (rows["other"].outcome, rows["other"].unknown) == (Outcome.PASS, {})


def test_a_limit_in_a_severity_varies_too(tmp_path: Path) -> None:
    graded = {"severity_when": """[{low: "created_on is not None and now - created_on < grace"}]"""}
    parameters = "{max_age: P1D, grace: P100D}"
    later = a_class(resource=Glob("code-*"), parameters={"age": given(grace="P600D")})
    rows = judged(tmp_path, [key("code-1", created_on=OLD), key("b", created_on=OLD)], later, parameters=parameters, **graded)
    assert {name: each.severity for name, each in rows.items()} == {"code-1": "low", "b": "high"}


def plain(values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _halved(value: Value, kind: str) -> str | None:
    def text(number: int) -> str:
        return f"P{number // DAY // 2}D" if kind == "duration" else str(number // 2)

    if isinstance(value, int):
        return text(value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return "{" + ", ".join(f"{key}: {text(each)}" for key, each in value.items() if isinstance(each, int)) + "}"
    return None


def halved(one: Policy) -> dict[str, str]:
    """Half of each limit that has one."""
    (bound,) = bind([one], "default", {})
    made = {name: _halved(value, one.parameters[name].kind) for name, value in bound.values.items()}
    return {name: text for name, text in made.items() if text is not None}


@pytest.mark.parametrize("count", [25, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_the_sql_of_a_class_agrees_with_the_policy_under_that_classs_values(count: int) -> None:
    """Each shipped policy with a limit on keys, on rows made from a seed: in no class, in one, and unknown."""
    aged = [each for each in load() if each.table.name == "key" and halved(each)]
    assert len(aged) > 10
    for one in aged:
        agrees(one, count)


def agrees(one: Policy, count: int) -> None:
    random = Random(one.text.id)
    (usual,) = bind([one], "default", {})
    own = a_class("own", tags={"env": "prod"}, parameters={one.text.id: given(**halved(one))})
    (bound,) = bind([one], "default", {}, [own])
    within = {**usual.values, **bound.classes[0].values}
    rows = []
    for number in range(count):
        made = key(
            f"k{number}",
            created_on=random.choice([None, NOW - random.randrange(0, 1500) * DAY]),
            expires_on=random.choice([None, NOW + random.randrange(-900, 900) * DAY]),
            purpose=random.choice(["sign", "wrap", "public"]),
            tags=random.choice([None, {"env": "prod"}, {"env": "dev"}]),
            superseded_enabled=(random.randrange(5),) * 2,
            key_size=random.choice([1024, 2048, 3072]),
        )
        made["unknown"] = {"tags": "permission"} if number % 5 == 0 else {}
        rows.append(made)
    with inventory(key=rows) as connection:
        codes = _codes(connection, bound)
    for made in rows:
        held = within if (made["tags"] or {}).get("env") == "prod" else usual.values
        if made["unknown"]:
            both = {_expected(one, made, usual.values), _expected(one, made, within)}
            assert codes[made["id"]] in {Outcome.UNKNOWN, *(both if len(both) == 1 else ())}, made
        else:
            assert codes[made["id"]] is _expected(one, made, held), made


def _codes(connection: duckdb.DuckDBPyConnection, bound: Any) -> dict[str, Outcome]:
    query = f"SELECT id, code0 FROM {selection([bound], 'key', NOW)}"
    return {name: outcome_of(code) for name, code in connection.execute(query).fetchall()}


def _expected(one: Policy, made: Mapping[str, Any], values: Mapping[str, Value]) -> Outcome:
    cells = {column.name: made.get(column.name) for column in TABLES["key"].columns}
    interpreter = Interpreter(cells, {}, plain(values), NOW)
    if one.applies_to and interpreter.holds(one.applies_to.text) is not True:
        return Outcome.NOT_APPLICABLE if interpreter.holds(one.applies_to.text) is False else Outcome.UNKNOWN
    violated = interpreter.holds(one.violated_when.text)
    return Outcome.UNKNOWN if violated is None else Outcome.FAIL if violated else Outcome.PASS
