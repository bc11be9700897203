"""Changes one operator, constant or branch of the code at a time, and lists the changes that no test notices.

    python -m tests.mutants --seed 1 --count 300 [--files keyaudit/gate/verdict.py ...] [--processes 2] [--nearest]

The sample depends on the seed and on the code alone, so it is the same before and after tests are changed. Each mutant
is tried in a copy of the tree, first on the tests nearest to its file, and if these pass, on those of its whole floor.
"""

import argparse
import ast
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from random import Random

from msgspec import Struct

ROOT = Path(__file__).parent.parent
SECONDS = 900
"""A mutant that makes its tests run longer is noticed: it never ends."""

CLOUD = ("tests/cloud",)
VIEWS = ("tests/inventory",)
JUDGING = ("tests/policy", "tests/policies", "tests/test_traps.py")
RENDERING = ("tests/report", "tests/model/test_text.py")
GATE = ("tests/test_gate.py", "tests/test_allowances.py", "tests/test_required.py")

GUARDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "keyaudit/cloud/pages.py": (("tests/cloud/test_pages.py",), CLOUD),
    "keyaudit/cloud/listing.py": (("tests/cloud/test_pages.py", "tests/cloud/test_gateway.py"), CLOUD),
    "keyaudit/cloud/pacing.py": (("tests/cloud/test_pacing.py", "tests/cloud/test_retries.py"), CLOUD),
    "keyaudit/cloud/failures.py": (("tests/cloud/test_failures.py",), CLOUD),
    "keyaudit/cloud/addresses.py": (("tests/cloud/test_addresses.py",), CLOUD),
    "keyaudit/cloud/challenge.py": (("tests/cloud/test_gateway.py",), CLOUD),
    "keyaudit/gate/causes.py": (GATE,),
    "keyaudit/gate/gaps.py": (GATE,),
    "keyaudit/gate/verdict.py": (GATE,),
    "keyaudit/inventory/ledger.py": (("tests/inventory/test_ledger.py",), VIEWS, ("tests/collect",)),
    **{
        f"keyaudit/inventory/views/{view}.py": (
            tuple(f"tests/inventory/test_{name}.py" for name in tests.split()),
            VIEWS,
            JUDGING,
        )
        for view, tests in {
            "account_key": "environment_rules",
            "app_management_policy": "app_management_views holder_views",
            "application": "application_views views",
            "azure_roles": "azure_role_views",
            "blast_radius": "blast_radius",
            "certificate": "certificate_views",
            "credential": "views joins holder_views",
            "deleted": "key_views",
            "environment": "environment_rules views",
            "federation": "federation_views",
            "grant": "reach reach_beside",
            "holder": "holder_views",
            "identities": "in_entra joins",
            "in_entra": "in_entra",
            "in_vault": "joins",
            "issuers": "trusted_key_view",
            "key": "views key_views",
            "key_use": "key_use_views",
            "log_sink": "log_views",
            "logged": "usage_views",
            "principal": "reach_beside",
            "privileges": "privilege_views federation_views",
            "purposes": "purposes",
            "reach": "reach reach_beside",
            "reach_counts": "reach reach_beside",
            "service_principal": "privilege_views azure_role_views",
            "signing_certificate": "signing_views federation_views joins",
            "subscription": "log_views",
            "tenant": "log_views",
            "tier0": "holder_views certificate_views reach_beside",
            "trusted_key": "trusted_key_view",
            "unshown": "usage_views",
            "usage": "usage_views",
            "vault": "vault_view views log_views",
            "versions": "views key_views certificate_views",
        }.items()
    },
    "keyaudit/inventory/views/*.py": (VIEWS, JUDGING),
    "keyaudit/policy/sql.py": (("tests/policy/test_judge.py", "tests/policy/test_differential.py"), JUDGING),
    "keyaudit/model/text.py": (RENDERING,),
    "keyaudit/report/cells.py": (RENDERING,),
    "keyaudit/report/html/inert.py": (RENDERING,),
}
"""For each file (or pattern), the tests that guard it, in the order in which they are run."""

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
_SQL = re.compile(r"\b(SELECT|CASE|JOIN|WHERE|coalesce|list_contains|bool_or|bool_and)\b|\bIS (NOT )?NULL\b")
_IN_SQL = (
    (re.compile(r"\bAND\b"), "OR"),
    (re.compile(r"\bOR\b"), "AND"),
    (re.compile(r"\bIS NOT NULL\b"), "IS NULL"),
    (re.compile(r"\bIS NULL\b"), "IS NOT NULL"),
    (re.compile(r"\bNOT (?!NULL|IN\b|MATERIALIZED)"), ""),
    (re.compile(r"\bNOT IN\b"), "IN"),
    (re.compile(r"(?<= )<>(?= )"), "="),
    (re.compile(r"(?<= )=(?= )"), "<>"),
    (re.compile(r"(?<= )<(?= )"), "<="),
    (re.compile(r"(?<= )<=(?= )"), "<"),
    (re.compile(r"(?<= )>(?= )"), ">="),
    (re.compile(r"(?<= )>=(?= )"), ">"),
    (re.compile(r"\bbool_or\b"), "bool_and"),
    (re.compile(r"\bbool_and\b"), "bool_or"),
    (re.compile(r"\bmin\b(?=\()"), "max"),
    (re.compile(r"\bmax\b(?=\()"), "min"),
    (re.compile(r"\btrue\b"), "false"),
    (re.compile(r"\bfalse\b"), "true"),
    (re.compile(r"\bLEFT JOIN\b"), "JOIN"),
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

    def __str__(self) -> str:
        line = (ROOT / self.file).read_bytes()[: self.start].count(b"\n") + 1
        return f"{self.file}:{line}: {self.was!r} -> {self.now!r}"


def mutants(file: str) -> list[Mutant]:
    """Every one of a file that can still be parsed, in the order of the text."""
    source = (ROOT / file).read_bytes()
    found = {mutant for mutant in _Finder(file, source).found() if _parses(mutant.applied(source))}
    return sorted(found, key=lambda each: (each.start, each.end, each.now))


class _Finder:
    def __init__(self, file: str, source: bytes) -> None:
        self._file, self._source = file, source
        lines = source.splitlines(keepends=True)
        self._starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
        self._tree = ast.parse(source)

    def found(self) -> Iterator[Mutant]:
        apart = set(self._apart())
        for node in ast.walk(self._tree):
            if node not in apart:
                yield from self._of(node)

    def _apart(self) -> Iterator[ast.AST]:
        """What changes nothing that runs, or only a text: annotations, docstrings, messages of errors, `__all__`."""
        for node in ast.walk(self._tree):
            inside: list[ast.AST | None] = []
            if isinstance(node, ast.arg | ast.AnnAssign):
                inside.append(node.annotation)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inside.append(node.returns)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                inside.append(node)
            if isinstance(node, ast.Raise):
                inside.append(node.exc)
            if isinstance(node, ast.Assign) and "__all__" in {
                target.id for target in node.targets if isinstance(target, ast.Name)
            }:
                inside.append(node)
            if isinstance(node, ast.FormattedValue):
                inside.append(node.format_spec)
            for each in inside:
                if each is not None:
                    yield from ast.walk(each)

    def _of(self, node: ast.AST) -> Iterator[Mutant]:
        yield from self._operators(node)
        yield from self._branches(node)
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

    def _branches(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                tests = [test]
            case ast.comprehension(ifs=ifs):
                tests = ifs
            case _:
                tests = []
        for each in tests:
            yield self._replaced(each, f"(not ({self._text(each)}))")
        if isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Constant | ast.JoinedStr):
            yield self._replaced(node.value, "None")
        if isinstance(node, ast.Continue):
            yield self._replaced(node, "break")

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
            case ast.JoinedStr() | ast.Constant(value=str()) if _SQL.search(self._text(node)):
                yield from self._in_sql(node)

    def _in_sql(self, node: ast.AST) -> Iterator[Mutant]:
        start, end = self._span(node)
        text = self._source[start:end].decode()
        for pattern, now in _IN_SQL:
            for match in pattern.finditer(text):
                before = start + len(text[: match.start()].encode())
                yield Mutant(self._file, before, before + len(match[0].encode()), match[0], now)

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


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def survives(mutant: Mutant, tree: Path, *, nearest: bool) -> bool:
    """Whether all tests that guard its file, or the nearest of them, pass in `tree`, a copy, with the mutant in it."""
    stages = next(stages for pattern, stages in GUARDS.items() if Path(mutant.file).match(pattern))
    file = tree / mutant.file
    source = file.read_bytes()
    file.write_bytes(mutant.applied(source))
    try:
        return all(_passes(tests, tree) for tests in (stages[:1] if nearest else stages))
    finally:
        file.write_bytes(source)


def _passes(tests: tuple[str, ...], tree: Path) -> bool:
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    try:
        ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0


def copied(folder: Path) -> Path:
    """The tree without generated files. Compiled files are compared with the text, not the time, so none outlives a mutant."""
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache", ".venv", ".git", "node_modules")
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=ignored)
    compiled = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "keyaudit", "tests"]
    subprocess.run(compiled, cwd=tree, check=True)
    return tree


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--files", nargs="*", help="only these of the guarded files")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--nearest", action="store_true", help="run only the tests nearest to a file, not those of its floor")
    chosen = parser.parse_args()
    guarded = sorted({str(path.relative_to(ROOT)) for pattern in GUARDS for path in ROOT.glob(pattern)})
    unguarded = sorted(set(chosen.files or ()) - set(guarded))
    if unguarded:
        parser.error(f"not guarded by any tests that are named here: {', '.join(unguarded)}")
    every = [mutant for file in (chosen.files or guarded) for mutant in mutants(file)]
    sample = Random(chosen.seed).sample(every, min(chosen.count, len(every)))
    print(f"{len(sample)} of {len(every)} mutants", flush=True)
    living = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(chosen.processes) as pool:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(chosen.processes):
            trees.put(copied(Path(folder) / str(number)))

        def tried(mutant: Mutant) -> tuple[Mutant, bool]:
            tree = trees.get()
            try:
                return mutant, survives(mutant, tree, nearest=chosen.nearest)
            finally:
                trees.put(tree)

        for mutant, lives in pool.map(tried, sample):
            living += lives
            print(f"{'survived' if lives else 'killed'}: {mutant}", flush=True)
    print(f"{len(sample)} mutants, {living} survived")
    sys.exit(1 if living else 0)


if __name__ == "__main__":
    main()
