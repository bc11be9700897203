"""Messages and fixes say what a row holds, and let nothing of it act."""

import shlex
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from keyaudit.model.documents.problems import FieldError
from keyaudit.model.results.findings import Value
from keyaudit.model.schema.columns import Column, Type
from keyaudit.model.values.shell import UNQUOTABLE, powershell_quoted, shell_quoted
from keyaudit.policy.conditions.types import Kind
from keyaudit.policy.reading.placeholders import template
from keyaudit.policy.templates import show

HOSTILE = ("it's", "$(id)", "`id`", "; rm -rf ~", "a b", "", "-n", '"x"', "a\\b", "!x", "\u2019; id; \u2018", "%PATH%", "{0}")


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.TEXT, "none"),
        (True, Kind.BOOLEAN, "yes"),
        (False, Kind.BOOLEAN, "no"),
        (1_709_251_200, Kind.TIME, "2024-03-01"),
        (2**62, Kind.TIME, "+146138514283-06-19"),
        (730 * 86_400, Kind.DURATION, "730 days"),
        (2_048, Kind.INTEGER, "2048"),
        ((2, 2), Kind.COUNT, "2"),
        ((2, None), Kind.COUNT, "at least 2"),
        ((2, 5), Kind.COUNT, "2 to 5"),
        (["sign", "verify"], Kind.TEXTS, "sign and verify"),
        ([], Kind.TEXTS, "none"),
        ({"b": "2", "a": "1"}, Kind.MAP, "a=1, b=2"),
        ("a\r\x1b[31mb", Kind.TEXT, r"a\x0d\x1b[31mb"),
        (["\u202e", "::error::"], Kind.TEXTS, r"\u202e and :\:error:\:"),
        ({"\x07": "##vso"}, Kind.MAP, r"\x07=#\#vso"),
    ],
)
def test_a_value_is_shown_on_one_line(value: Value, kind: Kind, text: str) -> None:
    assert show(value, kind) == text


COLUMNS = {
    column.name: column
    for column in (
        Column(name="id", type=Type.TEXT, meaning=""),
        Column(name="name", type=Type.TEXT, meaning="", absent="it has no name"),
        Column(name="kind", type=Type.TEXT, meaning=""),
        Column(name="holder_name", type=Type.TEXT, meaning="", absent="it has no name"),
        Column(name="created_on", type=Type.TIME, meaning="", absent="not kept"),
        Column(name="expires_on", type=Type.TIME, meaning="", absent="never"),
        Column(name="users", type=Type.COUNT, meaning=""),
        Column(name="size", type=Type.INTEGER, meaning=""),
        Column(name="period", type=Type.DURATION, meaning=""),
        Column(name="allows", type=Type.TEXTS, meaning=""),
        Column(name="more", type=Type.TEXTS, meaning=""),
        Column(name="tags", type=Type.MAP, meaning="", absent="none"),
    )
}
DAY = 86_400


@dataclass(frozen=True)
class Row:
    """A row as a template asks for it."""

    values: Mapping[str, Value]
    unknown: frozenset[str] = frozenset()
    now: int = 1_000 * DAY

    def parameter(self, name: str) -> str:
        return f"the {name}"

    def setting(self, name: str) -> Collection[object]:
        return {"wanted": ("sign", "wrap", "backup")}[name]

    def known(self, column: str) -> bool:
        return column not in self.unknown

    def value(self, column: str) -> Value:
        return self.values[column]

    def items(self, column: str) -> Sequence[str]:
        value = self.values[column]
        return value if isinstance(value, list) else ()


def filled(text: str, *, present: Collection[str] = (), unknown: Collection[str] = (), **values: Value) -> str:
    return template(text, COLUMNS, ("limit", "wanted"), present).fill(Row({"id": "/a/b", **values}, frozenset(unknown)))


def test_braces_are_doubled_and_a_name_may_come_twice() -> None:
    made = template('{{"kind": "{kind}"}} {kind}', COLUMNS, ())
    assert made.names == ("kind",)
    assert made.fill(Row({"kind": "{x}"})) == '{"kind": "{x}"} {x}'


