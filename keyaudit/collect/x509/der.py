"""A minimal DER parser to read the parts of a certificate separately. Lengths are never trusted."""

from collections.abc import Iterable

from msgspec import Struct

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03
OBJECT_ID = 0x06


class Element(Struct, frozen=True):
    """One value with its tag. `whole` is its encoding, `content` the part that its length covers."""

    tag: int
    whole: bytes
    content: bytes

    @property
    def parts(self) -> list["Element"]:
        """The values in its content in order; ValueError for other content."""
        return _elements(self.content)


def read(encoded: bytes, tag: int) -> Element:
    """The single value in `encoded`; ValueError if it is none, of another kind, or more than one."""
    found = _elements(encoded)
    if len(found) != 1 or found[0].tag != tag:
        raise ValueError("not the single expected value")
    return found[0]


def write(tag: int, parts: Iterable[bytes]) -> bytes:
    """The encoding of a value made of encoded parts."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def object_id(element: Element) -> str:
    """An object identifier with dots; ValueError if it is none."""
    content = element.content
    if element.tag != OBJECT_ID or not content or content[-1] & 0x80:
        raise ValueError("not an object identifier")
    arcs, arc = [], 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if arc >> 64:
            raise ValueError("an invalid arc of an object identifier")
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _elements(encoded: bytes) -> list[Element]:
    found, start = [], 0
    while start < len(encoded):
        first, end = _content(encoded, start)
        found.append(Element(encoded[start], encoded[start:end], encoded[first:end]))
        start = end
    return found


def _content(encoded: bytes, start: int) -> tuple[int, int]:
    """The start and end of the content of the value at `start`."""
    header = encoded[start : start + 2]
    if len(header) < 2 or header[0] & 0x1F == 0x1F:
        raise ValueError("not a value allowed in a certificate")
    first, size = start + 2, header[1]
    if size & 0x80:
        octets = encoded[first : first + (size & 0x7F)]
        first += size & 0x7F
        # At most four octets of length: a longer value is larger than anything that is read here.
        if not 1 <= len(octets) <= 4:
            raise ValueError("an invalid length")
        size = int.from_bytes(octets)
    if first + size > len(encoded):
        raise ValueError("longer than its container")
    return first, first + size
