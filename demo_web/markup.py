"""Pages around an article: four templates with what real sites put there and no reader wants."""

from __future__ import annotations

import html

from demo_web.dice import Dice
from demo_web.texts import LEXICONS, Article, Writer

N_TEMPLATES = 4


def render(article: Article, site: str, template: int, seed: str, meta: str = '<meta charset="utf-8">') -> str:
    """Return the HTML page of `article`: menu, sidebar, footer and cookie bar of `site` in its own language.

    `meta` is the element that declares the charset, '' for none; `template` is below N_TEMPLATES.
    """
    lexicon, dice = LEXICONS[article.language], Dice("markup", seed)
    body = _TEMPLATES[template](article, site, dice)
    return (
        f'<!DOCTYPE html>\n<html lang="{lexicon.code}">\n<head>\n{meta}\n'
        f"<title>{html.escape(article.title)} | {html.escape(site)}</title>\n"
        f'<meta name="viewport" content="width=device-width">\n<link rel="stylesheet" href="/style-{template}.css">\n'
        f"<script>window.dataLayer=window.dataLayer||[];(function(d){{d.push({{page:{dice.between(1, 9999)}}})}})"
        f"(window.dataLayer);</script>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _blocks(article: Article) -> str:
    return "\n".join(b if b.startswith("<") else f"<p>{html.escape(b, quote=False)}</p>" for b in article.blocks)


def _links(article: Article, dice: Dice, count: int) -> str:
    writer = Writer(LEXICONS[article.language], dice)
    return "\n".join(
        f'<li><a href="/a/{dice.between(1000, 99999)}">{html.escape(writer.title())}</a></li>' for _ in range(count)
    )


def _menu(article: Article) -> str:
    menu = LEXICONS[article.language].menu
    return "".join(f'<li><a href="/s/{i}">{html.escape(name)}</a></li>' for i, name in enumerate(menu))


def _cookies(article: Article) -> str:
    text = html.escape(LEXICONS[article.language].cookies)
    return f'<div id="cookie-banner" class="cookie-notice" role="dialog"><span>{text}</span> <button>OK</button></div>'


def _journal(article: Article, site: str, dice: Dice) -> str:
    lexicon = LEXICONS[article.language]
    return (
        f'<header class="site-header"><a class="logo" href="/">{site}</a>\n'
        f"<nav><ul>{_menu(article)}</ul></nav></header>\n"
        f"<main>\n<article>\n<h1>{html.escape(article.title)}</h1>\n{_blocks(article)}\n</article>\n</main>\n"
        f'<aside class="sidebar"><h3>{lexicon.related}</h3>\n<ul>{_links(article, dice, 6)}</ul></aside>\n'
        f'<footer class="site-footer"><p>© {site}. {lexicon.footer}</p></footer>\n{_cookies(article)}'
    )


def _magazine(article: Article, site: str, dice: Dice) -> str:
    lexicon = LEXICONS[article.language]
    return (
        f'{_cookies(article)}\n<div id="header"><div id="navbar" class="navigation">'
        f"<ul>{_menu(article)}</ul></div></div>\n"
        f'<div id="wrapper">\n<div class="post">\n<h1 class="post-title">{html.escape(article.title)}</h1>\n'
        f'<div class="post-content">\n{_blocks(article)}\n</div>\n</div>\n'
        f'<div class="widget related-posts"><h4>{lexicon.related}</h4>\n'
        f"<ul>{_links(article, dice, 8)}</ul></div>\n</div>\n"
        f'<div id="footer" class="footer"><ul>{_menu(article)}</ul><p>© {site}. {lexicon.footer}</p></div>'
    )


def _handbook(article: Article, site: str, dice: Dice) -> str:
    lexicon = LEXICONS[article.language]
    return (
        f'<div id="mw-head"><ul class="menu">{_menu(article)}</ul></div>\n'
        f'<div id="content" class="mw-body" role="main">\n'
        f'<h1 id="firstHeading">{html.escape(article.title)}</h1>\n<div id="bodyContent">\n'
        f'<div id="mw-content-text">\n{_blocks(article)}\n</div>\n</div>\n</div>\n'
        f'<div id="mw-navigation"><div class="portal"><h3>{lexicon.related}</h3>'
        f"<ul>{_links(article, dice, 5)}</ul></div></div>\n"
        f'<div id="footer" role="contentinfo"><ul><li>{lexicon.footer}</li><li>{site}</li></ul></div>\n'
        f"{_cookies(article)}"
    )


def _weblog(article: Article, site: str, dice: Dice) -> str:
    lexicon = LEXICONS[article.language]
    share = "".join(
        f'<a class="share" href="https://{n}.example/share">{n}</a> ' for n in ("birdy", "facetome", "pinly")
    )
    return (
        f'<nav class="navbar navbar-top"><a href="/">{site}</a><ul>{_menu(article)}</ul></nav>\n'
        f'<section id="main">\n<div class="entry hentry">\n<h1 class="entry-title">{html.escape(article.title)}</h1>\n'
        f'<div class="entry-content">\n{_blocks(article)}\n</div>\n'
        f'<div class="social-share">{share}</div>\n</div>\n</section>\n'
        f'<div id="sidebar" class="sidebar"><h2>{lexicon.related}</h2>\n<ul>{_links(article, dice, 7)}</ul></div>\n'
        f"{_cookies(article)}\n<footer><small>© {site}. {lexicon.footer}</small></footer>"
    )


_TEMPLATES = (_journal, _magazine, _handbook, _weblog)


def nested(page: str, depth: int) -> str:
    """Return the page with `depth` unclosed, nested elements at its end.

    An HTML5 parser opens every unclosed <font> again in each new paragraph: depth**2 / 2 elements.
    """
    tail = "".join(f'<p><font size="{i}">x' for i in range(depth))
    return page.replace("</body>", f"<div>{tail}</div>\n</body>")
