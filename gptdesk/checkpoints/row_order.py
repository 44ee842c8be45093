"""In which order a file keeps the rows of query, key and value projections; no torch.

Two orders differ from ours, in which every parameter is stored for itself, head after head:

    interleaved   q, k and v of the first head, then of the second, …: GPT-NeoX's fused tensor.
    pairs         within a head, the two dimensions that rotary positions turn together are
                  neighbours (0, 1), (2, 3), …; ours lie half of the turned dimensions apart.
                  GPT-J's files, and GGUF files of Llama.

Both are permutations of rows, so undoing them is exact, and attention does not notice the second
one: it turns queries and keys alike, and their products are sums over dimensions in any order.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowOrder:
    """The order of the rows of one stored tensor.

    Attributes:
        heads: of each part.
        head_dim: rows of one head of one part.
        parts: how many of our parameters alternate, head by head; 1 for a tensor that is not
            interleaved.
        paired: the first so many dimensions of each head are stored as pairs of neighbours.
    """

    heads: int
    head_dim: int
    parts: int = 1
    paired: int = 0

    def stored_rows(self) -> list[int]:
        """For each of our rows, part after part and head after head, where it is in the file."""
        halves = [*range(0, self.paired, 2), *range(1, self.paired, 2)]
        within = [*halves, *range(self.paired, self.head_dim)]
        return [
            (head * self.parts + part) * self.head_dim + row
            for part in range(self.parts)
            for head in range(self.heads)
            for row in within
        ]
