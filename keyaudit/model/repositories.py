"""Repositories of the organisation, as the hosting service lists them."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Held(StrEnum):
    """What a list of repositories says about the repository, project or owner that a federated credential trusts."""

    YES = "yes"
    """The list has it. For names: with no other id than those on record."""
    RE_REGISTERED = "re-registered"
    """The list has the name, but another id of it, or of its owner, is on record: somebody has registered it again."""
    OWNER_ONLY = "owner-only"
    """The list has its owner, but not the repository: it is deleted, renamed, or was not visible to the maker of the list."""
    NO = "no"
    """The list has neither it nor its owner."""
    NOT_COMPARED = "not-compared"
    """No list was supplied."""


class ListedRepository(Struct, frozen=True):
    """A repository or project with its id and its owner's."""

    host: str
    """The host of its web page, in lower case."""
    path: str
    """OWNER/REPOSITORY of GitHub; a GitLab project's path."""
    id: str
    owner_id: str

    @property
    def owner(self) -> str:
        """The organisation, user or group."""
        return self.path.rpartition("/")[0]


class Repositories(Struct, frozen=True, kw_only=True):
    """A file with a list of repositories."""

    digest: str
    """SHA-256 of the file, in hex."""
    listed: Sequence[ListedRepository]
