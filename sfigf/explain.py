"""How a file of a study was made: command, inputs, digests, seeds, versions, machine, and whether that still holds.

All of it is read from what lies there: Snakemake's records, logs of jobs, what weight files and sets say of themselves,
cost files and training logs. What none of them keeps is said to be not recorded.
"""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.records.currency import NONE, Compared, command_of
from sfigf.records.facts import facts_of
from sfigf.records.folder import StudyFolder
from sfigf.records.jobs import Record, Records, records_about
from sfigf.registry import nearest
from sfigf.transfer import public

SHORT = 10
_MISSING = "not recorded"
_VERSIONS = {"sfigf": "sfigf", "python": "Python", "torch": "torch", "numpy": "numpy"}
_ADDRESS = re.compile(r"(?<=')\w+://[^']*|\w+://[^'\s]*")
_LONGEST = 100
"""Characters of a set's own words that are shown."""


def explain(path: str | Path, config: Path, *, deep: bool = False) -> list[str]:
    """Say in lines how a file was made.

    Args:
        path: The file; it may be gone as long as its record is there.
        config: The settings in force, within the folder of the study.
        deep: Go on with the inputs, their inputs, and so on.

    Raises:
        UserError: If neither the records nor the file itself say how it was made.
    """
    said, why = facts_of(path), "Snakemake does not know it"
    try:
        records, name = records_about(path)
        record = records.find(name)
        if record is None and not said:
            raise UserError(_unknown(path, records, name, config))
    except UserError as error:
        if not said:
            raise
        record, why = None, str(error)
    if record is None:
        return [line for line in _without_record(path, said, why) if line]
    folder = StudyFolder(records, config)
    lines = [line for line in _lines(folder, record, path, name) if line]
    return [*lines, *(_behind(folder, record) if deep else ())]


def _unknown(path: str | Path, records: Records, name: str, config: Path) -> str:
    if name == config.as_posix():
        return f"{path}: the settings in force; no job makes them, Snakemake merges and writes them when a run starts"
    close = nearest(name, records.files)
    return f"{path}: no record of how it was made in {records.folder}, and it does not say itself{close}"


def _lines(folder: StudyFolder, record: Record, path: str | Path, name: str) -> Iterator[str]:
    said, run = folder.said(record), folder.records.run_of(record)
    code, settings = folder.compared(record)
    yield _clean(f"{path}" if name == record.output else f"{path}: log of the job that made {record.output}")
    yield _line("sha256", _bytes(folder, record))
    yield _line("made by", f"rule {record.rule}" + ("" if record.complete else "; not known to have ended well"))
    yield _line("with", ", ".join(folder.records.siblings(record)))
    yield "\n".join(map(_clean, f"{'command':12}{_command(folder, record)}".split("\n")))
    yield _line("inputs", f"{len(record.inputs)}, with the sha256 they were read under" if record.inputs else "none")
    for name, was in record.inputs.items():
        yield _clean(f"  {was or _MISSING:64}  {name}{_since(folder, name, was)}")
    yield _line("settings", _digest(settings))
    yield _line("code", _digest(code))
    yield from _environment(record, said, folder.environment(record), run)
    yield _line("when", _when(record, said))
    yield _line("log", ", ".join(log + ("" if (folder.path / log).exists() else " (not here)") for log in record.logs))
    yield from _words(said)
    yield _line("still so", _verdict(*folder.holds(record)))


def _environment(
    record: Record, said: Mapping[str, Any], told: Mapping[str, Any], run: Mapping[str, str]
) -> Iterator[str]:
    verb, options = command_of(record.command)
    yield _line("seed", _seeds(record, said, options))
    none = f"none: `{verb}` made it, whose version changes nothing" if verb == "cp" else _MISSING
    yield _line("versions", _named(_versions(said, told), str(told.get("commit") or "")) or none)
    threads = str(said.get("threads") or next(iter(options.get("threads", [])), ""))
    counted = f", {threads} thread{'' if threads == '1' else 's'}" if threads else ""
    yield _line("device", f"{said['device']}{counted}" if "device" in said else str(told.get("device") or _MISSING))
    engine = f"Snakemake {run.get('Snakemake version', '?')} on Python {run.get('Python version', '?').split(' ')[0]}"
    machine = [run.get("Host", ""), str(told.get("machine") or run.get("Platform", "")), engine if run else ""]
    yield _line("machine", ", ".join(filter(None, machine)) or f"{_MISSING}: neither log of the job says it")
    yield _line("arithmetic", str(told.get("arithmetic", "")))


