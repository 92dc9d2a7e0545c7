"""Every byte of a store, wherever it lies."""

from pathlib import Path

from purigeom.store import Place


def contents(root: Place) -> dict[str, bytes]:
    """Return every file of a place, by its path in it."""
    if isinstance(root, Path):
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
    return {path.removeprefix(f"{root.path}/"): root.fs.cat_file(path) for path in root.fs.find(root.path)}


def facts(root: Place) -> dict[str, bytes]:
    """Return every file of a store, of seals only that they are there: they tell how long each unit took."""
    return {name: b"" if "/made_by/c." in name else content for name, content in contents(root).items()}
