"""`python -m deploy.flink up | down | status | args`: a local Flink cluster for `winnow run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.flink.cluster import Cluster, Home, Settings, checks
from pipelines.engines.local_flink import default_home
from schemas.errors import ConfigError, RunError, WinnowError

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder of state, logs and scratch.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0: the usual one, or one that is free.")]


@app.command()
def up(
    home: HomeOption = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of downloads; $XDG_CACHE_HOME/winnow else.")] = None,
    slots: Annotated[int, typer.Option(min=1, help="Slots of each task manager.")] = 2,
    task_managers: Annotated[int, typer.Option(min=1)] = 1,
    changes: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE over flink-conf.yaml.")] = None,
    rest_port: Port = 0,
    job_port: Port = 0,
    pool_port: Port = 0,
) -> None:
    """Start the cluster, or say that it is up."""
    settings = Settings(slots, task_managers, dict(map(_pair, changes or [])))
    ports = {"rest": rest_port, "job": job_port, "pool": pool_port}
    folder = (home or default_home()).absolute()
    cluster = Home(folder).up(settings, ports, cache, lambda line: typer.echo(line, err=True))
    typer.echo(f"Flink is up: http://{cluster.flink}  job server {cluster.job_server}  worker pool {cluster.pool}")
    typer.echo(f"logs: {folder}/log")
    if folder == default_home().absolute():
        typer.echo("winnow run --input ... --output ... --runner FlinkRunner")
    else:  # a run looks for a cluster in the usual folder alone
        typer.echo(f"winnow run --input ... --output ... {' '.join(cluster.beam_args)}")


@app.command()
def down(home: HomeOption = None) -> None:
    """Stop the cluster and all that belongs to it."""
    typer.echo("Flink is down" if Home((home or default_home()).absolute()).down() else "there was no cluster")


@app.command()
def status(home: HomeOption = None) -> None:
    """Say what is up and whether it answers; exit status 1 when something does not."""
    cluster = _existing(home)
    for process in cluster.processes:
        typer.echo(f"{process.name:<16}{process.pid:>8}  {'alive' if process.alive else 'dead'}")
    failed = False
    for name, check in checks(cluster):
        try:
            check()
            typer.echo(f"{name:<16}          answers")
        except WinnowError as error:
            failed = True
            typer.echo(f"{name:<16}          {error}")
    raise typer.Exit(1 if failed or not all(process.alive for process in cluster.processes) else 0)


@app.command()
def args(home: HomeOption = None) -> None:
    """Print the options of `winnow run` that send a run to the cluster."""
    typer.echo(" ".join(_existing(home).beam_args))


def _existing(home: Path | None) -> Cluster:
    cluster = Home((home or default_home()).absolute()).cluster()
    if cluster is None:
        raise RunError("there is no cluster; start one with `make flink-up`")
    return cluster


def _pair(change: str) -> tuple[str, str]:
    key, equals, value = change.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {change}: expected KEY=VALUE")
    return key, value


def main() -> None:
    """Run the command line; errors that we raise on purpose are one line."""
    try:
        app()
    except WinnowError as error:
        typer.echo(f"deploy.flink: {error}", err=True)
        raise SystemExit(1) from None
