"""The key/value cache: what attention remembers of the tokens already fed."""

from __future__ import annotations

import torch
from torch import Tensor

from gptdesk.model.config import ModelConfig

_FIRST_CAPACITY = 256


class KVCache:
    """Keys and values of one sequence, preallocated and grown by doubling.

    `length` tokens are valid; what lies behind is scratch, so forgetting a tail is setting a
    number. Tensors are (num_layers, 1, n_kv_head, capacity, head_dim).

    Attributes:
        length: tokens now held.
    """

    def __init__(self, config: ModelConfig, dtype: torch.dtype, device: torch.device) -> None:
        self._limit = config.context_length
        self._shape = (config.num_layers, 1, config.num_kv_heads, 0, config.head_dim)
        self._keys = torch.empty(self._shape, dtype=dtype, device=device)
        self._values = torch.empty_like(self._keys)
        self.length = 0

    @property
    def capacity(self) -> int:
        """Tokens that fit without growing."""
        return self._keys.shape[3]

    def reserve(self, total: int) -> None:
        """Make room for `total` tokens; what is held stays."""
        capacity = self._capacity_for(total)
        if capacity == self.capacity:
            return
        shape = (*self._shape[:3], capacity, self._shape[4])
        # Both are allocated before either is replaced: memory may run out in between.
        keys, values = self._keys.new_empty(shape), self._values.new_empty(shape)
        keys[:, :, :, : self.length] = self._keys[:, :, :, : self.length]
        values[:, :, :, : self.length] = self._values[:, :, :, : self.length]
        self._keys, self._values = keys, values

    def growth_bytes(self, total: int) -> int:
        """Bytes that `reserve(total)` allocates; the old tensors are freed only afterwards."""
        capacity = self._capacity_for(total)
        if capacity == self.capacity:
            return 0
        layers, _, heads, _, head_dim = self._shape
        return 2 * layers * heads * capacity * head_dim * self._keys.itemsize

    def _capacity_for(self, total: int) -> int:
        if total <= self.capacity:
            return self.capacity
        return min(self._limit, max(total, 2 * self.capacity, _FIRST_CAPACITY))

    def update(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new tokens' keys and values of one layer behind the held ones.

        Args:
            layer: index of the block.
            keys, values: (1, n_kv_head, T, head_dim); `reserve(length + T)` came before.

        Returns:
            Views over held and new tokens, each (1, n_kv_head, length + T, head_dim). `length`
            itself moves only in `advance`, once every layer has written.
        """
        end = self.length + keys.shape[2]
        self._keys[layer, :, :, self.length : end] = keys
        self._values[layer, :, :, self.length : end] = values
        return self._keys[layer, :, :, :end], self._values[layer, :, :, :end]

    def advance(self, count: int) -> None:
        """Count `count` more tokens as held."""
        self.length += count

    def truncate(self, length: int) -> None:
        """Forget every token from position `length` on."""
        self.length = min(self.length, length)
