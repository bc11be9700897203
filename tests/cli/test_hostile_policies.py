"""A folder of policies that somebody else wrote: it reads no file, reaches no network, and cannot use up time or memory."""

import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from msgspec import Struct

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from tests.cli.conftest import Keyaudit

SECONDS = 60
"""Of processor time; on a machine at rest the slowest of these takes a tenth of it."""
MEMORY = 1_000_000_000
"""Bytes resident, at most."""

OWN = """\
id: own
title: A good state
severity: low
table: key
violated_when: {violated}
message: {message}
why: Because.
problem: Something is wrong
fix: {{cli: {fix}}}
references: [Ours]
{more}
given: {{key_id: /a, kty: RSA, purpose: sign, created_on: 1 days ago, tags: absent}}
examples:
  - {{why: good, expect: pass}}
{examples}
"""


def own(
    folder: Path, violated: str = 'key_id == "x"', *, message: str = "x", fix: str = "x", more: str = "", examples: str = ""
) -> Path:
    path = folder / "own.yaml"
    quoted = "'" + violated.replace("'", "''") + "'"
    path.write_text(OWN.format(violated=quoted, message=message, fix=fix, more=more, examples=examples), encoding="utf-8")
    return folder


class Used(Struct, frozen=True):
    """What a command came to, and cost."""

    code: int
    out: str
    err: str


