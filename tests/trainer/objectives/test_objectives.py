"""What our objectives compute, by hand; that a batch may be cut in any way; and that training on them teaches."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from schemas.errors import ConfigError
from tests.trainer.model.test_llama import CPU, make_model
from tests.trainer.row_files import answers, dialogues, row_stage, write
from tests.trainer.small import FACTS, MODEL, recipe_of, train
from trainer.commands.status import status
from trainer.data.batches import Batch
from trainer.data.rows import RowFeed, RowFolder, row_files
from trainer.loop.journal import read_journal
from trainer.loop.step import micro_batches
from trainer.model.llama import empty_reward_model, initialise, llama_config
from trainer.model.reward import Reward
from trainer.objectives.find import OBJECTIVES, find_objective
from trainer.objectives.objective import Objective, Tensors
from trainer.recipe import FaultConfig

RARE = FaultConfig(checkpoint_s=1e9, stall_s=60.0)


def batch_of(folder: Path, objective: Objective, columns: dict[str, list[object]], units: int = 5) -> Batch:
    rows = RowFolder(row_files([write(folder, columns)]), objective.columns, 16)
    return RowFeed(rows, units, "k").batch(0)


def tensors(batch: Batch, objective: Objective) -> Tensors:
    return next(micro_batches(batch, len(batch.units), len(batch.units), CPU, objective.columns))


def make_reward_model() -> Reward:
    model = empty_reward_model(llama_config(MODEL, FACTS, 64, "sdpa"))
    initialise(model, 0, CPU)
    return model


def test_the_weighted_loss_is_that_of_the_targets_alone(tmp_path: Path) -> None:
    objective, model = OBJECTIVES["weighted_next_token"], make_model()
    batch = batch_of(tmp_path, objective, dialogues(20))
    loss, metrics = objective.loss(model, tensors(batch, objective))
    expected, count = 0.0, 0.0
    for row, length in enumerate(batch["lengths"]):
        tokens = torch.from_numpy(batch.tokens[row, :length])[None]
        each = F.cross_entropy(model(input_ids=tokens).logits[0, :-1], tokens[0, 1:], reduction="none")
        weights = torch.from_numpy(batch["weights"][row, 1:length])
        expected += (each * weights).sum().item()
        count += float(weights.sum())
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert objective.count(batch) == count == 4 * batch.rows
    trained, read = metrics["trained_share"]
    assert float(trained) / float(read) == pytest.approx(count / batch["lengths"].sum())


def test_pairs_are_all_ordered_ones_of_a_unit(tmp_path: Path) -> None:
    objective, model = OBJECTIVES["pairwise"], make_reward_model()
    batch = batch_of(tmp_path, objective, answers(20))
    assert {2, 3} == set(batch.units)
    loss, metrics = objective.loss(model, tensors(batch, objective))
    expected, right, pairs, start = 0.0, 0, 0, 0
    scores = []
    for row, length in enumerate(batch["lengths"]):
        hidden = model.model(input_ids=torch.from_numpy(batch.tokens[row, :length])[None]).last_hidden_state
        scores.append((hidden[0, -1] @ model.score.weight[0]).item())
    for n in batch.units:
        for better in range(start, start + n):
            for worse in range(start, start + n):
                if batch["rank"][better] < batch["rank"][worse]:
                    margin = scores[better] - scores[worse]
                    expected += math.log1p(math.exp(-margin))
                    right, pairs = right + (margin > 0), pairs + 1
        start += n
    assert objective.count(batch) == pairs == sum(n * (n - 1) // 2 for n in batch.units)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert [float(value) for value in metrics["accuracy"]] == [right, pairs]


@pytest.mark.parametrize("name", ["weighted_next_token", "pairwise"])
def test_a_batch_may_be_cut_in_any_way(tmp_path: Path, name: str) -> None:
    """Loss and gradient are sums over units; units that only fill up add nothing."""
    objective = OBJECTIVES[name]
    columns = answers(20) if name == "pairwise" else dialogues(20)
    model = make_reward_model() if name == "pairwise" else make_model()
    batch = batch_of(tmp_path, objective, columns)
    whole, _ = objective.loss(model, tensors(batch, objective))
    wanted = torch.autograd.grad(whole, list(model.parameters()), allow_unused=True)
    parts = [objective.loss(model, micro)[0] for micro in micro_batches(batch, 2, 9, CPU, objective.columns)]
    assert len(parts) == 5
    assert sum(part.item() for part in parts) == pytest.approx(whole.item(), rel=1e-5)
    assert parts[-1].item() == 0.0
    found = torch.autograd.grad(sum(parts, torch.zeros(())), list(model.parameters()), allow_unused=True)
    for one, other in zip(found, wanted, strict=True):
        assert one is not None
        assert other is not None
        assert torch.allclose(one, other, atol=1e-4)


def test_what_is_masked_is_not_learned_and_the_answer_is(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", dialogues())
    recipe = recipe_of("", row_stage("sft", "weighted_next_token", rows, 60, units=16), faults=RARE)
    train(recipe, tmp_path / "run")
    steps = [event for event in read_journal(tmp_path / "run") if event["event"] == "step"]
    assert steps[0]["loss"] > 3.5
    assert steps[-1]["loss"] < 2.0  # nats; 3.5 is what a draw among the 32 tokens of prompts would cost
    assert 0.3 < steps[-1]["metrics"]["trained_share"] < 0.5
    tokens = sum(event["tokens"] for event in steps)
    assert 60 * 16 * 8 < tokens < 60 * 16 * 14  # padding is not counted
    assert status(tmp_path / "run")["tokens"] == tokens


def test_a_reward_model_learns_which_answer_is_better(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", answers())
    recipe = recipe_of("", row_stage("reward", "pairwise", rows, 40, units=8), faults=RARE)
    train(recipe, tmp_path / "run")
    steps = [event for event in read_journal(tmp_path / "run") if event["event"] == "step"]
    assert steps[0]["loss"] == pytest.approx(math.log(2), abs=0.02)
    assert sum(event["metrics"]["accuracy"] for event in steps[-10:]) / 10 > 0.9
    found = status(tmp_path / "run")["metrics"]
    assert set(found) == {"accuracy", "margin"}
    assert found["margin"] > 1.0


def test_an_objective_of_ones_own_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from trainer.objectives.pairwise import PAIRWISE\nMINE = PAIRWISE\nNONE = 3\n"
    (tmp_path / "objective_of_ones_own.py").write_text(text)
    (tmp_path / "objective_that_is_torn.py").write_text("MINE = (")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_objective("objective_of_ones_own:MINE") is OBJECTIVES["pairwise"]
    for name, message in {
        "pairwize": "must be one of next_token, weighted_next_token, pairwise, or module:attribute",
        "objective_of_ones_own:OTHER": "no attribute 'OTHER'",
        "objective_of_ones_own:NONE": "is no trainer.objectives.objective.Objective",
        "no_such_module:MINE": "No module named 'no_such_module'",
        ":MINE": "objective: ':MINE' is not allowed; must be one of",
        "objective_of_ones_own:": "or module:attribute",
        "..objective_of_ones_own:MINE": "or module:attribute",
        "objective_that_is_torn:MINE": "objective: objective_that_is_torn:MINE: '(' was never closed",
    }.items():
        with pytest.raises(ConfigError) as caught:
            find_objective(name)
        assert message in str(caught.value)
