"""A recipe as a graph: branches of stages that start at sources, merge, part again and end in shards.

    web  = branch("web", source) | IndexStage(...) | ReadStage(...) | LocalStage("clean", steps)
    wiki = branch("wiki", other) | ...
    docs = merge(web, wiki) | SurveyStage("dedup", surveys)
    return Recipe.of("llama", docs | TokenizeStage(...) | MixStage(...) | ShardsStage(...))

A stage's id is the path of its branch and its name, `web/clean`; after `merge` there is no branch and the id is the
name alone. Ids are unique, or the recipe is refused when it is built, with what else cannot work: a stage that reads
nothing, two steps of one name that would overwrite each other's column, a step named like a column of every document.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.modules.parts import describe_parts
from pipelines.runs.stage import STAGE_SETTINGS, Stage
from pipelines.runs.upstream import Route
from schemas.errors import ConfigError
from schemas.records import Document

_NAME = re.compile(r"[a-z][a-z0-9_]*")
FOLDERS = frozenset({"runs", "logs"})  # of a run, besides those of its stages
RESERVED = STAGE_SETTINGS.union(column.name for column in dataclasses.fields(Document))


@dataclass(frozen=True)
class Node:
    """A stage in its place."""

    id: str
    stage: Stage
    upstream: tuple[str, ...]  # ids of the stages it reads; none for the first of a source
    route: Route | None = None
    source: str = ""  # name of the source whose files it reads
    measures: Mapping[str, type] = field(default_factory=dict)  # the Stats columns of the documents that it reads


@dataclass(frozen=True)
class Flow:
    """What is laid out so far, and the stages that the next one reads."""

    nodes: tuple[Node, ...] = ()
    ends: tuple[str, ...] = ()
    prefix: str = ""
    route: Route | None = None
    source: Any = None  # of a branch that has no stage yet

    def __or__(self, stage: Stage | None) -> Flow:
        """Return the flow with one more stage; None, of a rule that is switched off, adds nothing."""
        if stage is None or getattr(stage, "is_empty", False):
            return self
        if isinstance(stage, type) or not isinstance(getattr(stage, "kept_table", None), str):
            what = stage.__name__ if isinstance(stage, type) else type(stage).__name__
            raise ConfigError(f"{self.prefix}: expected a stage after `|`, found {what}; a step goes into a LocalStage")
        if not _NAME.fullmatch(stage.name):
            raise ConfigError(f"stage {stage.name!r}: a name is lower-case letters, digits and _")
        if not self.ends and self.source is None:
            raise ConfigError(f"stage {stage.name}: reads nothing; begin with branch(name, source)")
        if self.route is not None and not getattr(stage, "takes_route", False):
            raise ConfigError(f"stage {self.prefix}{stage.name}: cannot take part of a flow; begin with a LocalStage")
        source = self.source.name if not self.ends else ""
        node = Node(f"{self.prefix}{stage.name}", stage, self.ends, self.route, source)
        if any(other.id == node.id for other in self.nodes):
            raise ConfigError(f"stage {node.id}: there are two of this name; each needs its own")
        return Flow((*self.nodes, node), (node.id,), self.prefix)


def branch(name: str, source: Any) -> Flow:
    """Begin a branch that reads a source; its stages are named `name/...`."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"branch {name!r}: a name is lower-case letters, digits and _")
    return Flow(prefix=f"{name}/", source=source)


def merge(*flows: Flow) -> Flow:
    """Bring several branches together: the next stage reads the tables of all of them, one after the other."""
    nodes: dict[str, Node] = {}
    for flow in flows:
        if not isinstance(flow, Flow):
            raise ConfigError(f"merge: expected branches, found {type(flow).__name__}")
        if not flow.ends:
            raise ConfigError("merge: a branch without a stage has nothing to merge")
        if flow.route is not None:
            raise ConfigError(f"merge: branch {flow.prefix[:-1]} takes documents but has no stage")
        for node in flow.nodes:
            if nodes.setdefault(node.id, node) is not node:
                raise ConfigError(f"stage {node.id}: there are two of this name; each needs its own")
    ends = tuple(end for flow in flows for end in flow.ends)
    twice = next((end for end in ends if ends.count(end) > 1), None)
    if twice is not None:
        raise ConfigError(f"merge: stage {twice} is given twice; its documents would be read twice")
    return Flow(tuple(nodes.values()), ends)


def route(flow: Flow, choose: Callable[[Any], str], names: Sequence[str]) -> dict[str, Flow]:
    """Part a flow: a document goes to the branch that `choose(draft)` names, which must be one of `names`.

    No text is copied for it: the first stage of each branch, a LocalStage, reads the same tables and takes its own.
    """
    if len(set(names)) < len(names) or not all(_NAME.fullmatch(name) for name in names):
        raise ConfigError(f"route: {list(names)} is not allowed; expected different names of lower-case letters")
    prefix = flow.prefix
    return {
        name: dataclasses.replace(flow, prefix=f"{prefix}{name}/", route=Route(choose, name, tuple(names)))
        for name in names
    }