def _without_record(path: str | Path, said: Mapping[str, Any], why: str) -> Iterator[str]:
    data = said.get("data_digest")
    yield _clean(str(path))
    yield _line("sha256", sha256_of(path))
    yield _line("made by", f"{_MISSING} ({why}); what follows is what the file says of itself")
    for part, digest in data.items() if isinstance(data, Mapping) else ():
        yield _line("read", f"{part} samples, sha256 {digest}")
    yield _line("settings", str(said.get("config_digest") or _MISSING))
    yield _line("seed", str(said.get("seed", _MISSING)))
    yield _line("versions", _named(_versions(said, {})) or _MISSING)
    yield _line("device", str(said.get("device") or _MISSING))
    yield from _words(said)
    yield _line("still so", "not known: nothing here says which command made it")


def _behind(folder: StudyFolder, record: Record) -> Iterator[str]:
    """The tree of what a file was made from, and how many of its steps no longer hold."""
    steps = {record.job: record}
    yield from ("", "made from", *_tree(folder, record, steps), "")
    behind = [step for job, step in steps.items() if job == step.job and step is not record]
    stale = sorted((step.started, step.output) for step in behind if folder.holds(step)[0])
    held = (
        f"{len(stale)} no longer so, the first of them {stale[0][1]}" if stale else "none of them known to have changed"
    )
    yield _line("behind it", f"{len(behind)} steps, {held}")
    said = [(folder.said(step), folder.environment(step)) for step in [record, *behind]]
    seeds = {str(facts["seed"]) for facts, _ in said if "seed" in facts}
    seeds |= {seed for step in behind for seed in command_of(step.command)[1].get("seed", [])}
    yield _line("seeds", ", ".join(sorted(seeds)))
    yield _line("versions", _named(_gathered(_versions(*pair) for pair in said)) or _MISSING)
    for fact in ("commit", "machine"):
        for number, each in enumerate(sorted({str(told[fact]) for _, told in said if told.get(fact)})):
            yield _line("" if number else f"{fact}s", each)


