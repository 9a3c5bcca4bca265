"""Train a transformers classifier (DistilRoBERTa's class) on a table of labelled texts, and measure it on others.

The Llama 3 report (arXiv:2407.21783, section 3.1.1) scores quality, code and reasoning by DistilRoBERTa trained on
Llama 2's answers; sizes, epochs and rates are not disclosed, so the settings here are ours, near those of BERT's paper
(arXiv:1810.04805, appendix A.3).

Where the teacher's probability is a column, the student learns it, not the answer (Hinton et al. 2015,
arXiv:1503.02531, at temperature 1). Batches hold texts of like length. A part of the training sites or texts, never the
held-out ones, decides when to stop; the weights of the best epoch are kept.

The loop is ours and short, not transformers' Trainer: that needs another package (accelerate) and draws the order of
the batches from torch's generator; here it follows from the texts. The same table and settings give the same bytes on
one machine with one number of threads, in any order of the rows.
"""

from __future__ import annotations

import contextlib
import copy
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.models.transformer_files import check_extra, find_folder, folder_sha256
from classifiers.models.transformer_model import (
    TransformerModel,
    clean_text,
    padded,
    quiet_transformers,
    token_limit,
)
from classifiers.models.transformer_settings import CPU, CUDA, TransformerSettings
from classifiers.training.examples import Example, TableConfig, check_labels, count_labels, read_examples, split
from classifiers.training.figures import Scores
from classifiers.training.student import (
    TRANSFORMER,
    Beside,
    Trained,
    TrainReport,
    read_tests,
    report_of,
    write_beside,
)
from schemas.errors import ConfigError
from schemas.identity import keyed_fraction, keyed_hash
from schemas.settings import setting, validate

AUTO = "auto"
POOL = 50  # batches whose texts are sorted by length together; more would make batches of one kind of text
MAX_NORM = 1.0  # of a step's gradient
GPU_BATCH_TOKENS = 16_384


@dataclass(frozen=True, kw_only=True)
class TransformerTrainConfig(TableConfig):
    """The table's columns, the model to start from, and how it is trained. Values are ours."""

    base_model: str = setting("", "model to start from: a folder, or hf://OWNER/NAME@COMMIT")
    max_tokens: int = setting(256, "tokens from the start of a text, in training and in scoring", ge=8, le=8192)
    epochs: int = setting(4, "passes over the texts, at most", ge=1, le=1000)
    patience: int = setting(1, "epochs without a better validation loss, after which it stops", ge=1)
    validation: float = setting(
        0.1, "share of the training sites or texts that decides when to stop; 0: trains all epochs", ge=0.0, le=0.5
    )
    batch_size: int = setting(16, "texts of a step", ge=1, le=4096)
    lr: float = setting(5e-5, "highest learning rate, after a linear warm-up and before a linear decay", gt=0.0, le=1.0)
    warmup: float = setting(0.1, "share of the steps that warm up", ge=0.0, le=1.0)
    weight_decay: float = setting(0.01, "AdamW's, of matrices", ge=0.0, le=1.0)
    class_weights: bool = setting(True, "labels count alike in the loss, however rare they are")
    device: str = setting(AUTO, "where it trains; auto: a GPU where torch finds one", choices=(AUTO, CPU, CUDA))
    threads: int = setting(0, "torch threads; 0: as many as torch chooses", ge=0, le=1024)

    def __post_init__(self) -> None:
        super().__post_init__()
        validate(self)


