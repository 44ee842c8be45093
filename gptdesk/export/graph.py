"""Collects the nodes and weights of an ONNX graph; knows nothing of language models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gptdesk.export.weight_file import WeightFile

OPSET = 20  # the first with Gelu; every ONNX Runtime since 1.17 runs it
IR_VERSION = 9
MICROSOFT = "com.microsoft"

_ELEMENT_TYPES = {"tensor(int64)": TensorProto.INT64, "tensor(float)": TensorProto.FLOAT}


class GraphBuilder:
    """Adds nodes one by one; values are named after the `scope` set when they were made.

    Args:
        weights: where the large tensors go.
    """

    def __init__(self, weights: WeightFile) -> None:
        self.scope = ""
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, TensorProto] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._tables: set[str] = set()
        self._domains = {""}

    def node(self, operator: str, *values: str, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its only output."""
        return self.nodes(operator, *values, results=1, domain=domain, **attributes)[0]

    def nodes(
        self,
        operator: str,
        *values: str,
        results: int | Sequence[str],
        domain: str = "",
        **attributes: Any,
    ) -> list[str]:
        """Add a node with several outputs: so many, or with these names ("" for a new one)."""
        name = f"{self.scope}{operator}_{len(self._nodes)}"
        given = [""] * results if isinstance(results, int) else results
        names = [wanted or f"{name}.{i}" for i, wanted in enumerate(given)]
        self._nodes.append(
            helper.make_node(operator, values, names, name=name, domain=domain, **attributes)
        )
        self._domains.add(domain)
        return names

    def name_last(self, name: str) -> None:
        """Call the only output of the node added last `name`, before anything reads it."""
        self._nodes[-1].output[0] = name

    def constant(self, value: NDArray[Any]) -> str:
        """A small constant kept inside model.onnx; equal ones are stored once."""
        key = (str(value.dtype), value.shape, value.tobytes())
        if key not in self._constants:
            name = self._constants[key] = f"constant_{len(self._constants)}"
            self._initializers[name] = numpy_helper.from_array(value, name)
        return self._constants[key]

    def number(self, value: float) -> str:
        """A constant float32 scalar."""
        return self.constant(np.array(value, dtype=np.float32))

    def ints(self, *values: int) -> str:
        """A constant int64 vector."""
        return self.constant(np.array(values, dtype=np.int64))

    def vector(self, name: str, parts: Iterable[NDArray[np.float32]]) -> str:
        """A bias or scale, the parts joined; kept inside model.onnx."""
        self._initializers[name] = numpy_helper.from_array(np.concatenate(list(parts)), name)
        return name

    def weight(self, name: str, parts: Iterable[NDArray[np.float32]]) -> str:
        """A matrix for products, its parts joined along their first dimension.

        It is written to the weight file at once. A runtime may rearrange it in memory for speed.
        """
        self._initializers[name] = self._weights.write(name, parts)
        return name

    def table(self, name: str, parts: Iterable[NDArray[np.float32]]) -> str:
        """A matrix of which single rows are read; one already written is shared.

        Written as a weight is, but declared as an input of the graph whose default it is. What
        could be fed anew, a runtime does not rearrange: that saves a second copy of a large
        vocabulary, and lets the caller provide the memory.
        """
        if name not in self._tables:
            self._tables.add(name)
            self.weight(name, parts)
        return name

    def model(
        self,
        name: str,
        inputs: Mapping[str, tuple[str, Sequence[int | str]]],
        outputs: Mapping[str, tuple[str, Sequence[int | str]]],
        metadata: Mapping[str, str],
    ) -> onnx.ModelProto:
        """The finished model, its weights referred to by their place in the weight file."""
        tables = [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, list(tensor.dims))
            for key, tensor in self._initializers.items()
            if key in self._tables
        ]
        graph = helper.make_graph(
            self._nodes,
            name,
            [*_value_infos(inputs), *tables],
            _value_infos(outputs),
            list(self._initializers.values()),
        )
        versions = {"": OPSET, MICROSOFT: 1}
        model = helper.make_model(
            graph,
            producer_name="gptdesk",
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid(d, versions[d]) for d in sorted(self._domains)],
        )
        helper.set_model_props(model, dict(metadata))
        return model


def _value_infos(
    values: Mapping[str, tuple[str, Sequence[int | str]]],
) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, _ELEMENT_TYPES[kind], list(shape))
        for name, (kind, shape) in values.items()
    ]
