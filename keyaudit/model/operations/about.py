"""How an answer names the object that was asked for: the member with its name, or why there is none.

An answer that names another object, which a service, a cache or a proxy may return, is refused as inconsistent.
"""

from enum import StrEnum

from msgspec import Struct


class Form(StrEnum):
    """How a text names an object."""

    AT = "at"
    """It is the object's address, or one below it; the host may be left out, and case does not matter."""
    ABOVE = "above"
    """It is the object's address, or one above it: the scope of what is inherited from there."""
    INSIDE = "inside"
    """The object is named somewhere in it, in a fixed form; a text without that form names no object, and is right."""
    ONE_OF = "one of"
    """It is one of several ids that were posted."""


class Named(Struct, frozen=True):
    """The object is named by `member`: of the answer, or of each item if the answer is a list.

    A member of OData (`@odata.context`) is of the whole page. https://docs.oasis-open.org/odata/odata-json-format/v4.01
    """

    member: str
    """A name, or the names on the way to a nested member: "key.kid"."""
    by: str = ""
    """The name that is expected, with the placeholders of the request; empty: its path. For `ONE_OF`, the posted member."""
    form: Form = Form.AT
    left_out: str = ""
    """When a right answer lacks the member, for people; empty: never."""

    @property
    def of_page(self) -> bool:
        """Whether a list has it once, for all of its items."""
        return self.member.startswith("@")


class Unnamed(Struct, frozen=True):
    """The answer does not name the object. `why` completes "it does not name it: ..."."""

    why: str


About = Named | Unnamed

WHOLE_TENANT = Unnamed("it covers the whole tenant, which the token determines")
ROWS = Unnamed("a query covers many subscriptions, and each row names its subscription")
RELATED = Unnamed("Graph names related objects by their own ids, in the context directoryObjects")
NO_METADATA = "the request asks Graph to omit its metadata"
HOLDER = Named("@odata.context", "('{id}')", Form.INSIDE, NO_METADATA)
"""In the context of what an object contains: "applications('...')/federatedIdentityCredentials"."""
ITSELF = Named("id", "{id}")
ROTATION_POLICY = Named("id", left_out="the policy was never set, and the response is the default")
