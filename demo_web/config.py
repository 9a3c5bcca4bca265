"""The settings the demo runs with: the recipe's defaults, the demo web's own lists, and sizes that fit a small web."""

from __future__ import annotations

from pathlib import Path

import yaml

LANGUAGES = ["en", "de", "fr", "es", "ru"]


def write_config(directory: Path) -> Path:
    """Write `demo.yaml` into the folder of a demo web and return its path."""
    root = directory.absolute()
    settings = {
        "index": {
            "ingest": {"max_body_bytes": 2_000_000},
            "blocklist": {
                "directories": [str(root / "blocklists")],
                "words_files": [str(root / "blocklists" / "words.txt")],
            },
        },
        "language": {"keep": LANGUAGES},
        "clean": {"dirty_words": {"directory": str(root / "dirty_words")}, "c4": {"drop_curly_brackets": True}},
        "quality": {"min_score": 0.5},
        "tokenizer": {"vocab_size": 4096, "train_bytes": 2_000_000},
        "mix": {"language_shares": {"en": 0.5, "de": 0.15}, "quality_bands": [0.9], "max_epochs": 2.0},
        "shards": {"row_tokens": 2048, "rows_per_shard": 64},
    }
    path = directory / "demo.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path
