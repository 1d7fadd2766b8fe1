"""`qws init` makes a home once, and says what it left alone the second time."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from qws.cli import cli


def test_a_second_init_changes_nothing_and_says_what_was_kept(tmp_path: Path) -> None:
    first = CliRunner().invoke(cli, ["init", str(tmp_path / "home")])
    config = tmp_path / "home" / "config" / "qws.toml"
    config.write_text("# mine\n", encoding="utf-8")
    second = CliRunner().invoke(cli, ["init", str(tmp_path / "home")])

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "kept" not in first.stdout
    assert f"kept as it was: {config}" in second.stdout
    assert config.read_text(encoding="utf-8") == "# mine\n"
