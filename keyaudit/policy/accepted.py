"""Reads a file of announced applications: id, operation, owner and end date of each."""

from pathlib import Path

from keyaudit.model.guid import GUID
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.times import DAY, parse_date
from keyaudit.model.usage import Accepted
from keyaudit.model.waivers import Glob
from keyaudit.policy import yaml
from keyaudit.policy.nodes import Items, Members, Node
from keyaudit.policy.problems import PolicyError, nearest, shown
from keyaudit.policy.reader import Reader, content
from keyaudit.policy.waivers import MAX_DAYS

_REQUIRED = ("app_id", "operation", "owner", "reason", "until")
_OPTIONAL = ("target",)
_NEEDED = "it is required"
_OPERATIONS = USAGE.by_name["operation"].values


def load_accepted(path: Path, *, today: int) -> tuple[Accepted, ...]:
    """The announced applications of a file, in order. `today` is a time on the current day.

    Raises PolicyError, a UsageError, with every problem of the file.
    """
    file = str(path)
    try:
        document = yaml.read(yaml.decode(content(path)))
    except yaml.YamlError as error:
        raise PolicyError([error.problem(file)]) from None
    reader = _Reader(file, today)
    found = reader.accepted(document)
    if reader.problems:
        raise PolicyError(reader.problems)
    return found


class _Reader(Reader):
    """The reader of a file of announced applications."""

    def __init__(self, file: str, today: int) -> None:
        super().__init__(file)
        self._today = today - today % DAY

    def accepted(self, document: Node) -> tuple[Accepted, ...]:
        if not isinstance(document, Members):
            self.problem(document, "not a mapping", "begin with version: 1, then accept:")
            return ()
        self.members(document, ("version", "accept"), (), _NEEDED)
        version = document.members.get("version")
        if version is not None and self.text(version) != "1":
            self.problem(version, f"version {shown(self.text(version))}", "this is version 1")
        listed = document.members.get("accept")
        if listed is not None and not isinstance(listed, Items):
            self.problem(listed, "not a list", "write - before each application")
        found = [self._one(item) for item in (listed.items if isinstance(listed, Items) else ())]
        return tuple(each for each in found if each is not None)

    def _one(self, node: Node) -> Accepted | None:
        if not isinstance(node, Members):
            self.problem(node, "not an announced application", f"a mapping of {', '.join(_REQUIRED)}")
            return None
        before = len(self.problems)
        self.members(node, _REQUIRED, _OPTIONAL, _NEEDED)
        texts = {name: self.text(node.members[name]) for name in (*_REQUIRED, *_OPTIONAL) if name in node.members}
        app_id, operation = texts.get("app_id", "").lower(), texts.get("operation", "")
        if app_id and GUID.fullmatch(app_id) is None:
            self.problem(node.members["app_id"], f"{shown(app_id)} is no application id", "the client id, a GUID")
        if operation and operation not in _OPERATIONS:
            self.problem(node.members["operation"], f"no such operation: {shown(operation)}", nearest(operation, _OPERATIONS))
        last = self._date(node.members.get("until"))
        if len(self.problems) > before or last is None:
            return None
        return Accepted(
            app_id=app_id,
            operation=operation,
            target=Glob(texts.get("target", "*")),
            owner=texts["owner"],
            reason=texts["reason"],
            ends=last + DAY,
            place=f"{self.file}:{node.line}",
        )

    def _date(self, node: Node | None) -> int | None:
        text = self.text(node)
        if node is None or not text:
            return None
        try:
            last = parse_date(text)
        except ValueError:
            self.problem(node, f"{shown(text)} is no date", "write the last day of use that it covers, as in 2027-01-31")
            return None
        if last - self._today > MAX_DAYS * DAY:
            self.problem(node, f"an announcement runs {MAX_DAYS} days at most, from today", "choose an earlier day")
        return last