def _gathered(each: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The versions of several jobs: all that there are of each library."""
    found: dict[str, set[str]] = {}
    for versions in each:
        for name, version in versions.items():
            found.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(versions)) for name, versions in found.items()}


def _tree(folder: StudyFolder, record: Record, steps: dict[Any, Record], indent: str = "") -> Iterator[str]:
    """The inputs, theirs, and so on; what was there before is only counted."""
    for name, was in record.inputs.items():
        made = folder.made(name)
        if _key(made, name) in steps:
            continue
        steps[_key(made, name)] = made or record
        digest = _short(was or folder.digest(name)) or _MISSING
        above = sum(_key(folder.made(file), file) in steps for file in made.inputs) if made else 0
        counted = f" (+ {above} input{'s' if above > 1 else ''} shown above)" if above else ""
        yield _clean(f"{indent}{name}  {digest}  {_brief(folder, made)}{counted}")
        if made:
            yield from _tree(folder, made, steps, indent + "  ")


def _key(made: Record | None, name: str) -> Any:
    """What stands for a file in the tree: its job, or itself where nobody made it."""
    return made.job if made else name


def _brief(folder: StudyFolder, record: Record | None) -> str:
    if record is None:
        return "a source file"
    changed, unknown = folder.holds(record)
    so = "NO LONGER SO, " + "; ".join(changed) if changed else "so as far as is known" if unknown else "so"
    return f"{record.rule}: {so}"


def _verdict(changed: list[str], unknown: list[str]) -> str:
    if changed:
        return f"no: {'; '.join(changed)}"
    if unknown:
        return f"as far as is known, this step; not compared: {', '.join(unknown)}"
    return "yes, this step: its inputs, code and settings are the same now"


def _bytes(folder: StudyFolder, record: Record) -> str:
    now, later = folder.digest(record.output), folder.records.read_as(record)
    if not now:
        told = f"; later jobs read it as {' or '.join(later)}" if later else ""
        return f"the file is not here now{told}"
    read = facts_of(folder.path / record.output).get("data_digest")
    if isinstance(read, Mapping) and all(record.inputs.values()) and not {*read.values()} <= {*record.inputs.values()}:
        return f"{now}, BUT the file says that it read other samples: another job made it, unknown to the records"
    if not later:
        return now
    return f"{now}, " + ("as later jobs read it" if [*later] == [now] else f"BUT later jobs read {' and '.join(later)}")


def _since(folder: StudyFolder, name: str, was: str | None) -> str:
    now = folder.digest(name)
    if not now:
        return "  (a folder)" if (folder.path / name).is_dir() else "  (not here now)"
    return f"  (other bytes now: {_short(now)})" if was and now != was else ""


def _command(folder: StudyFolder, record: Record) -> str:
    command = _ADDRESS.sub(lambda address: public(address[0]), record.command)  # a mirror's may hold a login
    if not command or folder.path == Path.cwd():
        return command or _MISSING
    return f"(cd {shlex.quote(str(folder.path))} && {command})"


def _digest(pair: Compared) -> str:
    if pair.same:
        return "none for this command" if pair.was == NONE else f"{pair.was}, as now"
    now = f"now {pair.now}" if pair.now else f"now not known: {pair.why}"
    return f"{pair.was or _MISSING}; {now}"


def _seeds(record: Record, said: Mapping[str, Any], options: Mapping[str, list[str]]) -> str:
    if own := str(said.get("seed", "")) or ", ".join(options.get("seed", [])):
        return own
    runs = sorted({int(seed) for name in record.inputs for seed in re.findall(r"/seed(\d+)\.", name)})
    return f"{', '.join(map(str, runs))} (of the runs it is made from)" if runs else "none in its command"


def _versions(said: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, str]:
    """What the job's log says, and over that what the file says itself, which shows that another job made it."""
    own = said.get("versions")
    own = own if isinstance(own, Mapping) else {}
    known = {**told.get("versions", {}), **{title: own[name] for name, title in _VERSIONS.items() if name in own}}
    return {str(name): str(version) for name, version in known.items()}


def _named(versions: Mapping[str, str], commit: str = "") -> str:
    checked_out = {"sfigf": f" (commit {commit})"} if commit else {}
    return ", ".join(f"{name} {version}{checked_out.get(name, '')}" for name, version in versions.items())


def _when(record: Record, said: Mapping[str, Any]) -> str:
    begun = datetime.datetime.fromtimestamp(record.started).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    training = f", of which training {said['seconds']:.0f} s" if isinstance(said.get("seconds"), int | float) else ""
    return f"{begun}, {record.ended - record.started:.1f} s{training}"


def _words(said: Mapping[str, Any]) -> Iterator[str]:
    """What a file says of itself beyond digests."""
    about = said.get("about") or {key: said[key] for key in ("study", "selected_step", "licence") if key in said}
    texts = {key: ", ".join(map(str, value)) if isinstance(value, list) else str(value) for key, value in about.items()}
    shown = [f"{key}: {text}" for key, text in sorted(texts.items()) if text and not isinstance(about[key], Mapping)]
    for number, text in enumerate(shown):
        yield _line("" if number else "says", text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _line(name: str, text: str) -> str:
    return _clean(f"{name:12}{text}") if text else ""


def _short(digest: str) -> str:
    return digest[:SHORT]


def _clean(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