def train_transformer(
    table: Path, output: Path, config: TransformerTrainConfig, tests: Sequence[Path] = ()
) -> TrainReport:
    """Train on `table` (JSON lines, CSV, TSV or Parquet) and write the model's folder to `output`.

    The folder also gets report.json, README.md (the card) and, with matplotlib, report.png. `tests` are tables with the
    same columns, whose texts are only scored. Raises ConfigError, one line, for what cannot be used.
    """
    if not config.base_model:
        raise ConfigError("base_model: '' is not allowed; expected a folder or hf://OWNER/NAME@COMMIT")
    check_extra(config.base_model)
    base = find_folder(config.base_model)
    examples, n_empty = read_examples(table, config, clean_text)
    parts = split(examples, config)
    n_train = count_labels(parts.training)
    check_labels(n_train, table, config.positive_label)
    if config.probability_column and len(n_train) != 2:
        raise ConfigError(f"probability_column: is not allowed with {len(n_train)} labels; must be ''")
    tested = read_tests(tests, parts.training, config, clean_text)
    partial = output.with_name(f".{output.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        found = _train(base, parts.training, sorted(n_train), partial, config)
        trained = Trained(
            kind=TRANSFORMER,
            sha256=folder_sha256(partial),
            score=_Scorer(partial, config),
            versions={name: version(name) for name in ("transformers", "torch")},
            found=found,
        )
        scores = trained.score(parts.held_out)
        report = report_of(trained, scores, parts, n_empty, tested, config)
        write_beside(report, scores, parts.held_out, Beside.of(partial, TRANSFORMER, output.name), table.name)
        shutil.rmtree(output, ignore_errors=True)
        partial.rename(output)
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return report


def _train(
    base: Path, examples: Sequence[Example], labels: list[str], target: Path, config: TransformerTrainConfig
) -> dict[str, Any]:
    """Write the trained model and its tokenizer to `target`; return what training settled."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    device = _device(config)
    salt = f"classifier/validation/{config.seed}"
    learned = [one for one in examples if keyed_fraction(salt, one.group) >= config.validation]
    watched = [one for one in examples if keyed_fraction(salt, one.group) < config.validation]
    if len(count_labels(learned)) < len(labels):
        raise ConfigError("validation: too few sites or texts to hold a part back and learn every label; set it to 0")
    quiet_transformers()
    with _deterministic(config):
        try:
            tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
            model = AutoModelForSequenceClassification.from_pretrained(
                base,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                num_labels=len(labels),
                id2label=dict(enumerate(labels)),
                label2id={label: n for n, label in enumerate(labels)},
                ignore_mismatched_sizes=True,  # a head for other labels is replaced
            )
        except (OSError, ValueError, KeyError) as error:
            message = " ".join(str(error).split())[:300]
            raise ConfigError(f"base_model: {config.base_model} cannot be opened: {message}") from None
        tokenizer.model_max_length = min(config.max_tokens, token_limit(tokenizer, model.config))
        model.to(device)
        data = _Batches(tokenizer, labels, config, _class_weights(examples, labels, config), device)
        found = _Run(model, data, config).fit(learned, watched)
        model.cpu().save_pretrained(target)
        tokenizer.save_pretrained(target)
    return {
        **found,
        "device": device,
        "threads": config.threads or torch.get_num_threads(),
        "n_validation": len(watched),
    }


class _Batches:
    """Makes tensors of examples."""

    def __init__(
        self, tokenizer: Any, labels: list[str], config: TransformerTrainConfig, weights: list[float], device: str
    ) -> None:
        self._tokenizer, self._labels, self._config, self._device = tokenizer, labels, config, device
        self._weights = weights

    def epoch(self, examples: Sequence[Example], number: int) -> Iterator[dict[str, Any]]:
        """Yield the batches of an epoch: texts of like length together, in an order that the texts decide."""
        salt = f"classifier/epoch/{self._config.seed}/{number}"
        order = sorted(examples, key=lambda one: (keyed_hash(salt, one.text), one[:4]))
        size = self._config.batch_size
        for start in range(0, len(order), POOL * size):
            pool = self.encoded(order[start : start + POOL * size])
            pool.sort(key=lambda row: len(row[0]))
            batches = [pool[at : at + size] for at in range(0, len(pool), size)]
            batches.sort(key=lambda rows: keyed_hash(salt, str(rows[0][0])))
            yield from map(self.tensors, batches)

    def in_order(self, examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
        """Yield all examples in batches by length."""
        rows = sorted(self.encoded(examples), key=lambda row: len(row[0]))
        for at in range(0, len(rows), self._config.batch_size):
            yield self.tensors(rows[at : at + self._config.batch_size])

    def encoded(self, examples: Sequence[Example]) -> list[tuple[list[int], list[float], float]]:
        """Return token ids, the wanted probability of each label, and the weight in the loss."""
        texts = [one.text for one in examples]
        encoded = self._tokenizer(texts, truncation=True)["input_ids"]
        return [
            (ids, self._target(one), self._weights[self._labels.index(one.label)])
            for ids, one in zip(encoded, examples, strict=True)
        ]

    def _target(self, one: Example) -> list[float]:
        if one.probability is None:
            return [float(label == one.label) for label in self._labels]
        return [
            one.probability if label == self._config.positive_label else 1 - one.probability for label in self._labels
        ]

    def tensors(self, rows: Sequence[tuple[list[int], list[float], float]]) -> dict[str, Any]:
        import torch

        tensors = padded([ids for ids, _, _ in rows], self._tokenizer.pad_token_id or 0)
        tensors["target"] = torch.tensor([target for _, target, _ in rows])
        tensors["weight"] = torch.tensor([weight for _, _, weight in rows])
        return {name: tensor.to(self._device) for name, tensor in tensors.items()}


class _Run:
    """The loop over epochs."""

    def __init__(self, model: Any, data: _Batches, config: TransformerTrainConfig) -> None:
        self._model, self._data, self._config = model, data, config

    def fit(self, learned: Sequence[Example], watched: Sequence[Example]) -> dict[str, Any]:
        """Train, leave the best epoch's weights in the model, and return steps, epochs and losses."""
        import torch
        from transformers import get_linear_schedule_with_warmup

        config, losses, best, kept = self._config, [], 0, None
        matrices = [one for one in self._model.parameters() if one.ndim > 1]
        others = [one for one in self._model.parameters() if one.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=config.lr)
        n_steps = config.epochs * -(-len(learned) // config.batch_size)
        n_warmup = round(config.warmup * n_steps)
        schedule = get_linear_schedule_with_warmup(optimizer, n_warmup, n_steps)  # type: ignore[no-untyped-call]
        for epoch in range(1, config.epochs + 1):
            self._model.train()
            for batch in self._data.epoch(learned, epoch):
                loss = self._loss(batch).mean()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self._model.parameters(), MAX_NORM)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            if not np.isfinite(loss.item()):
                raise ConfigError(f"lr: training diverged in epoch {epoch}; must be less than {config.lr}")
            if watched:
                losses.append(round(self._validation_loss(watched), 6))
                if losses[-1] == min(losses):
                    best, kept = epoch, copy.deepcopy(self._model.state_dict())
                elif epoch - best >= config.patience:
                    break
        if kept is not None:
            self._model.load_state_dict(kept)
        return {"epochs": epoch, "best_epoch": best or epoch, "validation_losses": losses}

    def _loss(self, batch: dict[str, Any]) -> Any:
        """Return the weighted cross entropy of each text, shape (texts,)."""
        import torch

        batch = dict(batch)
        target, weight = batch.pop("target"), batch.pop("weight")
        return torch.nn.functional.cross_entropy(self._model(**batch).logits, target, reduction="none") * weight

    def _validation_loss(self, watched: Sequence[Example]) -> float:
        import torch

        self._model.eval()
        with torch.inference_mode():
            found = [self._loss(batch).double().cpu() for batch in self._data.in_order(watched)]
        return float(torch.cat(found).mean())


class _Scorer:
    """Scores examples as the pipeline will: by the model as it lies in its folder."""

    def __init__(self, folder: Path, config: TransformerTrainConfig) -> None:
        import torch

        on_gpu = _device(config) == CUDA
        self._config = config
        self._model = TransformerModel(
            folder,
            TransformerSettings(
                device=CUDA if on_gpu else CPU,
                batch_tokens=GPU_BATCH_TOKENS if on_gpu else 0,
                threads=config.threads or torch.get_num_threads(),
            ),
        )

    def __call__(self, examples: Sequence[Example]) -> Scores:
        texts = [one.text for one in examples]
        found = self._model.predict_batch(texts, len(self._model.labels), self._config.max_chars)
        return np.array([dict(one).get(self._config.positive_label, 0.0) for one in found], dtype=np.float64)


@contextlib.contextmanager
def _deterministic(config: TransformerTrainConfig) -> Iterator[None]:
    """Set torch's seed, threads and deterministic algorithms; what the process had is restored after the block."""
    import torch

    threads, was, state = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
    try:
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.use_deterministic_algorithms(True, warn_only=True)  # a few GPU operations have no such form
        torch.manual_seed(config.seed)
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(was)
        torch.set_rng_state(state)


def _class_weights(examples: Sequence[Example], labels: list[str], config: TransformerTrainConfig) -> list[float]:
    """Return the weight of each label: texts over labels times texts of the label (King and Zeng 2001)."""
    if not config.class_weights:
        return [1.0] * len(labels)
    counts = count_labels(examples)
    return [len(examples) / (len(labels) * counts[label]) for label in labels]


def _device(config: TransformerTrainConfig) -> str:
    import torch

    if config.device == CUDA and not torch.cuda.is_available():
        raise ConfigError("device: 'cuda' is not allowed: torch finds no GPU here")
    return CUDA if config.device != CPU and torch.cuda.is_available() else CPU
