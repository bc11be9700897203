"""Conditions: what is allowed, what is refused with its place, and how columns that may be absent become usable."""

from pathlib import Path

import pytest

from keyaudit.model.documents.problems import DocumentError, FieldError
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.conditions.parameters import Parameter, Shape
from keyaudit.policy.conditions.syntax import condition
from keyaudit.policy.conditions.types import Kind, columns_read
from keyaudit.policy.load import load
from tests.policy.inventory import policy, quoted, text

DAY = 86_400
PARAMETERS = {
    "max_age": Parameter("max_age", Kind.DURATION, Shape.ONE, {"default": 730 * DAY}),
    "kinds": Parameter("kinds", Kind.TEXTS, Shape.ONE, {"default": ("RSA", "EC")}),
    "number": Parameter("number", Kind.INTEGER, Shape.ONE, {"default": 3}),
    "by_purpose": Parameter("by_purpose", Kind.DURATION, Shape.MAP, {"default": {"sign": DAY, "otherwise": 2 * DAY}}),
    "schedule": Parameter("schedule", Kind.DURATION, Shape.SCHEDULE, {"default": {0: DAY}}),
    "partial": Parameter("partial", Kind.DURATION, Shape.MAP, {"default": {"sign": DAY}}),
    "pattern": Parameter("pattern", Kind.TEXT, Shape.ONE, {"default": "kv-.*"}),
}


def read(line: str, table: str = "key", present: frozenset[str] = frozenset()) -> Condition:
    return condition(line, TABLES[table], PARAMETERS, present)


@pytest.mark.parametrize(
    "line",
    [
        "enabled",
        "not enabled and (managed or exportable)",
        "created_on is None or now - created_on > max_age",
        "not (expires_on is None) and expires_on < now + days(30)",
        "expires_on is not None and activates_on is not None and expires_on - activates_on > schedule[activates_on]",
        "created_on is not None and now - created_on > by_purpose[purpose]",
        "expires_on is not None and now < expires_on <= now + days(30)",
        "rotates_after is not None and rotates_after > days(730) - max_age",
        "kty in ['RSA', 'EC'] and kty not in kinds and kty == 'RSA' and 'EC' != kty",
        "'sign' in key_ops and overlaps(key_ops, ['decrypt', 'unwrapKey']) and not covers(['sign', 'verify'], key_ops)",
        "key_size is not None and key_size < 2048 and key_size not in [1024, 2047]",
        "superseded_enabled > number or 3 <= superseded_enabled",
        "tags['env'] is not None and tags['env'] == 'prod'",
        "matches(name, r'kv-[a-z]{1,3}') or matches(name, pattern)",
        "startswith(name, 'a') or endswith(name, vault_name) or contains(name, '*')",
        "name != vault_name",
        "kty in []",
    ],
)
def test_what_a_policy_needs_can_be_said(line: str) -> None:
    present = frozenset({"name"}) if "name" in line else frozenset[str]()
    assert read(line, present=present).tree.kind is Kind.BOOLEAN


