"""Templates run in a cage: within bounds of size, rounds and time, and without a way out."""

import pytest

from botkit.steps.template import Template, TemplateFaults

HOSTILE = [
    "{% set _botkit_round = ''.strip %}{% for i in range(3000) %}{% for j in range(3000) %}{% endfor %}{% endfor %}",
    "{% macro _botkit_round() %}{% endmacro %}{% for i in range(3000) %}{% for j in range(3000) %}{% endfor %}{% endfor %}",
    "{% for i in range(5000) %}{% for j in range(2) %}{% endfor %}{% endfor %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x|replace('a', 'aaaaa') %}{% endfor %}",
    "{% for i in range(5000) %}{{ range(5000)|list }}{% endfor %}",
    "{{ range(10**9) }}",
    "{{ 'a' * 10**9 }}",
    "{{ 10**10**10 }}",
    "{{ range(5000)|join('a' ~ 'b' ~ 'cccccccccccccccccccc') }}",
    "{{ [1]|slice(100000000)|list }}",
    "{{ [1]|batch(300000000, 0)|list }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'.translate({97: 'b'}) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ (1).to_bytes(1000000000, 'big') }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ user.__class__ }}",
    "{{ user|attr('__class__') }}",
    "{{ [user]|map(attribute='__class__')|first }}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
]


class Somebody:
    name = "Hana"


@pytest.mark.parametrize("source", HOSTILE)
def test_what_would_run_long_grow_large_or_break_out_is_a_fault(source: str) -> None:
    with pytest.raises(TemplateFaults) as raised:
        Template(source, {"user": frozenset({"name"})}).render({"user": Somebody()})
    assert len(str(raised.value)) < 300


HARMLESS = {
    "{{ user.name|upper }}, {{ user.name[0] }}": "HANA, H",
    "{% for n in [1, 2, 3] %}{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}": "1, 2, 3",
    "{{ ['tea', 'cake']|map('title')|join(' & ') }}": "Tea & Cake",
    "{{ 'a,b'|replace(',', ' ') }} {{ 3.14159|round(2) }} {{ 7 % 4 }} {{ 2 ** 10 }} {{ 2 * 3 + 1 }}": "a b 3.14 3 1024 7",
    "{% macro hi(who) %}Hi {{ who }}{% endmacro %}{{ hi(user.name) }}": "Hi Hana",
    "{% set a = 'x' %}{% if a == 'x' %}{{ a ~ 1 }}{% endif %}": "x1",
    "{{ {'a': 1}.get('b', 2) }} {{ 'Hana Sato'.split()[1] }}": "2 Sato",
    "{{ user.name|default('you') }} {{ none|default('you', true) }}": "Hana you",
}


@pytest.mark.parametrize(("source", "expected"), HARMLESS.items())
def test_what_people_write_works(source: str, expected: str) -> None:
    assert Template(source, {"user": frozenset({"name"})}).render({"user": Somebody()}) == expected
