"""``openmodality serve``: the device."""

from __future__ import annotations

from contextlib import ExitStack

from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.console import load_console, say_console, serve_console
from openmodality.cli.terminal.json_output import add_json, print_event
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.stopping import stop_on_signals
from openmodality.counted import format_count


def _declare(parser: Parser) -> None:
    add_site(parser)
    add_json(parser)


def run(site_file: str, as_json: bool) -> None:
    """Run the device: listen for peers and work the queue of jobs, until Ctrl-C or SIGTERM.

    One process serves a data folder; the other commands queue what it does. Jobs that were interrupted go on where
    they were.

    The operator's console is served too, on http://127.0.0.1:11180 unless the site file says otherwise, where the extra
    openmodality[console] is installed. As long as it has no users, a link is printed at which the first one is made; it
    works once, for an hour.
    """
    stop = stop_on_signals()
    with device(site_file) as modality, ExitStack() as stack:
        load_console(modality.site)
        ports = modality.serve()
        titles = {role: modality.site.application_entities[role].ae_title for role in ports}
        host = modality.site.settings.network.host_name
        for role, port in ports.items():
            say(f"{titles[role]} listens on {f'{host}, ' if host else ''}port {port} ({role})")
        console = stack.enter_context(serve_console(modality))
        open_jobs = sum(not job.state.finished for job in modality.jobs.list())
        if as_json:
            listening = [{"role": role, "ae_title": titles[role], "port": port} for role, port in ports.items()]
            notices = list(modality.recovery.notices)
            url = console.url if console else None
            print_event("listening", listening=listening, console=url, open_jobs=open_jobs, notices=notices)
        if console:
            say_console(console)
        data = modality.site.data_folder
        say(f"serving {data}, {format_count(open_jobs, 'open job')}; Ctrl-C stops")
        stop.wait()
        say("stopping after the instances that are on their way")


command = CliCommand(run, _declare)
