"""Finds policy files and loads them, or says everything that is wrong with them at once."""

import stat
from collections.abc import Iterator
from pathlib import Path

from keyaudit.model.errors import UsageError
from keyaudit.policy import yaml
from keyaudit.policy.definition import Policy
from keyaudit.policy.problems import PolicyError, Problem
from keyaudit.policy.schema import policy

__all__ = ["Policy", "load", "shipped"]

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """Where the policies that come with keyaudit lie: in the wheel beside the code, in a checkout beside the package."""
    packaged = _PACKAGE / "_policies"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "policies"


def load(place: Path | None = None, *, besides: Path | None = None) -> tuple[Policy, ...]:
    """Every policy below a folder, or the one in a file, ordered by id; None: the shipped ones. And those of `besides`.

    Raises PolicyError, a UsageError, with every problem of every file; UsageError where there is no policy at all.
    """
    policies: dict[str, Policy] = {}
    problems: list[Problem] = []
    for root in (shipped() if place is None else place, *((besides,) if besides else ())):
        count = 0
        for path in _files(root):
            count += 1
            found, wrong = _read(path)
            problems += wrong
            if found is None:
                continue
            if found.text.id in policies:
                first = policies[found.text.id].file
                problems.append(Problem(file=str(path), what=f"the id {found.text.id} is in {first} too", remedy="rename one"))
            policies[found.text.id] = found
        if not count:
            raise UsageError(str(root), "no policy found", "name a folder with policies as .yaml files")
    if problems:
        raise PolicyError(problems)
    return tuple(policies[name] for name in sorted(policies))


def _files(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        yield root
        return
    for path in sorted(root.rglob("*")):
        if path.suffix in (".yaml", ".yml") and not path.is_dir():
            yield path


def _read(path: Path) -> tuple[Policy | None, list[Problem]]:
    file = str(path)
    if path.suffix != ".yaml":
        return None, [Problem(file=file, what="not a policy's file name", remedy="name it <id>.yaml")]
    try:
        # A pipe or device would never end, and /dev/zero never fill.
        if not stat.S_ISREG(path.stat().st_mode):
            return None, [Problem(file=file, what="not a file")]
        with path.open("rb") as stream:
            data = stream.read(yaml.MAX_SIZE + 1)
    except OSError as error:
        return None, [Problem(file=file, what=f"cannot be read: {error.strerror}")]
    try:
        source = yaml.decode(data)
        document = yaml.read(source)
    except yaml.YamlError as error:
        return None, [error.problem(file)]
    return policy(document, file=file, stem=path.stem, source=source, ours=path.resolve().is_relative_to(shipped()))
