"""Numbers about a deterministic map of images: tensors in, tensors out."""
