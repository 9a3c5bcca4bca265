"""The tokenizer as a folder that `transformers.AutoTokenizer.from_pretrained` takes.

A text is encoded as the pipeline does, BOS put before it; EOS is set and not added, as a prompt must not end with it.
One difference remains: AutoTokenizer reads a special token that a text spells, the pipeline never does.

A tiktoken rank file becomes a tokenizer.json whose merges are all pairs of tokens that make a token, in the order of
its rank: tiktoken joins the adjacent pair of lowest rank, and so do these merges.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tokenizers

from transforms.tokens.exact_ranks import GPT2_PATTERN, LLAMA3_PATTERN, byte_of_letter
from transforms.tokens.tokenizer import TokenizerConfig, parse_json, parse_ranks

FILE, CONFIG = "tokenizer.json", "tokenizer_config.json"


def tokenizer_folder(data: bytes, name: str, config: TokenizerConfig) -> dict[str, bytes]:
    """Return the files of the folder by name, from the bytes of the tokenizer's file `name`.

    ConfigError when the file is neither a tokenizer.json nor a tiktoken rank file, or lacks BOS or EOS.
    """
    if data.lstrip()[:1] == b"{":
        spec, ids = parse_json(data, name, config)
    else:
        ranks, ids = parse_ranks(data, name, config)
        spec = _spec_of_ranks(ranks, ids, config)
    spec["post_processor"] = _with_bos(spec, config.bos, ids[config.bos])
    others = [text for text in ids if text not in (config.bos, config.eos)]
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": config.bos,
        "eos_token": config.eos,
        "clean_up_tokenization_spaces": False,  # or decoding would change a text
        "model_max_length": int(1e30),  # transformers' word for no limit
    }
    special: dict[str, Any] = {"bos_token": config.bos, "eos_token": config.eos}
    if others:
        settings["additional_special_tokens"] = special["additional_special_tokens"] = others
    return {FILE: _json(spec), CONFIG: _json(settings), "special_tokens_map.json": _json(special)}


def _json(plain: Any) -> bytes:
    return (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode()


def _with_bos(spec: Mapping[str, Any], bos: str, bos_id: int) -> Any:
    """Return the post-processor that puts BOS before a text: the file's own where it does so, or else adds nothing."""
    own = spec.get("post_processor")
    single = [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    template = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {bos: {"id": bos, "ids": [bos_id], "tokens": [bos]}},
    }
    if own is None:
        return template
    loaded = tokenizers.Tokenizer.from_str(json.dumps(spec))
    plain, processed = (loaded.encode("a", add_special_tokens=add).ids for add in (False, True))
    if processed == [bos_id, *plain]:
        return own
    return {"type": "Sequence", "processors": [own, template]} if processed == plain else template


def _spec_of_ranks(ranks: Mapping[bytes, int], specials: Mapping[str, int], config: TokenizerConfig) -> dict[str, Any]:
    """Return the tokenizer.json of a rank file."""
    letters = {byte: letter for letter, byte in byte_of_letter().items()}

    def spelled(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    in_order = sorted(ranks, key=ranks.__getitem__)
    merges = [
        [spelled(token[:cut]), spelled(token[cut:])]
        for token in in_order
        for cut in range(1, len(token))
        if token[:cut] in ranks and token[cut:] in ranks
    ]
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    added = [{"id": n, "content": text, **flags, "special": True} for text, n in specials.items()]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    # What a pattern does not match stays a piece of its own, character by character; the two known ones match all.
    pattern = config.pattern if config.pattern in (LLAMA3_PATTERN, GPT2_PATTERN) else rf"{config.pattern}|[\s\S]"
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": sorted(added, key=lambda token: int(str(token["id"]))),
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,  # tiktoken takes a whole word that is a token before it joins anything
            # With the special tokens: `tokenizers` numbers an added token itself that the vocabulary lacks.
            "vocab": {**{spelled(token): ranks[token] for token in in_order}, **specials},
            "merges": merges,
        },
    }
