"""The state of a run, from its journal and checkpoints alone, without importing torch."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.errors import RunError
from trainer.loop.journal import lineage, read_journal, worth

RECENT = 20  # steps over which speed and loss are taken


def status(folder: Path) -> dict[str, Any]:
    """Return stage, step, loss, tokens, speed, goodput and SHA-256 of the newest saved weights.

    RunError when the folder holds no run.
    """
    recipe_path = folder / "recipe.json"
    if not recipe_path.exists():
        raise RunError(f"{folder}: no training run here (recipe.json is missing)")
    recipe = json.loads(recipe_path.read_bytes())
    events = read_journal(folder)
    steps = lineage(events)
    recent = [steps[n] for n in sorted(steps)[-RECENT:]]
    last = recent[-1] if recent else None
    seconds = sum(event["s"] for event in recent)
    tokens = sum(event["tokens"] for event in recent)
    done = [event["stage"] for event in events if event["event"] == "stage"]
    names = [stage["name"] for stage in recipe["stages"]]
    return {
        "name": recipe["name"],
        "stage": last["stage"] if last else names[0],
        "stages_done": [name for name in names if name in done],
        "stages": names,
        "finished": bool(names) and names[-1] in done,
        "step": last["step"] + 1 if last else 0,
        "loss": last["loss"] if last else None,
        "metrics": _recent_metrics(recent),
        "tokens": sum(event["tokens"] for event in steps.values()),
        "tokens_per_s": tokens / seconds if seconds else None,
        "waiting_for_data": sum(event["waited_s"] for event in recent) / seconds if seconds else None,
        "rollbacks": sum(event["event"] == "rollback" for event in events),
        "time": asdict(worth(events, _until(events))),
        "weights": newest_weights(folder),
    }


def _recent_metrics(recent: list[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean of each of the objective's metrics over the recent steps of the last stage."""
    found: dict[str, list[float]] = {}
    for event in recent:
        if event["stage"] == recent[-1]["stage"]:
            for name, value in event.get("metrics", {}).items():
                found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in sorted(found.items())}


def _until(events: list[dict[str, Any]]) -> float:
    """Return up to when time counts: the end of a run that ended by itself, else now."""
    last = events[-1] if events else None
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
