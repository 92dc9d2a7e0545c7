"""Tables of a store's facts, and the claims of arXiv 2505.22839 beside them."""
