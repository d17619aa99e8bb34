import { useEffect } from "preact/hooks";
import { hostZone } from "../ui/zone.ts";

/** Tells whose clock "the host's" means on this page; undefined while it is not known. */
export function useHostZone(zone: string | undefined): void {
  useEffect(() => {
    if (zone !== undefined) hostZone.value = zone;
  }, [zone]);
}
