"""A Jinja environment for chat templates from strangers: immutable, and metered everywhere.

Jinja's own sandbox keeps a template from reaching Python, but not from running for ever or
filling the memory. Here every way to spend time is paid from a `Budget`:

    loop turns and macro bodies    a payment is written into the parsed template
    operators                      checked before they compute (`call_binop`)
    literals, `~`, comparisons,    wrapped in a filter that weighs the value
    tests, slices
    filters                        a list of known ones, each weighed before and after
    calls                          a list of known methods, each weighed before and after
    output                         weighed, and its total length bounded

What is on no list is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from gptdesk.text import template_functions as functions
from gptdesk.text.template_budget import Budget

_WEIGHED = "gptdesk weighed"  # with a space: no template can name these
_CONCAT = "gptdesk concat"
_SPEND = "gptdesk spend"
_OPERATORS = frozenset({"+", "-", "*", "/", "//", "%", "**"})


class ChatEnvironment(ImmutableSandboxedEnvironment):
    """Compiles and renders chat templates as `transformers` does, within `budget`.

    The budget belongs to one rendering at a time; the owner serializes them.
    """

    intercepted_binops = _OPERATORS

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols", GenerationTag],
            finalize=pass_context(_pay_for_output),
        )
        self.budget = Budget(None)
        known = self.filters
        self.filters = {name: _metered(known[name]) for name in functions.PLAIN_FILTERS}
        for name, function in functions.CHECKED_FILTERS.items():
            self.filters[name] = _metered(function)
        self.filters |= {_WEIGHED: _weighed, _CONCAT: _concat, _SPEND: _spend}
        self.globals = dict(functions.GLOBALS)
        self.concat = self._bounded_concat  # type: ignore[method-assign]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        return _Meter().visit(tree).set_environment(self)  # type: ignore[no-any-return]

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right` once it is known to stay small."""
        self.budget.charge((left, right))
        functions.check_operator(self.budget, operator, left, right)
        return self.budget.charge(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a macro, a global or a known method of a built-in type."""
        __self.budget.charge((args, kwargs, getattr(__obj, "__self__", None)))
        functions.check_call(__self.budget, __obj, args, kwargs)
        result = super().call(__context, __obj, *args, **kwargs)
        return __self.budget.charge(result)

    def _bounded_concat(self, parts: Iterable[str]) -> str:
        pieces = []
        length = 0
        for part in parts:
            length += len(part)
            self.budget.check_total(length)
            pieces.append(part)
        return "".join(pieces)


class GenerationTag(Extension):
    """`{% generation %}` marks text for training; for rendering it is transparent."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own declaration

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Return the body of the tag as it stands."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Meter(NodeTransformer):
    """Writes the payments into a parsed template."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's visitor protocol
        cost = _count(node)
        self.generic_visit(node)
        node.body.insert(0, _payment(cost, node.lineno))
        if node.test is not None:
            # Items that the condition rejects never reach the body.
            node.test = nodes.And(_spending(cost, node.lineno), node.test, lineno=node.lineno)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:  # noqa: N802
        self._pay_in_body(node)
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.CallBlock:  # noqa: N802
        self._pay_in_body(node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), _CONCAT)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        self.generic_visit(node)
        node.expr = _paid(node.expr)
        for operand in node.ops:
            operand.expr = _paid(operand.expr)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Test:  # noqa: N802
        self.generic_visit(node)
        # Weighing an undefined name is free and must not change it: `x is defined`.
        node.node = _paid(node.node)
        node.args = [_paid(argument) for argument in node.args or ()]
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _paid(node) if isinstance(node.arg, nodes.Slice) else node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _paid(node) if node.ctx == "load" else node

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _paid(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _paid(node)

    def _pay_in_body(self, node: nodes.Macro | nodes.CallBlock) -> None:
        cost = _count(node)
        self.generic_visit(node)
        node.body.insert(0, _payment(cost, node.lineno))


def _count(node: nodes.Node) -> int:
    return 1 + sum(1 for _ in node.find_all(nodes.Node))


def _filter(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _paid(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filter(node, _WEIGHED)


def _spending(cost: int, lineno: int) -> nodes.Filter:
    return _filter(nodes.Const(cost, lineno=lineno), _SPEND)


def _payment(cost: int, lineno: int) -> nodes.ExprStmt:
    return nodes.ExprStmt(_spending(cost, lineno), lineno=lineno)


def _budget(context: Context) -> Budget:
    environment = context.environment
    assert isinstance(environment, ChatEnvironment)  # noqa: S101 - only it installs these filters
    return environment.budget


# Filters that take the context are never computed while the template is compiled.
@pass_context
def _weighed(context: Context, value: Any) -> Any:
    return _budget(context).charge(value)


@pass_context
def _concat(context: Context, values: list[Any]) -> str:
    joined: str = functions.join(_budget(context), values, "")
    return joined


@pass_context
def _spend(context: Context, units: int) -> bool:
    _budget(context).spend(units)
    return True


def _pay_for_output(context: Context, value: Any) -> Any:
    return _budget(context).charge(value)


def _metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that pays for its arguments, for each item it draws, and for its result."""
    kind = getattr(function, "jinja_pass_arg", None)
    wanted = kind.name if kind is not None else ""

    @pass_context
    def metered(context: Context, *args: Any, **kwargs: Any) -> Any:
        budget = _budget(context)
        budget.charge((args, kwargs))
        functions.check_numbers((*args[1:], *kwargs.values()))
        args = tuple(_paid_items(budget, a) if isinstance(a, Iterator) else a for a in args)
        leading: dict[str, Any] = {
            "context": (context,),
            "eval_context": (context.eval_ctx,),
            "environment": (context.environment,),
            functions.BUDGET: (budget,),
        }
        return budget.charge(function(*leading.get(wanted, ()), *args, **kwargs))

    return metered


def _paid_items(budget: Budget, items: Iterator[Any]) -> Iterator[Any]:
    for item in items:
        yield budget.charge(item)
