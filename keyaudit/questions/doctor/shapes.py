"""The shapes of Azure's answers: the file, and one screen that says what it holds."""

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

import msgspec

from keyaudit.model.operations import OPERATIONS
from keyaudit.model.shapes import HASHED, Answers, Member, Shapes
from keyaudit.report.lines import joined, listed, plural, wrap

_WIDTH = 80
_MOST = 8
"""The number of operations with refusals that the screen lists."""
_NAMES = 12


def write(shapes: Shapes, out: TextIO) -> None:
    """Write the file: JSON, in a fixed order."""
    document = msgspec.json.encode(shapes)
    out.write(msgspec.json.format(document, indent=1).decode() + "\n")


def screen(shapes: Shapes, place: str) -> str:
    """What the file holds, for people, before it is written to `place`."""
    return joined(_screen(shapes, place))


def _screen(shapes: Shapes, place: str) -> Iterator[str]:
    found = shapes.operations
    members = [(path, member) for each in found.values() for path, member in (*each.members.items(), *each.errors.items())]
    answers = sum(each.answers for each in found.values())
    yield f"{place} will hold the shapes of {plural(answers, 'answer')} to {plural(len(found), 'operation')}:"
    statuses = Counter[str]()
    for each in found.values():
        statuses.update(each.statuses)
    yield from _row("statuses", listed([f"{status} ({count:,})" for status, count in sorted(statuses.items())]))
    hashed = sum(HASHED in path for path, _ in members)
    yield from _row("members", f"{len(members) - hashed:,} by name, with types and ranges of lengths; {hashed:,} as hashes")
    words = {word for _, member in members for word in member.words}
    unknown = sum(word.startswith(HASHED) for word in words)
    yield from _row("words", f"{len(words) - unknown:,} that keyaudit declares; {unknown:,} others as hashes")
    named = sorted({word for word in words if word[:1].isalpha() and not word.startswith(HASHED)})
    yield from _row("", f"such as {listed(named[:_NAMES])}" if named else "")
    refused = [f"{id_} ({_statuses(each)})" for id_, each in found.items() if set(each.statuses) - {"200", "201"}]
    more = f" and {len(refused) - _MOST:,} more" if len(refused) > _MOST else ""
    yield from _row("refused", (listed(refused[:_MOST]) if not more else ", ".join(refused[:_MOST]) + more) or "none")
    silent = sum(each.recording is None and id_ in found for id_, each in OPERATIONS.items())
    yield from _row("new", f"{silent:,} of these operations have no published recording of a real response")
    yield from _row("example", _example(found))
    yield ""
    yield from wrap(
        "No value, name, id, address or header is in it. An undeclared member or word may be a person's or a tag's name, so "
        "the file contains only its hash. The hashes use a random key that is discarded: equal hashes can be counted within "
        "this file, but nobody can verify a guess. Read the file before you send it: keyaudit explain shapes.",
        _WIDTH,
    )


def _row(name: str, text: str) -> list[str]:
    return wrap(text, _WIDTH, f"  {name:<10}", " " * 12) if text else []


def _statuses(each: Answers) -> str:
    return listed([status for status in each.statuses if status not in ("200", "201")])


def _example(found: dict[str, Answers]) -> str:
    """The member with the most types, which says most about the file."""
    members = [
        (len(member.types), id_, path, member)
        for id_, each in found.items()
        for path, member in each.members.items()
        if HASHED not in path and member.types
    ]
    if not members:
        return ""
    _, id_, path, member = max(members, key=lambda each: (each[0], len(each[3].lengths), each[1], each[2]))
    return f"{id_}: {path}, {_described(member)}"


def _described(member: Member) -> str:
    types = listed([f"{kind} ({count:,})" for kind, count in member.types.items()])
    lengths = f", lengths {listed([f'{span} ({count:,})' for span, count in member.lengths.items()])}" if member.lengths else ""
    return f"present {member.present:,}, null {member.null:,}, absent {member.absent:,}: {types}{lengths}"
