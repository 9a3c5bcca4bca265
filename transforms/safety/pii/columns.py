"""Personal data in the columns beside the text: `url`, `record_id`, `metadata`, what a source tells of it (`web`).

The same finders, actions and key as for the text, so that a value has the same replacement wherever it is written. The
step comes first in its stage: what later steps and all tables write of a document, dropped ones included, is clean.
Nothing that depends on an address sees a difference: ids and copies of addresses come before, the site and the kind
that an address tells of stay (addresses.py). `archive` and `offset` lead back to the record.

Counted are values, as `url_emails`, `web_emails`, ...; no limit of a document (density.py) is about them.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from transforms.safety.pii.addresses import redact_address
from transforms.safety.pii.json_values import redact_json, redact_value
from transforms.safety.pii.redact import PiiConfig
from transforms.step import Draft

_OPAQUE = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)


def redact_id(record_id: str, config: PiiConfig, language: str = "") -> tuple[str, Counter[str]]:
    """Return the id of a record with personal data replaced, which a row's own id can hold (an address, a mail)."""
    if _OPAQUE.fullmatch(record_id):
        return record_id, Counter()
    return redact_value(record_id, config, language)


@dataclass(frozen=True)
class RedactColumns:
    """The step: `transforms.step.Step`. `facts` names the columns of sources whose strings are searched."""

    name: str
    settings: PiiConfig
    facts: tuple[str, ...] = ()
    stats: ClassVar[None] = None
    resources: ClassVar[Sequence[str]] = ()
    measured_with: ClassVar[frozenset[str]] = frozenset()  # it neither measures nor decides

    def open(self) -> None:
        """Nothing to open."""

    def run(self, drafts: Sequence[Draft], edits: Counter[str]) -> None:
        for draft in drafts if self.settings.columns else ():
            self._redact(draft, edits)

    def _redact(self, draft: Draft, edits: Counter[str]) -> None:
        document, config = draft.document, self.settings
        url, counts = redact_address(document.url, config, document.language)
        self._count("url", counts, edits)
        record_id, counts = redact_id(document.record_id, config, document.language)
        self._count("record_id", counts, edits)
        metadata, counts = redact_json(document.metadata, config, document.language)
        self._count("metadata", counts, edits)
        if (url, record_id, metadata) != (document.url, document.record_id, document.metadata):
            draft.replace_columns(url=url, record_id=record_id, metadata=metadata)
        for name in self.facts:
            self._redact_facts(name, draft, edits)

    def _redact_facts(self, name: str, draft: Draft, edits: Counter[str]) -> None:
        language = draft.document.language
        if draft.stored is None:  # it is being read: its facts are measures yet
            facts = draft.measures.get(name)
            if facts is not None:
                row = {field.name: getattr(facts, field.name) for field in dataclasses.fields(facts)}
                draft.measures[name] = type(facts)(**self._facts(name, row, language, edits))
        elif draft.stored[name] is not None:
            draft.replace_facts(name, self._facts(name, draft.stored[name], language, edits))

    def _facts(self, column: str, row: dict[str, Any], language: str, edits: Counter[str]) -> dict[str, Any]:
        found = dict(row)
        for name, value in row.items():
            if isinstance(value, str):
                found[name], counts = redact_value(value, self.settings, language)
                self._count(column, counts, edits)
        return found

    def _count(self, column: str, counts: Counter[str], edits: Counter[str]) -> None:
        edits.update({f"{self.name}:{column}_{group}": n for group, n in counts.items()})
