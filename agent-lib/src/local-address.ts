const LOCAL =
  /^(?:::ffff:)?(?:127\.|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)|^::1$|^f[cd][0-9a-f]{2}:|^fe[89ab][0-9a-f]:/i;

/** Loopback, private and link-local addresses of IPv4 and IPv6. */
export function isLocalAddress(address: string): boolean {
  return LOCAL.test(address);
}
