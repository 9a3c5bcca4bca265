"""The state of a run, from its journal and checkpoints alone, without importing torch."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.errors import RunError
from trainer.loop.journal import Clock, History, read_events

RECENT = 20  # steps over which speed and loss are taken


def status(folder: Path) -> dict[str, Any]:
    """Return stage, step, loss, tokens, speed, goodput and SHA-256 of the newest saved weights.

    RunError when the folder holds no run.
    """
    recipe_path = folder / "recipe.json"
    if not recipe_path.exists():
        raise RunError(f"{folder}: no training run here (recipe.json is missing)")
    recipe = json.loads(recipe_path.read_bytes())
    history, clock, done, rollbacks, last = History(), Clock(), set[str](), 0, None
    window: list[Mapping[str, Any]] = []  # the newest steps, whole
    for event in read_events(folder):
        history.add(event)
        clock.add(event)
        rollbacks += event["event"] == "rollback"
        done |= {event["stage"]} if event["event"] == "stage" else set()
        if event["event"] in ("start", "rollback", "step"):
            window = [step for step in window if step["step"] < event["step"]][1 - RECENT :]
        if event["event"] == "step":
            window.append(event)
        last = event
    recent = {name: column[-RECENT:] for name, column in history.columns.items()}
    seconds = sum(recent["s"])
    names = [stage["name"] for stage in recipe["stages"]]
    return {
        "name": recipe["name"],
        "stage": history.names[history.stages[-1]] if history.steps else names[0],
        "stages_done": [name for name in names if name in done],
        "stages": names,
        "finished": bool(names) and names[-1] in done,
        "step": history.steps[-1] + 1 if history.steps else 0,
        "loss": history.columns["loss"][-1] if history.steps else None,
        "metrics": _recent_metrics(window),
        "tokens": int(sum(history.columns["tokens"])),
        "tokens_per_s": sum(recent["tokens"]) / seconds if seconds else None,
        "waiting_for_data": sum(recent["waited_s"]) / seconds if seconds else None,
        "rollbacks": rollbacks,
        "time": asdict(clock.worth(history, _until(last))),
        "weights": newest_weights(folder),
    }


def _recent_metrics(recent: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean of each of the objective's metrics over the recent steps of the last stage."""
    found: dict[str, list[float]] = {}
    for event in recent:
        if event["stage"] == recent[-1]["stage"]:
            for name, value in event.get("metrics", {}).items():
                found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in sorted(found.items())}


def _until(last: Mapping[str, Any] | None) -> float:
    """Return up to when time counts: the end of a run that ended by itself, else now."""
    return float(last["t"]) if last and last["event"] in ("stop", "stage") else time.time()


def newest_weights(folder: Path) -> dict[str, Any] | None:
    """Return step, SHA-256 and folder of the newest weights that were saved whole, or None."""
    found = []
    for path in [*folder.glob("checkpoints/step-*/state.json"), *folder.glob("stages/*/checkpoint/state.json")]:
        try:
            state = json.loads(path.read_bytes())
            step = sum(state["taken"]) + state["step"]
        except (ValueError, KeyError):
            continue
        found.append((step, state["stage"], str(path.parent), state["weights_sha256"]))
    if not found:
        return None
    step, _, where, sha256 = max(found)
    return {"step": step, "sha256": sha256, "path": where}
