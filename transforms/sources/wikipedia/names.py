"""Words of many languages that MediaWiki or its users have given a meaning.

Namespaces come from the dump itself; English names work in every wiki. The rest is no complete list: the templates by
which the largest wikis mark disambiguation pages, and the words that redirect in dumps older than the element that says
so (export 0.4).
"""

from __future__ import annotations

import re
from typing import Final

FILE, CATEGORY = 6, 14
NAMESPACES: Final = {
    "media": -2,
    "special": -1,
    "talk": 1,
    "user": 2,
    "user talk": 3,
    "wikipedia": 4,
    "project": 4,
    "wikipedia talk": 5,
    "file": FILE,
    "image": FILE,
    "file talk": 7,
    "mediawiki": 8,
    "mediawiki talk": 9,
    "template": 10,
    "template talk": 11,
    "help": 12,
    "help talk": 13,
    "category": CATEGORY,
    "category talk": 15,
    "portal": 100,
    "draft": 118,
    "timedtext": 710,
    "module": 828,
}

# Codes of Wikipedias, as of 2025: a link to one of them is shown in the margin, not in the article.
WIKIPEDIAS: Final = frozenset(
    """
    aa ab ace ady af ak als alt am ami an ang ann anp ar arc ary arz as ast atj av avk awa ay az azb ba ban bar bat-smg
    bbc bcl bdr be be-tarask be-x-old bew bg bh bi bjn blk bm bn bo bpy br bs btm bug bxr ca cbk-zam cdo ce ceb ch cho
    chr chy ckb co cr crh cs csb cu cv cy da dag de dga din diq dsb dtp dty dv dz ee el eml en eo es et eu ext fa fat ff
    fi fiu-vro fj fo fon fr frp frr fur fy ga gag gan gcr gd gl glk gn gom gor got gpe gu guc gur guw gv ha hak haw he
    hi hif ho hr hsb ht hu hy hyw hz ia iba id ie ig igl ii ik ilo inh io is it iu ja jam jbo jv ka kaa kab kbd kbp kcg
    kg kge ki kj kk kl km kn knc ko koi kr krc ks ksh ku kus kv kw ky la lad lb lbe lez lfn lg li lij lld lmo ln lo lrc
    lt ltg lv lzh mad mai map-bms mdf mg mh mhr mi min mk ml mn mni mnw mo mos mr mrj ms mt mus mwl my myv mzn na nah
    nan nap nds nds-nl ne new ng nia nl nn no nov nqo nr nrm nso nup nv ny oc olo om or os pa pag pam pap pcd pcm pdc
    pfl pi pih pl pms pnb pnt ps pt pwn qu rm rmy rn ro roa-rup roa-tara rsk ru rue rw sa sah sat sc scn sco sd se sg sh
    shi shn shy si simple sk skr sl sm smn sn so sq sr srn ss st stq su sv sw syl szl szy ta tay tcy tdd te tet tg th ti
    tig tk tl tly tn to tok tpi tr trv ts tt tum tw ty tyv udm ug uk ur uz ve vec vep vi vls vo vro wa war wo wuu xal xh
    xmf yi yo yue za zea zgh zh zh-classical zh-min-nan zh-yue zu
    """.split()
)
INTERWIKIS: Final = frozenset(
    """
    w wikipedia wikt wiktionary n wikinews b wikibooks q wikiquote s wikisource species wikispecies v wikiversity voy
    wikivoyage c commons m meta mw mediawikiwiki d wikidata foundation
    """.split()
)

# Codes that are no ISO 639 language of their own, or that have a newer one.
_CODES: Final = {
    "simple": "en",
    "als": "gsw",
    "bat-smg": "sgs",
    "be-x-old": "be",
    "be-tarask": "be",
    "bh": "bho",
    "nb": "no",
    "cbk-zam": "cbk",
    "fiu-vro": "vro",
    "map-bms": "jv",
    "nds-nl": "nds",
    "roa-rup": "rup",
    "roa-tara": "nap",
    "zh-classical": "lzh",
    "zh-min-nan": "nan",
    "zh-yue": "yue",
    "mo": "ro",
}
# Languages whose wikis convert between scripts or variants, and so have -{ }-.
CONVERTED: Final = frozenset("ban crh gan iu kk ku mni shi sh sr tg tly tok uz wuu zgh zh".split())


def language_of(code: str) -> str:
    """Return the ISO 639 code of a wiki's code or tag: en for simple, zh for zh-Hans."""
    code = code.strip().lower().replace("_", "-")
    return _CODES.get(code) or code.split("-")[0]


