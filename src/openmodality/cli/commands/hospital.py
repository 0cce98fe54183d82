"""``openmodality hospital``: the virtual RIS, PACS, printer and audit repository, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from openmodality.cli.display.hospital_lines import SERVERS, format_event_line
from openmodality.cli.terminal.arguments import DONE, WRONG_USAGE, CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document, print_event
from openmodality.cli.terminal.output import align_rows, say, say_lines
from openmodality.cli.terminal.stopping import stop_on_signals
from openmodality.cli.terminal.values import any_folder, parse_integer, parse_number
from openmodality.errors import OpenModalityError, StoreError, UsageError
from openmodality.hospital.addresses import AUDIT, DEVICES, LOCALHOST, PACS, PRINTER, RIS, Endpoint
from openmodality.hospital.control import ControlSocket, give_order, report_fault
from openmodality.hospital.hospital import Habits, Hospital
from openmodality.hospital.journal import JournalEntry
from openmodality.hospital.orders import ORDERS, Orders, parse_peer
from openmodality.hospital.personalities import PERSONALITIES
from openmodality.standard.text_rules import clean_text

_PORT: Final = parse_integer(0, 65535)


def _add_port(parser: Parser, server: str, endpoint: Endpoint, purpose: str) -> None:
    parser.add_argument(
        f"--{server}-port",
        metavar="INTEGER",
        type=_PORT,
        default=endpoint.port,
        help=f"Port of {endpoint.aet}, {purpose}; 0 takes a free one.",
    )


def _add_audit(parser: Parser) -> None:
    parser.add_argument(
        "--audit-port",
        metavar="INTEGER",
        type=_PORT,
        help="Port of the audit repository; 0 takes a free one.  [default: 11116, or a free one with --ris-port 0]",
    )
    parser.add_argument(
        "--audit-plain", action="store_true", help="Take audit messages over TCP in the clear, not under TLS."
    )


def _declare(parser: Parser) -> None:
    parser.add_argument(
        "--data", metavar="DIR", type=any_folder, help="Keep everything here; without it all is gone at the end."
    )
    _add_port(parser, "ris", RIS, "worklist and performed steps")
    _add_port(parser, "pacs", PACS, "storage, commitment, query and retrieve")
    _add_port(parser, "printer", PRINTER, "film printing")
    _add_audit(parser)
    parser.add_argument("--host", metavar="TEXT", default=LOCALHOST, help="Address to listen on; 0.0.0.0 is all.")
    parser.add_argument(
        "--peer",
        dest="peers",
        metavar="AET=HOST:PORT",
        action="append",
        default=[],
        help="Where a device listens for commitment results and retrieved instances. May be repeated.",
    )
    parser.add_argument(
        "--misbehave",
        metavar="PERSONALITY",
        action="append",
        default=[],
        help="Fail on purpose: SERVER:NAME[@N|@N+|/N][=SECONDS], such as pacs:a700@5. May be repeated.",
    )
    parser.add_argument(
        "--list-personalities", action="store_true", help="Print the ways to fail on purpose, and exit."
    )
    parser.add_argument(
        "--pacs-web-port",
        metavar="INTEGER",
        type=_PORT,
        help="Let the PACS also store what comes over DICOMweb (STOW-RS), on this port.",
    )
    parser.add_argument(
        "--commitment-delay",
        metavar="SECONDS",
        type=parse_number(0),
        default=2.0,
        help="How long after its request a storage commitment is reported.",
    )
    parser.add_argument(
        "--seed",
        metavar="INTEGER",
        type=parse_integer(),
        default=1,
        help="Of the patients, where DIR has no schedule yet.",
    )
    parser.add_argument("order", metavar="ctl ORDER", nargs="*")
    add_json(parser)


class _OrderWord:
    """A word of an order; a shell's completion offers the names of all orders."""

    offered = tuple(ORDERS)

    def __call__(self, text: str) -> str:
        return text


