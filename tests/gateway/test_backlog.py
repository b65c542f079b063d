"""Mail of one priority that is more than its instance can deliver, or even take in hand."""

from harness.mail import new_tag

ACTIVE = "20"  # messages that a queue manager takes in hand
MANY = 200


def test_what_an_instance_cannot_take_in_hand_waits_there_and_not_in_the_frontend(private_gateway):
    gateway = private_gateway(
        start=False,
        priority_count=2,
        rules="X-Priority /^1/ all 1\n",
        conf={"DEFAULT_PRIORITY": 0},
    )
    gateway.write()
    for instance in ("frontend", 0):
        gateway.set_postfix_conf(instance, "qmgr_message_active_limit", ACTIVE)
    gateway.set_postfix_conf(0, "in_flow_delay", "10s")
    gateway.run()
    with gateway.relay.holding():
        with gateway.sender() as sender:
            routine = [sender.send(to=[new_tag() + "@dest.example"]) for _ in range(MANY)]
        urgent = gateway.send(to=["bob@dest.example"], priority_header="1")
        gateway.log.wait_for(r"postfix1/smtpd\S+ \w+: client=.*orig_queue_id=" + urgent.queue_id)
    for sent in [urgent] + routine:
        (instance,) = gateway.delivered(sent).values()
        assert instance == (1 if sent is urgent else 0)
