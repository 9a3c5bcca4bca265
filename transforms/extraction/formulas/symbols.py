"""Characters of mathematics and their LaTeX commands. Names are those of LaTeX, AMS and unicode-math."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from transforms.extraction.parsing.names import names, pairs

_TABLE: Final = r"""
α alpha  β beta  γ gamma  δ delta  ε varepsilon  ϵ epsilon  ζ zeta  η eta  θ theta  ϑ vartheta  ι iota  κ kappa
ϰ varkappa  λ lambda  μ mu  µ mu  ν nu  ξ xi  π pi  ϖ varpi  ρ rho  ϱ varrho  σ sigma  ς varsigma  τ tau
υ upsilon  φ varphi  ϕ phi  χ chi  ψ psi  ω omega  Γ Gamma  Δ Delta  Θ Theta  Λ Lambda  Ξ Xi  Π Pi  Σ Sigma
Υ Upsilon  Φ Phi  Ψ Psi  Ω Omega  ℵ aleph  ℶ beth  ℏ hbar  ħ hbar  ℓ ell  ℑ Im  ℜ Re  ℘ wp  ∂ partial  ∇ nabla
∞ infty  ∅ emptyset  ⌀ varnothing  ∀ forall  ∃ exists  ∄ nexists  ¬ neg  ⊤ top  ⊥ bot  ∠ angle  ∡ measuredangle
△ triangle  □ square  ◻ square  ■ blacksquare  ◊ lozenge  ♣ clubsuit  ♢ diamondsuit  ♡ heartsuit  ♠ spadesuit
♯ sharp  ♭ flat  ♮ natural  † dagger  ‡ ddagger  § S  ¶ P  ° degree  ı imath  ȷ jmath  ð eth  ∑ sum  ∏ prod
∐ coprod  ∫ int  ∬ iint  ∭ iiint  ∮ oint  ⋃ bigcup  ⋂ bigcap  ⋁ bigvee  ⋀ bigwedge  ⨁ bigoplus  ⨂ bigotimes
⨀ bigodot  ⨄ biguplus  ⨆ bigsqcup  ± pm  ∓ mp  × times  ÷ div  · cdot  ⋅ cdot  ∗ ast  ⋆ star  ∘ circ  ∙ bullet
• bullet  ⊕ oplus  ⊖ ominus  ⊗ otimes  ⊘ oslash  ⊙ odot  ∪ cup  ∩ cap  ⊎ uplus  ⊓ sqcap  ⊔ sqcup  ∨ vee
∧ wedge  ∖ setminus  ≀ wr  ⋄ diamond  ⋉ ltimes  ⋊ rtimes  ⊠ boxtimes  ⊞ boxplus  ⊲ lhd  ⊳ rhd  ⨯ times
⊡ boxdot  ⋓ Cup  ⋒ Cap  ⨿ amalg  ≤ le  ≥ ge  ≦ leqq  ≧ geqq  ⩽ leqslant  ⩾ geqslant  ≠ ne  ≡ equiv  ≢ not\equiv
∼ sim  ≃ simeq  ≅ cong  ≈ approx  ≊ approxeq  ≍ asymp  ≐ doteq  ∝ propto  ≪ ll  ≫ gg  ≺ prec  ≻ succ  ⪯ preceq
⪰ succeq  ≼ preccurlyeq  ≽ succcurlyeq  ⊂ subset  ⊃ supset  ⊆ subseteq  ⊇ supseteq  ⊊ subsetneq  ⊋ supsetneq
⊄ not\subset  ⊈ nsubseteq  ∈ in  ∉ notin  ∋ ni  ⊢ vdash  ⊣ dashv  ⊨ models  ⊩ Vdash  ∣ mid  ∤ nmid  ∥ parallel
∦ nparallel  ⋈ bowtie  ≜ triangleq  ≔ coloneqq  ≕ eqqcolon  ≲ lesssim  ≳ gtrsim  ≶ lessgtr  ≮ nless  ≯ ngtr
≰ nleq  ≱ ngeq  ⊏ sqsubset  ⊑ sqsubseteq  ⊒ sqsupseteq  ⋖ lessdot  ⌣ smile  ⌢ frown  ∴ therefore  ∵ because
≗ circeq  ≟ stackrel{?}{=}  ⊴ trianglelefteq  ⊵ trianglerighteq  ◃ triangleleft  ▹ triangleright  ⊬ nvdash
⊭ nvDash  ≁ nsim  ≇ ncong  ≉ not\approx  → to  ← leftarrow  ↔ leftrightarrow  ⇒ Rightarrow  ⇐ Leftarrow
⇔ Leftrightarrow  ↦ mapsto  ⟶ longrightarrow  ⟵ longleftarrow  ⟹ Longrightarrow  ⟸ Longleftarrow  ⟺ iff
⟼ longmapsto  ↑ uparrow  ↓ downarrow  ↕ updownarrow  ⇑ Uparrow  ⇓ Downarrow  ⇕ Updownarrow  ↗ nearrow
↘ searrow  ↙ swarrow  ↖ nwarrow  ↪ hookrightarrow  ↩ hookleftarrow  ⇀ rightharpoonup  ⇁ rightharpoondown
↼ leftharpoonup  ↽ leftharpoondown  ⇌ rightleftharpoons  ⇋ leftrightharpoons  ⇄ rightleftarrows
↠ twoheadrightarrow  ↣ rightarrowtail  ⇝ rightsquigarrow  ↛ nrightarrow  ⇏ nRightarrow  ⟷ longleftrightarrow
⇉ rightrightarrows  ↺ circlearrowleft  … ldots  ⋯ cdots  ⋮ vdots  ⋱ ddots  ⋰ iddots  ′ prime  ‖ |  ⟨ langle
⟩ rangle  〈 langle  〉 rangle  ⌊ lfloor  ⌋ rfloor  ⌈ lceil  ⌉ rceil  ⟦ llbracket  ⟧ rrbracket  ⟮ lgroup
⟯ rgroup  { {  } }  % %  # #  & &  $ $  _ _  ∎ blacksquare  √ surd  Å mathring{A}  ⎰ lmoustache  ⎱ rmoustache
∁ complement  ⅋ parr  ☐ square  ✓ checkmark  ✠ maltese
"""
_PLAIN: Final = {
    **pairs(r"− - ∶ : ∕ / ⁄ / ‐ - – - ⁎ * ∣ | ′ ' ″ '' ‴ ''' \ \backslash ~ \sim ^ \hat{}"),
    **dict.fromkeys("\u2061\u2062\u2063\u2064\u200b\u2060\ufeff\u200e\u200f\u2000\u2001\u00ad\u200d\u200c", ""),
    **dict.fromkeys("\u00a0\u2002\u2004\u2005\u2006\u200a\u202f\u205f", " "),
    "\u2003": r"\quad",
    "\u2009": r"\,",
}
COMMANDS: Final = {char: f"\\{name}" for char, name in pairs(_TABLE).items()} | _PLAIN

# Operators that stand between operands, and get a blank at each side.
INFIX: Final = names(
    "+ - := < = > ± · × ÷ ← → ↔ ↦ ↪ ⇌ ⇐ ⇒ ⇔ ∈ ∉ ∋ − ∓ ∖ ∗ ∘ ∝ ∥ ∧ ∨ ∩ ∪ ∴ ∵ ∼ ≃ ≅ ≈ ≍ ≐ ≔ ≜ ≠ ≡ ≢ ≤ ≥ ≦ ≧"
    " ≪ ≫ ≲ ≳ ≺ ≻ ≼ ≽ ⊂ ⊃ ⊄ ⊆ ⊇ ⊈ ⊊ ⊋ ⊕ ⊖ ⊗ ⊢ ⊨ ⋅ ⟵ ⟶ ⟸ ⟹ ⟺ ⟼ ⩽ ⩾ ⪯ ⪰"
)
FUNCTIONS: Final = names(
    "Pr arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf"
    " limsup ln log max min sec sin sinh sup tan tanh"
)
# Operators whose scripts stand below and above without another word.
LIMITS: Final = names(
    r"\Pr \arg\max \arg\min \bigcap \bigcup \bigodot \bigoplus \bigotimes \bigsqcup \biguplus \bigvee"
    r" \bigwedge \coprod \det \gcd \iiint \iint \inf \int \lim \liminf \limsup \max \min \oint \prod \sum"
    r" \sup"
)
ACCENTS: Final = pairs("""
^ hat  ˆ hat  \u0302 hat  ~ tilde  ˜ tilde  \u0303 tilde  ∼ tilde  ¯ bar  ‾ bar  ― bar  \u0304 bar  \u0305 bar  _ bar
→ vec  ⃗ vec  ⇀ vec  ˙ dot  \u0307 dot  . dot  ¨ ddot  \u0308 ddot  ⃛ dddot  ˇ check  \u030c check  ˘ breve  \u0306 breve
´ acute  ` grave  ˚ mathring  ⏞ overbrace  ︷ overbrace  ← overleftarrow  ↔ overleftrightarrow
""")
WIDE: Final = pairs("hat widehat  tilde widetilde  bar overline  vec overrightarrow")
UNDER: Final = pairs("""
_ underline  ¯ underline  ‾ underline  ― underline  \u0332 underline  ⏟ underbrace  ︸ underbrace  → underrightarrow
← underleftarrow
""")
VARIANTS: Final = pairs("""
bold mathbf  normal mathrm  double-struck mathbb  script mathcal  bold-script mathcal  fraktur mathfrak
bold-fraktur mathfrak  sans-serif mathsf  monospace mathtt  bold-italic boldsymbol  bold-sans-serif mathsf
sans-serif-italic mathsf
""")
# Words of the names of Unicode's mathematical alphabets; the first that fits.
_FONTS: Final = pairs("""
DOUBLE-STRUCK mathbb  FRAKTUR mathfrak  BLACK-LETTER mathfrak  SCRIPT mathcal  SANS-SERIF mathsf  MONOSPACE mathtt
BOLD mathbf
""")
_ENDS_IN_COMMAND: Final = re.compile(r"\\[A-Za-z]+$")
_BLANKS: Final = re.compile(r" {2,}")


def command_of(char: str) -> str:
    """Return the LaTeX of one character of mathematics."""
    found = COMMANDS.get(char)
    if found is not None:
        return found
    if char < "\u2100":
        return char
    if "\u2070" <= char <= "\u209f" or not unicodedata.decomposition(char).startswith("<font>"):
        return char
    name = unicodedata.name(char, "")
    plain = unicodedata.normalize("NFKC", char)
    font = next((command for word, command in _FONTS.items() if word in name), "")
    return f"\\{font}{{{command_of(plain)}}}" if font else command_of(plain)


def commands_of(text: str) -> str:
    """Return the LaTeX of a run of characters."""
    if text.isascii() and text.isalnum():
        return text
    return joined([command_of(char) for char in text])


def joined(pieces: list[str]) -> str:
    """Join LaTeX so that no command runs into a letter; blanks single."""
    out: list[str] = []
    for piece in pieces:
        if not piece:
            continue
        if out and piece[0].isalpha() and _ENDS_IN_COMMAND.search(out[-1][-40:]):
            out.append(" ")
        out.append(piece)
    return _BLANKS.sub(" ", "".join(out))
