"""Find the folder of a transformers classifier, and use it only if its files have the pinned SHA-256.

A model is a local folder (a registry's, a share's), or `hf://OWNER/NAME@REVISION` on the Hugging Face Hub, where the
revision must be a commit: a branch may hold another model tomorrow. Files come through huggingface_hub, so HF_TOKEN,
HF_ENDPOINT, its cache and HF_HUB_OFFLINE count. Only safetensors are read: a pickle can run code.

The SHA-256 of a folder is that of the list of its model files, each with its own SHA-256: what else lies there, a card,
a report, does not count.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from pathlib import Path

from schemas.errors import ConfigError
from storage.pinned_files import file_sha256

HUB = "hf://"
MODEL_FILES = (
    "config.json", "*.safetensors", "*.safetensors.index.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "*.spm", "*.model",
)  # fmt: skip
_ADDRESS = re.compile(r"hf://(?P<name>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")


def is_folder_model(path: str) -> bool:
    """Return whether a path names a transformers model: a folder, or a repository of the Hub."""
    return path.startswith(HUB) or bool(path and Path(path).expanduser().is_dir())


def resolve_folder(path: str, sha256: str) -> Path:
    """Return the local folder of a model whose files have this SHA-256. Raises ConfigError, one line."""
    folder = find_folder(path)
    found, pinned = folder_sha256(folder), sha256.strip().lower()
    if found != pinned:
        wanted = f"not {pinned} as configured" if pinned else "and none is configured"
        raise ConfigError(f"model {path}: its SHA-256 is {found}, {wanted}; if you trust it, configure that one")
    return folder


def find_folder(path: str) -> Path:
    """Return the local folder of a model, fetched from the Hub where it is there. Raises ConfigError, one line."""
    if not path.startswith(HUB):
        folder = Path(path).expanduser()
        if not (folder / "config.json").is_file():
            raise ConfigError(f"model {path}: is no folder of a transformers model; it has no config.json")
        return folder
    address = _ADDRESS.fullmatch(path)
    if not address:
        raise ConfigError(f"model {path}: is not allowed; expected hf://OWNER/NAME@COMMIT, 40 hexadecimal digits")
    check_extra(path)
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        # Downloads of several threads would be faster, and leave a half-read socket to the garbage collector.
        found = snapshot_download(
            address["name"], revision=address["revision"], allow_patterns=list(MODEL_FILES), max_workers=1
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx.HTTPError, OSError) as error:
        raise ConfigError(f"model {path}: cannot be fetched: {' '.join(str(error).split())[:300]}") from None
    return Path(found)


def folder_sha256(folder: Path) -> str:
    """Return the SHA-256 of the model files of a folder. Raises ConfigError when they cannot be read."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
        digest = hashlib.sha256()
        for name in names:
            if any(fnmatch.fnmatch(name, pattern) for pattern in MODEL_FILES):
                digest.update(f"{name} {file_sha256(folder / name)}\n".encode())
    except OSError as error:
        raise ConfigError(f"model {folder}: {error.strerror or error}") from None
    return digest.hexdigest()


def check_extra(path: str) -> None:
    """Raise ConfigError, one line, unless transformers and torch are installed."""
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"model {path}: a transformers model needs {error.name}: pip install 'winnow-corpus[models]'"
        ) from None
