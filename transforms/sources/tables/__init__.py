"""Tables of texts: JSON Lines and Parquet."""
