"""What a hurried person gets wrong, and the one line that each mistake gets: no stack trace, nothing misleading."""

from __future__ import annotations

import shlex
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Call = Callable[..., Any]

FILES = {
    "open.yaml": b"language:\n  keep: [en\n",
    "list.yaml": b"- a\n- b\n",
    "text.yaml": b"just words\n",
    "tab.yaml": b"lines: {max_copies: 1}\n\tsource: x\n",
    "no.yaml": b"language:\n  keep: [en, no]\n",
    "latin.yaml": b"source: caf\xe9\n",
    "wide.yaml": "source: x\n".encode("utf-16"),
    "number.yaml": b"tokenizer: 5\n",
    "twice.yaml": b"lines: {max_copies: 1}\nlines: {max_copies: 2}\n",
    "afile": b"x",
    "listing.jsonl": b'{"text": "a document, not a path"}\n',
    "long.jsonl": b'{"text": "' + b"long " * 5000 + b'"}\n',
    "other/thesis.tex": b"x",
    "empty/.hidden": b"",
    "names/caf\u00e9 \u6587.jsonl": b'{"text": "x"}\n',
    "labels.csv": b"text,label\ngood text,1\nbad text,0\n",
}
PLAN = "plan -i rows.jsonl -o out"
RUN = "run -i rows.jsonl -o out"

