"""`winnow demo-web`: the small web of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo_web_command(output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")]) -> None:
    """Write the small web with known truth that the demo and the tests run on."""
    from demo_web import make_web
    from demo_web.config import write_config

    truth = make_web(output)
    write_config(output)
    typer.echo(f"{output}: {len(truth.records):,} records")
