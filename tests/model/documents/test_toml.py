"""TOML as nodes: the line of every key, however it is written, and what would cost too much is refused before it is parsed."""

import resource
import tomllib
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FormatError
from keyaudit.model.documents.toml import read

TEXT = '''\
a = 1 # [not.a.table]
b.c = "x # y"

[table]
"quoted key" = """
several = 1
"lines" """
list = [
  1,
  "two",  # three
  { in = 3, deeper = [
    4 ] },
]
1979-05-27 = 1979-05-27 07:32:00Z

[ table . "sub.table" ]
'x' = \'\'\'
a = 1\'\'\'

[[many]]
name = "first"
[many.inner]
y = true
[[many]]
name = "second"
inner = { y = { z = 1 } }
[[many.more]]
w = 1
[[many.more]]
w = 2
'''
LINES = {
    ("a",): 1,
    ("b", "c"): 2,
    ("table",): 4,
    ("table", "quoted key"): 5,
    ("table", "list"): 8,
    ("table", "list", 1): 10,
    ("table", "list", 2, "in"): 11,
    ("table", "list", 2, "deeper", 0): 12,
    ("table", "1979-05-27"): 14,
    ("table", "sub.table", "x"): 17,
    ("many", 0, "name"): 21,
    ("many", 0, "inner", "y"): 23,
    ("many", 1): 24,
    ("many", 1, "name"): 25,
    ("many", 1, "inner", "y", "z"): 26,
    ("many", 1, "more", 0, "w"): 28,
    ("many", 1, "more", 1, "w"): 30,
}


def _at(node: Node, path: tuple[str | int, ...]) -> Node:
    for each in path:
        if isinstance(node, Members):
            node = node.members[str(each)]
        else:
            assert isinstance(node, Items)
            node = node.items[int(each)]
    return node


def _value(node: Node) -> object:
    """What a node stands for, with every text but those in quotes as TOML reads it."""
    match node:
        case Members(members):
            return {name: _value(each) for name, each in members.items()}
        case Items(items):
            return [_value(each) for each in items]
        case Scalar(text, quoted=True):
            return text
        case Scalar(text):
            return tomllib.loads(f"x = {text}")["x"]


def test_every_key_has_its_line() -> None:
    document = read(TEXT)
    assert {path: _at(document, path).line for path in LINES} == LINES
    assert isinstance(document, Members)
    assert {name: key.line for name, key in document.keys.items()} == {"a": 1, "b": 2, "table": 4, "many": 20}
    assert _value(document) == tomllib.loads(TEXT)


def _written(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f'"{key}" = {_written(inner)}' for key, inner in value.items()) + "}"
        case list():
            return "[\n" + ",\n".join(map(_written, value)) + "\n]"
        case str():
            return f'"""\n{value}"""'
        case _:
            return str(value)


VALUES = st.recursive(
    st.integers(-9, 9) | st.text(alphabet="ab#=[]{},.'\n ", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="ab#.=[ ", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_no_value_hides_the_keys_after_it(value: object) -> None:
    text = f"first = {_written(value)}\nlast = 1\n"
    document = read(text)
    assert _value(_at(document, ("first",))) == value
    assert _at(document, ("last",)).line == text.count("\n")


PIECES = st.sampled_from(
    ["a", "b", ".", "=", " ", "\n", "[", "]", "[[", "]]", "{", "}", ",", '"', "'", '"""', "'''", "\\", "#", "1", "0x1", "true"]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_what_is_no_toml_is_refused_and_what_is_has_the_values_of_tomllib(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(FormatError):
            read(text)
    else:
        assert _value(read(text)) == expected


HOSTILE = {
    "dotted keys": ("a" + ".a" * 40_000 + " = 1", "nested deeper than 10 levels"),
    "dotted keys in quotes": ("'a'" + ".'a'" * 40_000 + " = 1", "nested deeper than 10 levels"),
    "a dotted header": ("[a" + ".a" * 40_000 + "]", "nested deeper than 10 levels"),
    "inline tables": ("a = " + "{a = " * 40_000, "nested deeper than 10 levels"),
    "lists": ("a = " + "[" * 40_000, "nested deeper than 10 levels"),
    "dotted keys on many lines": ("".join(f"a{line}{'.a' * 8} = 1\n" for line in range(30_000)), ""),
    "an integer": ("\nschema = 1" + "0" * 5_000, "a value of 5,001 characters without quotes; put a text in quotes"),
    "a float": ("schema = 1." + "0" * 5_000, "a value of 5,002 characters without quotes"),
    "texts without an end": ('a = """\n' * 40_000, "not TOML"),
}


def _told(text: str) -> str:
    """What is said of a text, in a process that must not take 500 MB. Nothing if it is read."""
    resource.setrlimit(resource.RLIMIT_AS, (500 << 20, 500 << 20))
    try:
        read(text)
    except FormatError as error:
        return f"{error.line}: {error.what}; {error.remedy}"
    return ""


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_a_small_file_takes_much_memory(name: str) -> None:
    text, said = HOSTILE[name]
    with get_context("spawn").Pool(1) as pool:
        told = pool.apply(_told, (text,))
    assert said in told
    assert told.startswith("2: " if text.startswith("\n") else "1: ") or not said or said == "not TOML"
