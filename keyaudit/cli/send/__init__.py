"""`keyaudit send`: messages to owners, tickets, and findings for Log Analytics."""

import typer

from keyaudit.cli.parameters import Command
from keyaudit.cli.send.log_ingestion import log_analytics, template
from keyaudit.cli.send.notifications import notify
from keyaudit.cli.send.ticketing import tickets

app = typer.Typer(help="Send changes to owners, tickets, or findings to a SIEM.", rich_markup_mode=None)
app.command("notifications", cls=Command)(notify)
app.command("tickets", cls=Command)(tickets)
app.command("log-analytics", cls=Command)(log_analytics)
app.command("template", cls=Command)(template)
