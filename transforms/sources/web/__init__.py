"""Web archives: WARC and ARC records, their HTTP heads and bodies."""
