from __future__ import annotations

import pytest

import trainer.presets
from schemas.errors import ConfigError
from trainer.presets import LETTER, PRESETS, SENSIBLE
from trainer.recipe import Recipe, StageConfig
from trainer.recipe_file import read_recipe

STAGE = '[[stages]]\nname = "a"\ntokens = 100\nseq_len = 16\nbatch_tokens = 32\n'


def test_toml_lies_over_the_preset_it_names() -> None:
    recipe = read_recipe('preset = "cpu"\nseed = 7\n[model]\nlayers = 2\n', "r.toml", PRESETS)
    assert (recipe.seed, recipe.model.layers, recipe.model.dim) == (7, 2, PRESETS["cpu"].model.dim)
    assert recipe.stages == PRESETS["cpu"].stages


def test_stages_replace_the_presets() -> None:
    recipe = read_recipe('preset = "cpu"\n' + STAGE, "r.toml", PRESETS)
    assert [(stage.name, stage.steps, stage.batch_sequences) for stage in recipe.stages] == [("a", 4, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", "r.toml: not valid TOML"),
        ('preset = "gpt"', "r.toml: preset: 'gpt' is not allowed; must be one of llama3-405b"),
        ("[model]\nlayer = 3", "r.toml: model.layer: unknown setting; did you mean model.layers?"),
        ("[model]\ndim = 100\nheads = 3", "model.heads: 3 is not allowed; must divide dim 100"),
        ("seed = -1", "seed: -1 is not allowed; must be >= 0"),
        ('[[stages]]\nname="a"\nseq_len=16\nbatch_tokens=24', "batch_tokens: 24 is not allowed"),
        (STAGE + STAGE, r"each stage needs one of its own"),
        (STAGE + '[[stages]]\nname="b"\nseq_len=12\nbatch_tokens=24', "a: seq_len|b: seq_len 12 must divide"),
        (STAGE + 'rows = ["r"]\nunits = 4\nbatch_units = 2', "tokens: not allowed with rows"),
        (
            '[[stages]]\nname="a"\nrows=["r"]\nunits=4\nbatch_units=2\nbatch_tokens=32',
            "batch_tokens: not allowed with rows; such a stage has units and batch_units",
        ),
        (STAGE + "[stages.schedule]\nkind = 'wsd'", "kind: 'wsd' is not allowed; must be one of cosine"),
    ],
)
def test_a_wrong_recipe_is_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_recipe(text, "r.toml", PRESETS)
    assert "\n" not in str(caught.value)


def test_the_report_in_two_readings() -> None:
    letter, sensible = PRESETS[LETTER], PRESETS[SENSIBLE]
    assert (letter.stages[0].tokens, sensible.stages[0].tokens) == (252 * 10**6, 252 * 10**9)
    assert (letter.stages[-1].tokens, sensible.stages[-1].tokens) == (40 * 10**6, 40 * 10**9)
    for recipe in (letter, sensible):
        assert sum(stage.tokens for stage in recipe.stages) == pytest.approx(15.6e12, rel=1e-6)
        assert [stage.seq_len for stage in recipe.stages[:3]] == [4096, 8192, 8192]
        assert [stage.batch_tokens >> 20 for stage in recipe.stages[:3]] == [4, 8, 16]
        # SPEC 2.3: the batch of 16M begins after 2.87T tokens, whatever the first batch's reading.
        assert sum(stage.tokens for stage in recipe.stages[:2]) == 2_870 * 10**9
        assert recipe.stages[-1].upsample
        longer = [stage for stage in recipe.stages if stage.name.startswith("context")]
        assert len(longer) == 6
        assert sum(stage.tokens for stage in longer) == pytest.approx(800e9, rel=1e-9)
        assert all(stage.gate.enabled for stage in longer)
        assert (recipe.stages[-1].schedule.kind, recipe.stages[-1].schedule.floor) == ("linear", 0.0)
        assert recipe.unit == 131_072


def test_steps_are_whole_batches() -> None:
    assert StageConfig(name="a", tokens=33, seq_len=16, batch_tokens=32).steps == 2


def test_an_empty_recipe_has_a_unit() -> None:
    assert Recipe().unit == 1


def test_the_steps_of_the_presets_are_those_that_are_told() -> None:
    assert trainer.presets.__doc__ is not None
    told = " ".join(trainer.presets.__doc__.split())
    for name, words in ((LETTER, "{} steps in all"), (SENSIBLE, "{} steps, nearer to the 1.2M")):
        steps = sum(stage.steps for stage in PRESETS[name].stages)
        assert words.format(f"{steps / 1e6:.3f}M") in told


def test_sources_are_upsampled_by_their_names() -> None:
    tokens = {"code": 100, "web": 300}
    assert StageConfig(name="a", upsample={"code": 2.0, "math": 3.0}).weights(tokens) == {"code": 200.0, "web": 300.0}
    assert StageConfig(name="a").weights(tokens) == tokens
    assert StageConfig(name="a", mix={"web": 0.4}).weights(tokens) == {"web": 0.4}
    with pytest.raises(ConfigError, match="upsample: not allowed beside a mix"):
        StageConfig(name="a", mix={"web": 0.4}, upsample={"web": 2.0})
