"""Whether an answer is about what was asked for, by the member that its operation declares."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct, UnsetType, defstruct, field

from keyaudit.model.coverage import Refusal
from keyaudit.model.operations import Operation
from keyaudit.model.operations.about import Form, Named
from keyaudit.model.reasons import Reason

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Check(Struct, frozen=True):
    """The comparison for one request."""

    named: Named
    names: Callable[[str], bool]
    """Whether a text names the object that was asked for."""

    def refusal(self, answer: bytes) -> Refusal | None:
        """Why this JSON object, of an answer or in a list, is not about what was asked for; None if it is."""
        member = self.named.member
        try:
            text = _name_in(answer, member)
        except (msgspec.MsgspecError, RecursionError):
            return Refusal(Reason.BAD_BODY, f"its {member} is no name", 200)
        if not text:
            return None if self.named.left_out else Refusal(Reason.BAD_BODY, f"it has no {member}", 200)
        if self.names(text):
            return None
        return Refusal(Reason.INCONSISTENT, f"its {member} names another object than the one asked for", 200)


def check_of(
    operation: Operation, host: str, segments: Mapping[str, str], body: Mapping[str, object] | None = None
) -> Check | None:
    """The check of answers to one request to `host`; None if answers of the operation do not name their object."""
    named = operation.about
    return Check(named, _names(named, operation, host, segments, body)) if isinstance(named, Named) else None


def _names(
    named: Named, operation: Operation, host: str, segments: Mapping[str, str], body: Mapping[str, object] | None
) -> Callable[[str], bool]:
    template = named.by or operation.path
    if named.form is Form.ONE_OF:
        posted: Any = (body or {}).get(template, ())
        ids = frozenset(str(each).lower() for each in posted)
        return lambda text: text.lower() in ids
    if named.form is Form.INSIDE:
        form, [name] = _pattern(template), _PLACEHOLDER.findall(template)
        return lambda text: (found := form.search(text)) is None or unquote(found[1]).lower() == segments[name].lower()
    wanted = template.format_map(segments).lower().strip("/")
    if named.form is Form.ABOVE:
        return lambda text: _is_within(wanted, _path(text, host))
    return lambda text: _is_within(_path(text, host), wanted)


def _is_within(path: str | None, above: str | None) -> bool:
    """Whether a path is another one, or below it; the empty path is above every other."""
    return path is not None and above is not None and (above in ("", path) or path.startswith(f"{above}/"))


def _path(text: str, host: str) -> str | None:
    """The path of an id in lower case; None if it is on another host."""
    text = text.lower()
    if text.startswith("https://"):
        found, _, text = text.removeprefix("https://").partition("/")
        # Key Vault adds the port to some addresses.
        if found.removesuffix(":443") != host:
            return None
    return text.strip("/")


@cache
def _pattern(template: str) -> re.Pattern[str]:
    before, after = _PLACEHOLDER.sub("\0", template).split("\0")
    return re.compile(rf"{re.escape(before)}([^/'()]+){re.escape(after)}", re.IGNORECASE)


def _name_in(answer: bytes, member: str) -> str | None:
    found: Any = _decoder(member).decode(answer)
    while isinstance(found, Struct):
        [name] = found.__struct_fields__
        found = getattr(found, name)
    return None if isinstance(found, UnsetType) else found


@cache
def _decoder(member: str) -> msgspec.json.Decoder[Any]:
    """A decoder of no more than the one member: the parts of a nested one are separated by dots, except in OData's names."""
    form: Any = str | None
    for name in (member,) if member.startswith("@") else reversed(member.split(".")):
        form = defstruct("Naming", [("name", form | UnsetType, field(default=msgspec.UNSET, name=name))])
    return msgspec.json.Decoder(form)
