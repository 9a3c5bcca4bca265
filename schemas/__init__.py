"""Contracts between the packages: records and their Arrow schemas, typed settings, errors, identity, shards."""
