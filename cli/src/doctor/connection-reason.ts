/** What is wrong on the way to a collector, told apart by the error's code, and what to do. */
export interface ConnectionReason {
  readonly found: string;
  readonly remedy: string;
}

const CHECK_NETWORK = "check the firewall and the route between this host and it";
const CHECK_CERTIFICATE = "renew the collector's certificate";
const TRUST_CA = "put its CA's certificate into a file and start the daemon with NODE_EXTRA_CA_CERTS=FILE";

const REASONS: Readonly<Record<string, ConnectionReason>> = {
  ECONNREFUSED: {
    found: "nothing listens there",
    remedy: "start it: apm collector; or set the right address: collector = …",
  },
  ENOTFOUND: {
    found: "its host name is unknown",
    remedy: "correct the host in collector = …, or the name in DNS",
  },
  EAI_AGAIN: {
    found: "its host name could not be looked up",
    remedy: "check DNS on this host: getent hosts NAME",
  },
  ETIMEDOUT: { found: "no answer within 4 s", remedy: CHECK_NETWORK },
  EHOSTUNREACH: { found: "there is no way to its host", remedy: CHECK_NETWORK },
  ENETUNREACH: { found: "there is no way to its network", remedy: CHECK_NETWORK },
  ECONNRESET: { found: "the connection was cut", remedy: CHECK_NETWORK },
  CERT_HAS_EXPIRED: { found: "its certificate has expired", remedy: CHECK_CERTIFICATE },
  CERT_NOT_YET_VALID: {
    found: "its certificate is not valid yet",
    remedy: "compare the clocks of both hosts",
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: { found: "its certificate is signed by itself", remedy: TRUST_CA },
  SELF_SIGNED_CERT_IN_CHAIN: {
    found: "its certificate is signed by a CA that is not known here",
    remedy: TRUST_CA,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    found: "its certificate is signed by a CA that is not known here",
    remedy: TRUST_CA,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    found: "it does not send the certificates between its own and its CA's",
    remedy: "let the collector's proxy send the full chain",
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    found: "its certificate is another host's",
    remedy: "write the name that is in the certificate into collector = …",
  },
  EPROTO: {
    found: "it does not speak TLS",
    remedy: "write ws:// instead of wss://, or put a TLS proxy in front",
  },
  HPE_INVALID_CONSTANT: { found: "it does not speak HTTP; is it wss://?", remedy: "correct collector = …" },
};

export function connectionReason(error: Error): ConnectionReason {
  const { code = "" } = error as NodeJS.ErrnoException;
  // Node names the error of TLS by OpenSSL's reason, which differs by release.
  const known = REASONS[code] ?? (code.startsWith("ERR_SSL_") ? REASONS.EPROTO : undefined);
  return known ?? { found: `cannot be reached (${code || error.message})`, remedy: CHECK_NETWORK };
}
