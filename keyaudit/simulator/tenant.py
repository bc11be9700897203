"""The simulated tenant: routes each request to its service, applies faults and throttles, and keeps the log."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from keyaudit.simulator import login
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.faults import Fault, Script
from keyaudit.simulator.key_vault import managed_hsms, vaults
from keyaudit.simulator.microsoft_graph import retired_graph
from keyaudit.simulator.microsoft_graph import service as graph
from keyaudit.simulator.monitor import ingestion, log_analytics
from keyaudit.simulator.resource_manager import resource_graph
from keyaudit.simulator.resource_manager import service as arm
from keyaudit.simulator.service import Call, Directory, Service, Writes, fixed
from keyaudit.simulator.throttle import Meter, Throttle
from keyaudit.simulator.wire import JSON, Answer, Request, compact, http_date

_LOGGED = 200_000


class Delivery(Struct, frozen=True):
    """A response: bytes (None: nothing), the delay beyond the latency, and whether the connection is then closed."""

    payload: bytes | None
    delay: float = 0.0
    close: bool = False


class Trapped(Struct, frozen=True):
    """A request to a host outside Azure."""

    host: str
    method: str
    target: str
    authorization: str | None


class Tenant:
    """One run of one estate."""

    def __init__(
        self,
        estate: Estate,
        now: Callable[[], float],
        *,
        throttle: Throttle | None,
        faults: Sequence[Fault],
        traps: Collection[str],
        others: Sequence["Tenant"] = (),
        writes: Writes | None = None,
    ) -> None:
        self.directory = Directory(estate)
        self._others = others
        for other in others:
            # One application, which is in all of these tenants.
            other.directory.client_id, other.directory.client_secret = self.directory.client_id, self.directory.client_secret
        self.requests: deque[tuple[str, str, str]] = deque(maxlen=_LOGGED)
        self.calls: Counter[str] = Counter()
        self.audiences: set[tuple[str, str]] = set()
        self.refused: list[str] = []
        self.trapped: list[Trapped] = []
        self.meter = None if throttle is None else Meter(throttle)
        self.now = now
        self._script = Script(resource_graph.by_itself(faults))
        self._traps = frozenset(traps)
        self._served = 0
        self._ids = self.directory.guid("request")[:24]
        self._vaults = vaults.Vaults(self.directory)
        self._hsms = managed_hsms.ManagedHsms(self.directory)
        graph_service = graph.Graph(self.directory)
        graph_service.part = self._part
        self.ingestion = ingestion.Ingestion(self.directory)
        self._services: dict[str, Service] = {
            login.HOST: login.Login(self.directory),
            arm.HOST: arm.Arm(self.directory),
            graph.HOST: graph_service,
            retired_graph.HOST: retired_graph.RetiredGraph(self.directory),
            log_analytics.HOST: log_analytics.LogAnalytics(self.directory),
            ingestion.HOST: self.ingestion,
        }
        if writes is not None:
            for service in (self._vaults, self._hsms, *self._services.values()):
                service.write = writes(service)

    def resolves(self, host: str) -> bool:
        """Whether the name resolves: deleted vaults do not."""
        return host in self._traps or self._service(host) is not None or any(other.resolves(host) for other in self._others)

    def concerns(self, request: Request) -> bool:
        """Whether a request is for this tenant: by its sign-in address, its token, or its vault."""
        authorization = request.headers.get("authorization")
        if request.host == login.HOST:
            known = {self.directory.tenant_id, *(domain.name.lower() for domain in self.directory.estate.domains)}
            return bool(request.segments) and request.segments[0].lower() in known
        if authorization is not None:
            return bool(self.directory.tokens.audience(authorization))
        return request.host not in self._services and self._service(request.host) is not None

    def connecting(self, host: str) -> Fault | None:
        """The fault for this CONNECT."""
        return self._script.meet("connect", host)

    def deliver(self, request: Request) -> Delivery:
        """Answer one request."""
        for other in self._others:
            if other.concerns(request):
                return other.deliver(request)
        self._served += 1
        request.id = f"{self._ids}{self._served:012x}"
        request.now = self.now()
        self.requests.append((request.method, request.host, request.target))
        authorization = request.headers.get("authorization")
        if authorization is not None:
            self.audiences.add((request.host, self.directory.tokens.audience(authorization)))
        service = self._service(request.host)
        if service is None:
            return self._trap(request) if request.host in self._traps else Delivery(None, close=True)
        denied = service.denied(request)
        call = service.call(request) if denied is None else fixed("challenge", denied)
        answer, fault = self._answer(service, call, request)
        if answer is None:
            return Delivery(None, close=True)
        own = service.own_headers(request, call.charges, self.meter)
        return self._encoded(request, answer, own) if fault is None else self._faulty(request, fault, answer, own)

    def _answer(self, service: Service, call: Call, request: Request) -> tuple[Answer | None, Fault | None]:
        """Count and charge a call; return its answer and fault."""
        self.calls[call.operation] += 1
        fault = self._script.meet(call.operation, request.host + request.target)
        refusal = None
        if fault is None and self.meter is not None:
            refusal = self.meter.charge(call.charges, request.now)
        return (call.respond(request) if refusal is None else service.throttled(request, refusal)), fault

    def _part(self, request: Request) -> Answer:
        """One request of a batch, with counts, charges and faults like a single one."""
        service = self._services[request.host]
        answer, fault = self._answer(service, service.call(request), request)
        whole = answer or Answer(500, b"{}")
        return whole if fault is None else fault.changed(whole, request)

    def _encoded(self, request: Request, answer: Answer, own: str) -> Delivery:
        keep = request.headers.get("connection", "").lower() != "close"
        accept_gzip = "gzip" in request.headers.get("accept-encoding", "")
        date = http_date(int(request.now))
        payload = answer.encode(date, own, accept_gzip=accept_gzip, keep=keep)
        if request.method == "HEAD":
            payload = payload[: payload.index(b"\r\n\r\n") + 4]
        return Delivery(payload, close=not keep)

    def _faulty(self, request: Request, fault: Fault, answer: Answer, own: str) -> Delivery:
        if fault.drop or fault.raw is not None:
            return Delivery(None if fault.drop else fault.raw, fault.delay, close=True)
        changed = fault.changed(answer, request)
        date = "" if any(name.lower() == "date" for name in fault.headers) else http_date(int(request.now))
        payload = changed.encode(date, own, accept_gzip=False, keep=True)
        if fault.cut is None:
            return Delivery(payload, fault.delay)
        return Delivery(payload[: payload.index(b"\r\n\r\n") + 4 + fault.cut], fault.delay, close=True)

    def _service(self, host: str) -> Service | None:
        found = self._services.get(host)
        if found is None and host.endswith(vaults.SUFFIX):
            name = host.removesuffix(vaults.SUFFIX)
            known = name in self.directory.vaults and name not in self.directory.gone
            return self._vaults if known else None
        if found is None and host.endswith(managed_hsms.SUFFIX):
            hsm = self.directory.hsms.get(host.removesuffix(managed_hsms.SUFFIX))
            return self._hsms if hsm and hsm.access != "nowhere" else None
        return found

    def _trap(self, request: Request) -> Delivery:
        """A trap host: it records requests, asks for a token, and then returns an empty list."""
        authorization = request.headers.get("authorization")
        self.trapped.append(Trapped(request.host, request.method, request.target, authorization))
        headers = {"Content-Type": JSON}
        if authorization is None:
            where = f"{login.LOGIN}/{self.directory.tenant_id}"
            headers["WWW-Authenticate"] = f'Bearer authorization="{where}", resource="https://{request.host}"'
            return self._encoded(request, Answer(401, b"{}", headers), "")
        return self._encoded(request, Answer(200, compact({"value": [], "nextLink": None}), headers), "")
