"""[notify]: defaults, routes, what is refused by name, and that no message about it tells a secret."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import pytest

from qws.channels import channel_settings, notify_rules
from qws.cli.home import make_home
from qws.config import Config, load_config
from qws.domain.alerts import Severity
from qws.errors import ConfigError

ROBOT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-secret"
TWO = """
[notify.channels.group]
kind = "wecom"
url = "URL"
[notify.channels.mail]
kind = "smtp"
host = "smtp.example.com"
user = "me"
password = "file:p.txt"
sender = "me@example.com"
to = ["me@example.com"]
""".replace("URL", ROBOT)


def loaded(folder: Path, notify: str) -> Config:
    file = folder / "qws.toml"
    file.write_text(notify, encoding="utf-8")
    return load_config(file)


def test_a_new_home_tells_nobody(tmp_path: Path) -> None:
    config = load_config(make_home(tmp_path / "home").config_file)

    assert config == Config(paper=config.paper)
    assert all(not names for names in notify_rules(config).routes.values())


def test_without_routes_everything_goes_to_every_channel_but_the_fallback(tmp_path: Path) -> None:
    both = notify_rules(loaded(tmp_path, TWO)).routes
    with_fallback = notify_rules(loaded(tmp_path, '[notify]\nfallback = "mail"\n' + TWO)).routes
    routed = notify_rules(loaded(tmp_path, '[notify]\nroutes = { info = [], critical = ["mail"] }\n' + TWO)).routes

    assert set(both.values()) == {("group", "mail")}
    assert set(with_fallback.values()) == {("group",)}
    assert [routed[each] for each in Severity] == [(), ("group", "mail"), ("mail",)]


def test_quiet_hours_and_times_are_read_as_toml_writes_them(tmp_path: Path) -> None:
    text = '[notify]\nquiet_from = 22:00:00\nquiet_to = 08:00:00\nquiet_passes = "warning"\n'
    quiet = notify_rules(loaded(tmp_path, text)).quiet

    assert (quiet.since, quiet.until, quiet.passes) == (time(22), time(8), Severity.WARNING)


def test_an_environment_variable_sets_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWS_NOTIFY__CHANNELS__GROUP__URL", "https://other")

    group, mail = channel_settings(make_home(tmp_path / "home"), loaded(tmp_path, TWO))

    assert (group.url, group.kind, mail.name) == ("https://other", "wecom", "mail")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[notify]\nfallback = "no"\n', "no is no channel"),
        ('[notify]\nfallback = "https://robot/send?key=secret"\n', "**** is no channel"),
        ('[notify]\nroutes = { critical = ["sms"] }\n', "sms is no channel"),
        ("[notify]\nroutes = { fatal = [] }\n", "notify.routes.fatal"),
        ('[notify.channels.g]\nkind = "wecom"\n', "notify.channels.g: url is missing"),
        ('[notify.channels.g]\nkind = "smtp"\nhost = "h"\n', "host, sender and to"),
        ('[notify.channels.g]\nkind = "sms"\n', "notify.channels.g.kind"),
        ('[notify.channels.g]\nkind = "wecom"\nurl = "u"\nper_minute = 0\n', "notify.channels.g.per_minute"),
        (f'[notify.channels.g]\nkind = "wecom"\nur1 = "{ROBOT}"\n', "unknown key notify.channels.g.ur1"),
        (f'[notify.channels.g]\nkind = "wecom"\nurl = ["{ROBOT}"]\n', "notify.channels.g.url"),
        (f'[notify.channels]\ng = "{ROBOT}"\n', "notify.channels.g"),
        (f'[notify]\nchannels = "{ROBOT}"\n', "notify.channels"),
        (f'notify = "{ROBOT}"\n', "notify"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_without_its_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as found:
        loaded(tmp_path, text)

    assert told in str(found.value)
    assert "693a91f6" not in str(found.value)


def test_no_secret_is_in_the_configuration_as_text(tmp_path: Path) -> None:
    config = loaded(tmp_path, TWO)
    shown = f"{config!r} {config} {config.model_dump_json()} {channel_settings(make_home(tmp_path / 'h'), config)}"

    assert "693a91f6" not in shown
    assert "p.txt" not in shown


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_example_of_the_readme_can_be_added_to_a_new_home(name: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (Path(__file__).parents[1] / name).read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "[notify]" in block]
    shipped = make_home(tmp_path / "home").config_file.read_text(encoding="utf-8")

    config = loaded(tmp_path, shipped[: shipped.index("\n[notify]")] + "\n" + example)

    assert {each.kind for each in config.notify.channels.values()} == {"wecom", "dingtalk", "webhook", "smtp"}
    assert config.notify.fallback == "mail"
    assert (
        loaded(tmp_path, shipped + example.partition("\n\n")[2]).notify.channels.keys() == config.notify.channels.keys()
    )
