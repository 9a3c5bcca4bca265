"""Fetch the public model files into the image, each checked against its pinned SHA-256.

python bake_models.py lid.176 | none
"""

from __future__ import annotations

import sys

from classifiers.models.model_files import LID_176, resolve
from schemas.errors import ConfigError
from storage.pinned_files import cache_dir

MODELS = {"lid.176": (LID_176,), "none": ()}


def main(choice: str) -> str:
    """Fetch the models of `choice` into the cache folder; return one line about what lies there."""
    if choice not in MODELS:
        return f"BAKE_MODELS={choice}: not one of {', '.join(MODELS)}"
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        for origin in MODELS[choice]:
            resolve("", origin.sha256, origin)
    except ConfigError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else "") or None)
