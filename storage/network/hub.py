"""The Hugging Face Hub, `hf://datasets/OWNER/NAME/...`: read through fsspec, written a whole folder in one commit.

The token is found where huggingface_hub looks for it: HF_TOKEN, or what `hf auth login` has stored. HF_ENDPOINT names
another hub that speaks its protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.errors import RunError
from storage.network.remote import HUB, WRITE, filesystem, protocol_of, retry

OWN_FILES = frozenset({".gitattributes"})  # the Hub puts it into every repository


def is_hub(path: str) -> bool:
    """Return whether a path is on the Hub."""
    return protocol_of(path) in HUB


def check_repository(address: str) -> None:
    """Raise RunError unless there is a repository at the address: one is never made, as it would have to be public or
    private."""
    try:
        _resolved(address)
    except FileNotFoundError:
        raise RunError(f"{address}: no such repository on the Hub, or no access to it; create it first") from None


def publish(folder: str, address: str, stale: Iterable[str]) -> None:
    """Put the files of a local folder at the address in one commit, which also removes the files named by `stale`.

    Until the commit nothing can be seen; large files are sent before it. RunError when it cannot be done.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    fs, place = filesystem(address), _resolved(address)
    prefix = f"{place.path_in_repo}/" if place.path_in_repo else ""
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    operations = [CommitOperationAdd(f"{prefix}{name}", str(path)) for name, path in zip(names, paths, strict=True)] + [
        CommitOperationDelete(f"{prefix}{name}") for name in sorted(set(stale) - set(names))
    ]

    def commit() -> None:
        try:
            HfApi(fs.endpoint, token=fs.token).create_commit(
                place.repo_id,
                operations,
                commit_message="Exported by Winnow",
                repo_type=place.repo_type,
                revision=place.revision,
            )
        except RuntimeError as error:  # how it tells that a large file could not be sent
            raise error.__cause__ or error from None

    retry(address, commit, WRITE)
    fs.invalidate_cache()


def _resolved(address: str) -> Any:
    """Return repository, revision and path of an address."""
    fs = filesystem(address)

    def resolve() -> Any:
        try:
            return fs.resolve_path(address)
        except FileNotFoundError as error:
            return error

    found = retry(address, resolve, WRITE)
    if isinstance(found, FileNotFoundError):
        raise found
    if not hasattr(found, "repo_id"):
        raise RunError(f"{address}: is a bucket, which has no commits; give hf://datasets/OWNER/NAME")
    return found
