"""Answers about another object than the one asked for."""

from collections.abc import Callable

from keyaudit.cloud.clients import Answer
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.operations.about import Form, Named
from tests.sweep.tenant import Call


def instead(other: Call) -> Callable[[Call, Callable[[Call], Answer], int], Answer]:
    """Answers what is true of the other object, whichever is asked for."""
    return lambda call, true, before: true(other if is_another(call, other) else call)


def is_another(one: Call, other: Call) -> bool:
    """Whether requests are about two objects that their operation tells apart."""
    about = OPERATIONS[one.operation].about
    if isinstance(about, Named) and about.form is Form.ABOVE and _host(one) != _host(other):
        # A scope within an HSM does not name the HSM.
        return False
    return _object(one) != _object(other)


def _host(call: Call) -> str:
    return call.url.split("/", 3)[2]


def _object(call: Call) -> str:
    """The address of the object, without a version, and what is posted."""
    path = call.url.partition("?")[0].rstrip("/")
    if "/versions" not in path and OPERATIONS[call.operation].path.endswith("/{version}"):
        path = "/".join(path.split("/")[:5])
    return path + call.body.decode()
