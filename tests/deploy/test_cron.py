"""The crontab, the CronJob, the log rotation and the alert rules: read by the tools that will read them."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kubernetes_validate
import promql_parser
import pytest
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families

from pipelines.cli import app
from pipelines.commands.arguments.options import settings_of
from pipelines.recipes.find import DEFAULT, find_recipe
from pipelines.reports.metrics import check_metrics, write_metrics
from pipelines.reports.notify import check_notify, notify
from pipelines.reports.outcome import KINDS, Outcome
from pipelines.runs.counts import DROPPED, FAILED, KEPT, Counts, Fate
from pipelines.runs.folder import Manifest, RunFolder

CRON = Path(__file__).resolve().parents[2] / "deploy" / "cron"
KUBERNETES = ("1.31", "1.34", "1.37")  # the oldest that knows every field, one between, the newest with a schema
MAX_LINE_CHARS = 998  # Debian's cron cuts a longer command
OUTCOME = Outcome("run", "/data/dataset", datetime(2026, 5, 1, tzinfo=UTC), 1.0, 0, "done", 1, "")


# --- crontab


def crontab() -> tuple[dict[str, str], list[tuple[list[str], str]]]:
    """Return the variables and the jobs (fields of time, command) as cron reads them."""
    variables, jobs = {}, []
    for line in (CRON / "crontab").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if set_to := re.fullmatch(r"([A-Z]+)=(.*)", line):
            variables[set_to[1]] = set_to[2]
        else:
            *times, command = line.split(maxsplit=5)
            jobs.append((times, command))
    return variables, jobs


def words_of_run(words: list[str]) -> dict[str, Any]:
    """Parse the words behind `winnow run` as the command itself does; what is behind `--` is Beam's."""
    ours = words[: words.index("--")] if "--" in words else words
    command = typer.main.get_group(app).commands["run"]
    return dict(command.make_context("run", ours, resilient_parsing=False).params)


def test_the_crontab_is_one_that_cron_reads() -> None:
    variables, jobs = crontab()
    text = (CRON / "crontab").read_text()
    assert text.endswith("\n")  # cron passes over a last line without one
    assert len(jobs) == 2
    for times, command in jobs:
        assert all(re.fullmatch(r"\*|\d+", field) for field in times), times
        assert len(command) <= MAX_LINE_CHARS
        assert "%" not in command  # cron makes a line feed of it
        assert set(re.findall(r"\$([A-Z]+)", command)) <= variables.keys()
        assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
    for value in variables.values():
        assert not re.search(r"[$~#]", value), value  # expanded or cut nowhere


def test_the_crontab_calls_the_command_as_it_is() -> None:
    variables, jobs = crontab()
    command = re.sub(r'"\$([A-Z]+)"', lambda match: shlex.quote(variables[match[1]]), jobs[0][1])
    words = shlex.split(command[command.index("winnow run") :].partition(" >> ")[0])
    assert words[:2] == ["winnow", "run"]
    told = words_of_run(words[2:])
    assert told["new"] is True
    assert told["inputs"] == [variables["INPUT"]]
    assert told["output"] == variables["DATASET"]
    assert told["max_inputs"] == 500
    check_metrics(told["metrics"])
    check_notify(told["notify"])


@pytest.mark.parametrize("code", [0, 3])
def test_a_mail_is_sent_only_when_a_run_did_not_end_well(tmp_path: Path, code: int) -> None:
    (tmp_path / "winnow").write_text(f"#!/bin/sh\necho said {code}\nexit {code}\n")
    (tmp_path / "winnow").chmod(0o755)
    variables, jobs = crontab()
    environment = {**variables, "PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(tmp_path / "log")}
    done = subprocess.run(["sh", "-c", jobs[0][1]], capture_output=True, text=True, env=environment)
    log = (tmp_path / "log").read_text()
    assert re.fullmatch(rf".* UTC .*\nsaid {code}\n", log)
    assert (done.stdout, done.stderr) == (f"winnow: exit code {code}\n{log}" if code else "", "")


def test_old_logs_of_beam_are_removed_and_nothing_else(tmp_path: Path) -> None:
    logs = tmp_path / "a b" / "logs"
    logs.mkdir(parents=True)
    for name, days in [("beam-20260101-000000.log", 40), ("beam-20260501-000000.log", 2), ("other.log", 40)]:
        (logs / name).touch()
        then = (logs / name).stat().st_mtime - days * 86400
        os.utime(logs / name, (then, then))
    subprocess.run(
        ["sh", "-c", crontab()[1][1][1]], check=True, env={"DATASET": str(logs.parent), "PATH": "/usr/bin:/bin"}
    )
    assert sorted(path.name for path in logs.iterdir()) == ["beam-20260501-000000.log", "other.log"]


def test_the_log_that_is_written_is_the_one_that_is_rotated() -> None:
    pattern = re.search(r"^(\S+) \{$", (CRON / "logrotate").read_text(), re.MULTILINE)
    assert pattern
    assert Path(crontab()[0]["LOG"]).match(pattern[1])


# --- Kubernetes


def manifests() -> dict[str, dict[str, Any]]:
    """Return the objects of the file by kind."""
    return {found["kind"]: found for found in yaml.safe_load_all((CRON / "cronjob.yaml").read_text())}


def container() -> dict[str, Any]:
    """Return the one container of the job."""
    (found,) = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(version: str) -> None:
    assert sorted(manifests()) == ["ConfigMap", "CronJob", "PersistentVolumeClaim"]
    for found in manifests().values():
        kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "concurrencyPolicy"), 1),
        (("spec", "concurencyPolicy"), "Forbid"),
        (("spec", "jobTemplate", "spec", "backoffLimit"), "two"),
    ],
)
def test_the_schema_would_tell(path: tuple[str, ...], value: object) -> None:
    job = manifests()["CronJob"]
    place = job
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, KUBERNETES[-1], strict=True)


