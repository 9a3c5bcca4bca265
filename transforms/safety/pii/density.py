"""How much personal data a document has, and when that is too much.

Sources: Dolma drops documents of more than 5 spans; the Llama 3 report (3.1.1) removes domains of much personal data,
which `transforms/safety/site_density.py` does with the measure `spans_per_1000_chars`. No document goes by default.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from transforms.safety.pii.redact import ALL, PiiConfig, spans_of
from transforms.safety.site_density import SiteDensityConfig
from transforms.step import Drop
from transforms.text.view import TextView

PII_DENSITY = "pii_density"  # the step, and so the column


@dataclass(frozen=True, slots=True, kw_only=True)
class PiiStats:
    """Spans of each group, before they are replaced; 0 also of a group that is not looked for."""

    emails: int = 0
    ip_addresses: int = 0
    logins: int = 0
    secrets: int = 0
    cards: int = 0
    ibans: int = 0
    national_ids: int = 0
    phones: int = 0
    n_spans: int = 0
    spans_per_1000_chars: float = 0.0


def measure(view: TextView, config: PiiConfig) -> PiiStats:
    """Count the spans of each group."""
    spans = view.once(spans_of, config)
    if not spans:
        return _NONE
    groups = [span.group for span in spans]
    counts = {field.name: groups.count(field.name) for field in fields(PiiStats) if field.name in groups}
    return PiiStats(**counts, n_spans=len(spans), spans_per_1000_chars=1000 * len(spans) / len(view.text))


_NONE = PiiStats()


def decide(stats: PiiStats, config: PiiConfig) -> Drop | None:
    """Return why the document must go: more spans than it may have, of a group or of all."""
    for group, limit in sorted(config.max_spans.items()):
        count = stats.n_spans if group == ALL else getattr(stats, group)
        if count > limit:
            return Drop("too_much_personal_data", count, limit, group)
    return None


def pii_sites() -> SiteDensityConfig:
    """Return the settings of the survey that drops sites of much personal data; the limit, 2, is ours."""
    return SiteDensityConfig(step=PII_DENSITY, measure="spans_per_1000_chars", max_mean=2.0)
