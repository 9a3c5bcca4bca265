"""Ingest: archives and tables of text, read as parts (byte ranges) that together hold each record exactly once.

formats.plan_parts   files and sizes -> parts
read.scan            a part -> one item for each record: Header, Skipped or Broken; headers only leave it
read.read_bodies     a part and the rows still wanted -> their bodies, codings removed
"""

from transforms.sources.formats import plan_parts
from transforms.sources.items import Body, Broken, IngestConfig, Part, Skipped
from transforms.sources.read import read_bodies, scan

__all__ = ["Body", "Broken", "IngestConfig", "Part", "Skipped", "plan_parts", "read_bodies", "scan"]
