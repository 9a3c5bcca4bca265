"""`winnow tune`: the limits of a language, fitted to a reference."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Annotated

import typer

import storage
from classifiers.steps.language import IdentifyLanguage, LanguageConfig
from pipelines.commands.arguments.options import (
    AsJson,
    Changes,
    ConfigFile,
    RecipeOption,
    maker_of,
    print_json,
    settings_of,
)
from pipelines.recipes.find import make_recipe
from pipelines.tuning.overlay import to_yaml
from pipelines.tuning.reference import ReferenceFile, identified, read_reference, sha256_of
from pipelines.tuning.tune import tune
from schemas.errors import ConfigError
from schemas.records import Document
from schemas.settings import BY_LANGUAGE, PerLanguage, overlay
from storage.listing.inputs import expand
from transforms.heuristics.fitted_limits import TuneConfig

_DEFAULT = TuneConfig()


def tune_command(
    language: Annotated[str, typer.Option("--language", "-l", help="Code of the language: tr, fi, zh...")],
    reference: Annotated[
        list[str],
        typer.Option("--reference", help="Good texts in it: .txt, JSONL, Parquet, WARC or a dump of its Wikipedia."),
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="YAML file to write, for --config; default: printed.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="Column of the text in JSONL and Parquet.")] = "text",
    share: Annotated[float, typer.Option(help="Share of such texts that each limit keeps, at least.")] = _DEFAULT.share,
    confidence: Annotated[float, typer.Option(help="Probability that it does.")] = _DEFAULT.confidence,
    piece_words: Annotated[
        int, typer.Option(help="Words of a piece that a .txt file is cut into; 0: a file is one text.")
    ] = _DEFAULT.piece_words,
    identify: Annotated[
        bool, typer.Option("--identify", help="Only texts that the language identifier takes to be in the language.")
    ] = False,
    max_texts: Annotated[int, typer.Option(help="Texts that are looked at, drawn by a hash.")] = _DEFAULT.max_texts,
    recipe: RecipeOption = None,
    config: ConfigFile = None,
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """Fit a language's limits to texts in it, and write them with their evidence."""
    wanted = dataclasses.replace(
        _DEFAULT, share=share, confidence=confidence, piece_words=piece_words, max_texts=max_texts
    )
    overlay(PerLanguage(_DEFAULT), {BY_LANGUAGE: {language: {}}})  # refuses what is no language code
    maker = maker_of(recipe)
    settings = settings_of(maker, config, changes)
    paths = [path for name in reference for path in expand([storage.with_home(name)])]
    if output is not None and storage.is_local(output) and storage.local_path(storage.with_home(output)).is_dir():
        raise ConfigError(f"{output}: is a folder; expected the name of a file")
    identifier = _identifier(identify)
    counts = dict.fromkeys(paths, 0)
    of_language = dict.fromkeys(paths, 0)

    def texts() -> Iterator[Document]:
        for path in paths:
            some = read_reference(path, language, text_column, wanted.piece_words)
            checked = identified(some, language, identifier) if identifier else ((one, True) for one in some)
            for document, is_language in checked:
                of_language[path] += is_language
                if is_language or not identify:
                    counts[path] += 1
                    yield document

    tuned = tune(lambda one: make_recipe(maker, one), settings, language, texts(), wanted)
    files = [ReferenceFile(path, sha256_of(path), n) for path, n in counts.items()]
    n_texts, n_identified = sum(counts.values()), sum(of_language.values())
    if 2 * n_identified < n_texts:
        warning = f"the language identifier takes {n_identified:,} of {n_texts:,} texts to be {language!r}"
        typer.echo(f"warning: {warning}; --identify takes those alone", err=True)
    written = to_yaml(tuned, files, wanted)
    if output is not None:
        storage.write_atomic(storage.with_home(output), written.encode())
    if as_json:
        print_json({**dataclasses.asdict(tuned), "references": [dataclasses.asdict(one) for one in files]})
    else:
        typer.echo(written if output is None else f"{output}: {len(tuned.limits)} limits", nl=output is not None)


def _identifier(is_needed: bool) -> IdentifyLanguage | None:
    """Return the language identifier, opened; without its model None where texts are only to be checked."""
    step = IdentifyLanguage(LanguageConfig())
    try:
        step.open()
    except ConfigError as error:
        if is_needed:
            raise
        typer.echo(f"warning: the language of the texts is not checked: {error}", err=True)
        return None
    return step
