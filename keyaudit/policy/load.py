"""Finds and loads policy files, or reports all their problems at once."""

from collections.abc import Iterator
from pathlib import Path

from keyaudit.model.documents.problems import DocumentError, Problem
from keyaudit.model.errors import UsageError
from keyaudit.policy import compiled
from keyaudit.policy.definition import Policy

__all__ = ["Policy", "load", "shipped"]

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """The folder of the shipped policies: beside the code in a wheel, beside the package in a checkout."""
    packaged = _PACKAGE / "_policies"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "policies"


def load(place: Path | None = None, *, besides: Path | None = None) -> tuple[Policy, ...]:
    """Every policy below a folder, or the one in a file, ordered by id; None: the shipped ones. And those of `besides`.

    Raises DocumentError, a UsageError, with every problem of every file; UsageError if there is no policy at all.
    """
    policies = {each.text.id: each for each in _shipped()} if place is None else {}
    problems: list[Problem] = []
    for root in (*((place,) if place else ()), *((besides,) if besides else ())):
        from keyaudit.policy.reading.files import read  # noqa: PLC0415 - slow to import: PyYAML, and the checks of policies

        count = 0
        for path in policy_files(root):
            count += 1
            found, wrong = read(path, ours=path.resolve().is_relative_to(shipped()))
            problems += wrong
            if found is None:
                continue
            if found.text.id in policies:
                first = policies[found.text.id].file
                problems.append(Problem(file=str(path), what=f"the id {found.text.id} is in {first} too", remedy="rename one"))
            policies[found.text.id] = found
        if not count:
            raise UsageError(str(root), "no policy found", "name a folder with policies in .yaml files")
    if problems:
        raise DocumentError(problems)
    return tuple(policies[name] for name in sorted(policies))


def _shipped() -> tuple[Policy, ...]:
    """The shipped policies, from the compiled file, or compiled now and stored."""
    root = shipped()
    files = list(policy_files(root))
    made_from, kept = compiled.digest(root, files), compiled.place(root)
    found = compiled.read(kept, made_from, root) if kept else None
    if found is None:
        found = load(root)
        if kept:
            compiled.write(kept, found, made_from, root)
    return found


def policy_files(root: Path) -> Iterator[Path]:
    """The policy files below a folder, in order; a file stands for itself."""
    if not root.is_dir():
        yield root
        return
    for path in sorted(root.rglob("*")):
        if path.suffix in (".yaml", ".yml") and not path.is_dir():
            yield path
