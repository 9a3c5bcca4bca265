"""Quality signals that other corpora publish, under their own names: columns to filter by, no rule drops by them."""
