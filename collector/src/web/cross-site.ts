/**
 * Why a POST must be refused as another site's doing, in a sentence; null when it need not be. Browsers say on each POST
 * where it comes from, and pages cannot change that; who says nothing is no browser. `Sec-Fetch-Site` is only sent to
 * https and localhost, `Origin` always; a proxy in front may have changed `Host`, then the former vouches alone.
 */
export function crossSiteReason(header: (name: string) => string | undefined): string | null {
  const site = header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none")
    return "pages of other sites may not do this";
  const origin = header("origin");
  if (origin === undefined || site === "same-origin") return null;
  if (URL.canParse(origin) && new URL(origin).host === ownHost(header("host"))) return null;
  return "pages of another origin may not do this";
}

/** As a URL has it: lower case, without the port that the scheme implies. */
function ownHost(host: string | undefined): string | null {
  const url = `http://${host ?? ""}`;
  return URL.canParse(url) ? new URL(url).host : null;
}
