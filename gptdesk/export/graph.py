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
        self._unpacked: set[str] = set()
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

    def constant(self, value: NDArray[Any]) -> str:
        """A small constant kept inside model.onnx; equal ones are stored once."""
        key = (str(value.dtype), value.shape, value.tobytes())
        if key not in self._constants:
            name = self._constants[key] = f"constant_{len(self._constants)}"
            self._initializers[name] = numpy_helper.from_array(value, name)
        return self._constants[key]

    def ints(self, *values: int) -> str:
        """A constant int64 vector."""
        return self.constant(np.array(values, dtype=np.int64))

    def weight(
        self, name: str, parts: Iterable[NDArray[np.float32]], *, packed: bool = True
    ) -> str:
        """A large tensor, written to the weight file at once; one already written is shared.

        Args:
            name: of the tensor in the graph.
            parts: joined along their first dimension.
            packed: whether the runtime may keep a rearranged copy of it for faster products.
        """
        if name not in self._initializers:
            self._initializers[name] = self._weights.write(name, parts)
            if not packed:
                self._unpacked.add(name)
        return name

    def model(
        self,
        name: str,
        inputs: Mapping[str, tuple[str, Sequence[int | str]]],
        outputs: Mapping[str, tuple[str, Sequence[int | str]]],
        metadata: Mapping[str, str],
    ) -> onnx.ModelProto:
        """The finished model, its weights referred to by their place in the weight file."""
        # An initializer that is also an input could be fed another value, so the runtime keeps
        # its hands off it: no packed copy. That is what saves one copy of a large vocabulary.
        defaults = [
            helper.make_tensor_value_info(key, TensorProto.FLOAT, list(tensor.dims))
            for key, tensor in self._initializers.items()
            if key in self._unpacked
        ]
        graph = helper.make_graph(
            self._nodes,
            name,
            [*_value_infos(inputs), *defaults],
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
