// One stream of events for all tabs of a browser: HTTP/1.1 has few connections, and each tab would take one for good.
//
// A page says which event was the last before it was made. A stream that is opened for it begins there; where the stream
// is open already and further on, the page looks again.
"use strict";
const ports = new Set();
let source = null;
let address = "";
let seen = 0;
let last = 0;

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function open() {
  source = new EventSource(`${address}?after=${seen}`);
  const heard = (event) => {
    last = Date.now();
    if (event.lastEventId) seen = Number(event.lastEventId);
  };
  source.addEventListener("hello", (event) => {
    heard(event);
    tell({ kind: "hello", boot: JSON.parse(event.data).boot });
  });
  source.addEventListener("alive", (event) => {
    heard(event);
    tell({ kind: "alive" });
  });
  source.addEventListener("resync", (event) => {
    heard(event);
    tell({ kind: "resync" });
  });
  source.addEventListener("change", (event) => {
    heard(event);
    tell({ kind: "change", ...JSON.parse(event.data) });
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => ports.size && isClosed() && open(), 2000);
  });
}

const isClosed = () => !source || source.readyState === EventSource.CLOSED;

self.onconnect = (connection) => {
  const port = connection.ports[0];
  ports.add(port);
  port.onmessage = (event) => {
    if (event.data.kind === "bye") {
      ports.delete(port);
      if (!ports.size && source) source.close();
      return;
    }
    address = event.data.url;
    if (isClosed()) {
      seen = event.data.position;
      open();
    } else {
      if (seen > event.data.position) port.postMessage({ kind: "resync" });
      if (Date.now() - last < 3000) port.postMessage({ kind: "alive" });
    }
  };
  port.start();
};
