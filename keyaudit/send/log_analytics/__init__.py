"""What `keyaudit send` sends to a table of Log Analytics, and what makes that table and shows it: template and workbook."""

from keyaudit.send.log_analytics.rows import COLUMNS, STREAM, TABLE, finding_rows, verdict_row
from keyaudit.send.log_analytics.template import template
from keyaudit.send.log_analytics.workbook import workbook

__all__ = ["COLUMNS", "STREAM", "TABLE", "finding_rows", "template", "verdict_row", "workbook"]
