"""What the demo ends with: what the world outside has counted, and whether that is what was promised."""
import time


def sent(events, tool):
    """How often the server has said, before it sent, that it would."""
    return sum(event["type"] == "tool.intended" and event["data"].get("tool") == tool for event in events)


def asked(events):
    return sum(event["type"] == "model.requested" for event in events)


def answered(events):
    return sum(event["type"] == "model.answered" for event in events)


class Report:
    """Of a demo that has ended; `task` as the server shows it then."""

    def __init__(self, demo, task):
        self.story, self.office, self.files = demo.story, demo.office, demo.files
        self.events, self.kills, self.is_kept, self.task = demo.follower.events, demo.kills, demo.is_kept, task
        self.why_ended, self.folder = demo.why_ended, demo.folder

    def rows(self):
        """(what, received, applied, why) each."""
        office = self.office
        refunds, vouchers = office.received.get("refund", 0), office.received.get("send_voucher", 0)
        keys = len(office.keys.get("refund", []))
        lost = asked(self.events) - answered(self.events)
        rows = [
            ("refund", refunds, len(office.refunds),
             f"idempotent: sent again, with the same key ({keys} key)" if refunds > keys else "idempotent"),
            ("send_voucher", vouchers, len(office.vouchers),
             "once: never sent again; the doubt was shown, and you answered it" if office.holds["send_voucher"].acted.is_set()
             else "once"),
            ("model", asked(self.events), answered(self.events),
             f"{lost} answer was lost under way and asked for again: billed, and shown as an attempt" if lost == 1 else
             f"{lost} attempts without an answer, each shown"),
        ]
        if self.files:
            written = len(list((self.folder / "replies").iterdir()))
            rows.append(("files.write_file", sent(self.events, "files.write_file"), written,
                         "repeat: the MCP server, started again after each kill"))
        return rows

    def show(self):
        """The exit status of the demo."""
        self.story.say(f"\n  {'what the world outside counted':30}  received  applied", "bold")
        for what, received, applied, why in self.rows():
            self.story.say(f"  {what:30}  {received:8}  {applied:7}   {why}")
        usage = self.task["usage"]
        self.story.say(f"\n  cost {usage['cost_usd']:.6f} USD, {usage['model_calls']} model calls, "
                       f"{usage['tool_calls']} tool calls, {usage['input_tokens']} + {usage['output_tokens']} tokens; "
                       f"{self.kills} kills, {time.time() - self.story.begin:.1f} s")
        return self.verdict()

    def kept_its_word(self):
        if self.is_kept:
            return self.is_the_kept_story()
        # What another model asks for is its own business. What is promised is not.
        office = self.office
        return (office.received.get("send_voucher", 0) <= sent(self.events, "send_voucher") and
                not any(event["type"] == "tool.intended" and event["data"].get("tool") == "send_voucher" and
                        event["data"].get("attempt", 1) > 1 for event in self.events) and
                len(office.keys.get("refund", [])) == len(office.refunds) and
                office.received.get("refund", 0) <= sent(self.events, "refund"))

    def is_the_kept_story(self):
        refund, voucher, model = self.rows()[:3]
        return (self.task["status"] == "completed" and self.kills == 3 and refund[1:3] == (2, 1) and
                len(self.office.keys["refund"]) == 1 and voucher[1:3] == (1, 1) and model[1] == model[2] + 1 and
                {reply.name for reply in (self.folder / "replies").iterdir()} == {"ann.txt", "bob.txt"})

    def verdict(self):
        say = self.story.say
        if not self.kept_its_word():
            say("  THIS IS NOT WHAT WAS PROMISED: please report it.", "red")
            return 1
        if self.task["status"] != "completed":
            say(f"  The story has no end: {self.why_ended}.\n  Until then nothing was lost, and nothing was done "
                "twice. `./dev demo --kept-model` tells all of it without a model.", "yellow")
            return 1
        say("  As promised: nothing was lost, nothing was done twice.", "green")
        if self.kills < 3:
            missing = [tool for tool, hold in self.office.holds.items() if not hold.acted.is_set()]
            why = "the model never called " + " and ".join(missing) if missing else "the model was done before"
            say(f"  But only {self.kills} of 3 kills were shown: {why}. `./dev demo --kept-model` shows all.", "yellow")
        return 0
