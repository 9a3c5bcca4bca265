"""A needle in a haystack, in tokens alone: a value from far back must be repeated.

The context is held-out text. At some depth it contains a needle, a key of four tokens that occur nowhere else in
the context and a value of four; the context ends with the key, and the model must continue with the value.
No tokenizer is needed, and no skill beyond retrieval. The gate of a long-context stage requires all needles (L3
section 3.4.2, "perfectly solves needle in a haystack tasks up to that length"). Lengths of key and value are our
choice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from schemas.identity import keyed_hash
from trainer.data.corpus import Corpus
from trainer.loop.training import Training

KEY_TOKENS, VALUE_TOKENS = 4, 4


def haystack(filler: npt.NDArray[np.int64], vocab_size: int, depth: float, name: str) -> npt.NDArray[np.int64]:
    """Return the filler with a needle at `depth` (0 its start, 1 its end) and the question and answer at its end.

    Key and value are drawn by `name` from the tokens that the filler does not hold. The length stays.
    """
    absent = np.setdiff1d(np.arange(vocab_size), filler)
    pool = absent if len(absent) >= KEY_TOKENS + VALUE_TOKENS else np.arange(vocab_size)
    order = np.random.default_rng(keyed_hash("trainer.needle", name)).permutation(len(pool))
    needle = pool[order[: KEY_TOKENS + VALUE_TOKENS]]
    room = len(filler) - 2 * len(needle)
    if room < 0:
        raise ValueError(f"a context of {len(filler)} tokens is too short for a needle of {len(needle)}")
    place = round(depth * room)
    return np.concatenate([filler[:place], needle, filler[place:room], needle])


def needles_found(training: Training, corpus: Corpus, seq_len: int, depths: int) -> dict[float, bool]:
    """Return for each depth whether the model says the needle's value at the end of a context of `seq_len` tokens.

    All ranks call it together: each looks at every context, since a sharded model needs all of them.
    """
    training.model.train(False)
    found = {}
    for n in range(depths):
        depth = n / max(1, depths - 1)
        filler = corpus.slice((n * seq_len) % (corpus.epoch_tokens // seq_len * seq_len), seq_len).tokens.astype(
            np.int64
        )
        context = haystack(filler, corpus.tokenizer.vocab_size, depth, f"{training.recipe.seed}:{seq_len}:{n}")
        found[depth] = _answers(training, context)
    training.model.train()
    return found


def _answers(training: Training, context: npt.NDArray[np.int64]) -> bool:
    tokens = torch.from_numpy(context)[None].to(training.ranks.device)
    positions = torch.arange(len(context), device=training.ranks.device)[None]
    with torch.no_grad():
        logits = training.model(input_ids=tokens, position_ids=positions, use_cache=False).logits
    answer = logits[0, -VALUE_TOKENS - 1 : -1].argmax(-1)
    return bool((answer == tokens[0, -VALUE_TOKENS:]).all())
