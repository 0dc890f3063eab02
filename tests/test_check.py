# SPDX-License-Identifier: GPL-2.0-only
"""The main job, end to end, on the bundled subset and on real headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Report = dict[str, Any]


def statuses(report: Report, subject: str, kind: str = "helper") -> list[str]:
    return [c["status"] for c in report["checks"] if c["subject"] == subject and c["kind"] == kind]


class TestBundled:
    """The bundled subset is one more source, and it is right."""

    def test_everything_passes(self, check_json: Callable[..., Report]) -> None:
        report = check_json("bundled", "--strict")
        assert report["exit"] == 0
        assert {c["status"] for c in report["checks"]} == {"pass"}

    def test_nested_mask_has_four_configurations(self, check_json: Callable[..., Report]) -> None:
        assert statuses(check_json("bundled"), "gfp_nested_mask") == ["pass"] * 4

    def test_a_tree_of_the_same_text_is_compiled_and_passes(
        self, check_json: Callable[..., Report], bundled_tree: Path
    ) -> None:
        report = check_json(bundled_tree)
        assert report["exit"] == 0
        assert report["source"]["kind"] == "tree"


class TestRealHeaders:
    """The distribution's packages, every configuration."""

    def test_6_12_passes_in_every_configuration(self, check_json: Callable[..., Report], headers_6_12: Path) -> None:
        report = check_json(headers_6_12)
        assert report["exit"] == 0
        assert statuses(report, "gfp_nested_mask") == ["pass"] * 8

    def test_6_1_lacks_the_nested_mask_and_does_not_fail(
        self, check_json: Callable[..., Report], headers_6_1: Path
    ) -> None:
        report = check_json(headers_6_1)
        assert report["exit"] == 0
        assert statuses(report, "gfp_nested_mask") == ["absent"]
