"""Philox4x32-10: random words as a pure function of a key and a counter, the same integers on every device."""

from typing import TypeAlias

from torch import Tensor

Words: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def philox(counter: Words, key: tuple[Tensor, Tensor]) -> Words:
    """Encrypt counters of four 32-bit words under keys of two (Salmon et al., SC 2011).

    Words travel as int64 tensors, because torch has no full set of unsigned operations; the low 64 bits of
    a product stay right even when the signed product wraps.
    """
    first, second, third, fourth = counter
    key_first, key_second = key
    for _ in range(_ROUNDS):
        product_first, product_third = first * _MULTIPLIERS[0], third * _MULTIPLIERS[1]
        first, second, third, fourth = (
            _high_word(product_third) ^ second ^ key_first,
            product_third & _WORD,
            _high_word(product_first) ^ fourth ^ key_second,
            product_first & _WORD,
        )
        key_first = (key_first + _KEY_INCREMENTS[0]) & _WORD
        key_second = (key_second + _KEY_INCREMENTS[1]) & _WORD
    return first, second, third, fourth


def _high_word(product: Tensor) -> Tensor:
    return (product >> 32) & _WORD
