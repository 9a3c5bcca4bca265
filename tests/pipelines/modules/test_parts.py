"""What parts are made of, and what is refused because no worker could import it."""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from pipelines.modules.parts import describe_parts
from schemas.errors import ConfigError
from transforms.heuristics import c4, gopher
from transforms.heuristics.gopher import GopherConfig, GopherStats
from transforms.step import Editor, Filter
from transforms.text.view import TextView

HERE = __name__


@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(GopherConfig):
    """Settings that measure."""

    def measure(self, view: TextView) -> GopherStats:
        return gopher.measure(view, self)


CONFIG = Own()
GOPHER = Filter("gopher", CONFIG.measure, gopher.decide, CONFIG, resources=("list.txt",))


class Plain:
    """A step that is no dataclass."""

    def __init__(self, settings: Any, words: Any = ()) -> None:
        self.name, self.settings, self.words, self.resources = "plain", settings, words, ["a.txt"]


class Slotted:
    __slots__ = ("resources", "words")

    def __init__(self, words: str) -> None:
        self.words, self.resources = words, "a.txt"


@dataclasses.dataclass(frozen=True)
class Outer:
    """A step around another one."""

    inner: Any
    settings: Any = None
    calls: Counter[str] = dataclasses.field(default_factory=Counter, compare=False)


class Pair(NamedTuple):
    left: int
    right: Callable[..., Any]


class Words(list[str]):
    """A list of its own kind."""


class Color(enum.Enum):
    RED = 1


def describe(*parts: Any) -> list[Any]:
    return describe_parts(parts).parts


def test_a_filter_is_its_functions_and_not_its_settings() -> None:
    made = describe_parts([GOPHER])
    assert made.parts == [
        [
            "transforms.step.Filter",
            {
                "name": "gopher",
                "measure": [f"{HERE}.Own", "measure"],
                "decide": "transforms.heuristics.gopher.decide",
                "settings": f"{HERE}.Own",
                "limits": [],
            },
        ]
    ]
    assert set(made.modules) == {"transforms.step", "transforms.heuristics.gopher", HERE}
    other = Own(min_words=7)
    assert describe(Filter("gopher", other.measure, gopher.decide, other)) == made.parts


def test_the_settings_of_an_object_inside_a_part_count_unless_they_are_the_parts() -> None:
    one, two = (Outer(dataclasses.replace(GOPHER, settings=GopherConfig(min_words=n))) for n in (1, 2))
    assert describe(one) != describe(two)
    shared = [Outer(Filter("g", c.measure, gopher.decide, c), c) for c in (Own(), Own(min_words=2))]
    assert describe(shared[0]) == describe(shared[1])
    assert describe_parts([one], [one.inner.settings]).parts != describe_parts([two]).parts
    named = [describe_parts([each], [each.inner.settings, CONFIG]).parts for each in (one, two)]
    assert named[0] == named[1]


def test_equal_plain_settings_hide_nothing_else() -> None:
    assert describe(Plain("en", words="en")) != describe(Plain("en", words="de"))
    assert describe(Plain((), words=())) != describe(Plain((), words=(1,)))


def test_a_step_that_is_no_dataclass_is_described_as_it_is_pickled() -> None:
    assert describe(Plain({"a": 1}, "x")) == describe(Plain({"a": 2}, "x")) != describe(Plain({"a": 2}, "y"))
    assert describe(Slotted("x")) == describe(Slotted("x")) != describe(Slotted("y"))
    assert "a.txt" not in str(describe(Plain(None), Slotted("x")))


def test_fields_that_are_not_compared_are_left_out() -> None:
    step = Outer(GOPHER)
    before = describe(step)
    step.calls["run"] += 1
    assert describe(step) == before


def test_the_class_of_a_stage_is_named() -> None:
    made = describe_parts([Outer])
    assert made.parts == [f"{HERE}.Outer"]
    assert set(made.modules) == {HERE}


def test_settings_whose_class_is_in_a_recipe_do_not_bring_it_in() -> None:
    settings = Plain(GopherConfig())
    assert set(describe_parts([settings], called=["transforms.heuristics"]).modules) == {HERE, "copyreg"}
    assert "transforms.heuristics.gopher" in describe_parts([settings], called=["transforms.heur"]).modules


def test_values_of_many_kinds() -> None:
    def made(value: Any) -> Any:
        return describe(Outer(value))[0][1]["inner"]

    assert made({"b": {2, 1}, "a": (1.5, None, b"x")})["b"] == ["1", "2"]
    assert made({len: 1, 2: [3]}) == [["builtins.len", 1], [2, [3]]]
    assert made(functools.partial(max, 3))[:2] == ["functools.partial", ["builtins.max"]]
    assert made(GopherConfig.__init__) == "transforms.heuristics.gopher.GopherConfig.__init__"
    assert made(operator) == "operator."
    assert made({"a": 1}.get) == [{"a": 1}, "get"]
    assert made(np.add) == "numpy.add"
    assert made(Color.RED)[0] == f"{HERE}.Color"
    kinds = [re.compile("a"), re.compile("b"), Pair(1, len), Pair(1, min), Words("ab"), Words("ac"), np.arange(3)]
    texts = [str(made(kind)) for kind in [*kinds, np.arange(1, 4), operator.itemgetter(1), operator.itemgetter(2)]]
    assert len(set(texts)) == len(texts)
    assert texts == [str(made(kind)) for kind in [*kinds, np.arange(1, 4)]] + texts[-2:]


def test_order_counts() -> None:
    steps = (GOPHER, Editor("c4_lines", c4.edit_lines, c4.C4Config()))
    assert describe(*steps) != describe(*steps[::-1])
    assert describe(Outer(steps)) != describe(Outer(steps[::-1]))


def test_a_value_that_holds_itself_ends() -> None:
    one, other = list[Any](), list[Any]()
    one.append(one)
    other.append([other])
    assert describe(Outer(one)) != describe(Outer(other))
    loop = Plain(None)
    loop.words = loop
    assert describe(loop)


def in_main() -> None: ...


def local() -> Any:
    class Inside:
        pass

    def inside() -> None: ...

    return Inside, inside


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda view: view, rf"^Filter mine: a lambda \(in {HERE}\) cannot be imported by workers: define a function"),
        (functools.partial(lambda view: view), "^Filter mine: a lambda"),
        (local()[1], r"^Filter mine: local\.inside is defined inside a function"),
        (local()[0](), r"^Filter mine: local\.Inside is defined inside a function"),
        (threading.Lock(), "^Filter mine: holds what cannot be sent to a worker: cannot pickle '_thread.lock' object$"),
    ],
)
def test_what_no_worker_can_import_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        describe(Filter("mine", value, gopher.decide, CONFIG))
    with pytest.raises(ConfigError, match=message):
        describe(Outer((Filter("mine", value, gopher.decide, CONFIG),)))


@pytest.mark.parametrize("name", ["__main__", "__mp_main__"])
def test_what_is_defined_in_main_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_main, "__module__", name)
    with pytest.raises(
        ConfigError, match=r"^Filter mine: in_main is defined in __main__: put it in a module that workers can import$"
    ):
        describe(Filter("mine", in_main, gopher.decide, CONFIG))
