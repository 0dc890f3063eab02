# SPDX-License-Identifier: GPL-2.0-only
"""
Expressions of one mask: compiled together, each proven or left out by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pygfp import releases, sources
from pygfp.config import Selection
from pygfp.errors import BuildError
from pygfp.forms import MaskFilter
from pygfp.model.helpers import WANTED
from pygfp.model.policy import Policy
from pygfp.native.expressions import Expression, Piece, compiled, reason
from pygfp.native.pool import Pool
from pygfp.reduce import Reduced, reduce, same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pygfp.native.jobs import Job, Tally

IO_FS = Piece("MY_MASK", "macro", "#define MY_MASK (__GFP_IO | __GFP_FS)")
HELPER = Piece("mine", "function", "static gfp_t mine(gfp_t gfp)\n{\n\treturn gfp & MY_MASK;\n}", (IO_FS,))


def judged(
    expressions: Sequence[Expression], *, all_on: bool = True, tree: Path | None = None
) -> tuple[dict[str, list[Reduced]], dict[str, str]]:
    """Forms and errors by the text of each expression."""
    source = sources.tree(tree) if tree else sources.bundled()
    with compiled(source, Selection(), WANTED, expressions, all_on=all_on) as made:
        done = reduce(made, releases.reference(source.release), Policy())
        return {e.text: r for e, r in done.items()}, {e.text: m for e, m in made.errors.items()}


def forms(reduced: Reduced) -> tuple[set[str], set[str]]:
    return set(reduced.keep), set(reduced.force)


def test_what_does_not_compile_costs_no_other_its_place() -> None:
    bad = ["pygfp_x | order", "mystery(pygfp_x)", "pygfp_x |", "pygfp_x & __GFP_NOT", "(pygfp_x", '"text"', "pygfp_x }"]
    good = ["pygfp_x & __GFP_IO", "gfp_nested_mask(pygfp_x)"]
    done, errors = judged([Expression(t) for t in (*bad, *good)])
    assert set(errors) == set(bad)
    assert set(done) == set(good)
    assert errors["pygfp_x | order"] == "depends on order"
    assert errors["mystery(pygfp_x)"] == "calls mystery()"
    assert forms(done["pygfp_x & __GFP_IO"][0]) == ({"__GFP_IO"}, set())


def test_macros_and_functions_of_a_file_are_compiled_with_it() -> None:
    done, errors = judged([Expression("mine(pygfp_x) | __GFP_ZERO", (HELPER,))])
    assert not errors
    (one,) = done.values()
    assert forms(one[0]) == ({"__GFP_IO", "__GFP_FS"}, {"__GFP_ZERO"})


def test_one_name_may_mean_two_things_in_two_files() -> None:
    other = Piece("MY_MASK", "macro", "#define MY_MASK __GFP_DMA")
    twin = Piece("mine", "function", "static gfp_t mine(gfp_t gfp) { return gfp & MY_MASK; }", (other,))
    first, second = Expression("mine(pygfp_x)", (HELPER,)), Expression("mine(pygfp_x )", (twin,))
    done, _ = judged([first, second])
    assert forms(done[first.text][0])[0] == {"__GFP_IO", "__GFP_FS"}
    assert forms(done[second.text][0])[0] == {"__GFP_DMA"}


def test_a_function_that_does_not_compile_is_to_blame_by_name() -> None:
    broken = Piece("broken", "function", "static gfp_t broken(gfp_t gfp) { return gfp & missing; }")
    done, errors = judged([Expression("broken(pygfp_x)", (broken,)), Expression("mine(pygfp_x)", (HELPER,))])
    assert errors == {"broken(pygfp_x)": "calls broken(), which depends on missing"}
    assert set(done) == {"mine(pygfp_x)"}


def test_functions_do_not_clash_over_configurations() -> None:
    done, errors = judged([Expression("mine(pygfp_x)", (HELPER,))], all_on=False)
    assert not errors
    assert len(done["mine(pygfp_x)"]) == 4


@pytest.mark.parametrize("text", ["pygfp_x << 40", "pygfp_x / (pygfp_x & 1)", "1 << pygfp_x"])
def test_what_has_no_defined_value_has_no_form(text: str) -> None:
    done, errors = judged([Expression(text), Expression("pygfp_x")])
    assert text in errors or "SIG" in done[text][0].error
    assert done["pygfp_x"][0].form


def test_a_loop_that_does_not_end_is_no_form() -> None:
    done, _ = judged([Expression("({ volatile int on = 1; while (on) { } pygfp_x; })"), Expression("pygfp_x")])
    assert any("does not return" in r[0].error for r in done.values())
    assert done["pygfp_x"][0].form


def test_a_choice_by_the_mask_is_no_filter_and_laws_are_swept() -> None:
    text = "pygfp_x & __GFP_IO ? gfp_nested_mask(pygfp_x) : gfp_nested_mask(pygfp_x) | __GFP_MEMALLOC"
    (one,) = judged([Expression(text)])[0].values()
    assert one[0].form is None
    (breach,) = one[0].breaches
    assert (breach.law.id, breach.smallest) == ("spares-reserves", 0)


def test_equal_code_has_equal_forms_and_different_code_does_not() -> None:
    """Expressions of one machine code are compared once; that must not mix up any others."""
    bits = [f"pygfp_x & ~({1 << b}u)" for b in range(20)]
    twins = [f"pygfp_x & (gfp_t)~({1 << b}u)" for b in range(20)]
    done, errors = judged([Expression(t) for t in (*bits, *twins)])
    assert not errors
    for b, (one, twin) in enumerate(zip(bits, twins, strict=True)):
        assert same(done[one], done[twin])
        form = done[one][0].form
        assert form is not None
        assert ~form.keep & (1 << 27) - 1 == 1 << b


def test_a_header_that_does_not_compile_is_said(bundled_tree: Path) -> None:
    header = bundled_tree / "include/linux/gfp_types.h"
    header.write_text(header.read_text() + "\n#error no\n")
    with pytest.raises(BuildError, match="no"):
        judged([Expression("pygfp_x")], tree=bundled_tree)


def test_a_helper_of_the_header_that_does_not_compile_costs_no_expression(bundled_tree: Path) -> None:
    header = bundled_tree / "include/linux/gfp.h"
    broken = "static inline bool gfp_broken(gfp_t gfp)\n{\n\treturn gfp & nothing_of_that_name;\n}\n\n#endif"
    head, _, tail = header.read_text().rpartition("#endif")
    header.write_text(head + broken + tail)
    done, errors = judged([Expression("gfp_nested_mask(pygfp_x)")], tree=bundled_tree)
    assert not errors
    assert done["gfp_nested_mask(pygfp_x)"][0].form


def test_reasons_in_words() -> None:
    assert reason("implicit declaration of function 'f'; did you mean 'g'?") == "calls f()"
    assert reason("use of undeclared identifier 'order'") == "depends on order"


class TestSameCode:
    """A filter whose machine code is that of an expression is the expression: no input is needed to say so."""

    TEXTS = (
        "pygfp_x & ~__GFP_FS",
        "pygfp_x & (__GFP_IO | __GFP_FS)",
        "(pygfp_x & ~__GFP_ZERO) | __GFP_NOWARN",
        "pygfp_x",
    )

    @pytest.mark.parametrize("text", TEXTS)
    def test_the_form_that_an_expression_has(self, text: str) -> None:
        expression = Expression(text)
        with compiled(sources.bundled(), Selection(), WANTED, [expression], all_on=True) as made:
            name = made.names[expression]
            form = made.session.pool.mine(0, name, 27, is_filter=True)
            assert isinstance(form, MaskFilter)
            assert made.same_code({name: form}, 27) == {name}
            for bit in range(27):
                assert not made.same_code({name: MaskFilter(form.keep ^ 1 << bit, form.force & ~(1 << bit))}, 27)
            assert not made.same_code({name: MaskFilter(form.keep, form.force ^ 1)}, 27)

    def test_one_that_is_no_filter_has_the_code_of_none(self) -> None:
        expression = Expression("pygfp_x & __GFP_IO ? pygfp_x : pygfp_x & ~__GFP_FS")
        with compiled(sources.bundled(), Selection(), WANTED, [expression], all_on=True) as made:
            name, every = made.names[expression], (1 << 27) - 1
            assert not made.same_code({name: MaskFilter(every, 0)}, 27)
            assert not made.same_code({name: MaskFilter(every & ~0x80, 0)}, 27)

    def test_what_has_other_code_is_swept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        swept: list[str] = []
        sweep = Pool.sweep

        def counted(self: Pool, jobs: Sequence[Job]) -> list[Tally]:
            swept.extend(job.helper for job in jobs)
            return sweep(self, jobs)

        monkeypatch.setattr(Pool, "sweep", counted)
        # The compiler does not see that the loop sets no bit but the one.
        loop = "({ gfp_t y = 0; for (int i = 0; i < 27; i++) y |= pygfp_x & 1u << i & (i * i == 36 ? ~0u : 0u); y; })"
        done, _ = judged([Expression("pygfp_x & __GFP_IO"), Expression(loop)])
        assert forms(done[loop][0]) == forms(done["pygfp_x & __GFP_IO"][0]) == ({"__GFP_IO"}, set())
        assert swept == ["pygfp_e1"]
