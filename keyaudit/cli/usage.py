"""`keyaudit usage`: what logs show of keys, credentials and mail: what is usual, and what does not belong."""

import typer

from keyaudit.cli import usage_check, usage_learn

app = typer.Typer(help="What logs show of keys, credentials and mail, and what of it does not belong.", rich_markup_mode=None)
app.command("learn")(usage_learn.learn)
app.command("show")(usage_learn.show)
app.command("check")(usage_check.check)
