"""Which way notices of bounces go: past all that an operator has set up, and to whom they name."""

import os
import re

import pytest

from harness.gateway import Gateway
from harness.recorder import Recorder

REFUSED = "550 5.1.1 no such user"


@pytest.fixture(scope="module", name="bouncing")
def gateway_of_these_tests():
    gateway = Gateway()
    gateway.recorder = Recorder(gateway.root)
    with gateway:
        gateway.write_conf(
            {"BOUNCE_COMMAND_DEFAULT": gateway.recorder.command, "BOUNCE_COMMAND_LIMIT": 1000}
        )
        gateway.gen("apply")
        yield gateway


@pytest.fixture(autouse=True)
def own_calls_only(bouncing):
    bouncing.recorder.clear()


def bounce(gateway):
    """Have instance 4 return a message, and return the one call of the command."""
    gateway.relay.refuse_recipient("bob", REFUSED)
    sent = gateway.send(to=["bob@dest.example"], priority_header="1")
    (call,) = gateway.recorder.wait_for(1)
    assert call.recipients == ["bob@dest.example"]
    gateway.wait_until_empty()
    assert len(gateway.recorder.calls()) == 1
    return sent


def aliases(gateway, instance=4):
    return os.path.join(gateway.config_dir(instance), "alias_maps")


def index_of(gateway):
    """The index of instance 4's aliases."""
    names = [aliases(gateway) + suffix for suffix in (".cdb", ".db", ".lmdb")]
    (path,) = [name for name in names if os.path.exists(name)]
    return path


def edit(gateway, text):
    with open(aliases(gateway), "w") as file:
        file.write(text)
    later = os.stat(index_of(gateway)).st_mtime_ns + 1
    os.utime(aliases(gateway), ns=(later, later))


