/** A URL without user info, query and fragment. Works on any text, also on what is no valid URL. */
export function stripUrl(url: string): string {
  const path = stripQuery(url);
  const schemeEnd = path.indexOf("://");
  if (schemeEnd === -1) return path;
  const hostStart = schemeEnd + 3;
  const pathStart = path.indexOf("/", hostStart);
  const hostEnd = pathStart === -1 ? path.length : pathStart;
  const userEnd = path.lastIndexOf("@", hostEnd);
  return userEnd < hostStart ? path : path.slice(0, hostStart) + path.slice(userEnd + 1);
}

const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'`<>\\]{1,2048}/gi;

/** A text with all URLs in it stripped: errors of clients and URL parsers name what they were called with. */
export function stripUrlsIn(text: string): string {
  return text.includes("://") ? text.replace(URL_IN_TEXT, stripUrl) : text;
}

/** What stands before the query and the fragment. */
export function stripQuery(url: string): string {
  for (let i = 0; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code === 63 || code === 35) return url.slice(0, i);
  }
  return url;
}

export interface HostAndPort {
  readonly address: string;
  /** 0 where the text names none. */
  readonly port: number;
}

/** Parts of "host", "host:port" or "[v6]:port", as in a Host header. */
export function parseHost(host: string): HostAndPort {
  const end = host.startsWith("[") ? host.indexOf("]") + 1 : 0;
  const colon = host.indexOf(":", end);
  const address = colon === -1 ? host : host.slice(0, colon);
  const port = colon === -1 ? 0 : Number(host.slice(colon + 1));
  return {
    address: address.startsWith("[") ? address.slice(1, -1) : address,
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0,
  };
}
