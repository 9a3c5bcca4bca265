from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.teacher.journal import Journal
from classifiers.teacher.judges.judge import Answer
from schemas.errors import RunError

ANSWERS = [
    Answer(id="a", raw="yes\nno \u2028 \ud800", chances={"x": 0.25, "y": 0.75}, mass=0.5, seconds=1.5),
    Answer(id="b", raw="", cause="http_400"),
]


def test_answers_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.jsonl"
    with Journal(path, "k") as journal:
        journal.add(ANSWERS[:1])
        journal.add(ANSWERS[1:])
    with Journal(path, "k") as journal:
        assert journal.answers == {"a": ANSWERS[0], "b": ANSWERS[1]}


def test_a_line_cut_anywhere_costs_that_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path, "k") as journal:
        journal.add(ANSWERS)
    whole = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with Journal(path, "k") as journal:
            n_whole = sum(end <= cut for end in ends)
            assert len(journal.answers) == max(0, n_whole - 1)
            journal.add([answer for answer in ANSWERS if answer.id not in journal.answers])
        assert path.read_bytes() == whole


def test_another_job_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path, "k") as journal:
        journal.add(ANSWERS)
    before = path.read_bytes()
    with pytest.raises(RunError, match="another sample, prompt, model or setting"), Journal(path, "other"):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ['{"id": "a", "raw": "x"}\n', '{"journal": 2}\n'])
def test_what_is_no_journal_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(text)
    with pytest.raises(RunError, match="no journal of answers"), Journal(path, "k"):
        pass


def test_damage_in_the_middle_is_no_cut(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path, "k") as journal:
        journal.add(ANSWERS)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"{x\n" + lines[2])
    with pytest.raises(RunError, match="line 2 is damaged"), Journal(path, "k"):
        pass


def test_a_job_that_had_no_answer_makes_room_for_another(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path, "a model that nobody has"):
        pass
    with Journal(path, "k") as journal:
        journal.add(ANSWERS)
    with Journal(path, "k") as journal:
        assert len(journal.answers) == 2
