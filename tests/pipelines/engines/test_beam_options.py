"""Beam's options among our own."""

from __future__ import annotations

import pytest

from pipelines.cli import split_beam
from pipelines.engines.beam_options import beam_options, take_beams

OURS = {"--input", "-i", "--output", "--new", "--set", "--help"}


@pytest.mark.parametrize(
    ("given", "ours", "beams"),
    [
        ("--input a --new", "--input a --new", ""),
        ("--runner FlinkRunner --input a", "--input a", "--runner FlinkRunner"),
        ("--input a --flink-master h:1 --output o", "--input a --output o", "--flink_master h:1"),
        ("--flink_master=h-x:1 -i a", "-i a", "--flink_master=h-x:1"),
        ("--direct-num-workers=2", "", "--direct_num_workers=2"),
        ("--streaming --input a", "--input a", "--streaming"),
        ("--experiments a --experiments=b --new", "--new", "--experiments a --experiments=b"),
        ("--new --sdk-harness-log-level-overrides={}", "--new", "--sdk_harness_log_level_overrides={}"),
        ("--inptu a --runner X", "--inptu a", "--runner X"),
        ("stray --runner X", "stray", "--runner X"),
        ("-x --runner X", "-x", "--runner X"),
        ("--input - --parallelism 2", "--input -", "--parallelism 2"),
        ("", "", ""),
    ],
)
def test_take_beams(given: str, ours: str, beams: str) -> None:
    assert take_beams(given.split(), OURS) == (ours.split(), beams.split())


def test_beams_options_are_beams() -> None:
    assert {"--runner", "--flink_master", "--parallelism", "--direct_num_workers"} <= beam_options()
    assert len(beam_options()) > 100
    assert not {"--input", "--output", "--config", "--set", "--new", "--max-inputs", "--metrics"} & beam_options()


def test_a_run_line_may_mix_them_and_still_end_in_two_dashes() -> None:
    words = ["run", "-i", "a", "--flink-master", "h", "--new", "-o", "d", "--", "--parallelism", "2", "--odd"]
    ours, beams = ["run", "-i", "a", "--new", "-o", "d"], ["--flink_master", "h", "--parallelism", "2", "--odd"]
    assert split_beam(words) == (ours, beams)


def test_other_commands_take_no_options_of_beams() -> None:
    words = ["plan", "-i", "a", "-o", "d", "--runner", "X"]
    assert split_beam(words) == (words, [])