_REDIRECTS: Final = (
    "redirect redirección redireccion weiterleitung redirection rinvia doorverwijzing redirecionamento patrz tam "
    "omdirigering omdirigér viderekobling ohjaus uudelleenohjaus перенаправление перенапр перенаправлення преусмери "
    "ανακατευθυνση ανακατεύθυνση přesměruj yönlendi̇rme yönlendirme átirányítás alih đổi تحويل تغییر_مسیر הפניה "
    "重定向 転送 リダイレクト 넘겨주기 เปลี่ยนทาง अनुप्रेषित redirecteaza preusmjeri преусмери suunamine"
).split()
REDIRECT: Final = re.compile(rf"\s*#(?:{'|'.join(map(re.escape, _REDIRECTS))})\s*:?\s*(?:hướng)?\s*\[\[", re.IGNORECASE)

_DISAMBIGUATION: Final = (
    r"(?:[\w -]{0,30} )?disambig(?:uation)?(?: page| cleanup)?|disambig-?\w{0,20}|disamb|dab|dmbox|[hg]ndis|geodis|"
    r"mathdab|numberdis|roaddis|schooldis|hospitaldis|letter-number combination disambiguation|"
    r"begriffsklärung|homonymie|patronyme|toponyme|paronymie|desambiguación|desambiguacion|desambig|desambiguação|"
    r"disambigua|dp|dpintro|неоднозначность|список однофамильцев|багатозначність|ujednoznacznienie|olika betydelser|"
    r"förgrening|flertydig|peker|täsmennyssivu|täpsustuslehekülg|rozcestník|rozlišovacia stránka|egyért|egyért-redir|"
    r"dezambiguizare|dezam|anlam ayrımı|anlamayrımı|пояснение|вишезначна одредница|вишезначна|višeznačna odrednica|"
    r"razdvojba|razločitev|αποσαφήνιση|توضيح|ابهام‌زدایی|פירושונים|trang định hướng|định hướng|disambiguasi|"
    r"消歧义|消歧義|消歧义页|消歧義頁|disambig-cat|aimai|曖昧さ回避|人名の曖昧さ回避|地名の曖昧さ回避|동음이의|แก้กำกวม|बहुविकल्पी|argipen"
)
_DISAMBIGUATION_CATEGORY: Final = (
    r"(?:all )?(?:article )?disambiguation pages?|begriffsklärung|homonymie|wikipedia:desambiguación|desambiguação|"
    r"disambigua|страницы значений по алфавиту|消歧义|消歧義|曖昧さ回避"
)
DISAMBIGUATION: Final = re.compile(
    rf"\{{\{{\s*(?:template:|msg:)?(?:{_DISAMBIGUATION})\s*[|}}]"
    rf"|__(?:DISAMBIG|BEGRIFFSKLÄRUNG|BEGRIFFSKLAERUNG|HOMONYMIE|DESAMBIGUACIÓN|НЕОДНОЗНАЧНОСТЬ)__"
    rf"|\[\[\s*\w{{4,12}}\s*:\s*(?:{_DISAMBIGUATION_CATEGORY})\s*[|\]]",
    re.IGNORECASE,
)

BEHAVIOUR: Final = re.compile(
    r"__(?:(?:NO|FORCE)?TOC|NOEDITSECTION|NEWSECTIONLINK|NONEWSECTIONLINK|NOGALLERY|HIDDENCAT|EXPECTUNUSEDCATEGORY|"
    r"EXPECTUNUSEDTEMPLATE|(?:NO)?INDEX|START|END|STATICREDIRECT|DISAMBIG|NO(?:TITLE|CONTENT)CONVERT|NO[CT]C|NOGLOBAL|"
    r"ARCHIVEDTALK|NOTALK|(?:KEIN_)?INHALTSVERZEICHNIS(?:_ERZWINGEN)?|ABSCHNITTE_NICHT_BEARBEITEN|AUCUNSOMMAIRE|"
    r"AUCUNETDM|SOMMAIRE|TDM|FORCERSOMMAIRE|SIN_TDC|SINTDC|TDC|INDICE|NOINDICE|GEENINHOUD|INHOUD|INGENINNEHÅLLSFÖRTECKNING|"
    r"BEZSPISU|SPIS|(?:БЕЗ_?|ОБЯЗ_?)?ОГЛ(?:АВЛЕНИЕ)?|目次|目次非表示|目次強制|無目錄|无目录|目录|目錄)__"
)
