"""The permissions that keyaudit needs, in each format for granting them."""

from collections.abc import Callable, Mapping

from keyaudit.report.permissions import az, bicep, json, terraform, text
from keyaudit.report.permissions.needs import Needed

FORMATS: Mapping[str, Callable[[Needed], str]] = {
    "text": text.render,
    "az": az.render,
    "bicep": bicep.render,
    "terraform": terraform.render,
    "json": json.render,
}