@dataclass(frozen=True)
class Recipe:
    """A named graph of stages, each after all that it reads."""

    name: str
    nodes: tuple[Node, ...]
    sources: Mapping[str, Any]  # by name
    settings: Any = None  # what it was made from, for config.yaml

    @staticmethod
    def of(name: str, flow: Flow, settings: Any = None) -> Recipe:
        """Return the recipe that ends with `flow`. Raises ConfigError when its parts do not fit."""
        sources: dict[str, Any] = {}
        _check_ids([node.id for node in flow.nodes])
        for node in flow.nodes:
            if node.source:
                source = getattr(node.stage, "source", None)
                if source is None or source.name != node.source:
                    raise ConfigError(f"stage {node.id}: is the first of a branch and must read its source")
                if node.source in sources:
                    raise ConfigError(f"source {node.source}: two branches read a source of this name; use route")
                sources[node.source] = source
            _check_steps(node)
            describe_parts([*node.stage.code, *([node.route] if node.route else [])])  # a lambda cannot be imported
        if not sources:
            raise ConfigError(f"recipe {name}: has no source")
        _check_routes(name, flow.nodes)
        _check_tables(flow.nodes)
        nodes = _with_measures(flow.nodes)
        read = {end for node in flow.nodes for end in node.upstream}
        loose = [node.id for node in flow.nodes if node.id not in read and node.id not in flow.ends]
        if loose:
            raise ConfigError(f"recipe {name}: nothing reads stage {loose[0]}")
        return Recipe(name, nodes, sources, settings)

    def node(self, stage: str) -> Node:
        """Return the node of an id."""
        return next(node for node in self.nodes if node.id == stage)


def _check_ids(ids: Sequence[str]) -> None:
    """Raise ConfigError when two stages would share a folder, or one that a run has for something else."""
    for name in ids:
        first = name.partition("/")[0]
        if first in FOLDERS:
            raise ConfigError(f"stage {name}: a run has a folder {first} for something else; choose another name")
        inside = next((other for other in ids if other.startswith(f"{name}/")), None)
        if inside is not None:
            raise ConfigError(f"stage {name}: has the name of a branch ({inside}); choose another one")


def _check_tables(nodes: Sequence[Node]) -> None:
    """Raise ConfigError when a stage does not read what those before it write."""
    kept = {node.id: node.stage.kept_table for node in nodes}
    for node in nodes:
        wanted = node.stage.reads
        found = next((before for before in node.upstream if kept[before] != wanted), None)
        if found is not None:
            raise ConfigError(f"stage {node.id}: reads {wanted}, but {found} writes {kept[found] or 'shards'}")
        if bool(wanted) != bool(node.upstream):
            raise ConfigError(f"stage {node.id}: reads {wanted or 'files'}; an IndexStage is the first of a branch")


def _with_measures(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Return the nodes with the measures of what they read. Raises ConfigError when a step would overwrite the column
    of another, two branches disagree about one, or a survey needs one that nobody stores."""
    told = []
    after: dict[str, dict[str, type]] = {}
    for node in nodes:
        mine: dict[str, type] = {}
        for before in node.upstream:
            for name, stats in after[before].items():
                if mine.setdefault(name, stats) is not stats:
                    raise ConfigError(f"stage {node.id}: its branches have different columns {name}; rename one")
        told.append(dataclasses.replace(node, measures=dict(mine)))
        source = getattr(node.stage, "source", None)
        if source is not None and source.reader.facts is not None:
            mine[source.kind] = source.reader.facts
        for step in getattr(node.stage, "steps", ()):
            _check_needs(node.id, step, mine)
            measured: type | None = getattr(step, "stats", None)
            if measured is not None and step.name in mine:
                raise ConfigError(f"stage {node.id}: step {step.name}: an earlier stage has a column of this name")
            if measured is not None:
                mine[step.name] = measured
        after[node.id] = mine
    return tuple(told)


def _check_needs(stage: str, step: Any, columns: Mapping[str, type]) -> None:
    """Raise ConfigError when a step looks at a measure that no step before it has taken."""
    stored = [f"{name}.{of.name}" for name, stats in columns.items() for of in dataclasses.fields(stats)]
    missing = next((name for name in getattr(step, "needs", ()) if name not in stored), None)
    if missing is not None:
        known = difflib.get_close_matches(missing, stored) or stored[:8]
        where = f"; expected one like {', '.join(known)}" if known else ""
        raise ConfigError(f"stage {stage}: step {step.name} needs {missing}, which no step before it measures{where}")


def _check_routes(recipe: str, nodes: Sequence[Node]) -> None:
    """Raise ConfigError when a branch of a route is left out: its documents would be lost without a word."""
    for node in nodes:
        if node.route is not None:
            siblings = [other.route for other in nodes if other.route is not None and other.upstream == node.upstream]
            taken = {route.name for route in siblings if route.choose == node.route.choose}
            missing = next((name for name in node.route.names if name not in taken), None)
            if missing is not None:
                raise ConfigError(
                    f"recipe {recipe}: nothing takes branch {missing} of the route after {node.upstream[0]}"
                )


def _check_steps(node: Node) -> None:
    """Raise ConfigError when two steps of a stage, or a step and a column of every document, share a name."""
    taken: set[str] = set()
    for step in getattr(node.stage, "steps", ()):
        if not isinstance(getattr(step, "name", None), str):
            raise ConfigError(f"stage {node.id}: expected a step, found {type(step).__name__}")
        if not _NAME.fullmatch(step.name):
            raise ConfigError(f"stage {node.id}: step {step.name!r}: a name is lower-case letters, digits and _")
        if step.name in RESERVED:
            raise ConfigError(
                f"stage {node.id}: step {step.name}: every document or stage has something of this name; "
                "choose another one"
            )
        if step.name in taken:
            raise ConfigError(f"stage {node.id}: step {step.name}: there are two of this name; each needs its own")
        taken.add(step.name)