@pytest.mark.parametrize(
    ("line", "at", "what"),
    [
        ("exprtable", 0, "no such column or parameter: 'exprtable'; did you mean exportable?"),
        ("enabled and nwo - created_on > max_age", 12, "no such column or parameter: 'nwo'; did you mean now?"),
        ("kty", 0, "kty is a text, not a condition"),
        ("enabled and", 11, "not a condition: invalid syntax"),
        ("", 0, "not a condition: invalid syntax"),
        ("enabled = True", 8, "not a condition: invalid syntax"),
        ("True", 0, "True where a condition belongs; it must depend on the row"),
        ("enabled == True", 11, "bool instead of a text or a whole number"),
        ("enabled == managed", 0, "a boolean == a boolean cannot be compared; write `enabled`, or `not enabled`"),
        ("kty < 'RSA'", 0, "texts have no order: <"),
        ("kty == 'RSA-HMS'", 7, "kty is never 'RSA-HMS'; did you mean RSA-HSM?"),
        ("kty in ['RSA', 'ECC']", 7, "kty is never 'ECC'; did you mean EC?"),
        ("'sing' in key_ops", 0, "key_ops is never 'sing'; did you mean sign?"),
        ("overlaps(key_ops, ['sing'])", 18, "key_ops is never 'sing'; did you mean sign?"),
        ("now - created_on > 730", 6, "created_on may be absent (created before the service recorded the date); test `created"),
        ("enabled is None", 0, "enabled is never absent; remove the test: unknown values are handled automatically"),
        ("enabled is True", 11, "is and is not take None alone; write == or !="),
        ("now is None", 0, "only a column can be None"),
        ("curve == None", 9, "compared with None; write is None, or is not None"),
        ("superseded_enabled > days(3)", 0, "a count > a duration cannot be compared"),
        ("superseded_enabled", 0, "superseded_enabled is a count, not a condition"),
        ("versions_listed > 3", 0, "a boolean > an integer cannot be compared"),
        ("key_ops == 'sign'", 0, "a list of texts == a text cannot be compared; write `in`"),
        ("contains(key_ops, 'sign')", 9, "contains takes a text here, not a list of texts; write 'sign' in key_ops"),
        ("'a' in vault_name", 7, "vault_name is a text; write contains(vault_name, 'a')"),
        ("3 in key_ops", 0, "an integer cannot be in a list of texts"),
        ("kty in ['RSA', 3]", 7, "a list of texts and numbers"),
        ("kty in [kty]", 7, "a list with items other than constants"),
        ("kty in tags", 7, "tags has names and values"),
        ("max_age", 0, "max_age is a duration, not a condition"),
        ("now - now > by_purpose", 12, "by_purpose is a map; write by_purpose[column]"),
        ("now - now > by_purpose[kty]", 12, "kty is never 'sign'"),
        ("now - now > by_purpose['sign']", 23, "a parameter must be looked up by a column"),
        ("now - now > by_purpose[vault_name]", 23, "a map must be looked up by an enumeration; vault_name is none"),
        ("now - now > schedule[purpose]", 21, "a schedule must be looked up by a time; purpose is a text"),
        ("now - now > max_age[purpose]", 12, "max_age is one value; write max_age"),
        ("purpose['x'] == 'y'", 0, "purpose has no entries"),
        ("tags[kty] is None", 5, "a tag's name must be a literal; as in tags[\"environment\"]"),
        ("tags['Env'] is None", 5, 'tag names are stored in lower case; write "env"'),
        ("startswith(tags['env'], 'p')", 11, "tags['env'] may be absent; test `tags['env'] is not None and ...` first"),
        ("now + now > now", 0, "a time + a time has no meaning"),
        ("now - 30 > now", 0, "a time - an integer has no meaning; write days(30)"),
        ("now * 2 > now", 0, "mult of two values where a value belongs"),
        ("days(kty) > max_age", 0, "days takes one whole number; as in days(30)"),
        ("days(True) > max_age", 0, "days takes one whole number"),
        ("days(1, 2) > max_age", 0, "days takes one whole number"),
        ("rotates_after is not None and rotates_after > 3", 30, "a duration > an integer cannot be compared; write days(30)"),
        ("now - now > number", 0, "a duration > an integer cannot be compared; give number whole days, as in P30D"),
        ("kty = 'RSA'", 4, "not a condition: invalid syntax; write == to compare"),
        ("kty['a']['b'] == 'c'", 0, "[...] after something other than a name"),
        ("startswith(kty == 'RSA', 'a')", 11, "a condition where a value belongs"),
        ("now - now > partial[purpose]", 12, "partial has no entry for wrap, public; add it, or `otherwise`"),
        ("matches(vault_name, kty)", 20, "a pattern must be a literal or a parameter"),
        ("matches(vault_name, 'a(')", 20, "an unclosed ( at character 3 of the pattern"),
        ("matches(vault_name, '\\d')", 20, 'not a condition: invalid escape sequence'),
        ("startswith(vault_name)", 0, "startswith takes two arguments"),
        ("startswth(vault_name, 'a')", 0, "no such function: 'startswth'; did you mean startswith?"),
        ("kty == 'RSA' if enabled else managed", 0, "ifexp where a condition belongs"),
        ("(lambda: enabled)()", 0, "no such function: 'lambda: enabled'"),
        ("__import__('os').system('id')", 0, "no such function: '__import__('os').system'"),
        ("().__class__.__mro__", 0, "attribute where a condition belongs"),
        ("vault_name.upper() == 'A'", 0, "a function's answer where a value belongs"),
        ("f'{kty}' == 'RSA'", 0, "joinedstr where a value belongs"),
        ("[x for x in key_ops] == 3", 0, "listcomp where a value belongs"),
        ("(enabled := managed)", 1, "namedexpr where a condition belongs"),
        ("kty == b'RSA'", 7, "bytes instead of a text or a whole number"),
        ("key_size == 2.5", 12, "float instead of a text or a whole number"),
        ("vault_name == '\\x00'", 14, "a control character in a text"),
        ("vault_name == '\\ud800'", 14, "a control character in a text"),
        ("superseded_enabled > 99999999999999999999", 21, "a number larger than any column can hold"),
        ("enabled\u202e and managed", -1, "an invisible character in the condition"),
        ("é and enabled", 0, "no such column or parameter: 'é'"),
        ("vault_name == 'é' and exprtable", 22, "no such column or parameter: 'exprtable'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_place(line: str, at: int, what: str) -> None:
    with pytest.raises(FieldError) as caught:
        read(line)
    error = caught.value
    assert f"{error.what}; {error.remedy}".startswith(what)
    # Python 3.12 and later point at the backslash, earlier ones at the text that holds it.
    assert error.at in {at, at + ("escape" in what)}


@pytest.mark.parametrize(
    "line",
    [
        "(" * 300 + "enabled" + ")" * 300,
        "not " * 400 + "enabled",
        "-" * 1_500 + "1 < superseded_enabled",
        "enabled and (managed or (" * 20 + "enabled" + "))" * 20,
        "now - now > " + "max_age + (" * 40 + "max_age" + ")" * 40,
        "enabled and " * 200 + "enabled",
        "now - now > " + "max_age + " * 100 + "max_age",
    ],
)
def test_a_condition_has_an_end(line: str) -> None:
    with pytest.raises(FieldError):
        read(line)


@pytest.mark.parametrize(
    ("line", "usable"),
    [
        ("curve is not None and startswith(curve, 'P-')", True),
        ("not (curve is None) and startswith(curve, 'P-')", True),
        ("curve is None or startswith(curve, 'P-')", True),
        ("not (curve is None or managed) and startswith(curve, 'P-')", True),
        ("(curve is not None and enabled) and (managed or startswith(curve, 'P-'))", True),
        ("not (curve is not None) or startswith(curve, 'P-')", True),
        ("startswith(curve, 'P-') and curve is not None", False),
        ("curve is not None or startswith(curve, 'P-')", False),
        ("(curve is not None or enabled) and startswith(curve, 'P-')", False),
        ("not (curve is None and enabled) and startswith(curve, 'P-')", False),
        ("not (curve is not None and enabled) or startswith(curve, 'P-')", True),
        ("key_size is not None and startswith(curve, 'P-')", False),
    ],
)
def test_a_test_for_absence_holds_where_it_decides(line: str, usable: bool) -> None:
    if usable:
        assert columns_read(read(line).tree)[0] == "curve"
    else:
        with pytest.raises(FieldError, match="curve may be absent"):
            read(line)


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("curve == 'P-256'", "curve is not None and curve == 'P-256'"),
        ("'P-256' == curve", "curve is not None and 'P-256' == curve"),
        ("name != curve", "not (name is not None and curve is not None and name == curve)"),
        ("curve != 'P-256'", "not (curve is not None and curve == 'P-256')"),
        ("curve in ['P-256']", "curve is not None and curve in ['P-256']"),
        ("curve not in ['P-256']", "not (curve is not None and curve in ['P-256'])"),
        ("tags['env'] == 'prod'", "tags['env'] is not None and tags['env'] == 'prod'"),
        ("curve is not None and curve == 'P-256'", "curve is not None and curve == 'P-256'"),
    ],
)
def test_what_is_absent_equals_nothing_and_needs_no_test(line: str, same: str) -> None:
    assert read(line).tree == read(same).tree
    assert read(line).facts == read(same).facts


@pytest.mark.parametrize(
    ("line", "usable"),
    [
        ("kind == 'federated' and startswith(issuer, 'https:')", True),
        ("'federated' == kind and startswith(issuer, 'https:')", True),
        ("kind != 'federated' or startswith(issuer, 'https:')", True),
        ("kind == 'password' and startswith(issuer, 'https:')", False),
        ("kind != 'federated' and startswith(issuer, 'https:')", False),
        ("kind == 'federated' or startswith(issuer, 'https:')", False),
        ("kind == 'federated' and startswith(subject, 'repo:')", False),
    ],
)
def test_a_kind_frees_the_columns_that_only_it_has(line: str, usable: bool) -> None:
    if usable:
        read(line, "credential")
    else:
        with pytest.raises(FieldError, match="may be absent"):
            read(line, "credential")


def test_what_applies_to_knows_the_other_conditions_know(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        applies_to=quoted("curve is not None"),
        violated_when=quoted("startswith(curve, 'P-256K')"),
        severity_when="""[{low: "startswith(curve, 'P-')"}]""",
    )
    assert found.columns_read == ("curve",)
    with pytest.raises(DocumentError, match="curve may be absent"):
        policy(tmp_path, applies_to=quoted("curve is None"), violated_when=quoted("startswith(curve, 'P-256K')"))


@pytest.mark.parametrize(
    ("written", "place", "caret"),
    [
        ("enabled and exprtable", "6:28", 12),
        ("'enabled and exprtable'", "6:29", 12),
        ('"enabled and exprtable"', "6:29", 12),
        (">-\n  enabled\n  and exprtable", "6:16", 12),
        ("'enabled and name == ''a'' and exprtable'", "6:16", 28),
    ],
)
def test_the_place_in_a_condition_is_shown(tmp_path: Path, written: str, place: str, caret: int) -> None:
    path = tmp_path / "test.yaml"
    path.write_text(text(violated_when=written))
    with pytest.raises(DocumentError) as caught:
        load(path)
    first, quote, mark = str(caught.value).split("\n")
    assert first.startswith(f"{path}:{place}: ")
    assert quote.startswith("  enabled and ")
    assert mark == " " * (caret + 2) + "^"
