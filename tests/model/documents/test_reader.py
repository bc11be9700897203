"""A Struct declares what a file may contain; every problem is found at once, each with its place, in TOML and in YAML."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import pytest
from msgspec import Struct, field

from keyaudit.model.documents.format import Format
from keyaudit.model.documents.nodes import Members, Node
from keyaudit.model.documents.problems import DocumentError, FieldError
from keyaudit.model.documents.reader import Keys, Reader, Version, day, one_of
from keyaudit.model.documents.toml import TOML
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.values.times import parse_date


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def even(reader: Reader, node: Node, path: Keys) -> int:
    number = reader.read(node, int, path) or 0
    if number % 2:
        raise FieldError("an odd number", "write an even one")
    return number


class Part(Struct, kw_only=True):
    at: Members
    name: str
    until: Annotated[int | None, day] = None
    size: Annotated[int, even] = 0


class Whole(Struct, kw_only=True):
    version: Version
    colour: Colour | None = None
    kind: Annotated[str, one_of(("a", "b"), "kind")] = "a"
    on: bool = False
    names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


GOOD_TOML = """\
version = 1
colour = "red"
on = true
names = ["x", "y  z"]
labels = { "a b" = "c" }
[[parts]]
name = "one"
until = "2027-01-31"
[[parts]]
name = "two"
size = 4
"""
GOOD_YAML = """\
version: 1
colour: red
on: true
names: [x, "y  z"]
labels: {a b: c}
parts:
  - name: one
    until: 2027-01-31
  - name: two
    size: 4
"""


def read(text: str, format_: Format) -> tuple[Whole | None, list[str]]:
    reader = Reader("f", format_)
    found = reader.read(reader.parse(text.encode()), Whole)
    return found, [str(problem) for problem in reader.problems]


@pytest.mark.parametrize(("text", "format_", "spaces"), [(GOOD_TOML, TOML, "y  z"), (GOOD_YAML, YAML, "y z")])
def test_a_file_is_read_as_its_types(text: str, format_: Format, spaces: str) -> None:
    found, problems = read(text, format_)
    assert problems == []
    assert found is not None
    assert (found.version, found.colour, found.kind, found.on) == (1, Colour.RED, "a", True)
    # A text of YAML may be wrapped, one in quotes of TOML is exact.
    assert (found.names, found.labels) == (("x", spaces), {"a b": "c"})
    assert [(part.name, part.until, part.size) for part in found.parts] == [
        ("one", parse_date("2027-01-31"), 0),
        ("two", None, 4),
    ]
    first, second = (part.at.members["name"].line for part in found.parts)
    assert text.splitlines()[first - 1].endswith("one" if format_ is YAML else '"one"')
    assert first < second


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1", "version = 2", "f:1: version '2': written for another version; this keyaudit reads version 1"),
        ("version = 1", "verion = 1", "f:1: no such setting: verion; did you mean version?"),
        ('"red"', '"rde"', "f:2: colour: no such value: 'rde'; did you mean red?"),
        ('"red"', "3", 'f:2: colour: not a text; write it in quotes, as "prod"'),
        ("on = true", 'on = "true"', "f:3: on: '\"true\"' is neither true nor false"),
        ('["x", "y  z"]', "{}", 'f:4: names: not a list; write it as ["one", "another"], or with [[names]] before each table'),
        ('"x", ', "1, ", "f:4: names: not a text"),
        ('"x", ', '" ", ', "f:4: names: an empty text"),
        ('"c"', "1", "f:5: labels.a b: not a text"),
        ('{ "a b" = "c" }', "3", "f:5: labels: not a table; write it as [labels]"),
        ('name = "one"\n', "", "f:6: no parts.name; it is required"),
        ("2027-01-31", "2027-02-31", "f:8: parts.until: '2027-02-31' is no date; write the day, as in 2027-01-31"),
        ("size = 4", "size = 3", "f:11: an odd number; write an even one"),
        ("size = 4", 'size = "4"', "f:11: parts.size: '\"4\"' is not a whole number"),
        ("size = 4", "size = 1.0", "f:11: parts.size: '1.0' is not a whole number"),
        ("size = 4", "sizes = 4", "f:11: no such setting: parts.sizes; did you mean size?"),
    ],
)
def test_a_problem_in_toml_has_its_line_and_path(old: str, new: str, said: str) -> None:
    assert old in GOOD_TOML
    _, problems = read(GOOD_TOML.replace(old, new), TOML)
    assert any(each.startswith(said) for each in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("colour: red", "colour: rde", "f:2:9: no such value: 'rde'; did you mean red?"),
        ("colour: red", "colour: [red]", "f:2:9: a list or mapping where a text belongs"),
        ("on: true", "on: yes", "f:3:5: 'yes' is neither true nor false"),
        ("[x, ", "[x, '', ", "f:4:12: an empty text"),
        ("{a b: c}", "c", "f:5:9: not a mapping; write name: value"),
        ("  - name: one\n    until", "  - until", "f:7:5: no name; it is required"),
        ("size: 4", "siez: 4", "f:10:5: no such field: 'siez'; did you mean size?"),
        ("on: true", "kind: c", "f:3:7: no such kind: 'c'; one of a, b"),
    ],
)
def test_a_problem_in_yaml_has_its_line_and_column(old: str, new: str, said: str) -> None:
    assert old in GOOD_YAML
    assert read(GOOD_YAML.replace(old, new), YAML)[1] == [said]


def test_all_problems_are_found_at_once_and_the_rest_is_read() -> None:
    found, problems = read(GOOD_TOML.replace('"red"', '"rde"').replace("size = 4", "size = 3").replace('"c"', "1"), TOML)
    assert len(problems) == 3
    assert found is not None
    assert (found.colour, found.on, found.labels, [part.size for part in found.parts]) == (None, True, {}, [0, 0])


def test_without_what_is_required_there_is_nothing() -> None:
    found, problems = read("- a", YAML)
    assert (found, problems) == (None, ["f:1:1: not a mapping; write version: ..."])
    found, problems = read('colour = "red"', TOML)
    assert (found, problems) == (None, ["f:1: no version; it is required"])


@pytest.mark.parametrize("format_", [TOML, YAML])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\n\xff", "f:2:1: not UTF-8; save it as UTF-8"),
        (b"\xef\xbb\xbfversion = 1", "f:1:1: starts with a byte order mark; save it as UTF-8 without one"),
        ("version: 1".encode("utf-16"), "f:1:1: not UTF-8"),
        (b"#" * 1_000_001, "f: larger than 1,000,000 bytes; make it shorter"),
    ],
)
def test_what_is_no_text_is_refused(format_: Format, data: bytes, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        Reader("f", format_).parse(data)
    assert str(refused.value).startswith(said)
