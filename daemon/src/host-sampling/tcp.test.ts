import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { Tcp } from "./tcp.ts";

function snmp(established: number, retransmits: number): string {
  return `Ip: Forwarding DefaultTTL
Ip: 2 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens CurrEstab InSegs OutSegs RetransSegs InErrs
Tcp: 1 200 120000 -1 101 ${established} 10329 6036 ${retransmits} 0
Udp: InDatagrams
Udp: 173
`;
}

function netstat(overflows: number): string {
  return `TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 ${overflows} 9\nIpExt: InOctets\nIpExt: 5\n`;
}

test("columns are found by their names, past the -1 of MaxConn", (t) => {
  const proc = new ProcFixture(t, { "net/snmp": snmp(17, 100), "net/netstat": netstat(3) });
  const tcp = new Tcp(proc.root, new ProcScanner());
  assert.deepEqual(tcp.sample(Number.NaN), {
    tcpEstablished: 17,
    tcpRetransmitsPerSecond: null,
    tcpListenOverflowsPerSecond: null,
  });
  proc.write("net/snmp", snmp(12, 108));
  proc.write("net/netstat", netstat(7));
  assert.deepEqual(tcp.sample(2), {
    tcpEstablished: 12,
    tcpRetransmitsPerSecond: 4,
    tcpListenOverflowsPerSecond: 2,
  });
});

test("a kernel without a column or a file gives null for it alone", (t) => {
  const proc = new ProcFixture(t, { "net/snmp": "Tcp: RtoMin CurrEstab\nTcp: 200 4\n" });
  const tcp = new Tcp(proc.root, new ProcScanner());
  tcp.sample(Number.NaN);
  assert.deepEqual(tcp.sample(1), {
    tcpEstablished: 4,
    tcpRetransmitsPerSecond: null,
    tcpListenOverflowsPerSecond: null,
  });
});

test("names without numbers, as in a cut file, give null", (t) => {
  const proc = new ProcFixture(t, { "net/snmp": "Tcp: RtoMin CurrEstab\nTcp: 200", "net/netstat": "Ip" });
  assert.equal(new Tcp(proc.root, new ProcScanner()).sample(1).tcpEstablished, null);
});
