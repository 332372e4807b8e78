"""The tables in a terminal."""

from rich.console import Console
from rich.table import Table

from benchmarks.versus.readings import Run
from benchmarks.versus.report.sheets import Sheet, sheets

WIDTH = 120
"""Columns where the terminal does not say how wide it is."""


def show(run: Run, console: Console | None = None) -> None:
    """Print a table of each kind that was measured, and how far botkit is from what it aims at."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, file=console.file)
    for sheet in sheets(run).values():
        console.print(_table(sheet))


def _table(sheet: Sheet) -> Table:
    table = Table(title=sheet.title, title_justify="left", caption=sheet.note or None, caption_justify="left")
    for number, column in enumerate(sheet.columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*row)
    return table
