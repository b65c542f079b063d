"""DSCP_CLASS, whose marks are rules of nftables, comes and goes with the Debian package."""

from debian_root import CONF, PARTS

SCRIPT = "/etc/priority-email-gateway.nft"
OURS = "table inet priority-email-gateway"
OPERATORS = "table inet operator"
CLASS = {CONF: "DSCP_CLASS[4]=EF\n"}


def tables(root):
    return root.run("nft", "list", "tables").stdout.splitlines()


def rules(root):
    return root.run("nft", "-s", "list", *OURS.split()).stdout


def test_rules_come_and_go_with_the_package(root, deb):
    root.run("nft", "add", *OPERATORS.split())
    root.unpack(deb)
    root.append(CLASS)
    root.configure()
    root.all_run()
    assert tables(root) == [OPERATORS, OURS]
    first = rules(root)
    assert first.count("dscp set ef") == 2, first  # of IPv4 and IPv6

    root.append({CONF: "DSCP_CLASS[3]=AF21\n"})
    root.run("peg-gen", "apply")
    second = rules(root)
    assert second.count("dscp set ef") == 2 and second.count("dscp set af21") == 2, second

    root.remove()
    assert tables(root) == [OPERATORS] and root.exists(SCRIPT)
    root.purge()
    assert not root.exists(SCRIPT)


def test_without_nftables_it_says_what_is_left_out(root, deb):
    root.apt("remove", "nftables")
    root.unpack(deb)
    root.append(CLASS)
    said = root.configure()
    assert "DSCP_CLASS is without effect: nft does not run; install nftables" in said
    assert root.runs() == set(PARTS) and not root.exists(SCRIPT)
