"""Reads a message or fix: every placeholder checked against the table's columns and the policy's parameters.

{name}                     a column or parameter
{name:never used}          the text after the colon stands for an absent value, or for an empty list
{since(created_on)}        how long ago, as a duration; {until(expires_on)}: how long from now
{between(starts_on, expires_on)}
{app_roles+directory_roles:nothing}      what several lists hold together
{missing(categories_sent, categories)}   what a list lacks of a parameter's items
{without(environments, production)}      the items of a list that a parameter does not have
{short(scope)}             the last part of an id
{part(id, resourceGroups):GROUP}         the part of a resource id after a segment
{tags[owner]:nobody}       an entry of a map
{users|user|users}         a noun that agrees with a number, or with the length of a list
{--size key_size}          in a command: the option with the column's value, every word quoted; nothing for an absent value
"""

import re
from collections.abc import Collection, Mapping
from string import Formatter

from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.schema.columns import Column
from keyaudit.policy.conditions.types import Kind
from keyaudit.policy.templates import NAME, Placeholder, Template

MAX_LENGTH = 2_000

_NAME = r"[a-z_][a-z0-9_]*"
_LISTS = (Kind.TEXTS, Kind.MAP)
_FORMS: tuple[tuple[re.Pattern[str], Collection[Kind], str], ...] = tuple(
    (re.compile(pattern.replace("NAME", _NAME)), kinds, noun)
    for pattern, kinds, noun in (
        (r"(?P<span>since|until)\((?P<column>NAME)\)", (Kind.TIME,), "a time"),
        (r"(?P<span>between)\((?P<column>NAME), ?(?P<last>NAME)\)", (Kind.TIME,), "a time"),
        (r"(?P<joined>NAME(?:\+NAME)+)", (Kind.TEXTS,), "a list"),
        (r"(?P<compared>missing|without)\((?P<column>NAME), ?(?P<list>NAME)\)", (Kind.TEXTS,), "a list"),
        (
            r"(?P<option>--[a-z][a-z-]*) (?P<column>NAME)",
            (Kind.TEXT, Kind.INTEGER, Kind.TIME, *_LISTS),
            "a text, a number, a time, a list or a map",
        ),
        (r"part\((?P<column>NAME), ?(?P<segment>[A-Za-z]+)\)", (Kind.TEXT,), "a text"),
        (r"(?P<short>short)\((?P<column>NAME)\)", (Kind.TEXT,), "a text"),
        (r"(?P<column>NAME)\[(?P<entry>[^\[\]]+)\]", (Kind.MAP,), "a map"),
        (r"(?P<column>NAME)\|(?P<one>[^|]+)\|(?P<many>[^|]+)", (Kind.INTEGER, Kind.COUNT, Kind.TEXTS), "a number or a list"),
    )
)
"""Computed placeholders: their syntax, and the kinds of column that they accept."""


def template(text: str, columns: Mapping[str, Column], parameters: Collection[str], present: Collection[str] = ()) -> Template:
    """The template in `text`. `present`: the columns that cannot be absent in it.

    Raises FieldError for an invalid placeholder, or one without a text for a value that may be absent or empty.
    """
    if len(text) > MAX_LENGTH:
        raise FieldError(f"a text of more than {MAX_LENGTH:,} characters, to be filled in for every finding", "shorten it")
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise FieldError(f"not a template: {error}", "write {{ and }} for braces") from None
    found: list[tuple[str, Placeholder | None]] = []
    for literal, inner, form, conversion in parts:
        if inner is None:
            found.append((literal, None))
            continue
        if conversion:
            raise FieldError(f"no such placeholder: {shown('{' + inner + '!' + conversion + '}')}", "leave ! out")
        found.append((literal, _placeholder(inner, form or "", columns, parameters, present)))
    return Template(text, tuple(found))


def _placeholder(
    inner: str, text: str, columns: Mapping[str, Column], parameters: Collection[str], present: Collection[str]
) -> Placeholder:
    if inner in parameters and inner not in columns:
        if text:
            raise FieldError(f"{inner} is a parameter, which is never absent", "remove the text after :")
        return Placeholder(inner)
    if inner in columns:
        found = Placeholder(inner, (inner,), Kind(columns[inner].type.value), text)
    else:
        found = _computed(inner, text, columns, parameters)
    if not text and not found.noun and not found.compared and not found.option:
        _require_text(found, columns, present)
    return found


def _computed(inner: str, text: str, columns: Mapping[str, Column], parameters: Collection[str]) -> Placeholder:
    for pattern, kinds, noun in _FORMS:
        match = pattern.fullmatch(inner)
        if match is None:
            continue
        given = {name: value for name, value in match.groupdict().items() if value is not None}
        names = (
            given["joined"].split("+")
            if "joined" in given
            else [given["column"], *([given["last"]] if "last" in given else [])]
        )
        other = given.get("list", "")
        if other and other not in parameters:
            raise FieldError(f"no such parameter: {shown(other)}", nearest(other, list(parameters)))
        read = tuple(_column(name, columns, parameters) for name in names)
        for column in read:
            if Kind(column.type.value) not in kinds:
                raise FieldError(f"{shown('{' + inner + '}')}: {column.name} is not {noun}")
        return Placeholder(
            inner,
            tuple(names),
            Kind(read[0].type.value),
            text,
            span=given.get("span", ""),
            entry=given.get("entry", "").lower(),
            noun=(given["one"], given["many"]) if "one" in given else None,
            compared=given.get("compared", ""),
            other=other,
            short="short" in given,
            segment=given.get("segment", "").lower(),
            option=given.get("option", ""),
        )
    what = f"no such column or parameter: {shown('{' + inner + '}')}"
    raise FieldError(what, nearest(inner, [*columns, *parameters]))


def _column(name: str, columns: Mapping[str, Column], parameters: Collection[str]) -> Column:
    if name in parameters and name not in columns:
        raise FieldError(f"{name} is a parameter, not a column", "write {" + name + "}")
    if name not in columns:
        raise FieldError(f"no such column: {shown(name)}", nearest(name, list(columns)))
    return columns[name]


def _require_text(found: Placeholder, columns: Mapping[str, Column], present: Collection[str]) -> None:
    """Requires a text for a value that may be absent or empty."""
    place = shown("{" + found.name + "}")
    for column in (columns[name] for name in found.columns):
        if column.name not in {*present, NAME} and column.absent:
            remedy = "give a text for absence, as in {last_used_on:never used}, or a separate message in message_when"
            raise FieldError(f"{place}: {column.name} may be absent ({column.absent})", remedy)
        if found.segment:
            raise FieldError(f"{place}: the segment may be missing", "give a text for absence, as in {part(id, vaults):VAULT}")
        if found.entry:
            raise FieldError(f"{place}: the entry may be missing", "give a text for absence, as in {tags[owner]:nobody}")
        if Kind(column.type.value) in _LISTS:
            raise FieldError(f"{place}: {column.name} may be empty", "give a text for absence, as in {allows:nothing}")