def _declare_ctl(parser: Parser) -> None:
    parser.add_argument("order", metavar="ORDER", nargs="*", type=_OrderWord())
    parser.add_argument(
        "--ris-port",
        metavar="INTEGER",
        type=_PORT,
        default=RIS.port,
        help=f"Port of its {RIS.aet}, which tells what hospital is meant.",
    )
    add_json(parser)


def control(order: Sequence[str], ris_port: int, as_json: bool) -> int:
    """Give an order to a hospital that this user runs in another terminal."""
    return _give_order(ris_port, order, as_json)


def run(  # one parameter for each option
    data: Path | None,
    ris_port: int,
    pacs_port: int,
    printer_port: int,
    audit_port: int | None,
    audit_plain: bool,
    host: str,
    peers: Sequence[str],
    misbehave: Sequence[str],
    list_personalities: bool,
    pacs_web_port: int | None,
    commitment_delay: float,
    seed: int,
    order: Sequence[str],
    as_json: bool,
) -> int:
    """A virtual RIS, PACS, printer and audit repository for a device to work with.

    Shows what happens as a table on a terminal, as lines otherwise, as JSON lines with --json. The invented patients
    are in DIR/schedule.json, which may be edited. Stops at Ctrl-C or SIGTERM.

    While it runs it obeys ORDER on its standard input, and with ctl from another terminal of the same user:
    misbehave PERSONALITY, behave [PERSONALITY], peer AET=HOST:PORT, forget AET, patient PATIENT-ID KEYWORD=VALUE,
    status, quit.
    """
    if order:
        return _give_ctl_order(ris_port, order, as_json)
    if list_personalities:
        return _list_personalities(as_json)
    addresses = {**DEVICES, **dict(parse_peer(text) for text in peers)}
    ports = {RIS: ris_port, PACS: pacs_port, PRINTER: printer_port}
    ris, pacs, printer = (Endpoint(usual.aet, port, host) for usual, port in ports.items())
    is_live = sys.stdout.isatty() and not as_json
    audit = Endpoint(AUDIT.aet, _choose_audit_port(audit_port, ris_port), host)
    listener = None if is_live else _LinePrinter(as_json).happened
    habits = Habits(seed, commitment_delay_s=commitment_delay, audit=audit, audit_tls=not audit_plain)
    habits = replace(habits, listener=listener, web_port=pacs_web_port)
    with _open_folder(data) as folder:
        hospital = Hospital(folder, ris, pacs, printer, addresses, habits)
        hospital.misbehave(*misbehave)
        stop = stop_on_signals()
        with hospital:
            _say_where(hospital, folder, as_json)
            orders = Orders(hospital, stop.set)
            _obey_input(orders)
            with _take_orders(hospital, orders), _show_live(hospital) if is_live else nullcontext():
                stop.wait()
    return DONE


def _choose_audit_port(given: int | None, ris_port: int) -> int:
    """The port that was asked for; a second hospital beside the usual one takes a free one."""
    if given is not None:
        return given
    return AUDIT.port if ris_port == RIS.port else 0


_ORDER_LINES: Final = "\n\n".join(
    f"{name} {others}: {what}.".replace(" :", ":") for name, (others, what) in ORDERS.items()
)
command = CliCommand(
    run, _declare, commands={"ctl": CliCommand(control, _declare_ctl, text=f"{control.__doc__}\n\n{_ORDER_LINES}")}
)


def _say_where(hospital: Hospital, folder: Path, as_json: bool) -> None:
    peers = {server: hospital.peer(server) for server in SERVERS}
    if as_json:
        where = {name: {"aet": at.ae_title, "host": at.host, "port": at.port} for name, at in peers.items()}
        web = {"pacs_web": hospital.web_url} if hospital.web_url else {}
        print_event("listening", data=str(folder), **where, **web, audit=_describe_audit(hospital))
        return
    web_urls = filter(None, [hospital.web_url])
    listed = ", ".join([*map(str, peers.values()), *web_urls, *_list_audit(hospital)])
    say(f"listening: {listed}; data in {folder}")


def _describe_audit(hospital: Hospital) -> dict[str, object] | None:
    audit = hospital.audit
    return None if audit is None else {"host": audit.host, "port": audit.port, "tls": audit.is_secure}


