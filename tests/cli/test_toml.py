"""The line of every key of a TOML file, however it is written."""

from hypothesis import given
from hypothesis import strategies as st

from keyaudit.cli.toml import Toml

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


def test_every_key_has_its_line() -> None:
    file = Toml("f.toml", TEXT.encode())
    assert {path: int(file.at(path).split(":")[1]) for path in LINES} == LINES


def test_what_is_not_there_is_at_the_table_that_lacks_it() -> None:
    file = Toml("f.toml", TEXT.encode())
    assert file.at(("many", 1, "inner", "y", "no")) == "f.toml:26"
    assert file.at(("nothing",)) == "f.toml"


def _paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return {path, *(each for key, inner in value.items() for each in _paths(inner, (*path, key)))}
    if isinstance(value, list):
        return {path, *(each for at, inner in enumerate(value) for each in _paths(inner, (*path, at)))}
    return {path}


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
    file = Toml("f.toml", text.encode())
    assert file.tables["first"] == value
    assert file.at(("last",)) == f"f.toml:{text.count(chr(10))}"
    assert all(file.at(("first", *path)) for path in _paths(value))
