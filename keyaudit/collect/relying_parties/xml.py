"""Reads XML as a flat list of elements, without entities and document types, so nothing is fetched."""

from typing import NoReturn
from xml.parsers import expat

from msgspec import Struct, field

from keyaudit.collect.supplied_file import UnreadError
from keyaudit.model.reasons import Reason

_DEEPEST = 100
_MOST = 50_000
"""The maximum number of elements of one document."""


class Element(Struct):
    """One element. `path` has the local names from the root, in lower case."""

    path: tuple[str, ...]
    attributes: dict[str, str]
    line: int
    text: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its own local name, in lower case."""
        return self.path[-1]


def elements(data: bytes) -> list[Element]:
    """Every element in document order. Raises UnreadError with the line if the XML is not well-formed.

    The same for an encrypted part, unless it is connection strings.

    A document type is refused: it can declare entities that grow to any size, or refer to other files and hosts. No supported
    file needs one.
    """
    found: list[Element] = []
    open_: list[Element] = []
    # With a separator, names are "namespace local"; the namespace is ignored.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(open_) >= _DEEPEST or len(found) >= _MOST:
            raise UnreadError(Reason.TOO_LARGE, "more elements than any such file contains", parser.CurrentLineNumber)
        path = (*open_[-1].path, _local(name)) if open_ else (_local(name),)
        # A section of a web.config can be encrypted. Encrypted sections other than connection strings are unknown.
        if path[-1] == "encrypteddata" and "connectionstrings" not in path:
            raise UnreadError(Reason.UNRECOGNISED, "an encrypted part", parser.CurrentLineNumber)
        one = Element(path, {_local(key): value for key, value in attributes.items()}, parser.CurrentLineNumber)
        found.append(one)
        open_.append(one)

    def refuse(*_: object) -> NoReturn:
        raise UnreadError(Reason.BAD_BODY, "XML with a document type, which is not read", parser.CurrentLineNumber)

    def add_text(text: str) -> None:
        open_[-1].text.append(text)

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: open_.pop()
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UnreadError(Reason.BAD_BODY, f"not XML: {expat.errors.messages[error.code]}", error.lineno) from error
    # An encoding that Python does not know, or that is not a text encoding.
    except (LookupError, ValueError) as error:
        raise UnreadError(Reason.BAD_BODY, "not XML in a known encoding") from error
    return found


def _local(name: str) -> str:
    return name.rpartition(" ")[2].lower()
