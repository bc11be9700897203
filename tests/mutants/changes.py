"""The changes of a file: one operator, constant, statement or branch each."""

import ast
import itertools
import re
from collections.abc import Iterator

from msgspec import Struct

from tests.mutants.guards import EQUIVALENT, guards
from tests.needs import ROOT

_SWAPPED: dict[type[ast.AST], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"),
}
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
_CHANGING = {"replace", "translate", "lower", "casefold", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"}
_ESCAPING = {"escape", "quoteattr", "quote", "one_line", "visible", "escaped", "inert"}
"""Methods and functions that return a text that is like the given one."""
_DECLARING = ("frozen", "slots", "eq", "strict", "rename")
"""Keywords that declare a class, or assert that lengths agree."""
_SQL = re.compile(
    r"\b(SELECT|CASE|THEN|JOIN|WHERE|coalesce|list_\w+|bool_or|bool_and|AND|OR)\b|\bIS (NOT )?NULL\b| (=|<>|<|>|<=|>=) |\w\['"
)
_IN_SQL = (
    (re.compile(r"\bAND\b"), "OR"),
    (re.compile(r"\bOR\b"), "AND"),
    (re.compile(r"\bIS NOT NULL\b"), "IS NULL"),
    (re.compile(r"\bIS NULL\b"), "IS NOT NULL"),
    (re.compile(r"\bIS NOT DISTINCT\b"), "IS DISTINCT"),
    (re.compile(r"\bIS DISTINCT\b"), "IS NOT DISTINCT"),
    (re.compile(r"\bNOT (?!NULL|IN\b|DISTINCT|MATERIALIZED)"), ""),
    (re.compile(r"\bNOT IN\b"), "IN"),
    (re.compile(r"(?<!NOT )\bIN(?= \()"), "NOT IN"),
    (re.compile(r"(?<= )<>(?= )"), "="),
    (re.compile(r"(?<= )=(?= )"), "<>"),
    (re.compile(r"(?<= )<(?= )"), "<="),
    (re.compile(r"(?<= )<=(?= )"), "<"),
    (re.compile(r"(?<= )>(?= )"), ">="),
    (re.compile(r"(?<= )>=(?= )"), ">"),
    (re.compile(r"\bbool_or\b"), "bool_and"),
    (re.compile(r"\bbool_and\b"), "bool_or"),
    (re.compile(r"\blist_has_any\b"), "list_has_all"),
    (re.compile(r"\blist_has_all\b"), "list_has_any"),
    (re.compile(r"\bmin\b(?=\()"), "max"),
    (re.compile(r"\bmax\b(?=\()"), "min"),
    (re.compile(r"\btrue\b"), "false"),
    (re.compile(r"\bfalse\b"), "true"),
    (re.compile(r"\bLEFT JOIN\b"), "JOIN"),
    (re.compile(r"(?<=')[a-z][a-z0-9_-]*(?=')"), "~"),
)


class Mutant(Struct, frozen=True):
    """Bytes `start` to `end` of `file`, which are `was`, become `now`."""

    file: str
    start: int
    end: int
    was: str
    now: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.now.encode() + source[self.end :]

    @property
    def key(self) -> tuple[str, str, str]:
        """The key under which it stands in `EQUIVALENT`."""
        source = (ROOT / self.file).read_bytes()
        return self.file, source.splitlines()[source[: self.start].count(b"\n")].decode().strip(), self.now

    def __str__(self) -> str:
        line = (ROOT / self.file).read_bytes()[: self.start].count(b"\n") + 1
        return f"{self.file}:{line}: {self.was!r} -> {self.now!r}"


def mutants(file: str) -> list[Mutant]:
    """Every one of a file that can still be parsed, in the order of the text."""
    source = (ROOT / file).read_bytes()
    found = {mutant for mutant in _Finder(file, source, guards(file)[1]).found() if _parses(mutant.applied(source))}
    return sorted((each for each in found if each.key not in EQUIVALENT), key=lambda each: (each.start, each.end, each.now))


class _Finder:
    def __init__(self, file: str, source: bytes, functions: frozenset[str]) -> None:
        self._file, self._source, self._functions = file, source, functions
        lines = source.splitlines(keepends=True)
        self._starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
        self._tree = ast.parse(source)

    def found(self) -> Iterator[Mutant]:
        apart = set(self._apart())
        for root in ast.walk(self._tree):
            if root is self._tree if not self._functions else getattr(root, "name", None) in self._functions:
                for node in ast.walk(root):
                    if node not in apart and (not isinstance(node, ast.expr) or self._placed(node)):
                        yield from self._of(node)

    def _apart(self) -> Iterator[ast.AST]:
        for node in ast.walk(self._tree):
            for each in _idle(node):
                yield from ast.walk(each)

    def _placed(self, node: ast.expr) -> bool:
        """Whether the parser knows the node's place, which it does not within f-strings of several lines."""
        try:
            return ast.dump(ast.parse(f"({self._text(node)})", mode="eval").body) == ast.dump(node)
        except (SyntaxError, ValueError):
            return isinstance(node, ast.Starred | ast.Slice)

    def _of(self, node: ast.AST) -> Iterator[Mutant]:
        yield from self._operators(node)
        yield from self._calls(node)
        yield from self._branches(node)
        yield from self._dropped(node)
        yield from self._constants(node)

    def _operators(self, node: ast.AST) -> Iterator[Mutant]:
        pairs: list[tuple[ast.expr, ast.expr, ast.AST]] = []
        match node:
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                operands = itertools.pairwise([left, *comparators])
                pairs = [(*pair, operator) for pair, operator in zip(operands, ops, strict=True)]
            case ast.BoolOp(op=operator, values=values):
                pairs = [(*pair, operator) for pair in itertools.pairwise(values)]
            case ast.BinOp(op=operator, left=left, right=right):
                pairs = [(left, right, operator)]
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._replaced(node, f"bool({self._text(operand)})")
        for before, after, between in pairs:
            if type(between) in _SWAPPED:
                was, now = _SWAPPED[type(between)]
                first, last = self._span(before)[1], self._span(after)[0]
                place = self._source[first:last].find(was.encode())
                if place >= 0:
                    yield Mutant(self._file, first + place, first + place + len(was), was, now)

    def _calls(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Call(func=ast.Name(id=name) as function) if name in _NAMES:
                yield self._replaced(function, _NAMES[name])
            case ast.Call(func=ast.Attribute(value=text, attr=name)) if name in _CHANGING:
                yield self._replaced(node, self._text(text))
            case ast.Call(func=ast.Attribute(attr="sub"), args=[_, text]):
                yield self._replaced(node, self._text(text))
            case ast.Call(func=ast.Name(id=name), args=[text, *_]) if name in _ESCAPING:
                yield self._replaced(node, self._text(text))

    def _branches(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                tests = [test]
            case ast.comprehension(ifs=ifs):
                tests = ifs
            case ast.match_case(guard=ast.expr() as guard):
                tests = [guard]
            case _:
                tests = []
        for each in tests:
            yield self._replaced(each, f"(not ({self._text(each)}))")
        if isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Constant | ast.JoinedStr):
            yield self._replaced(node.value, "None")
        if isinstance(node, ast.Continue):
            yield self._replaced(node, "break")

    def _dropped(self, node: ast.AST) -> Iterator[Mutant]:
        """A statement that only has an effect, and an item of a collection."""
        match node:
            case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield() | ast.YieldFrom()) | ast.AugAssign() | ast.Raise():
                yield self._replaced(node, "pass")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield self._replaced(node, "pass")
            case ast.Set(elts=items) | ast.List(elts=items) if len(items) > 1:
                yield from (self._replaced(each, "*()") for each in items)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Tuple(elts=items)]):
                yield from (self._replaced(each, "*()") for each in items)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if key is not None:
                        start, end = self._span(key)[0], self._span(value)[1]
                        yield Mutant(self._file, start, end, self._source[start:end].decode(), "**{}")

    def _constants(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Compare(left=left, comparators=comparators):
                for each in (left, *comparators):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield self._replaced(each, f"({self._text(each)} + '~')")
            case ast.Constant(value=bool() as value):
                yield self._replaced(node, str(not value))
            case ast.Constant(value=int() as value):
                yield self._replaced(node, str(value + 1))
            case ast.Constant(value=""):
                yield self._replaced(node, "'~'")
            case ast.JoinedStr() | ast.Constant(value=str()) if _SQL.search(self._text(node)):
                yield from self._in_sql(node)

    def _in_sql(self, node: ast.expr) -> Iterator[Mutant]:
        start, end = self._span(node)
        text = self._source[start:end].decode()

        def changed(first: int, last: int, now: str) -> Mutant:
            before = start + len(text[:first].encode())
            return Mutant(self._file, before, before + len(text[first:last].encode()), text[first:last], now)

        for pattern, now in _IN_SQL:
            for match in pattern.finditer(text):
                yield changed(match.start(), match.end(), f"{match[0]}~" if now == "~" else now)
        for match in re.finditer(r"\bcoalesce\(", text):
            arguments = _arguments(text, match.end())
            if len(arguments) > 1:
                yield changed(match.start(), arguments[-1][1] + 1, f"({text[slice(*arguments[0])]})")

    def _replaced(self, node: ast.AST, now: str) -> Mutant:
        start, end = self._span(node)
        return Mutant(self._file, start, end, self._source[start:end].decode(), now)

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset


def _idle(node: ast.AST) -> list[ast.AST]:
    """The parts that do nothing when they run, or only make a text: annotations, docstrings, decorators, errors, `__all__`."""
    match node:
        case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
            return [annotation]
        case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
            return [*node.decorator_list, *([returns] if returns else ())]
        case ast.ClassDef():
            return [*node.decorator_list, *node.keywords]
        case ast.Expr(value=ast.Constant()) | ast.Assign(targets=[ast.Name(id="__all__" | "T")]):
            return [node]
        case ast.Raise(exc=ast.expr() as text) | ast.FormattedValue(format_spec=ast.expr() as text):
            return [text]
        case ast.keyword(arg=arg) if arg in _DECLARING:
            return [node.value]
        case _:
            return []


def _arguments(text: str, begin: int) -> list[tuple[int, int]]:
    """The spans of the arguments of a call in SQL whose bracket ends before `begin`; empty if it does not end on its line."""
    found, depth, start = [], 1, begin
    for place in range(begin, len(text)):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if text[place] == "\n":
            return []
        if depth == 0 or (depth == 1 and text[place] == ","):
            found.append((start, place))
            start = place + 1
        if depth == 0:
            return found
    return []


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
