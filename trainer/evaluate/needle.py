"""A needle in a haystack, in tokens alone: a value from far back must be repeated.

The context is held-out text. At some depth it contains a needle, a key of four tokens and a value of four; the context
ends with the key, and the model must continue with the value. The tokens of a needle are such as training shows often,
since a model cannot repeat a token that it has never seen, however well it looks back, and such as the rest of the
context lacks, or has least of: a needle that looks like its haystack asks for more than retrieval. Its key comes up
nowhere else in the context. No tokenizer is needed. The gate of a long-context stage requires all
needles (L3 section 3.4.2, "perfectly solves needle in a haystack tasks up to that length"). Lengths of key and value,
and how often a token must occur, are our choice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from schemas.identity import keyed_hash
from trainer.data.corpus import Corpus
from trainer.loop.training import Training
from trainer.recipe import EvalConfig

KEY_TOKENS, VALUE_TOKENS = 4, 4
NEEDLE_TOKENS = KEY_TOKENS + VALUE_TOKENS
CHOICE = 2 * NEEDLE_TOKENS  # tokens that a needle is drawn from, at least, where so many are known (ours)

Tokens = npt.NDArray[np.int64]


class NeedleTest:
    """Needles over held-out text, the same for every seed of a recipe and at each measurement."""

    def __init__(self, held_out: Mapping[str, Corpus], config: EvalConfig) -> None:
        """The haystacks are text of the first of the held-out sources, by name."""
        self._corpus, self._config = held_out[min(held_out)], config
        self._known = known_tokens(self._corpus, config.tokens, config.needle_count)

    def contexts(self, seq_len: int) -> list[Tokens]:
        """Return the contexts, [seq_len] each: `needles` at each of `needle_depths`, from the start to the end."""
        depths = self._config.needle_depths
        text = self._corpus.epoch_tokens // seq_len * seq_len
        found = []
        for n in range(depths * self._config.needles):
            depth = n % depths / max(1, depths - 1)
            filler = self._corpus.slice(n * seq_len % text, seq_len).tokens.astype(np.int64)
            found.append(haystack(filler, self._known, depth, f"{seq_len}:{n}"))
        return found

    def share_found(self, training: Training, seq_len: int) -> float:
        """Return the share of the needles whose value the model gives at the end of a context of `seq_len` tokens.

        All ranks call it together: each looks at every context, since a sharded model needs all of them.
        """
        contexts, at_once = self.contexts(seq_len), training.micro_sequences(seq_len)
        training.model.train(False)
        hits = 0
        for start in range(0, len(contexts), at_once):
            hits += _answered(training, np.stack(contexts[start : start + at_once]))
            training.watchdog.beat()  # a long measurement is not a stall
        training.model.train()
        return hits / len(contexts)


def known_tokens(corpus: Corpus, tokens: int, least: int) -> Tokens:
    """Return which tokens occur at least `least` times in a source's first `tokens`, ascending; neither BOS nor EOS.

    Too few for a needle, as a text of little variety has them: the most frequent ones that make one.
    """
    unit = corpus.unit
    total = max(1, min(tokens, corpus.epoch_tokens) // unit)
    counts = np.zeros(corpus.tokenizer.vocab_size, np.int64)
    for n in range(total):
        counts += np.bincount(corpus.slice(n * unit, unit).tokens, minlength=len(counts))
    counts[[corpus.tokenizer.bos_id, corpus.tokenizer.eos_id]] = 0
    often = np.flatnonzero(counts >= least)
    if len(often) >= NEEDLE_TOKENS:
        return often
    return np.sort(np.argsort(-counts, kind="stable")[:NEEDLE_TOKENS])


def haystack(filler: Tokens, known: Tokens, depth: float, name: str) -> Tokens:
    """Return the filler with a needle at `depth` (0 its start, 1 its end) and the question and answer at its end.

    Key and value are different tokens of those of `known` that the filler lacks, or, where it lacks few, has least of;
    drawn by `name` until the filler does not hold the key. The length stays. ValueError for a filler that is too short,
    or that holds every key.
    """
    room = len(filler) - 2 * NEEDLE_TOKENS
    if room < 0:
        raise ValueError(f"a context of {len(filler)} tokens is too short for a needle of {NEEDLE_TOKENS}")
    place = round(depth * room)
    draw = np.random.default_rng(keyed_hash("trainer.needle", name))
    rare = _rare_in(filler[:room], known)
    for _ in range(100):
        needle = draw.permutation(rare)[:NEEDLE_TOKENS]
        context = np.concatenate([filler[:place], needle, filler[place:room], needle])
        if _occurrences(context, needle[:KEY_TOKENS]) == 2:
            return context
    raise ValueError(f"no key of {KEY_TOKENS} of these {len(known)} tokens is new to the context")


def _rare_in(filler: Tokens, known: Tokens) -> Tokens:
    """Return the tokens of `known` that a filler lacks, or, of fewer than CHOICE, so many that it has least of."""
    counts = np.bincount(filler, minlength=int(known.max()) + 1)[known]
    absent = known[counts == 0]
    return absent if len(absent) >= CHOICE else known[np.argsort(counts, kind="stable")[:CHOICE]]


def _occurrences(context: Tokens, key: Tokens) -> int:
    windows = np.lib.stride_tricks.sliding_window_view(context, len(key))
    return int((windows == key).all(1).sum())


def _answered(training: Training, contexts: Tokens) -> int:
    """Return after how many of the contexts, [b, S], the model gives the value; each token of it after the true ones.

    Only the logits that are asked for are made: those of a whole context of 131,072 tokens would take 67 GB.
    """
    tokens = torch.from_numpy(contexts).to(training.ranks.device)
    positions = torch.arange(tokens.shape[1], device=tokens.device).expand(len(tokens), -1)
    with torch.no_grad():
        logits = training.model(
            input_ids=tokens, position_ids=positions, use_cache=False, logits_to_keep=VALUE_TOKENS + 1
        ).logits
    return int((logits[:, :-1].argmax(-1) == tokens[:, -VALUE_TOKENS:]).all(1).sum())
