"""Records the shapes of Azure's answers: counts, types and lengths of declared members, and never a value, a name or an id.

A name is recorded only if the program itself reads a member of that name, and a word only where the member has declared words
and this is one of them. Everything else, which may be a tag's name or a person's, becomes a hash.
"""

import hashlib
import re
import typing
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
from msgspec import Struct

from keyaudit import __version__
from keyaudit.cloud.answers.pages import ENVELOPE
from keyaudit.cloud.clients import Answer
from keyaudit.cloud.refusal import CODES
from keyaudit.collect.access.objects import ODATA_TYPES
from keyaudit.collect.entra.agent_types import ODATA_TYPES as AGENT_TYPES
from keyaudit.collect.entra.keys.credentials import KEY_TYPES
from keyaudit.collect.surfaces import Surfaces
from keyaudit.model import surfaces
from keyaudit.model.operations import Operation
from keyaudit.model.schema.columns import Type
from keyaudit.model.schema.wire import paths, steps
from keyaudit.model.shapes import HASHED, Answers, Member, Shapes
from keyaudit.model.tables import TABLES
from keyaudit.model.values.guid import GUID

MOST = 2_000
"""The number of different members of one operation that are recorded, and of different words of one member."""
_DEEPEST = 32

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_NAMED_WHERE = {
    "sku.name": "vault.sku",
    "publicNetworkAccess": "vault.public_network_access",
    "networkAcls.defaultAction": "vault.network_default_action",
    "networkAcls.bypass": "vault.network_bypass",
    "createMode": "vault.create_mode",
    "activationStatus": "vault.security_domain",
    "key.crv": "key.curve",
    "keyCredentials.usage": "credential.usage",
    "properties.plan": "log_table.plan",
    "userType": "principal.user_type",
    "allowInvitesFrom": "tenant.guest_invites",
}
"""By the end of a member's path, the column with its words, where that column does not copy the member."""
_OTHER_WORDS: Mapping[str, frozenset[str]] = {
    "@odata.type": ODATA_TYPES | AGENT_TYPES,
    "keyCredentials.type": frozenset(KEY_TYPES),
}
_CODES_AT = frozenset({"error.code", "error.innererror.code", "code"})
"""The paths of the code in an error, in the spellings that `cloud.refusal` reads."""
_ERROR = frozenset({"error", "code", "message", "innererror", "innerError", "details", "target", "date", "additionalInfo"})


class _Kept:
    """One member while it is recorded."""

    __slots__ = ("lengths", "null", "present", "types", "words")

    def __init__(self) -> None:
        self.present = self.null = 0
        self.types, self.lengths, self.words = Counter[str](), Counter[str](), Counter[str]()


class _Tree:
    """The members of some answers by path, and the number of objects at each path."""

    def __init__(self) -> None:
        self.members: dict[str, _Kept] = {}
        self.objects = Counter[str]()

    def member(self, path: str) -> _Kept | None:
        """The member at `path`; None if it is new and there are too many."""
        if path not in self.members and len(self.members) >= MOST:
            return None
        return self.members.setdefault(path, _Kept())


class _Operation:
    def __init__(self) -> None:
        self.statuses = Counter[int]()
        self.unreadable = self.left_out = 0
        self.good, self.bad = _Tree(), _Tree()


class Recorder:
    """Receives each answer of a run, and keeps its shape."""

    def __init__(self, key: bytes) -> None:
        """`key`: a random one of this run; without it nobody can tell by a hash whether a guess is right."""
        self._key = key
        self._found: defaultdict[str, _Operation] = defaultdict(_Operation)

    def __call__(self, operation: Operation, item: object, answer: Answer) -> None:
        """Record an answer, whose items are decoded as `item`."""
        kept = self._found[operation.id]
        kept.statuses[answer.status] += 1
        try:
            body = msgspec.json.decode(answer.body) if answer.body.strip() else None
        # Deep nesting raises RecursionError, malformed text UnicodeDecodeError, which is a ValueError.
        except (ValueError, RecursionError):
            kept.unreadable += 1
            return
        good = answer.status in (200, 201)
        tree = kept.good if good else kept.bad
        if body is not None:
            self._walk(kept, tree, "", body, known=True)
        if good:
            for start in ("", "value[]", "data[]"):
                if tree.objects[start] and (start or not tree.objects["value[]"] + tree.objects["data[]"]):
                    for path in _declared(item, start):
                        tree.member(path)

    def shapes(self, *, simulated: bool) -> Shapes:
        """The shapes of all answers so far."""
        operations = {id_: _answers(self._found[id_]) for id_ in sorted(self._found)}
        return Shapes(tool_version=__version__, simulated=simulated, operations=operations)

    def _walk(self, kept: _Operation, tree: _Tree, path: str, value: object, *, known: bool, depth: int = 0) -> None:
        """Record what is in `value`. Only while it is `known` may names and words be declared ones."""
        if isinstance(value, dict):
            tree.objects[path] += 1
            # The names in a map, such as the names of tags, are chosen by people.
            free = not known or path.rpartition(".")[2].removesuffix("[]") in _vocabulary().maps
            for name, inner in value.items():
                declared = not free and name in _vocabulary().names
                shown = name if declared else self._hashed(name)
                self._member(kept, tree, f"{path}.{shown}" if path else shown, inner, known=declared, depth=depth)
        elif isinstance(value, list):
            for inner in value:
                self._member(kept, tree, f"{path}[]", inner, known=known, depth=depth)

    def _member(self, kept: _Operation, tree: _Tree, path: str, value: object, *, known: bool, depth: int) -> None:
        member = tree.member(path)
        if member is None or depth > _DEEPEST:
            kept.left_out += 1
            return
        member.present += 1
        if value is None:
            member.null += 1
            return
        member.types[_type(value)] += 1
        if isinstance(value, str | list | dict):
            member.lengths[_range(len(value))] += 1
        words = (_words if tree is kept.good else _codes)(path) if known and isinstance(value, str) else None
        if words is not None:
            word = words.get(str(value).lower()) or self._hashed(str(value))
            member.words[word if word in member.words or len(member.words) < MOST else f"{HASHED}more"] += 1
        self._walk(kept, tree, path, value, known=known, depth=depth + 1)

    def _hashed(self, text: str) -> str:
        return HASHED + hashlib.blake2b(text.encode(errors="surrogatepass"), key=self._key, digest_size=6).hexdigest()


