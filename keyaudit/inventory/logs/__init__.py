"""The log store: uses from logs, with what was read and what was not."""

from keyaudit.inventory.logs.store import LogStore, open_logs
from keyaudit.inventory.logs.use import FileRead, SourceRead, Use

__all__ = ["FileRead", "LogStore", "SourceRead", "Use", "open_logs"]
