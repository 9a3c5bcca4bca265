"""Modified Kneser-Ney: values worked out by hand, a second implementation that counts in dictionaries, sums of 1."""

from __future__ import annotations

import math
import random
import shutil
import subprocess
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from transforms.heuristics.perplexity.arpa import arpa_text
from transforms.heuristics.perplexity.kneser_ney import NgramModel, discounts, estimate

A, B, C = 0, 1, 2
VOCAB = 3
BOS, EOS = 3, 4
Gram = tuple[int, ...]


def lines(*texts: str) -> list[np.ndarray]:
    return [np.array(["abcdefgh".index(letter) for letter in text], np.int64) for text in texts]


def probabilities(model: NgramModel) -> dict[Gram, float]:
    return {
        tuple(gram): value
        for level in model.levels
        for gram, value in zip(level.tokens.tolist(), level.probability.tolist(), strict=True)
    }


def backoffs(model: NgramModel) -> dict[Gram, float]:
    return {
        tuple(gram): value
        for level in model.levels
        for gram, value in zip(level.tokens.tolist(), level.backoff.tolist(), strict=True)
    }


def query(model: NgramModel, gram: Gram) -> float:
    """Return p(last | others) as a decoder of an ARPA file looks it up."""
    known, gammas = probabilities(model), backoffs(model)
    factor = 1.0
    while gram not in known:
        if len(gram) == 1:
            return factor * model.unknown
        factor *= gammas.get(gram[:-1], 1.0)
        gram = gram[1:]
    return factor * known[gram]


def test_bigrams_by_hand() -> None:
    """`ab`, `ab`, `ac`: the bigrams <s>a 3, ab 2, ac 1, b</s> 2, c</s> 1.

    Words before a word: a 1 (<s>), b 1, c 1, </s> 2; five in all. None has 3: the discounts of unigrams are .5, 1, 1.5.
    Unigrams: a, b, c (1 - .5) / 5, </s> (2 - 1) / 5; 2.5 / 5 is left for five words, a, b, c, </s>, <unk>: .1 each.
    Of bigrams 2, 2 and 1 have the counts 1, 2 and 3: D1 = 1 - 2 (2/6) 2/2 = 1/3, D2 = 2 - 3 (1/3) 1/2 = 3/2, D3 = 3.
    """
    model = estimate(lines("ab", "ab", "ac"), VOCAB, 2, 0)
    found = probabilities(model)
    assert model.unknown == pytest.approx(0.1)
    assert found[(A,)] == found[(B,)] == found[(C,)] == pytest.approx(0.1 + 0.1)
    assert found[(EOS,)] == pytest.approx(0.2 + 0.1)
    assert found[(BOS,)] == 0.0
    # after a: total 3; b (2 - 3/2) / 3, c (1 - 1/3) / 3, gamma (3/2 + 1/3) / 3 = 11/18
    assert backoffs(model)[(A,)] == pytest.approx(11 / 18)
    assert found[(A, B)] == pytest.approx(1 / 6 + 11 / 18 * 0.2)
    assert found[(A, C)] == pytest.approx(2 / 9 + 11 / 18 * 0.2)
    # after <s>: a (3 - 3) / 3, gamma 1
    assert found[(BOS, A)] == pytest.approx(0.2)
    assert backoffs(model)[(EOS,)] == 1.0  # nothing follows


def test_discounts() -> None:
    # 4, 3, 2 and 1 n-grams of the adjusted counts 1 to 4: Y = 4 / 10
    counts = np.array([1] * 4 + [2] * 3 + [3] * 2 + [4] + [9])
    expected = [0, 1 - 2 * 0.4 * 3 / 4, 2 - 3 * 0.4 * 2 / 3, 3 - 4 * 0.4 * 1 / 2]
    assert discounts(counts) == pytest.approx(expected)
    assert discounts(np.array([1, 1, 2, 4])).tolist() == [0, 0.5, 1, 1.5]  # none of 3
    assert discounts(np.array([1, 2, 3] + [4] * 9)).tolist() == [0, 0.5, 1, 1.5]  # D3 = 3 - 4 (1/3) 9 < 0


def by_dictionaries(texts: list[Gram], order: int, prune: int) -> dict[Gram, Fraction]:
    """The definition, counted gram by gram in exact fractions: p of every n-gram that is kept."""
    raw: list[Counter[Gram]] = [Counter() for _ in range(order + 1)]
    for text in texts:
        line = (BOS, *text, EOS)
        for k in range(1, order + 1):
            raw[k].update(line[at : at + k] for at in range(len(line) - k + 1))
    adjusted: list[dict[Gram, int]] = [{} for _ in range(order + 1)]
    for k in range(1, order + 1):
        before: defaultdict[Gram, set[int]] = defaultdict(set)
        for gram in raw[k + 1] if k < order else ():
            before[gram[1:]].add(gram[0])
        for gram, count in raw[k].items():
            adjusted[k][gram] = count if k == order or (gram[0] == BOS and k > 1) else len(before[gram])
    found: dict[Gram, Fraction] = {}
    uniform = Fraction(1, len(raw[1]))  # with <unk>, without <s>
    for k in range(1, order + 1):
        t = Counter(adjusted[k].values())
        took = [Fraction(0), Fraction(1, 2), Fraction(1), Fraction(3, 2)]
        if t[1] and t[2] and t[3]:
            y = Fraction(t[1], t[1] + 2 * t[2])
            exact = [Fraction(0), *(n - (n + 1) * y * Fraction(t[n + 1], t[n]) for n in (1, 2, 3))]
            took = exact if all(0 < exact[n] <= n for n in (1, 2, 3)) else took
        total: Counter[Gram] = Counter()
        lost: defaultdict[Gram, Fraction] = defaultdict(Fraction)
        for gram, a in adjusted[k].items():
            total[gram[:-1]] += a
            lost[gram[:-1]] += took[min(a, 3)] if k < 3 or raw[k][gram] > prune else a
        for gram, a in adjusted[k].items():
            if gram != (BOS,) and (k < 3 or raw[k][gram] > prune):
                lower = uniform if k == 1 else found[gram[1:]]
                own = (a - took[min(a, 3)]) / Fraction(total[gram[:-1]])
                found[gram] = own + lost[gram[:-1]] / total[gram[:-1]] * lower
    return found


