"""A RoBERTa made on the spot, and a student of it.

Its byte-level BPE is trained on the test's texts; it has two narrow layers of random weights.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaForMaskedLM

from classifiers.models.transformer_model import quiet_transformers
from classifiers.training.student import TrainReport
from classifiers.training.train_transformer import TransformerTrainConfig, train_transformer

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def make_roberta(folder: Path, texts: Sequence[str], places: int = 66) -> Path:
    """Write a masked language model, as DistilRoBERTa is one, with its tokenizer, and return its folder."""
    quiet_transformers()
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", mask_token="<mask>", model_max_length=512,
    )  # fmt: skip
    state = torch.get_rng_state()
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=places, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1,
    )  # fmt: skip
    RobertaForMaskedLM(config).save_pretrained(folder)
    torch.set_rng_state(state)
    tokenizer.save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Student:
    """A student trained on planted texts, and what it was trained with."""

    folder: Path
    rows: list[dict[str, object]]
    config: TransformerTrainConfig
    report: TrainReport


def make_student(folder: Path) -> Student:
    """Train a student whose positives have words of mathematics, in seconds."""
    rng = random.Random(0)
    words = {"good": ["theorem", "proof", "lemma", "group"], "bad": ["buy", "pills", "cheap", "offer"]}
    rows: list[dict[str, object]] = [
        {"text": " ".join(rng.choice([*words[label], "the", "of", "and"]) for _ in range(rng.randrange(3, 60))),
         "label": label, "site": f"{n % 40}.example"}
        for n in range(120) for label in words
    ]  # fmt: skip
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = make_roberta(folder / "base", [str(row["text"]) for row in rows])
    config = TransformerTrainConfig(base_model=str(base), lr=3e-3, epochs=3, threads=1, max_tokens=32)
    report = train_transformer(folder / "t.jsonl", folder / "student", config)
    return Student(folder / "student", rows, config, report)