# The words, the exit code, and what the line says.
MISTAKES = [
    # settings
    (f"{PLAN} --set clean.gopher.min_wrods=3", 2, "did you mean clean.gopher.min_words?"),
    (f"{PLAN} --set clean.gopher.min_words", 2, "expected KEY=VALUE, as lines.max_copies=6"),
    (f"{PLAN} --set =3", 2, "--set =3: expected KEY=VALUE"),
    (f"{PLAN} --set clean..min_words=3", 2, "expected KEY=VALUE"),
    (f"{PLAN} --set lines.max_copies=6,0", 2, "lines.max_copies: '6,0' is not allowed; expected a whole number"),
    (f"{PLAN} --set lines.max_copies=", 2, "lines.max_copies: no value is not allowed; expected a whole number"),
    (f"{PLAN} --set mix.token_budget=1B", 2, "mix.token_budget: '1B' is not allowed; expected a whole number"),
    (f"{PLAN} --set mix.language_shares=en:0.5", 2, "expected a mapping of names to a number"),
    (f"{PLAN} --set clean=off", 2, "clean: it cannot be switched off"),
    (f"{PLAN} --set lines:max_copies=3", 2, "lines:max_copies: unknown setting"),
    (f"{PLAN} --set 'source=[x'", 2, "the value is not valid YAML"),
    # files of settings
    (f"{PLAN} -c open.yaml", 2, "open.yaml, line 3, column 1: not valid YAML: expected ',' or ']'"),
    (f"{PLAN} -c list.yaml", 2, "list.yaml: expected a mapping of settings (name: value), found a list"),
    (f"{PLAN} -c text.yaml", 2, "text.yaml: expected a mapping of settings (name: value), found one value"),
    (f"{PLAN} -c tab.yaml", 2, "tab.yaml, line 2, column 1: not valid YAML"),
    (
        f"{PLAN} -c no.yaml",
        2,
        "language.keep[1]: False is not allowed; expected text; YAML reads it so: put it in quotes",
    ),
    (f"{PLAN} -c latin.yaml", 2, "latin.yaml: cannot be read: not UTF-8 (byte 11); save it as UTF-8"),
    (f"{PLAN} -c wide.yaml", 2, "wide.yaml: cannot be read: not UTF-8 (byte 0); save it as UTF-8"),
    (f"{PLAN} -c number.yaml", 2, "tokenizer: 5 is not allowed; expected a group of settings"),
    (f"{PLAN} -c twice.yaml", 2, "twice.yaml, line 2, column 1: not valid YAML: 'lines' is there twice"),
    (f"{PLAN} -c gone.yaml", 2, "gone.yaml: cannot be read: No such file or directory"),
    (f"{PLAN} -c '~/gone.yaml'", 2, "HOME/gone.yaml: cannot be read: No such file or directory"),
    (f"{PLAN} -c other", 2, "other: cannot be read: Is a directory"),
    (f"{PLAN} -c c4", 2, "did you mean preset:c4?"),
    (f"{PLAN} -c preset:c5", 2, "expected one of c4, chat_tokens, fineweb, gopher"),
    # inputs
    ("plan -i gone.jsonl -o out", 1, "gone.jsonl: no such file, or nothing in it"),
    ("plan -i '*.warc.gz' -o out", 1, "*.warc.gz: no such file, or nothing in it"),
    ("plan -i empty -o out", 1, "empty: no such file, or nothing in it"),
    ("plan -i '' -o out", 2, "an input is empty"),
    ("plan -i '~/gone.jsonl' -o out", 1, "HOME/gone.jsonl: no such file"),
    ("plan -i rows.jsonl,rows.jsonl -o out", 1, "several inputs have blanks between them, not commas"),
    ("plan -i http:/host.example/x -o out", 1, "did you mean http://host.example/x?"),
    ("plan -i https://host.invalid/x.warc.gz -o out", 1, "no connection to host.invalid:443"),
    ("plan -i s4://bucket/x -o out", 1, "s4:// is no known kind of storage"),
    ("plan -i cc:lates -o out", 1, "expected cc:latest or cc:CC-MAIN-YEAR-WEEK"),
    ("plan -i @gone.paths -o out", 1, "gone.paths: cannot be read: No such file or directory"),
    ("plan -i @listing.jsonl -o out", 1, "@listing.jsonl: a line of this list: "),
    ("plan -i @long.jsonl -o out", 1, "@long.jsonl: a line of this list: "),
    ("plan -i web=rows.jsonl -o out", 1, "a source is named before `=`, and there is common_crawl"),
    ("plan -i small -o out", 1, "small: is the output of a run, not a corpus (it has winnow.json)"),
    # outputs
    ("plan -i rows.jsonl -o ''", 2, "the output folder is empty: expected a path"),
    ("plan -i rows.jsonl -o afile", 1, "afile: is a file; expected a folder"),
    (f"{RUN.replace('out', 'afile')}", 1, "afile: is a file; expected a folder"),
    (f"{RUN.replace('out', 'afile/x')}", 1, "afile/x: cannot be written: Not a directory"),
    (f"{RUN.replace('out', '/proc/winnow')}", 1, "/proc/winnow: cannot be written"),
    ("plan -i rows.jsonl -o other", 1, "other: not empty and not the output of a Winnow run; give a new folder"),
    ("plan -i rows.jsonl -o https://x/y", 2, "a web server cannot be written to"),
    ("plan -i rows.jsonl -o hf://datasets/x", 2, "cannot be a run's folder, as each file would be a commit"),
    ("plan -i names -o names/out", 1, "names/out: the output folder is among the inputs (names)"),
    ("plan -i names -o names", 1, "names: the output folder is among the inputs (names)"),
    ("plan -i rows.jsonl out/x.jsonl -o out", 1, "out: the output folder is among the inputs"),
    ("plan -i names -o small", 1, "small: holds a run over other inputs"),
    # words of the command line
    ("plan -i rows.jsonl", 2, "Missing option '--output'"),
    ("plan -i rows.jsonl -o", 2, "Option '-o' requires an argument"),
    ("plan rows.jsonl out", 2, "Missing option '--input'"),
    (f"{PLAN} --max-inputs 5", 2, "--max-inputs goes with --new"),
    (f"{PLAN} --recipe common_craw", 2, "no such recipe; expected one of "),
    (f"{PLAN} --recipe my.py:recipe", 2, "my.py cannot be imported"),
    (f"{RUN} --workers 4", 2, "No such option: --workers"),
    (f"{RUN} --num-workers 4", 2, "--num_workers: means nothing on this machine; give --direct_num_workers NUMBER"),
    (f"{RUN} --direct_num_workers=-1", 2, "--direct_num_workers -1: must be >= 0"),
    (f"{RUN} --direct_num_workers=two", 2, "Beam options: --direct_num_workers: invalid int value: 'two'"),
    (f"{RUN} --direct_running_mode=multi", 2, "Beam options: --direct_running_mode: invalid choice: 'multi'"),
    (f"{RUN} --runner", 2, "Beam options: --runner: expected one argument"),
    (
        f"{RUN} --runner=SparkRunner",
        2,
        "--runner SparkRunner: Winnow does not run on it; expected DirectRunner, FlinkRunner",
    ),
    (f"{RUN} --runner=apache_beam.runners.PrismRunner", 2, "--runner PrismRunner: Winnow does not run on it"),
    (f"{RUN} --runner=DirectRuner", 2, "--runner DirectRuner: Winnow does not run on it; did you mean DirectRunner?"),
    (f"{RUN} --runner=DataflowRunner", 2, "a local path means nothing to a worker of Dataflow; give gs://"),
    (f"{RUN} --metrics x.txt", 2, "expected a local file whose name ends in .prom"),
    (f"{RUN} --notify no-such-program-there", 2, "--notify no-such-program-there: there is no such program"),
    (f"{RUN} --notify ftp://x", 2, "--notify ftp://...: expected a command, or an https:// address"),
    ("runn", 2, "No such command 'runn'. Did you mean 'run'?"),
    ("--verison", 2, "No such option: --verison (Possible options: --version)"),
    # looking at a run
    ("ledger gone", 1, "gone: no Winnow run here"),
    ("ledger afile", 1, "afile: is a file; expected a folder"),
    ("ledger", 2, "which run? give its folder"),
    ("ledger small --by lnguage", 2, "--by lnguage: not allowed; expected source, language"),
    ("ledger small --run 3", 1, "--run 3: no such run"),
    ("show small --reason nonsense", 1, "there are exact_copy, language_not_kept, malformed_json, same_payload"),
    ("show small --reason too_few_wrods", 1, "--reason too_few_wrods: no record has it; there are too_few_words, "),
    ("show small --table edits --reason emial", 1, "there are emails, javascript"),
    ("show small --language xx", 1, "--language xx: no record has it; there are de, en"),
    ("show small --source wiki", 1, "--source wiki: no record has it; there are common_crawl"),
    ("show small --stage clean", 1, "--stage clean: not in this run; allowed: web/index"),
    ("show small --limit -1", 2, "Invalid value for '--limit'"),
    ("show small --random -1", 2, "Invalid value for '--random'"),
    ("show small --chars -1", 2, "Invalid value for '--chars'"),
    ("show small --token 1", 1, "expected SHARD:ROW:POSITION"),
    ("compare small", 2, "Missing argument 'run_b'"),
    ("compare small gone", 1, "gone: no Winnow run here"),
    ("drop-former small", 1, "keeps no former result"),
    # other commands
    ("lists fetch nope", 2, "nope: no such list; expected some of ldnoobw"),
    ("train-classifier -i gone.jsonl -o m.bin", 2, "gone.jsonl: cannot be read: No such file or directory"),
    ("train-classifier -i labels.csv -o other", 2, "other: is a folder; expected the name of the model's file"),
    (
        "train-classifier -i labels.csv -o m.bin --step safety",
        2,
        "--step: 'safety' is not allowed; must be one of quality, toxicity",
    ),
    ("train-classifier -i labels.csv -o m.bin --set epochs=3", 2, "epochs: unknown setting; did you mean epoch?"),
    ("train-classifier -i rows.jsonl -o m.bin", 2, "rows.jsonl: row 1 has no column 'label'; columns: text, url"),
    ("demo-web -o afile", 1, "afile/crawl: Not a directory"),
]