@pytest.mark.parametrize(("order", "prune"), [(2, 0), (3, 0), (3, 1), (5, 0), (5, 2)])
def test_the_same_as_the_definition(order: int, prune: int) -> None:
    random_ = random.Random(order)
    texts = [tuple(random_.choices(range(VOCAB), (5, 2, 1), k=random_.randint(0, 9))) for _ in range(60)]
    model = estimate([np.array(text, np.int64) for text in texts], VOCAB, order, prune)
    expected = by_dictionaries(texts, order, prune)
    found = {gram: value for gram, value in probabilities(model).items() if gram != (BOS,)}
    assert found.keys() == expected.keys()
    assert max(map(len, found)) == order
    assert all(math.isclose(value, expected[gram], rel_tol=1e-12) for gram, value in found.items())


@pytest.mark.parametrize("prune", [0, 1])
def test_what_may_follow_adds_up_to_one(prune: int) -> None:
    random_ = random.Random(7)
    texts = lines(*("".join(random_.choices("aaabbc", k=8)) for _ in range(40)))
    model = estimate(texts, 6, 4, prune)  # 3, 4 and 5 are no words of the text: <unk>
    for context in [(), (6,), (0,), (6, 0), (0, 1), (0, 0, 1), (2, 2, 2), (1, 0, 0), (5, 0)]:
        seen = sum(query(model, (*context, token)) for token in (0, 1, 2, 7))
        assert seen + query(model, (*context, 3)) == pytest.approx(1.0, abs=1e-12)


def test_neither_the_order_of_lines_nor_short_lines_matter() -> None:
    texts = lines("abcab", "a", "", "cab", "bbbb", "abcab")
    assert list(arpa_text(estimate(texts, VOCAB, 3, 0))) == list(arpa_text(estimate(texts[::-1], VOCAB, 3, 0)))
    assert len(estimate(lines("a", "b"), VOCAB, 5, 0).levels) == 3  # <s> a </s>
    assert len(estimate(lines("a", "b"), VOCAB, 5, 1).levels) == 2  # of trigrams none is left


@pytest.mark.parametrize(("some", "order", "prune"), [([], 3, 0), (["a"], 1, 0), (["a"], 6, 0), (["a"], 3, -1)])
def test_what_cannot_be_estimated(some: list[str], order: int, prune: int) -> None:
    with pytest.raises(ValueError, match="no model can be estimated"):
        estimate(lines(*some), VOCAB, order, prune)


def test_an_arpa_file_as_it_is_written() -> None:
    """Logarithms of .1, .2, .3, 11/18, 3/4, 1/3, 1/6 + 11/90, 2/9 + 11/90, .25 + .75 * .3, 2/3 + .3 / 3, .2 and 1."""
    assert "".join(arpa_text(estimate(lines("ab", "ab", "ac"), VOCAB, 2, 0))) == (
        "\\data\\\nngram 1=6\nngram 2=5\n\n\\1-grams:\n"
        "-1\t<unk>\t0\n-0.69897\t0\t-0.2138798\n-0.69897\t1\t-0.1249387\n-0.69897\t2\t-0.4771213\n"
        "0\t<s>\t0\n-0.5228787\t</s>\t0\n\n\\2-grams:\n"
        "-0.5392692\t0 1\n-0.4628808\t0 2\n-0.3233064\t1 </s>\n-0.1153934\t2 </s>\n-0.69897\t<s> 0\n\n\\end\\\n"
    )


def arpa_rows(text: str) -> dict[str, tuple[float, float]]:
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[1]: (float(row[0]), float(row[2]) if len(row) > 2 else 0.0) for row in rows if len(row) > 1}


@pytest.mark.parametrize("prune", [0, 1])
def test_the_same_as_lmplz(prune: int, tmp_path: Path) -> None:
    lmplz = shutil.which("lmplz")
    if lmplz is None:
        pytest.skip("needs KenLM's lmplz on PATH")
    random_ = random.Random(3)
    weights = [1 / (n + 1) for n in range(40)]
    texts = [random_.choices(range(40), weights, k=random_.randint(1, 20)) for _ in range(800)]
    (tmp_path / "ids.txt").write_text("".join(" ".join(map(str, text)) + "\n" for text in texts))
    done = subprocess.run(
        [lmplz, "-o", "4", "--prune", "0", "0", str(prune), str(prune), "--discount_fallback", "-S", "100M",
         "-T", f"{tmp_path}/", "--text", "ids.txt", "--arpa", "theirs.arpa"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    theirs = arpa_rows((tmp_path / "theirs.arpa").read_text())
    ours = arpa_rows("".join(arpa_text(estimate([np.array(text) for text in texts], 40, 4, prune))))
    assert ours.keys() == theirs.keys()
    assert max(abs(a - b) for gram in ours for a, b in zip(ours[gram], theirs[gram], strict=True)) < 2e-6
