"""The other side of benchmarks/models/toxicity.py; runs with the Python of the peer's own virtual environment.

    python toxicity_peer.py GIVEN.json RESULT.json

GIVEN.json has {"train": {"texts": [...], "toxic": [...]}, "lists": {name: texts}}. The result has for the model that
alt-profanity-check ships, and for its method (its README: counts of words, a linear SVM with calibrated probabilities)
trained on `train`, the scores of each list and the CPU seconds of each round.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from profanity_check import predict_prob
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

ROUNDS = 5


def same_data(texts: Sequence[str], toxic: Sequence[bool]) -> Callable[[Sequence[str]], Any]:
    svm = LinearSVC(class_weight="balanced", dual=False, tol=1e-2, max_iter=100_000)
    words = CountVectorizer(stop_words="english", min_df=0.0001)
    model = make_pipeline(words, CalibratedClassifierCV(svm)).fit(texts, toxic)
    return lambda some: model.predict_proba(some)[:, 1]


def main(given_file: Path, result: Path) -> None:
    given = json.loads(given_file.read_text(encoding="utf-8"))
    systems = {
        "alt-profanity-check": predict_prob,
        "its method, our training table": same_data(given["train"]["texts"], given["train"]["toxic"]),
    }
    found: dict[str, Any] = {system: {} for system in systems}
    for system, score in systems.items():
        score(["warm up"])
        for name, some in given["lists"].items():
            times = []
            for _ in range(ROUNDS):
                began = time.process_time()
                scores = score(some)
                times.append(time.process_time() - began)
            found[system][name] = {"scores": [float(one) for one in scores], "cpu_s": times}
    result.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