@pytest.mark.parametrize(
    ("text", "values", "shown"),
    [
        ("{limit}", {}, "the limit"),
        ("{kind:nothing}", {"kind": None}, "nothing"),
        ("{kind:nothing}", {"kind": "x"}, "x"),
        ("{since(created_on):never} old", {"created_on": 300 * DAY}, "700 days old"),
        ("{since(created_on):never}", {"created_on": 1_001 * DAY}, "0 seconds"),
        ("{since(created_on):never}", {"created_on": None}, "never"),
        ("{until(expires_on):never}", {"expires_on": 1_001 * DAY}, "1 day"),
        ("{between(created_on, expires_on):forever}", {"created_on": 0, "expires_on": 3_888 * DAY}, "3,888 days"),
        ("{between(created_on, expires_on):forever}", {"created_on": 0, "expires_on": None}, "forever"),
        ("{users} {users|user|users}", {"users": (1, 1)}, "1 user"),
        ("{users} {users|user|users}", {"users": (1, None)}, "at least 1 user"),
        ("{users} {users|user|users}", {"users": (0, 0)}, "0 users"),
        ("{size} {size|bit|bits}", {"size": 1}, "1 bit"),
        ("{allows|permission|permissions}", {"allows": ["sign"]}, "permission"),
        ("{allows:nothing}", {"allows": ["sign", "verify", "wrap"]}, "sign, verify and wrap"),
        ("{allows:nothing}", {"allows": []}, "nothing"),
        ("{tags[Owner]:nobody}", {"tags": {"owner": "a\nb"}}, r"a\x0ab"),
        ("{tags[owner]:nobody}", {"tags": {"env": "x"}}, "nobody"),
        ("{tags[owner]:nobody}", {"tags": None}, "nobody"),
        ("{name}", {"name": None}, "b"),
        ("{allows+more:nothing}", {"allows": ["a"], "more": ["b", "c"]}, "a, b and c"),
        ("{allows+more:nothing}", {"allows": [], "more": ["b"]}, "b"),
        ("{allows+more:nothing}", {"allows": [], "more": []}, "nothing"),
        ("{missing(allows, wanted)}", {"allows": ["wrap"]}, "sign and backup"),
        ("{without(allows, wanted)}", {"allows": ["wrap", "verify"]}, "verify"),
        ("{short(kind)}", {"kind": "/subscriptions/1/vaults/kv-a/"}, "kv-a"),
        ("{part(kind, resourceGroups):GROUP}", {"kind": "/subscriptions/1/resourcegroups/rg-a/x"}, "rg-a"),
        ("{part(kind, resourceGroups):GROUP}", {"kind": "0f1e"}, "GROUP"),
        ("{part(kind, resourceGroups):GROUP}", {"kind": "/subscriptions/1/resourcegroups"}, "GROUP"),
    ],
)
def test_a_placeholder_is_filled_in(text: str, values: dict[str, Any], shown: str) -> None:
    assert filled(text, **values) == shown


def test_a_duration_beside_a_limit_is_never_printed_as_equal_to_it_unless_it_is() -> None:
    class Limited(Row):
        def parameter(self, name: str) -> str:
            return "730 days"

    made = template("{since(created_on):never} old; limit {limit}", COLUMNS, ("limit",))
    assert made.fill(Limited({"created_on": 270 * DAY - 3_600})) == "more than 730 days old; limit 730 days"
    assert made.fill(Limited({"created_on": 270 * DAY})) == "730 days old; limit 730 days"
    assert made.fill(Limited({"created_on": 269 * DAY})) == "731 days old; limit 730 days"
    own = filled("{since(created_on):never} old, allowed {period}", created_on=940 * DAY - 60, period=60 * DAY)
    assert own == "more than 60 days old, allowed 60 days"