class _Vocabulary(Struct, frozen=True):
    names: frozenset[str]
    """Names of members that the program reads somewhere."""
    maps: frozenset[str]
    """Members whose own members have names that people choose."""


@cache
def _vocabulary() -> _Vocabulary:
    # Structs that are decoded can be filled; the program's own values are frozen.
    read = [each for each in _structs(Struct) if _FROM_AZURE.match(each.__module__) and not each.__struct_config__.frozen]
    columns = [column for table in TABLES.values() for column in table.columns]
    names = {name for each in read for name in each.__struct_encode_fields__}
    ways = [way for table in TABLES.values() for read in table.reads or (None,) for way in table.ways(read).values()]
    wires = {name for way in ways for path in paths(way) for name, _ in steps(path)}
    mapped = [column.wire for column in columns if column.type is Type.MAP and isinstance(column.wire, str) and column.wire]
    maps = {wire.rpartition(".")[2] for wire in mapped}
    return _Vocabulary(frozenset(names | wires | ENVELOPE | _ERROR), frozenset(maps | {"tags"}))


_FROM_AZURE = re.compile(
    rf"{re.escape(Surfaces.__module__.rpartition('.')[0])}\.(?!relying_parties\.|custody)|{re.escape(surfaces.__name__)}\."
)
"""The modules that decode Azure's answers: those of the surfaces, without the readers of files."""


def _structs(base: type[Struct]) -> Iterator[type[Struct]]:
    for each in base.__subclasses__():
        yield each
        yield from _structs(each)


@cache
def _declared(item: object, start: str) -> tuple[str, ...]:
    """The paths of the members that `item` declares, below `start`."""
    found: list[str] = []
    kinds = [each for each in (item, *typing.get_args(item)) if isinstance(each, type) and issubclass(each, Struct)]
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            path = f"{start}.{field.encode_name}" if start else field.encode_name
            found += [path, *_declared(field.type, path)]
    return tuple(found)


@cache
def _words(path: str) -> Mapping[str, str] | None:
    """The declared words of the member at `path`, by their lower-case form; None if it has none, and is any text."""
    plain = f".{path.replace('[]', '')}"
    for end, words in _ends().items():
        if plain.endswith(f".{end}"):
            return {word.lower(): word for word in words}
    return None


def _codes(path: str) -> Mapping[str, str] | None:
    """The same for answers that are errors: only codes are words."""
    return {code.lower(): code for code in CODES} if path in _CODES_AT else None


@cache
def _ends() -> Mapping[str, frozenset[str]]:
    """Declared words by the end of a member's path."""
    columns = {f"{table.name}.{column.name}": column for table in TABLES.values() for column in table.columns}
    copied = {column.wire: column for column in columns.values() if isinstance(column.wire, str) and column.values}
    named = {end: columns[name] for end, name in _NAMED_WHERE.items()}
    return {**{end: frozenset(column.values) for end, column in {**copied, **named}.items()}, **_OTHER_WORDS}


def _type(value: object) -> str:
    if isinstance(value, str):
        if GUID.fullmatch(value):
            return "guid"
        if _TIME.fullmatch(value):
            return "time"
        return "url" if value.lower().startswith(("https://", "http://")) else "text"
    return _NAMES[type(value)]


_NAMES: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", list: "list", dict: "object"}


def _range(length: int) -> str:
    """The range that a length is in: 0, 1, 2, 3-4, 5-8, 9-16 and so on."""
    if length <= 2:
        return str(length)
    most = 1 << (length - 1).bit_length()
    return f"{most // 2 + 1}-{most}"


def _answers(kept: _Operation) -> Answers:
    return Answers(
        answers=kept.statuses.total(),
        statuses={str(status): count for status, count in sorted(kept.statuses.items())},
        unreadable=kept.unreadable,
        left_out=kept.left_out,
        members=_members(kept.good),
        errors=_members(kept.bad),
    )


def _members(tree: _Tree) -> dict[str, Member]:
    return {path: _member(path, tree.members[path], tree) for path in sorted(tree.members)}


def _member(path: str, kept: _Kept, tree: _Tree) -> Member:
    around = 0 if path.endswith("[]") else tree.objects[path.rpartition(".")[0]]
    return Member(
        present=kept.present,
        null=kept.null,
        absent=max(0, around - kept.present),
        types=dict(sorted(kept.types.items())),
        lengths=dict(sorted(kept.lengths.items(), key=lambda each: int(each[0].partition("-")[0]))),
        words=dict(sorted(kept.words.items())),
    )