def confined(*arguments: str | Path) -> Used:
    """A command that is ended by the system if it takes more than its share of the processor or of memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        # Address space: the engine reserves some more than it uses.
        resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))

    # Not ru_maxrss: that begins with what the process that starts this one, the whole test run, has had resident.
    code = (
        "import sys; from keyaudit.cli.app import run; done = run(sys.argv[1:]);"
        " peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM:'));"
        " print('RESIDENT', int(peak.split()[1]) * 1024, file=sys.stderr); sys.exit(done)"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)
    *err, last = done.stderr.splitlines()
    assert last.startswith("RESIDENT "), done.stderr[-2_000:]
    assert int(last.split()[1]) < MEMORY
    return Used(done.returncode, done.stdout, "\n".join(err))


LARGE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a list of a hundred thousand texts": (
        lambda folder: own(folder, "key_id in p", more=f"parameters: {{p: [{', '.join(['a'] * 100_000)}]}}"),
        "its parameters exceed 50,000 characters",
    ),
    "a list that is read two hundred times": (
        lambda folder: own(
            folder, " or ".join(["key_id in p"] * 120), more=f"parameters: {{p: [{', '.join(['abcdefgh'] * 150)}]}}"
        ),
        "its parameters exceed 50,000 characters",
    ),
    "a map of ten thousand entries": (
        lambda folder: own(
            folder,
            "created_on is not None and now - created_on > p[purpose]",
            more="parameters: {p: {" + ", ".join(f"a{n}: P1D" for n in range(10_000)) + "}}",
        ),
        "p: more than 200 entries",
    ),
    "ten thousand parameters": (
        lambda folder: own(folder, more="parameters: {" + ", ".join(f"p{n}: 1" for n in range(10_000)) + "}"),
        "more than 50 parameters",
    ),
    "ten thousand examples": (
        lambda folder: own(folder, examples="\n".join(["  - {why: x, expect: pass}"] * 10_000)),
        "more than 200 examples",
    ),
    "a hundred examples with parameters of their own": (
        lambda folder: own(
            folder,
            "key_id == p",
            more="parameters: {p: x}",
            examples="\n".join(f"  - {{why: x, expect: pass, parameters: {{p: x{n}}}}}" for n in range(100)),
        ),
        "more than 20 examples with parameters of their own",
    ),
    "a message of half a million placeholders": (
        lambda folder: own(folder, message='"' + "{key_id}" * 60_000 + '"'),
        "a text of more than 2,000 characters",
    ),
    "a fix as long": (lambda folder: own(folder, fix='"' + "{key_id}" * 60_000 + '"'), "a text of more than 2,000 characters"),
    "a condition of more than two thousand characters": (
        lambda folder: own(folder, " or ".join(['key_id == "x"'] * 200)),
        "a condition of more than 2,000 characters",
    ),
    "a condition nested a thousand deep": (lambda folder: own(folder, "not " * 490 + "enabled"), "nested"),
    "brackets nested nine hundred deep": (lambda folder: own(folder, "(" * 900 + "enabled" + ")" * 900), "too many nested"),
    "a pattern whose repetitions multiply": (
        lambda folder: own(folder, 'matches(key_id, "((a{100}){100}){100}")'),
        "a pattern whose repetitions multiply",
    ),
    "a file of two megabytes": (lambda folder: own(folder, more="# " + "x" * 2_000_000), "larger than 1,000,000 bytes"),
    "lists nested a hundred thousand deep": (
        lambda folder: own(folder, more="lessons: " + "[" * 100_000),
        "exceeded maximum nesting depth",
    ),
    "a bomb of aliases": (
        lambda folder: own(
            folder,
            more="a0: &a0 [x, x]\n" + "\n".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]" for n in range(20)),
        ),
        "an anchor (&a0)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_would_take_too_much_is_refused(keyaudit: Keyaudit, tmp_path: Path, name: str) -> None:
    make, said = LARGE[name]
    make(tmp_path)
    for command in (("policies", "check", tmp_path), ("gate", "--demo", "--policies", tmp_path)):
        ran = keyaudit(*command)
        assert ran.code == Exit.USAGE
        assert said in ran.err
        assert "own.yaml" in ran.err
        assert "reading tenant" not in ran.err


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LARGE)
def test_to_refuse_it_takes_little_time_and_memory(tmp_path: Path, name: str) -> None:
    make, said = LARGE[name]
    make(tmp_path)
    ran = confined("policies", "check", tmp_path)
    assert (ran.code, said in ran.err) == (Exit.USAGE, True)


@pytest.mark.exhaustive
def test_a_policy_at_every_limit_is_judged_and_tested_in_time(contoso: Path, tmp_path: Path) -> None:
    terms = ['matches(key_id, "(a*)*b{100}")'] * 8 + ["key_id in p"] * 5
    texts = ", ".join(f"text-{n:04}" for n in range(700))
    rungs = "severity_when: [" + ", ".join(["{high: 'key_id in p'}"] * 8) + "]"
    examples = "\n".join(
        f"  - {{why: e{n}, expect: pass, key_id: {'a' * 2_000}{f', parameters: {{p: [x{n}]}}' if n < 20 else ''}}}"
        for n in range(190)
    )
    own(tmp_path, " or ".join(terms), more=f"parameters: {{p: [{texts}]}}\n{rungs}", examples=examples)
    assert confined("gate", "--from", contoso, "--policies", tmp_path, "--select", "own").code == Exit.CLEAN
    tested = confined("policies", "test", tmp_path)
    assert "1 policy, 191 examples" in tested.out


INJECTED = (
    "x' OR '1'='1",
    "x'); DROP TABLE key; --",
    "x'; COPY (SELECT 1) TO '/tmp/out'; --",
    "\\'; SELECT read_text('/etc/passwd'); --",
    '"; DROP VIEW key; --',
    "${HOME} $(id) `id`",
    "x\u2019 OR 1=1 --",
    "%' ESCAPE '",
)


def test_text_in_a_policy_stays_text_wherever_it_stands(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    for number, text in enumerate(INJECTED):
        python, yaml = repr(text), "'" + text.replace("'", "''") + "'"
        tag = repr(text.lower())
        condition = (
            f"key_id in [{python}] or contains(key_id, {python}) or key_id == p"
            f" or (tags[{tag}] is not None and tags[{tag}] == {python})"
        )
        own(
            tmp_path,
            condition,
            message=yaml.replace("{", "{{").replace("}", "}}"),
            fix=yaml.replace("{", "{{").replace("}", "}}"),
            more=f"parameters: {{p: {yaml}}}\nframeworks: {{ours: [{yaml}]}}",
            examples=f"  - {{why: bad, expect: fail, key_id: {yaml}}}",
        )
        written = (tmp_path / "own.yaml").read_text(encoding="utf-8")
        (tmp_path / "own.yaml").unlink()
        (tmp_path / f"own-{number}.yaml").write_text(written.replace("id: own\n", f"id: own-{number}\n"), encoding="utf-8")
    tested = keyaudit("policies", "test", tmp_path)
    assert "unexpected" not in tested.out + tested.err
    assert "bug" not in tested.err
    chosen = ("--from", contoso, "--policies", tmp_path, "--select", "own-*", "-o", "json", "--all")
    found = keyaudit("report", *chosen).json
    # No key is called so: each passes on every one, and every table is there still.
    assert {each["outcome"] for each in found["findings"]} == {"pass"}
    assert len(found["findings"]) == len(INJECTED) * found["run"]["rows"]["key"]
    assert not Path("/tmp/out").exists()


def test_the_engine_that_judges_reads_no_file_and_loads_nothing(contoso: Path) -> None:
    """Were a condition ever to get through as SQL, it would get no further."""
    with open_snapshot(contoso).judging(open_snapshot(contoso).run.as_of) as connection:
        for query in (
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM 'https://example.com/x.parquet'",
            "COPY (SELECT 1) TO '/tmp/keyaudit-out'",
            "ATTACH '/tmp/keyaudit.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "PRAGMA enable_profiling",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(query)


def test_judging_by_own_policies_opens_no_connection(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    own(tmp_path, 'contains(key_id, "https://example.com")', more="")
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert keyaudit("gate", "--from", contoso, "--policies", tmp_path, "--select", "own").code == Exit.CLEAN
    assert keyaudit("policies", "test", tmp_path).code in (Exit.CLEAN, Exit.FINDINGS)


def test_every_error_of_a_folder_is_said_at_once_with_its_place_and_the_nearest_name(
    keyaudit: Keyaudit, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    text = own(tmp_path).joinpath("own.yaml").read_text(encoding="utf-8")
    for name, old, new in (
        ("a-column", "key_id ==", "key_idd =="),
        ("b-severity", "severity: low", "severity: lwo"),
        ("c-field", "title:", "tittle:"),
        ("d-yaml", "why: Because.", "why: [Because."),
        ("e-needs", "given:", "needs: logz\ngiven:"),
    ):
        (tmp_path / "sub" / f"{name}.yaml").write_text(
            text.replace("id: own", f"id: {name}").replace(old, new, 1), encoding="utf-8"
        )
    ran = keyaudit("policies", "check", tmp_path)
    assert ran.code == Exit.USAGE
    lines = ran.err.splitlines()
    said = [
        ("a-column.yaml:5:17: ", "did you mean key_id?"),
        ("b-severity.yaml:3:11: ", "did you mean low?"),
        ("c-field.yaml:2:1: ", "did you mean title?"),
        ("c-field.yaml:1:1: ", "no title"),
        ("d-yaml.yaml:", "not YAML"),
        ("e-needs.yaml:", "did you mean logs?"),
    ]
    for place, what in said:
        assert any(place in line and what in line for line in lines), (place, ran.err)
    quote = next(number for number, line in enumerate(lines) if "a-column.yaml" in line)
    assert lines[quote + 1] == '  key_idd == "x"'
    assert lines[quote + 2] == "  ^"