def _list_audit(hospital: Hospital) -> list[str]:
    audit = hospital.audit
    if audit is None:
        return []
    return [f"audit repository at {audit.host}:{audit.port} ({'TLS' if audit.is_secure else 'in the clear'})"]


def _list_personalities(as_json: bool) -> int:
    if as_json:
        print_document(
            {"name": name, "servers": each.servers, "acts_on": each.hook.value, "summary": each.summary}
            for name, each in PERSONALITIES.items()
        )
        return DONE
    width = max(map(len, PERSONALITIES))
    for name, each in PERSONALITIES.items():
        print(f"{name:{width}}  {'|'.join(each.servers):16}  {each.summary}")
    return DONE


@contextmanager
def _open_folder(data: Path | None) -> Iterator[Path]:
    if data is None:
        with TemporaryDirectory(prefix="openmodality-hospital-") as folder:
            yield Path(folder)
        return
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{data}: cannot be used as a folder: {error.strerror}") from error
    yield data


class _LinePrinter:
    """One line for each event."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._lock = threading.Lock()

    def happened(self, event: JournalEntry) -> None:
        with self._lock:
            if self._as_json:
                members = event.as_dict()
                print_event(str(members.pop("event")), **members)
            else:
                print(format_event_line(event), flush=True)


@contextmanager
def _show_live(hospital: Hospital) -> Iterator[None]:
    from rich.console import Console  # noqa: PLC0415 - start-up time, and only on a terminal
    from rich.live import Live  # noqa: PLC0415 - likewise

    from openmodality.cli.display.hospital_table import hospital_table  # noqa: PLC0415 - likewise

    console = Console()
    with Live(
        console=console,
        get_renderable=lambda: hospital_table(hospital, console.height, console.width),
        refresh_per_second=4,
    ):
        yield


# Lines on standard input


def _obey_input(orders: Orders) -> None:
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # in the background reading a terminal fails; it must not stop us
    threading.Thread(target=_read_input, args=(orders,), name="standard-input", daemon=True).start()


def _read_input(orders: Orders) -> None:
    try:
        with os.fdopen(os.dup(0), encoding="utf-8", errors="replace") as lines:
            for text in lines:
                _obey_line(orders, text.split())
    except OSError:
        return  # no standard input, or in the background


def _obey_line(orders: Orders, words: list[str]) -> None:
    if not words:
        return
    try:
        answer = orders.obey(words)
    except OpenModalityError as error:
        say(f"openmodality: {error}")
    except Exception as error:  # noqa: BLE001 - the thread's boundary: reported to whoever wrote the line
        say(f"openmodality: {report_fault(error)}")
    else:
        if words[0] == "status":  # of other orders the table and the events tell
            say(answer)


# Orders from another terminal


@contextmanager
def _take_orders(hospital: Hospital, orders: Orders) -> Iterator[None]:
    """Take orders from other terminals; where that cannot be, say so and go on without."""
    with ExitStack() as taking:
        try:
            taking.enter_context(ControlSocket(hospital.ris_peer.port, orders.obey))
        except StoreError as error:
            say(f"openmodality: {error.message}; hospital ctl does not reach this hospital")
        yield


def _give_ctl_order(ris_port: int, words: Sequence[str], as_json: bool) -> int:
    if words[0] != "ctl":
        raise UsageError(f"unexpected argument {words[0]!r}", advice="'ctl' gives orders to a hospital that runs")
    return _give_order(ris_port, words[1:], as_json)


def _give_order(ris_port: int, words: Sequence[str], as_json: bool) -> int:
    if not words:
        listed = align_rows([(f"{name} {others}".rstrip(), what) for name, (others, what) in ORDERS.items()])
        say_lines("\n  ".join(["openmodality: ctl needs an order:", *listed]))
        return WRONG_USAGE
    answer = give_order(ris_port, words)
    if as_json:
        print_document([{"order": list(words), "answer": answer}])
    else:
        print(clean_text(answer))
    return DONE
