#!/usr/bin/env python3
"""Man pages for keyroll and each of its commands, from what the command says of itself.

usage: manpages.py KEYROLL VERSION DATE FOLDER

The command's own description (--experimental-dump-help) is the only source for names, options and texts, so that a new
command has its page with no further work. What it cannot know (examples, files) is in man/PAGE.mdoc beside this script,
and goes to the end of that page.
"""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent / "man"


def escaped(text):
    """Text for mdoc: no escapes, no requests, one sentence a line, as mdoc wants it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(letter if ord(letter) < 128 else f"\\[u{ord(letter):04X}]" for letter in text)
    lines = re.sub(r"([A-Za-z0-9)'][.!?][)']?) +", r"\1\n", text)
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines.split("\n"))


def word(text):
    """One argument of a macro. Two or three letters could be a macro's name."""
    text = escaped(text).replace('"', "\\(dq")
    return f'"{text}"' if " " in text else ("\\&" + text if len(text) <= 3 else text)


def flags(argument):
    return [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument.get("names", [])]


def value(argument):
    return argument.get("valueName", "value")


def usage(argument):
    """An argument in the synopsis."""
    if argument["kind"] == "positional":
        text = f"Ar {word(value(argument))}" + (" Ns ..." if argument["isRepeating"] else "")
    else:
        text = f"Fl {word(flags(argument)[-1][1:])}"
        if argument["kind"] == "option":
            text += f" Ar {word(value(argument))}"
    return ("Op " if argument["isOptional"] else "") + text


def described(argument):
    """An argument in the list of options."""
    if argument["kind"] == "positional":
        head = f"Ar {word(value(argument))}"
    else:
        head = " , ".join(f"Fl {word(flag[1:])}" for flag in flags(argument))
        if argument["kind"] == "option":
            head += f" Ar {word(value(argument))}"
    lines = [".It " + head]
    for text in (argument.get("abstract"), argument.get("discussion")):
        if text:
            lines.append(escaped(text))
    default = argument.get("defaultValue")
    if default:
        lines.append(f"The default is {escaped(default)}.")
    choices = argument.get("allValues")
    if choices:
        lines.append("One of " + escaped(", ".join(choices)) + ".")
    return lines


def shown(command):
    """The commands below it, without the parser's own help."""
    return [
        child for child in command.get("subcommands", []) if child["shouldDisplay"] and child["commandName"] != "help"
    ]


def page(command, path, version, date):
    name = "-".join(path)
    arguments = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
    own = [argument for argument in arguments if flags(argument) not in (["--version"], ["-h", "--help"])]
    children = shown(command)
    abstract = command.get("abstract", "").rstrip(".")
    lines = [
        '.\\" Made by packaging/manpages.py from the command itself.',
        f".Dd {date}", f".Dt {word(name.upper())} 1", f".Os {word('keyroll ' + version)}",
        ".Sh NAME", f".Nm {word(name)}", ".Nd " + escaped(abstract[:1].lower() + abstract[1:]).replace("\n", " "),
        ".Sh SYNOPSIS",
    ]
    title = f".Nm {word(path[0])}" + "".join(f" Cm {word(part)}" for part in path[1:])
    lines.append(title)
    if children:
        lines += [".Ar command", ".Op Ar argument ..."]
    lines += ["." + usage(argument) for argument in own]
    lines += [".Sh DESCRIPTION", escaped(command.get("abstract", ""))]
    if command.get("discussion") and len(path) > 1:
        lines += [".Pp", escaped(command["discussion"])]
    if children:
        lines += [".Pp", "The commands:", ".Bl -tag -width Ds"]
        for child in children:
            lines += [f".It Xr {word(name + '-' + child['commandName'])} 1", escaped(child.get("abstract", ""))]
        lines.append(".El")
    if arguments:
        lines += [".Pp", "The options:", ".Bl -tag -width Ds"]
        for argument in arguments:
            lines += described(argument)
        lines.append(".El")
    if len(path) > 1:
        lines += [
            ".Sh EXIT STATUS", "0 where it is done.", "The other codes mean the same for all commands; see", ".Xr keyroll 1 .",
        ]
    more = HERE / f"{name}.mdoc"
    if more.exists():
        lines += more.read_text().rstrip("\n").split("\n")
    if len(path) > 1:
        above = ["-".join(path[:length]) for length in range(1, len(path))]
        lines += [".Sh SEE ALSO"] + [f".Xr {word(other)} 1" + (" ," if other != above[-1] else "") for other in above]
    return name, "\n".join(line for line in lines if line) + "\n"


def pages(command, path, version, date):
    yield page(command, path, version, date)
    for child in shown(command):
        yield from pages(child, path + [child["commandName"]], version, date)


def main():
    tool, version, date, folder = sys.argv[1:]
    dump = json.loads(subprocess.run([tool, "--experimental-dump-help"], check=True, stdout=subprocess.PIPE).stdout)
    if dump["serializationVersion"] != 0:
        sys.exit(f"{tool} describes itself in format {dump['serializationVersion']}; known here: 0")
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    # A page of a command that is no more must not stay.
    for old in target.glob("keyroll*.1"):
        old.unlink()
    count = 0
    for name, text in pages(dump["command"], [dump["command"]["commandName"]], version, date):
        (target / f"{name}.1").write_text(text)
        count += 1
    print(f"{count} man pages in {folder}")


main()
