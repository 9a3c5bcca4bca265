"""The Kubernetes manifests against the schemas: Kubernetes' own, and the Flink operator's from its released jar."""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
KUBERNETES = "1.31"
OPERATOR = "1.10.0"  # of the Flink Kubernetes operator, API v1beta1
OPERATOR_SHA256 = "b1f44814e17514fa8395c61b329a3ee9087123a5bda5b21fe1a495d5182c30b6"
ARTIFACT = f"org.apache.flink:flink-kubernetes-operator-api:{OPERATOR}"
JAR = f"{ARTIFACT.replace('.', '/', 2).replace(':', '/')}/flink-kubernetes-operator-api-{OPERATOR}.jar"
CRD = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"
FLINK_KIND = "FlinkDeployment"


def manifests() -> list[dict[str, Any]]:
    return [
        document
        for path in sorted(FOLDER.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def manifest(kind: str) -> dict[str, Any]:
    return next(document for document in manifests() if document["kind"] == kind)


def closed(schema: Any) -> Any:
    """Return a schema that refuses fields it does not name, as kubectl does; maps and free objects stay open."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: closed(value) for name, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    free = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    return {**plain, "additionalProperties": False} if named and not free else plain


@functools.cache
def flink_schema() -> dict[str, Any]:
    """Return the operator's schema of a FlinkDeployment, from the released jar, checked against its SHA-256."""
    jar = Path.home() / ".m2/repository" / JAR
    if not jar.exists():
        maven = shutil.which("mvn")
        if maven is None:
            pytest.skip("no Maven to fetch the Flink operator's schema with")
        command = [maven, "-q", "-B", "dependency:get", f"-Dartifact={ARTIFACT}", "-Dtransitive=false"]
        if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode:
            pytest.skip(f"{ARTIFACT} cannot be fetched from Maven Central here")
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == OPERATOR_SHA256
    with zipfile.ZipFile(jar) as archive:
        crd = yaml.load(archive.read(CRD), yaml.CSafeLoader)
    version = next(version for version in crd["spec"]["versions"] if version["name"] == "v1beta1")
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    schema["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    return schema


def flink_complaints(document: dict[str, Any]) -> list[str]:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(closed(flink_schema()))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_core_kinds_are_valid() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    core = [document for document in manifests() if document["kind"] != FLINK_KIND]
    assert sorted(document["kind"] for document in core) == ["ConfigMap", "Deployment", "Job", "Service"]
    for document in core:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_the_pod_of_a_task_manager_is_valid() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    kubernetes_validate.validate(manifest(FLINK_KIND)["spec"]["taskManager"]["podTemplate"], KUBERNETES, strict=True)


def test_flink_deployment_is_valid() -> None:
    assert flink_complaints(manifest(FLINK_KIND)) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("mode", "fast"),
        ("flinkVersion", 1.19),
        ("jobManagr", {}),
        ("taskManager", {"resource": {"cpu": "many"}}),
        ("taskManager", {"podTemplate": {"spec": {"containers": [{"imagee": "x"}]}}}),
    ],
)
def test_the_check_sees_what_is_wrong(place: str, value: Any) -> None:
    document = manifest(FLINK_KIND)
    document["spec"][place] = value
    assert flink_complaints(document)


def test_the_run_finds_the_cluster_the_job_server_and_the_pool() -> None:
    pod = manifest("Job")["spec"]["template"]["spec"]
    words = dict(word[2:].split("=", 1) for word in pod["containers"][0]["args"] if "=" in word)
    cluster, service = manifest(FLINK_KIND)["metadata"]["name"], manifest("Service")
    ports = {port["name"]: port["port"] for port in service["spec"]["ports"]}
    assert words["flink_master"] == f"{cluster}-rest:8081"
    assert words["job_endpoint"] == f"{service['metadata']['name']}:{ports['job']}"
    sidecar = manifest(FLINK_KIND)["spec"]["taskManager"]["podTemplate"]["spec"]["containers"][1]
    assert sidecar["args"] == ["--worker_pool"]
    assert words["environment_config"] == f"localhost:{sidecar['ports'][0]['containerPort']}"
    assert sidecar["image"] == pod["containers"][0]["image"]
    server = manifest("Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert f"--flink-master={words['flink_master']}" in server["args"]


def test_a_slot_has_its_network_memory() -> None:
    settings = manifest(FLINK_KIND)["spec"]["flinkConfiguration"]
    assert settings["taskmanager.memory.network.min"] == "1g"
    assert int(settings["taskmanager.numberOfTaskSlots"]) * 256 <= 1024


def test_what_is_written_goes_to_a_volume() -> None:
    pool = manifest(FLINK_KIND)["spec"]["taskManager"]["podTemplate"]["spec"]["containers"][1]
    for container in (pool, manifest("Job")["spec"]["template"]["spec"]["containers"][0]):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["workingDir"] == "/tmp"
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]


def test_nothing_runs_as_root_or_may_become_it() -> None:
    for document in (manifest("Job"), manifest("Deployment")):
        pod = document["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