@pytest.fixture(scope="module")
def desk(small_run: Path, jsonl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the mistakes are made with."""
    folder = tmp_path_factory.mktemp("desk")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    shutil.copy(jsonl, folder / "rows.jsonl")
    shutil.copytree(small_run, folder / "small")
    return folder


@pytest.fixture
def here(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("HOME", "/nowhere/home")
    return desk


@pytest.mark.parametrize(("line", "code", "part"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_is_one_line(
    here: Path, call: Call, monkeypatch: pytest.MonkeyPatch, line: str, code: int, part: str
) -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def no_host(*_: object, **__: object) -> None:
        raise unknown

    monkeypatch.setattr(socket, "getaddrinfo", no_host)  # where there is a network it would not answer either
    if "out/x.jsonl" in line:
        (here / "out").mkdir(exist_ok=True)
        (here / "out" / "x.jsonl").write_text('{"text": "x"}\n')
    said = call(*shlex.split(line))
    shutil.rmtree(here / "out", ignore_errors=True)
    assert said.code == code, said
    assert said.out == ""
    assert said.err.startswith("winnow: ")
    assert said.err.count("\n") == 1
    assert len(said.err) < 900
    assert part.replace("HOME", "/nowhere/home") in said.err
    assert not any(word in said.err for word in ("Traceback", "internal error", "Written(", "Errno"))


RIGHT = [
    (f"{PLAN} --set language.keep=en", "rows.jsonl"),
    (f"{PLAN} --set language.keep=no", "rows.jsonl"),
    (f"{PLAN} --set source=7", "rows.jsonl"),
    (f"{PLAN} --set mix.token_budget=1e9", "rows.jsonl"),
    (f"{PLAN} --set 'lines.max_copies = 3'", "rows.jsonl"),
    (f"{PLAN} -c preset:c4", "rows.jsonl"),
    ("plan -i names -o out", "caf\u00e9 \u6587.jsonl"),
    ("plan -i common_crawl=rows.jsonl -o out", "rows.jsonl"),
    ("--version", "winnow "),
    ("show small --id nope", "no such record"),
]


@pytest.mark.parametrize(("line", "part"), RIGHT, ids=[line for line, _ in RIGHT])
def test_what_is_no_mistake_works(here: Path, call: Call, line: str, part: str) -> None:
    said = call(*shlex.split(line))
    assert (said.code, said.err) == (0, "")
    assert part in said.out


def test_the_home_folder_is_known_behind_an_equals_sign(
    here: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    said = call("plan", "--input=~/rows.jsonl", "--output=~/out", "--config=~/ok.yaml")
    assert "ok.yaml: cannot be read" in said.err
    (here / "ok.yaml").write_text("source: mine\n")
    said = call("plan", "--input=~/rows.jsonl", "--output=~/out", "--config=~/ok.yaml")
    assert (said.code, said.err) == (0, "")
    assert f"{here}/rows.jsonl" in said.out


def test_unknown_languages_are_refused_before_anything_runs(here: Path, command: Call) -> None:
    for given in ("english", "en,de", "[en, EN]"):
        said = command(*shlex.split(RUN), "--set", f"language.keep={given}", cwd=here)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith("winnow: ")
        assert "is not a language of the model; must be one of af als am" in said.err
        assert said.err.count("\n") == 1
    shutil.rmtree(here / "out")


def test_help_has_the_settings_of_the_classifier(call: Call) -> None:
    said = call("train-classifier", "--help")
    assert said.code == 0
    for part in ("positive_label=good", "lr=0.1", "[> 0.0, <= 10.0]", "[one of softmax, hs, ova, ns]", "holdout=0.1"):
        assert part in said.out


def test_a_label_may_be_a_number(here: Path, call: Call, tmp_path: Path) -> None:
    rows = [f"{'good' if n % 2 else 'bad'} words number {n},{n % 2}" for n in range(60)]
    (tmp_path / "labels.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    said = call("train-classifier", "-i", tmp_path / "labels.csv", "-o", tmp_path / "m.bin",
                "--set", "positive_label=1", "--set", "dim=8", "--json")  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["positive_label"] == "1"


def test_a_pinned_toxicity_model_is_scored_as_it_was_trained(call: Call, tmp_path: Path) -> None:
    rows = [f"{'good' if n % 2 else 'bad'} words number {n},{n % 2},{'de' if n % 3 else 'en'}" for n in range(60)]
    (tmp_path / "labels.csv").write_text("text,label,language\n" + "\n".join(rows) + "\n")
    said = call("train-classifier", "-i", tmp_path / "labels.csv", "-o", tmp_path / "m.bin", "--step", "toxicity",
                "--test", tmp_path / "labels.csv", "--pin", tmp_path / "pin.yaml", "--set", "positive_label=0",
                "--set", "dim=8", "--set", "language_column=language", "--set", "text_form=words",
                "--set", "max_chars=500")  # fmt: skip
    assert said.code == 0, said.err
    assert "labels.csv, en: " in said.out
    pinned = yaml.safe_load((tmp_path / "pin.yaml").read_text())
    assert list(pinned) == ["toxicity"]
    assert len(pinned["toxicity"].pop("model_sha256")) == 64
    assert pinned["toxicity"] == {
        "model_path": str(tmp_path / "m.bin"), "positive_label": "0", "max_chars": 500, "languages": ["de", "en"]
    }  # fmt: skip
    said = call("config", "--config", tmp_path / "pin.yaml")
    assert said.code == 0, said.err


def test_the_hub_without_a_network_is_one_line(here: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    httpx = sys.modules.get("httpx2") or pytest.importorskip("httpx")

    def fail(*_: object) -> list[str]:
        raise httpx.ConnectError("[Errno -2] Name or service not known")

    monkeypatch.setattr("pipelines.commands.arguments.inputs.expand", fail)
    said = call("plan", "-i", "hf://datasets/x/y", "-o", "out")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert said.err.startswith("winnow: hf://datasets/x/y: cannot be read: ")
    assert "is there a network?" in said.err
