"""Brings Flink and Beam's job server from package registries: pinned, checked, cached, unpacked, never installed.

A whole Flink lies in two packages of PyPI whose requirements clash with Beam's: `apache-flink` (a wheel: scripts and
logging settings) and `apache-flink-libraries` (a source archive: the jars). Beam's job server comes in 162 jars from
Maven Central, which are made into one: a job server uploads all its jars with every job, and 162 uploads take 15 s
where one takes 4. Both go by pip and Maven themselves, so mirrors, proxies and certificates are those of the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError
from storage.pinned_files import cache_dir, file_sha256

HERE = Path(__file__).parent
FLINK = "1.19.3"
MAIN_CLASS = "org.apache.beam.runners.flink.FlinkJobServerDriver"
FETCH_S = 900.0
_SIGNATURES = (".SF", ".RSA", ".DSA", "module-info.class")  # of single jars; wrong for one made of many


@dataclass(frozen=True)
class Package:
    """A file of the Python package index."""

    name: str
    sha256: str
    options: tuple[str, ...]  # of pip, which choose the file


# The wheel is that of Linux for one Python; of it only shell scripts and settings are used, which are the same in all.
PACKAGES = (
    Package(
        "apache-flink",
        "ff572c6ffa3867c21b8a455aefb50c53c91973fd0408df594ca26cb0a7bebc77",
        ("--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--platform=manylinux2014_x86_64"),
    ),
    Package(
        "apache-flink-libraries",
        "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60",
        ("--no-binary=apache-flink-libraries",),
    ),
)


@dataclass(frozen=True)
class Installed:
    """Where Flink and the job server lie."""

    home: Path  # bin, conf, lib, plugins
    job_server: Path  # one jar


def fetch(cache: Path | None = None) -> Installed:
    """Return Flink and the job server from the cache, after fetching what is not there. Raises ConfigError."""
    root = (cache or cache_dir()).absolute() / f"flink-{FLINK}-{_pins()[:12]}"
    installed = Installed(root / "home", root / "job-server.jar")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root / ".lock"):
            if not installed.home.is_dir():
                _make(installed.home, _unpack_flink)
            if not installed.job_server.is_file():
                _make(installed.job_server, _make_job_server)
    except OSError as error:
        raise ConfigError(f"{error.filename or root}: {error.strerror or error}") from None
    return installed


def _pins() -> str:
    """Return a digest of all that is pinned: other pins are another folder of the cache."""
    text = "".join(package.sha256 for package in PACKAGES)
    return hashlib.sha256(
        text.encode() + b"".join((HERE / n).read_bytes() for n in ("pom.xml", "jars.sha256"))
    ).hexdigest()


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(place: Path, make: Callable[[Path, Path], None]) -> None:
    """Write a file or folder under a temporary name and rename it when it is complete."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as folder:
        scratch = Path(folder)
        make(scratch / "made", scratch)
        (scratch / "made").rename(place)


def _unpack_flink(home: Path, scratch: Path) -> None:
    home.mkdir()
    for package in PACKAGES:
        file = _pip_download(package, scratch / package.name)
        if file.suffix == ".whl":
            _unpack_wheel(file, home)
        else:
            _unpack_libraries(file, home)
        file.unlink()


def _pip_download(package: Package, folder: Path) -> Path:
    folder.mkdir()
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{package.name}=={FLINK} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", *package.options, "--dest", str(folder), "--requirement", str(pinned)]
    _run(command, folder, f"pip: {package.name} {FLINK}")
    found = [path for path in folder.iterdir() if path != pinned]
    if len(found) != 1 or file_sha256(found[0]) != package.sha256:
        raise ConfigError(
            f"pip brought {[path.name for path in found]} for {package.name} {FLINK}, not the pinned file"
        )
    return found[0]


def _unpack_wheel(file: Path, home: Path) -> None:
    with zipfile.ZipFile(file) as wheel:
        for name in wheel.namelist():
            top, _, inner = name.partition("/")
            if top == "pyflink" and inner.startswith(("bin/", "conf/")) and not name.endswith("/"):
                target = home / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(wheel.read(name))
                target.chmod(0o755 if inner.startswith("bin/") else 0o644)


def _unpack_libraries(file: Path, home: Path) -> None:
    with tarfile.open(file) as archive:
        for member in archive:
            inner = member.name.partition("/deps/")[2]
            if member.isfile() and inner.startswith(("bin/", "lib/", "plugins/")):
                source, target = archive.extractfile(member), home / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                if source is not None:
                    with source, target.open("wb") as out:
                        shutil.copyfileobj(source, out)


def _make_job_server(jar: Path, scratch: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigError("Beam's job server is fetched by Maven, and there is no `mvn` on the PATH; install maven")
    parts = scratch / "jars"
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
    command = [maven, "--batch-mode", "--quiet", "--file", str(HERE / "pom.xml"), goal]
    _run([*command, f"-DoutputDirectory={parts}", "-DincludeScope=runtime"], scratch, "Maven: Beam's job server")
    check_jars(parts, HERE / "jars.sha256")
    merge_jars(sorted(parts.glob("*.jar")), jar, MAIN_CLASS)


def check_jars(folder: Path, pins: Path) -> None:
    """Raise ConfigError when a folder has not exactly the jars that are pinned."""
    pinned = {name: digest for digest, name in (line.split() for line in pins.read_text().splitlines())}
    found = {path.name: file_sha256(path) for path in folder.glob("*.jar")}
    for name in sorted(pinned.keys() | found.keys()):
        if pinned.get(name) != found.get(name):
            raise ConfigError(
                f"Maven: {name}: SHA-256 {found.get(name, '(not there)')}, pinned {pinned.get(name, '(nothing)')}"
            )


def merge_jars(parts: list[Path], jar: Path, main_class: str) -> None:
    """Make one jar of many: the first of equal names counts, lists of services are joined, signatures left out."""
    manifest = f"Manifest-Version: 1.0\nMain-Class: {main_class}\nMulti-Release: true\n\n"
    services: dict[str, list[bytes]] = {}
    seen = {"META-INF/MANIFEST.MF"}
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("META-INF/MANIFEST.MF", manifest)
        for part in parts:
            with zipfile.ZipFile(part) as archive:
                for entry in archive.infolist():
                    name = entry.filename
                    if entry.is_dir() or name.endswith(_SIGNATURES):
                        continue
                    if name.startswith("META-INF/services/"):
                        services.setdefault(name, []).append(archive.read(entry))
                    elif name not in seen:
                        seen.add(name)
                        out.writestr(entry, archive.read(entry), zipfile.ZIP_DEFLATED, 1)
        for name, lists in sorted(services.items()):
            out.writestr(name, b"\n".join(lists) + b"\n")


def _run(command: list[str], folder: Path, what: str) -> None:
    """Run a command; ConfigError with its own words when it fails."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_S, check=False, env=dict(os.environ)
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{what}: nothing within {FETCH_S:.0f} s") from None
    if done.returncode:
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if "ERROR" in line]
        cause = lines[0] if lines else f"exit status {done.returncode}"
        raise ConfigError(f"{what}: {cause.replace('[ERROR] ', '')[:400]}")