def test_what_was_not_read_is_unknown_and_not_what_stands_for_absence() -> None:
    assert filled("{since(created_on):never}", unknown=["created_on"], created_on=None) == "unknown"
    assert filled("{users} {users|user|users}", unknown=["users"], users=None) == "unknown users"
    assert filled("{allows+more:nothing}", unknown=["more"], allows=["a"], more=None) == "a and others that were not read"
    assert filled("{allows+more:nothing}", unknown=["more"], allows=[], more=None) == "unknown"
    assert filled("{allows+more:nothing}", unknown=["more"], allows=[], more=["b"]) == "b and others that were not read"
    assert filled("{allows:nothing}", unknown=["allows"], allows=["a"]) == "a and others that were not read"
    assert filled("{allows:nothing}", unknown=["allows"], allows=[]) == "unknown"
    assert filled("{tags[owner]:nobody}", unknown=["tags"], tags=None) == "unknown"
    assert filled("{holder_name:without a name}", unknown=["holder_name"], holder_name=None) == "unknown"
    # A text that stands for the holder, and not for the absence of its name.
    assert filled("{holder_name:an application}", unknown=["holder_name"], holder_name=None) == "an application"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{created_on}", "'{created_on}': created_on may be absent (not kept)"),
        ("{since(created_on)}", "'{since(created_on)}': created_on may be absent"),
        ("{between(created_on, expires_on)}", "created_on may be absent"),
        ("{allows+more}", "allows may be empty"),
        ("{allows+kind:x}", "kind is not a list"),
        ("{missing(allows, wantd)}", "no such parameter: 'wantd'"),
        ("{short(size)}", "size is not a text"),
        ("{part(kind, vaults)}", "the segment may be missing"),
        ("{--size period}", "period is not a text, a number, a time, a list or a map"),
        ("{allows}", "allows may be empty"),
        ("{tags[owner]}", "tags may be absent"),
        ("{kind!r}", "no such placeholder"),
        ("{knd}", "no such column or parameter: '{knd}'"),
        ("{knd|a|b}", "no such column: 'knd'"),
        ("{since(kind)}", "kind is not a time"),
        ("{since(limit)}", "limit is a parameter, not a column"),
        ("{since(created_on, expires_on):x}", "no such column or parameter: '{since(created_on, expires_on)}'"),
        ("{between(created_on):x}", "no such column or parameter: '{between(created_on)}'"),
        ("{kind[a]}", "kind is not a map"),
        ("{kind|a|b}", "kind is not a number or a list"),
        ("{limit:x}", "limit is a parameter, which is never absent"),
        ("{", "not a template"),
        ("x" * 2_001, "a text of more than 2,000 characters"),
    ],
)
def test_a_text_that_would_print_a_hole_is_refused(text: str, error: str) -> None:
    with pytest.raises(FieldError) as refused:
        template(text, COLUMNS, ("limit", "wanted"))
    assert error in refused.value.what


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"size": 3_072, "allows": ["sign", "verify"]}, "az x --size 3072 --allows sign verify --on 1970-01-01T00:16:40Z --y"),
        ({"size": 3_072, "allows": [], "created_on": None}, "az x --size 3072 --y"),
        (
            {"size": 1, "allows": [], "created_on": None, "tags": {"b": "x y", "a": "1"}},
            "az x --size 1 --y --tags 'a=1' 'b=x y'",
        ),
        ({"size": 1, "allows": ["a b", "-n"], "created_on": None}, "az x --size 1 --allows 'a b' '-n' --y"),
        ({"size": 1, "allows": ["-n"], "created_on": None}, "az x --size 1 --allows='-n' --y"),
        # az refuses these words, so that nobody makes a key of a size that was not read.
        (
            {"unknown": ["size", "allows"], "size": None, "allows": None, "created_on": None},
            "az x --size SIZE --allows ALLOWS --y",
        ),
    ],
)
def test_an_option_of_a_command_is_left_out_with_an_absent_value(values: dict[str, Any], shown: str) -> None:
    made = template("az x {--size size} {--allows allows} {--on created_on} --y {--tags tags}", COLUMNS, ())
    unread = values.get("unknown", [])
    row = {"created_on": 1_000, "tags": None, **{name: value for name, value in values.items() if name != "unknown"}}
    assert made.fill(Row(row, frozenset(unread)), shell_quoted) == shown


def test_an_option_of_a_command_stays_on_its_line() -> None:
    made = template("az x {--of name}", COLUMNS, ())
    assert made.fill(Row({"name": "a\nb"}, frozenset()), shell_quoted) == r"az x --of 'a\x0ab'"


def test_a_text_has_two_thousand_characters_at_most() -> None:
    template("a" * 2_000, {}, ())
    with pytest.raises(FieldError, match="more than 2,000 characters"):
        template("a" * 2_001, {}, ())


def test_what_the_conditions_say_is_present_needs_no_text() -> None:
    assert filled("{since(created_on)}", present=["created_on"], created_on=0) == "1,000 days"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_takes_a_quoted_value_as_one_word(text: str) -> None:
    assert shlex.split(shell_quoted(text)) in ([text], shlex.split(UNQUOTABLE))
    shell = shutil.which("sh")
    assert shell is not None
    ran = subprocess.run([shell, "-c", f"printf %s {shell_quoted(text)} "], capture_output=True, text=True, check=True)
    assert text == "-n" or ran.stdout == shlex.split(shell_quoted(text))[0]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("kv-a/keys:1.2", "kv-a/keys:1.2"),
        ("get,list", "'get,list'"),
        ("@splat", "'@splat'"),
        ("$(id) `id`", "'$(id) `id`'"),
        ("it's", '"it\'s"'),
        ("\u2019; id; \u2018", '"\u2019; id; \u2018"'),
        # Each of these ends the quotes in one of the two shells, and what follows it would be run.
        ("it's; $(id)", UNQUOTABLE),
        ('\u2019; id; "', UNQUOTABLE),
        ("it's \u201d; id; \u201d", UNQUOTABLE),
    ],
)
def test_a_fix_can_be_pasted_into_powershell_too(text: str, quoted: str) -> None:
    assert shell_quoted(text) == quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("kv-a/keys:1.2", "kv-a/keys:1.2"),
        ("it's", "'it''s'"),
        ("\u2019; id; \u2018", "'\u2019\u2019; id; \u2018\u2018'"),
        ("$(id)", "'$(id)'"),
        ("-Force", "'-Force'"),
        ("@splat", "'@splat'"),
        ("", "''"),
    ],
)
def test_powershell_takes_a_quoted_value_as_one_word(text: str, quoted: str) -> None:
    assert powershell_quoted(text) == quoted


def test_a_value_that_begins_with_a_dash_is_joined_to_its_option() -> None:
    """Names of keys may: az would take it for an option of its own."""
    made = template("az keyvault key rotate --vault-name {kind} --name {name}-2 {name}", COLUMNS, ())
    filled_in = made.fill(Row({"kind": "kv", "name": "-key"}), shell_quoted)
    assert filled_in == "az keyvault key rotate --vault-name kv --name='-key'-2 '-key'"
