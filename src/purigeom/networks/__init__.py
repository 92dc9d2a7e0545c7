"""Names of trained networks, and how they become modules: local first, tensors only, checked by digest."""
