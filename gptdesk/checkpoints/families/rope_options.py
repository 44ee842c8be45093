"""Rotary position settings, which config.json files keep in two places.

`transformers` 5 writes `rope_parameters` {rope_type, rope_theta, …}; older files have
`rope_theta` beside `rope_scaling` {type or rope_type, …}. Both are in the wild.
"""

from __future__ import annotations

from gptdesk.checkpoints.families.base import ConfigReader

DEFAULT_THETA = 10_000.0


def read_rope_theta(reader: ConfigReader) -> float:
    """The base of the rotary frequencies.

    Raises:
        UnsupportedModelError: the positions are stretched by a method that is not built: the
            model would run and write nonsense in long texts.
    """
    parameters = reader.mapping("rope_parameters")
    for key in ("rope_parameters", "rope_scaling"):
        options = reader.mapping(key)
        kind = options.get("rope_type", options.get("type", "default"))
        if kind != "default":
            raise reader.unsupported(f"{key}.rope_type", kind)
        if options.get("partial_rotary_factor", 1.0) != 1.0:
            raise reader.unsupported(
                f"{key}.partial_rotary_factor", options["partial_rotary_factor"]
            )
    if reader.number("partial_rotary_factor", 1.0) != 1.0:
        raise reader.unsupported("partial_rotary_factor", reader.data["partial_rotary_factor"])
    if parameters.get("rope_theta") is not None:
        return ConfigReader(parameters, f"{reader.source}, rope_parameters").number(
            "rope_theta", DEFAULT_THETA
        )
    return reader.number("rope_theta", DEFAULT_THETA)
