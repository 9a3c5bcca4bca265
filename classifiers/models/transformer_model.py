"""A transformers classifier opened for prediction: the same texts, the same scores, whatever they are scored with.

On a CPU each text goes through the model alone, at its own length. That is no slower than batches (64 web documents of
184 tokens on average, MiniLM, one thread: 2.7 s of CPU alone, 3.0 s in batches by length, 4.0 s in a plain padded loop
of 32), and no score depends on a neighbour, not in the last bit. On a GPU `batch_tokens` gathers texts of like length;
then sums of floats may differ by the size of a batch, by less than 1e-6. Scores are rounded to 6 decimals before
anything is decided on them.

Not Beam's RunInference: it hands texts from one PTransform to the next and returns them in batches of its choice, while
a stage of ours keeps a row's place in its file, which is its address in every shuffle, and writes its fate at once
(transforms/step.py). What RunInference would give, one model in a process for all its threads, is `open_shared`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifiers.models.transformer_files import check_extra
from classifiers.models.transformer_settings import CUDA, TransformerSettings
from schemas.errors import ConfigError

DIGITS = 6  # of a score
LONGEST = 512  # tokens of a model that does not say how many it takes


def clean_text(text: str, max_chars: int) -> str:
    """Return the first `max_chars` characters; half a surrogate pair, which has no UTF-8, becomes `?`."""
    return text[:max_chars].encode("utf-8", "replace").decode()


class TransformerModel:
    """A sequence classifier with its tokenizer."""

    def __init__(self, folder: Path, settings: TransformerSettings | None = None) -> None:
        """Open the model in `folder`. Raises ConfigError for what is no classifier, or when the extra is missing."""
        check_extra(str(folder))
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self._settings = settings or TransformerSettings()
        if self._settings.device == CUDA and not torch.cuda.is_available():
            raise ConfigError("transformer.device: 'cuda' is not allowed: torch finds no GPU here")
        quiet_transformers()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model, loading = AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"model {folder}: cannot be opened: {' '.join(str(error).split())[:300]}") from None
        if loading["missing_keys"]:
            raise ConfigError(
                f"model {folder}: is no trained classifier; it lacks {', '.join(sorted(loading['missing_keys'])[:3])}"
            )
        self._model.eval().to(self._settings.device)
        config = self._model.config
        self.labels = tuple(str(config.id2label[n]) for n in range(config.num_labels))
        if len(self.labels) < 2:
            raise ConfigError(f"model {folder}: has one output; expected a classifier with at least two labels")
        self._max_tokens = token_limit(self._tokenizer, config)
        self._lock = threading.Lock()

    def predict_batch(self, texts: Sequence[str], k: int, max_chars: int) -> list[list[tuple[str, float]]]:
        """Return for each text its `k` most probable labels with their probabilities, highest first.

        A text of white space alone has none. Only as many tokens from its start count as the model was trained on.
        """
        cleaned = [clean_text(text, max_chars) for text in texts]
        places = [at for at, text in enumerate(cleaned) if text.strip()]
        found: list[list[tuple[str, float]]] = [[] for _ in texts]
        if places:
            with self._lock:  # one text at a time is fastest, and the tokenizer's truncation is state
                rows = self._probabilities([cleaned[at] for at in places])
            for at, row in zip(places, rows, strict=True):
                ranked = sorted(zip(self.labels, row, strict=True), key=lambda pair: -pair[1])
                found[at] = ranked[:k]
        return found

    def _probabilities(self, texts: list[str]) -> list[list[float]]:
        import torch

        if torch.get_num_threads() != self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        encoded = self._tokenizer(texts, truncation=True, max_length=self._max_tokens)["input_ids"]
        found: list[list[float]] = [[]] * len(texts)
        with torch.inference_mode():
            for group in groups_by_length([len(ids) for ids in encoded], self._settings.batch_tokens):
                tensors = padded([encoded[at] for at in group], self._tokenizer.pad_token_id or 0)
                logits = self._model(**{name: one.to(self._settings.device) for name, one in tensors.items()}).logits
                rows = torch.softmax(logits.double().cpu(), dim=-1).tolist()
                for at, row in zip(group, rows, strict=True):
                    found[at] = [round(value, DIGITS) for value in row]
        return found


def groups_by_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Yield the places of texts in batches of like length, of at most `batch_tokens` tokens with their padding.

    With 0, or where a text alone has more, it is a batch of its own. Longest first, so that a GPU runs out of memory in
    the first batch or never.
    """
    order = sorted(range(len(lengths)), key=lambda at: (-lengths[at], at))
    group: list[int] = []
    for at in order:
        if group and lengths[group[0]] * (len(group) + 1) > batch_tokens:
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def padded(rows: Sequence[Sequence[int]], pad_id: int) -> dict[str, Any]:
    """Return token ids and attention mask as int64 tensors of shape (rows, longest)."""
    import torch

    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad_id, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[at, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def token_limit(tokenizer: Any, config: Any) -> int:
    """Return how many tokens a model takes: the tokenizer's limit, at most its places (RoBERTa's begin behind the
    padding id)."""
    offset = (config.pad_token_id or 0) + 1 if "roberta" in config.model_type else 0
    places = getattr(config, "max_position_embeddings", None)
    limits = [tokenizer.model_max_length, places - offset if places else LONGEST]
    return int(min(limits))


_OPENED: weakref.WeakValueDictionary[tuple[Path, str, TransformerSettings], TransformerModel] = (
    weakref.WeakValueDictionary()
)
_OPENING = threading.Lock()


def open_shared(folder: Path, sha256: str, settings: TransformerSettings) -> TransformerModel:
    """Return the one model of this process for a folder, for as long as anybody holds it."""
    key = (folder, sha256, settings)
    with _OPENING:
        model = _OPENED.get(key)
        if model is None:
            model = _OPENED[key] = TransformerModel(folder, settings)
        return model


def quiet_transformers() -> None:
    """Keep transformers from writing to the terminal: what is wrong is raised."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
