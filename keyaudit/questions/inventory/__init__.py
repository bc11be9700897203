"""The collected inventory in each format: a summary of all tables, or the rows of one."""

from collections.abc import Mapping

from keyaudit.model.results.run import Inventory
from keyaudit.questions.inventory import json, text
from keyaudit.report.options import Render, plain
from keyaudit.report.tabular import listings as csv

FORMATS: Mapping[str, Render[Inventory]] = {
    "text": text.render,
    "table": text.render_table,
    "json": plain(json.render),
    "csv": plain(csv.render),
}