def test_one_job_at_a_time_without_rights() -> None:
    job = manifests()["CronJob"]["spec"]
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert pod["restartPolicy"] == "Never"  # a pod failure policy asks for it
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= container()["resources"]["requests"].keys()
    assert "memory" in container()["resources"]["limits"]


def test_every_name_in_the_job_is_one_that_is_there() -> None:
    pod = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in container()["volumeMounts"]} == volumes.keys()
    assert (
        volumes["data"]["persistentVolumeClaim"]["claimName"]
        == manifests()["PersistentVolumeClaim"]["metadata"]["name"]
    )
    assert volumes["settings"]["configMap"]["name"] == manifests()["ConfigMap"]["metadata"]["name"]
    (rule,) = [
        rule
        for rule in manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    ]
    assert rule["onExitCodes"]["containerName"] == container()["name"]
    user = re.search(r"^USER (\d+):(\d+)$", (CRON.parent / "image" / "Dockerfile").read_text(), re.MULTILINE)
    assert user
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (int(user[1]), int(user[2]))


def test_the_job_calls_the_command_as_it_is(tmp_path: Path) -> None:
    assert container()["command"] == ["winnow"]
    words = container()["args"]
    assert words[0] == "run"
    told = words_of_run(words[1:])
    mounts = {mount["mountPath"] for mount in container()["volumeMounts"]}
    assert (told["new"], told["max_inputs"]) == (True, 500)
    for path in (*told["inputs"], told["output"], told["metrics"], str(told["config"][0])):
        assert any(path.startswith(f"{mount}/") for mount in mounts), path
    check_metrics(told["metrics"])
    (tmp_path / "c.yaml").write_text(manifests()["ConfigMap"]["data"][Path(told["config"][0]).name])
    assert settings_of(find_recipe(DEFAULT), [tmp_path / "c.yaml"], None).language.keep == ("en",)


@pytest.fixture
def gateway() -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A server in the Pushgateway's place: its address, and what it is sent."""
    got: list[tuple[str, str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            got.append(("PUT", self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_job_pushes_its_metrics(
    tmp_path: Path, gateway: tuple[str, list[tuple[str, str, bytes]]], capfd: pytest.CaptureFixture[str]
) -> None:
    told = words_of_run(container()["args"][1:])
    file = tmp_path / "winnow.prom"
    write_metrics(str(file), "/data/dataset", OUTCOME)
    address, got = gateway
    command = told["notify"].replace("pushgateway.monitoring:9091", address).replace(told["metrics"], str(file))
    assert command.count(address) == command.count(str(file)) == 1
    notify(command, OUTCOME)
    assert got == [("PUT", "/metrics/job/winnow", file.read_bytes())]
    assert capfd.readouterr() == ("", "")


# --- alert rules


def rules() -> list[dict[str, Any]]:
    """Return the rules of the only group."""
    (group,) = yaml.safe_load((CRON / "alerts.yaml").read_text())["groups"]
    return list(group["rules"])


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of every metric there is."""
    data = tmp_path_factory.mktemp("known")
    folder = RunFolder(str(data))
    folder.open("common_crawl", "0.1.0", ["index"])
    ends = ((KEPT, ""), (DROPPED, "older_copy"), (FAILED, "truncated_member"))
    counts = Counts.of({"x": 3}, {Fate("x", "", fate, reason): 1 for fate, reason in ends}, {"email": 1})
    folder.commit(
        Manifest(
            stage="index", key="k", version="0.1.0", upstream={}, config={}, inputs=[], parts=1, counts=counts,
            cpu_s={"read": 1.0}, wall_s=1.0,
        )
    )  # fmt: skip
    write_metrics(f"{data}/m.prom", str(data), OUTCOME)
    text = (data / "m.prom").read_text()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def selectors(expression: Any) -> Iterator[Any]:
    """Yield the vector selectors of a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
        return
    for name in ("expr", "lhs", "rhs", "vector_selector", "args"):
        inner = getattr(expression, name, None)
        for child in inner if isinstance(inner, list) else [inner]:
            if isinstance(child, (promql_parser.Expr, promql_parser.VectorSelector)):
                yield from selectors(child)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_metrics_that_there_are(rule: dict[str, Any], known: dict[str, set[str]]) -> None:
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    found = list(selectors(promql_parser.parse(rule["expr"])))
    assert found
    labels: set[str] = set()
    for selector in found:
        assert selector.name in known
        labels |= known[selector.name]
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name]
    asked = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
    assert asked <= labels


# --- the page


def test_the_page_tells_of_every_metric_and_outcome(known: dict[str, set[str]]) -> None:
    page = (CRON.parents[1] / "docs" / "cron.md").read_text()
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| `winnow_")]
    told = {
        name: {*filter(None, labels.strip().split(", "))}
        for names, labels, _ in rows
        for name in re.findall(r"\w{3,}", names)
    }
    assert told == {name: labels - {"dataset"} for name, labels in known.items()}
    for kind in KINDS:
        assert f"`{kind}`" in page
