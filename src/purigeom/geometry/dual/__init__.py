"""Forward-mode derivatives on stacks: an image batch and all its tangents in one tensor, through anyone's module."""