def read(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.fixture
def with_settings(bouncing):
    """A function that gives instance 4 settings of main.cf, and applies and reloads."""
    before = bouncing.postfix_conf(4)
    changed = {}

    def take(**settings):
        for name, value in settings.items():
            changed[name] = before.get(name)
            bouncing.set_postfix_conf(4, name, value)
        bouncing.gen("apply")

    yield take
    for name, value in changed.items():
        bouncing.set_postfix_conf(4, name, value)
    bouncing.gen("apply")


def test_the_operators_mappings_and_routes_are_not_in_the_way(bouncing, with_settings):
    table = bouncing.path("catch_all")
    with open(table, "w") as file:
        file.write("/^/ smtp:[127.0.0.1]:%d\n" % bouncing.ports.relay)
    sink = bouncing.path("sink")
    with open(sink, "w") as file:
        file.write("/bounce/ sink@sink.example\n")
    with_settings(
        transport_maps="regexp:" + table,
        virtual_alias_maps="regexp:" + sink,
        canonical_maps="regexp:" + sink,
        recipient_canonical_maps="regexp:" + sink,
        virtual_alias_domains="origin.example, mail.gateway.example",
        bounce_notice_recipient="somebody@else.example",
        local_command_shell="/bin/false",
        allow_mail_to_commands="",
        notify_classes="policy",
    )
    bounce(bouncing)
    assert bouncing.postfix_conf(4, "bounce_notice_recipient") == "bouncemanager"
    assert bouncing.postfix_conf(4, "notify_classes") == "policy"
    for name, file in {"transport_maps": table, "virtual_alias_maps": sink}.items():
        *ours, theirs = re.split(", *", bouncing.postfix_conf(4, name))
        assert any("/peg_bounce" in entry for entry in ours) and theirs == "regexp:" + file
    assert "nothing to change" in bouncing.gen("diff").stdout


def test_a_notice_of_megabytes_is_read_to_its_end(bouncing, with_settings):
    table = bouncing.path("list")
    members = ", ".join("user%d@dest.example" % number for number in range(900))
    with open(table, "w") as file:
        file.write("/^list@/ %s\n" % members)
    with_settings(virtual_alias_maps="regexp:" + table)
    bouncing.relay.refuse_recipient("@dest", "550 5.1.1 " + "no such user, " * 100)
    bouncing.send(to=["list@list.example"], priority_header="1")
    (call,) = bouncing.recorder.wait_for(1)
    assert len(call.notice) > 2 << 20
    assert call.facts["SENDER"] == "alice@source.example" and len(call.recipients) > 20
    bouncing.log.wait_for(r"peg-bounce\S+ .*: from=<alice@source.example>, recipients=900, count=1")
    bouncing.wait_until_empty()


def test_a_host_with_local_mail_is_no_different(bouncing, with_settings):
    with_settings(
        mydestination="origin.example, localhost",
        local_recipient_maps="",
        alias_maps="hash:/nowhere",
    )
    bounce(bouncing)


def test_the_operators_own_double_bounce_notices_stay(bouncing, with_settings):
    with_settings(notify_classes="2bounce, delay", **{"2bounce_notice_recipient": "chief@dest.example"})
    bouncing.relay.refuse_recipient("bob", REFUSED)
    bouncing.send(to=["bob@dest.example"], sender="", priority_header="1")
    (notice,) = bouncing.relay.wait_for(1)
    assert notice.recipient == "chief@dest.example"
    bouncing.wait_until_empty()
    assert bouncing.recorder.calls() == []


def test_who_is_named_behind_bouncecommand_gets_a_copy_and_apply_leaves_that_alone(bouncing):
    text = "# mine\nbouncemanager: bouncecommand   admin@system.example\n"
    shipped = read(aliases(bouncing)).decode()
    assert shipped.endswith("\nbouncemanager: bouncecommand\n")
    edit(bouncing, text)
    try:
        assert "alias_maps: new index (postalias)" in bouncing.gen("diff").stdout
        bouncing.gen("apply")
        assert "nothing to change" in bouncing.gen("diff").stdout
        sent = bounce(bouncing)
        found = {d.recipient: d for d in bouncing.relay.deliveries}
        assert set(found) == {sent.sender, "admin@system.example"}
        assert sent.tag.encode() in found["admin@system.example"].content
        assert found["admin@system.example"].instance == 4
        before = os.stat(aliases(bouncing)).st_mtime_ns, read(index_of(bouncing))
        bouncing.write_conf(
            {"BOUNCE_COMMAND_DEFAULT": bouncing.recorder.command, "NICE_LEVEL[4]": 3}
        )
        bouncing.gen("apply")
        assert read(aliases(bouncing)).decode() == text
        assert (os.stat(aliases(bouncing)).st_mtime_ns, read(index_of(bouncing))) == before
    finally:
        edit(bouncing, shipped)
        bouncing.gen("apply")


def test_a_text_that_was_restored_with_its_old_time_is_read(bouncing):
    shipped = read(aliases(bouncing)).decode()
    edit(bouncing, "bouncemanager: bouncecommand, admin@system.example\n")
    os.utime(aliases(bouncing), (0, 0))
    try:
        assert "alias_maps: new index (postalias)" in bouncing.gen("diff").stdout
        bouncing.gen("apply")
        assert "nothing to change" in bouncing.gen("diff").stdout
    finally:
        edit(bouncing, shipped)
        bouncing.gen("apply")


def test_an_index_that_is_missing_or_old_is_made_by_apply_and_by_start(bouncing):
    index = index_of(bouncing)
    os.unlink(index)
    assert index not in os.listdir(os.path.dirname(index))
    bouncing.gen("apply")
    assert os.path.exists(index)
    edit(bouncing, read(aliases(bouncing)).decode() + "\n")
    bouncing.ctl("restart", "4")
    assert os.stat(index).st_mtime_ns >= os.stat(aliases(bouncing)).st_mtime_ns
    assert "nothing to change" in bouncing.gen("diff").stdout
    bounce(bouncing)


def test_what_a_killed_postalias_has_left_is_removed(bouncing):
    left = bouncing.config_dir(4) + ".peg-alias"
    os.mkdir(left)
    with open(left + "/alias_maps.db", "w"):
        pass
    bouncing.gen("apply")
    assert not os.path.exists(left)


def test_aliases_with_a_mistake_keep_nothing_from_starting(bouncing):
    shipped = read(aliases(bouncing)).decode()
    edit(bouncing, "bouncemanager\n:\n" + shipped)
    try:
        bouncing.ctl("restart", "4")
        bounce(bouncing)
    finally:
        edit(bouncing, shipped)
        bouncing.gen("apply")


def test_a_changed_route_of_notices_is_no_reason_to_restart_the_lookup_server(bouncing):
    before = bouncing.daemon_pid("peg-tcpmap")
    conf = os.path.join(bouncing.config_dir("frontend"), "master.cf")
    with open(conf) as file:
        text = file.read()
    with open(conf, "w") as file:
        file.write(re.sub(r"regexp:\S*peg_bounce_route,\s*tcp:", "tcp:", text))
    assert "rewrite-route" in bouncing.gen("apply").stdout
    assert bouncing.daemon_pid("peg-tcpmap") == before
    sent = bouncing.send(to=["dora@dest.example"], priority_header="1")
    assert bouncing.delivered(sent) == {"dora@dest.example": 4}
