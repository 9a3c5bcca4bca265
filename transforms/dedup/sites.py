"""The site of an address: what has one owner."""

from __future__ import annotations

from tld import get_fld

from transforms.dedup.urls import host


def site_of(url: str) -> str:
    """Return the registered domain of an address (`b.co.uk` of `a.b.co.uk`), its host where it has none; '' without.

    Mozilla's public suffix list, as the package tld carries it, private suffixes (blogspot.com) included.
    """
    site = get_fld(url, fail_silently=True, fix_protocol=True, search_private=True) if url else None
    return site or host(url)
