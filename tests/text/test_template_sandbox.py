"""Hostile templates: each ends with an error, soon and without filling the memory, in any thread."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import pytest

from gptdesk.errors import TokenizerError
from gptdesk.text.chat_template import ChatTemplate

MEGABYTE = "{% set x = 'a' * 1000000 %}"
GROWING = "{% set ns = namespace(x='ab', l=[1], n=3) %}{% for i in range(60) %}"

BOMBS = {
    "nested loops": "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "ten small loops": "{% for i in range(10) %}" * 10 + "{% endfor %}" * 10,
    "long range": "{% for a in range(10**12) %}x{% endfor %}",
    "filtered loop": "{% for a in range(90000) if false %}{% endfor %}" * 9,
    "recursive loop": "{% for x in [1,2] recursive %}{% if loop.depth < 60 %}{{ loop([1,2]) }}{% endif %}{% endfor %}",
    "endless loop": "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "endless macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "branching macro": "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "long text": "{{ 'x' * 10**10 }}",
    "long list": "{{ [1] * 10**10 }}",
    "doubling +": GROWING + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "doubling ~": GROWING + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling block": GROWING + "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    "doubling list": GROWING + "{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
    "doubling mapping": GROWING
    + "{% set ns.l = {'a': ns.l, 'b': ns.l} %}{% endfor %}{{ ns.l|tojson }}",
    "squaring": GROWING + "{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }}",
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "center": "{{ 'a'|center(10**10) }}",
    "center method": "{{ 'a'.center(10**10) }}",
    "zfill method": "{{ 'a'.zfill(10**10) }}",
    "expandtabs method": "{{ '\t'.expandtabs(10**10) }}",
    "percent width": "{{ '%0999999999d' % 1 }}",
    "percent star": "{{ '%0*d' % (999999999, 1) }}",
    "percent key": "{{ '%(a(b)c)0999999999d' % {'a(b)c': 1} }}",
    "percent fields": MEGABYTE + "{{ ('%s' * 999) % ([x] * 999) }}",
    "format filter": "{{ '%0999999999d'|format(1) }}",
    "format width": "{{ '{:0999999999d}'.format(1) }}",
    "format computed": "{{ '{:{}}'.format(1, 999999999) }}",
    "replace": MEGABYTE + "{{ x.replace('a', x) }}",
    "replace filter": MEGABYTE + "{{ x|replace('a', x) }}",
    "join": MEGABYTE + "{{ range(10000)|join(x) }}",
    "join method": MEGABYTE + "{{ x.join(['a'] * 10000) }}",
    "indent": "{{ ('a\n' * 100000)|indent(9999) }}",
    "indent json": "{{ [1]|tojson(indent=10**9) }}",
    "map": "{{ range(9999)|map('string')|map('center', 9999)|list }}",
    "slice": "{{ [1]|slice(10**9)|list }}",
    "round": "{{ 5|round(-10**9) }}",
    "sum of lists": "{{ ([[1]] * 60000)|sum(start=[]) }}",
    "comparisons": MEGABYTE
    + "{% set y = x ~ '' %}{% for i in range(99999) %}{% if x == y %}{% endif %}{% endfor %}",
    "searches": MEGABYTE + "{% for i in range(99999) %}{{ x.find('b') }}{% endfor %}",
    "tests": MEGABYTE + "{% for i in range(99999) %}{{ x is lower }}{% endfor %}",
    "reversals": MEGABYTE + "{% for i in range(99999) %}{% set y = x[::-1] %}{% endfor %}",
    "output": MEGABYTE + "{{ x }}" * 100,
    "output of a list": "{% set x = range(9999)|list %}" + "{{ x }}" * 500,
    "strftime": "{{ strftime_now('%0999999999Y') }}",
    "from keys": "{{ {}.fromkeys(range(10**9)) }}",
    "to bytes": "{{ (1).to_bytes(10**10) }}",
    "deep brackets": "{{ " + "(" * 30_000 + " }}",
    "deep blocks": "{% if x %}" * 3000,
    "long sum": "{{ " + "1+" * 30_000 + "1 }}",
    "long source": "x" * 1_000_000,
    "endless number": "{{ " + "9" * 5000 + " }}",
}

ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update({}) }}",
    "{{ 'a'|attr('__class__') }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ namespace(__class__=1) }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{{ self.root() }}",
    "{{ messages|map(attribute='__class__')|list|first.x }}",
]


def render(source: str) -> str:
    template = ChatTemplate(source, {}, Path("model/tokenizer_config.json"))
    return template.render([{"role": "user", "content": "hi"}])


@pytest.mark.timeout(20)  # without a bound these run for hours
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_with_an_error(name: str) -> None:
    with pytest.raises(TokenizerError, match="model"):
        render(BOMBS[name])


@pytest.mark.parametrize("name", [name for name in BOMBS if name.startswith(("doubling", "map"))])
def test_bombs_do_not_fill_the_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TokenizerError):
            render(BOMBS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300 << 20


@pytest.mark.parametrize("source", ESCAPES)
def test_python_is_out_of_reach(source: str) -> None:
    with pytest.raises(TokenizerError):
        print(render(source))


@pytest.mark.parametrize("source", ["{{ ''['__class__'] }}", "{{ '{0.__class__}'.format(1) }}"])
def test_private_names_are_undefined(source: str) -> None:
    assert render(source) == ""


def test_the_bound_holds_in_a_thread_too() -> None:
    errors: list[Exception] = []

    def work() -> None:
        try:
            render(BOMBS["nested loops"])
        except TokenizerError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 3


def test_namespaces_that_hold_one_another_print_nothing_of_it() -> None:
    source = GROWING + "{% set ns.x = namespace(a=ns.x, b=ns.x) %}{% endfor %}{{ ns.x }}"
    assert render(source) == "<namespace>"


def test_a_template_works_again_after_it_failed() -> None:
    template = ChatTemplate("{{ 'x' * messages|length ** 9 }}", {}, Path("m/t.json"))
    with pytest.raises(TokenizerError):
        template.render([{"role": "user", "content": ""}] * 20)
    assert template.render([{"role": "user", "content": ""}]) == "x"
